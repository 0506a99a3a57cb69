#!/usr/bin/env bash
# Every linter; each says what it found and the first failure ends the run.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=$PWD/.venv/bin
export PATH="$bin:$PATH" ANSIBLE_HOME="$PWD/.ansible"
export ANSIBLE_INVENTORY=localhost, # a syntax check names none, which ansible.cfg makes an error

"$bin/ruff" format --check .
"$bin/ruff" check .
"$bin/mypy"
"$bin/lint-imports"
(cd collections/ansible_collections/itcare/maintenance && "$bin/ruff" format --check . && "$bin/ruff" check .)
"$bin/yamllint" --strict .
"$bin/ansible-lint" --offline --strict
echo "lint: clean"
