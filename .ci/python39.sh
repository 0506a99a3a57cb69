#!/bin/bash
# Usage: .ci/python39.sh DEST
#
# Print the path of a working Python 3.9, the oldest that the collection's modules run on. Where the machine has none,
# Debian's packages of it are unpacked below DEST: bullseye is the release that had 3.9. Nothing is installed, and the
# machine's own apt lists and sources stay as they are; the mirrors are those that the machine uses already.
set -euo pipefail

dest=${1:?usage: python39.sh DEST}
packages=(python3.9-minimal libpython3.9-minimal libpython3.9-stdlib libffi7)
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

works() {
    "$1" -c 'import sys, ctypes, json, selectors; sys.exit(sys.version_info[:2] != (3, 9))' >/dev/null 2>&1
}

for candidate in python3.9 "$dest/bin/python3.9" "$HOME"/.pyenv/versions/3.9*/bin/python3.9; do
    # a shim of a version manager answers 127 when the version behind it is not chosen
    if [ -z "${PYTHON39_FETCH:-}" ] && works "$candidate"; then
        command -v "$candidate"
        exit 0
    fi
done

# apt fills in the format, not the shell
# shellcheck disable=SC2016
mirrors=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Origin: Debian' | sed 's:/* : :' | sort -u)
main=$(awk '$2 !~ /-/ {print $1; exit}' <<<"$mirrors")
security=$(awk '$2 ~ /-security$/ {print $1; exit}' <<<"$mirrors")
[ -n "$main" ] || { echo "python39.sh: no Debian mirror among this machine's apt sources" >&2; exit 1; }

mkdir -p "$dest"
root=$(mktemp -d "$dest/apt.XXXXXX")
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"
mkdir -p "$root"/{lists/partial,cache/archives/partial,etc,debs}
{
    echo "deb [signed-by=$keyring] $main bullseye main"
    [ -z "$security" ] || echo "deb [signed-by=$keyring] $security bullseye-security main"
} >"$root/etc/sources.list"
: >"$root/status"

# Reading the sources from here, and everything that apt would write to there: its own lists, cache and status.
apt=(apt-get -qq
    -o "Dir::Etc::sourcelist=$root/etc/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o "Dir::State::lists=$root/lists" -o "Dir::State::status=$root/status"
    -o "Dir::Cache=$root/cache" -o "APT::Sandbox::User=root"
    -o Acquire::Languages=none -o Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false)
"${apt[@]}" update >&2
(cd "$root/debs" && "${apt[@]}" download "${packages[@]}" >&2)
for deb in "$root"/debs/*.deb; do
    dpkg -x "$deb" "$dest"
done

# Its libffi lies beside it, not where the loader looks.
libraries=$(dirname "$(find "$dest/usr/lib" -name 'libffi.so.7' | head -n 1)")
mkdir -p "$dest/bin"
cat >"$dest/bin/python3.9" <<EOF
#!/bin/sh
LD_LIBRARY_PATH=$(realpath "$libraries")\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH} exec $(realpath "$dest")/usr/bin/python3.9 "\$@"
EOF
chmod 755 "$dest/bin/python3.9"
works "$dest/bin/python3.9" || { echo "python39.sh: the fetched Python does not work" >&2; exit 1; }
realpath "$dest/bin/python3.9"
