#!/bin/sh
# Print the path of a working Python >= 3.12 with venv and pip, found by running the candidates:
# a version manager's shim lies on PATH without being an interpreter. Nothing is downloaded.
set -u

works() {
    timeout 3 "$1" -I -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 12))' >/dev/null 2>&1
}

for name in python3.12 python3.13 python3.14 python3.15 python3 python; do
    # every hit on PATH, not only the first: a shim may hide the real one
    IFS=:
    for folder in $PATH; do
        [ -x "$folder/$name" ] && works "$folder/$name" && { echo "$folder/$name"; exit 0; }
    done
    unset IFS
done
for candidate in "${HOME:-/nonexistent}"/.pyenv/versions/*/bin/python3 /opt/python*/bin/python3 /usr/local/python*/bin/python3; do
    [ -x "$candidate" ] && works "$candidate" && { echo "$candidate"; exit 0; }
done
cat >&2 <<'TXT'
itcare needs a Python >= 3.12 with the modules venv and ensurepip, and none was found.
Looked for python3.12 ... python3.15, python3 and python on PATH and in ~/.pyenv/versions.
Install one, for example:  apt install python3.12 python3.12-venv   (Ubuntu 24.04, Debian 13: python3 python3-venv)
                           dnf install python3.12                   (Fedora, RHEL)
                           pyenv install 3.12
TXT
exit 1
