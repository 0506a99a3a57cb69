#!/bin/sh
# Make .venv from uv.lock, development tools included. Only packages are fetched.
# `environment.sh bench` adds what only benchmarks compare with; a .venv that has it serves everything else as well.
set -eu
cd "$(dirname "$0")/.."

stamp=$(cat pyproject.toml uv.lock .ci/environment.sh | cksum)
wanted=$stamp${1:+ $1}
made=$(cat .venv/.stamp 2>/dev/null || :)
[ -x .venv/bin/itcare ] && { [ "$made" = "$wanted" ] || [ "${made% bench}" = "$wanted" ]; } && exit 0

python=$(sh .ci/python.sh)
echo "itcare: making .venv with $("$python" -V)"
export UV_PYTHON_DOWNLOADS=never UV_PROJECT_ENVIRONMENT=.venv UV_NO_PROGRESS=1
[ -d "${HOME:-}" ] && [ -w "${HOME:-}" ] || export UV_CACHE_DIR="$PWD/.boot/cache" HOME="$PWD/.boot"
[ -x .boot/bin/uv ] || {
    "$python" -m venv .boot
    .boot/bin/python -m pip install --quiet --disable-pip-version-check "uv>=0.13,<0.14"
}
.boot/bin/uv sync --quiet --frozen --python "$python" ${1:+--group "$1"}
echo "$wanted" >.venv/.stamp
