#!/usr/bin/env bash
# A real maintenance visit of this computer, from the contract to the browser.
set -euo pipefail
cd "$(dirname "$0")/.."
export ITCARE_HOME="${ITCARE_HOME:-$PWD/.demo}"
recovery="${ITCARE_RECOVERY:-$PWD/.demo-recovery}"
itcare=.venv/bin/itcare

if ! command -v ssh >/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends openssh-client >/dev/null
    else
        echo "itcare: the second client of the demo is asked over ssh; please install openssh-client" >&2
        exit 1
    fi
fi

# CLEAN=1: the same contracts, but the visit may delete old temporary files of this computer
contracts=$PWD/inventories/demo
if [ -n "${CLEAN:-}" ]; then
    contracts=$recovery/contracts-that-clean
    mkdir -p -m 700 "$contracts"
    for file in inventories/demo/*.yml; do
        sed 's/temp_clean: false/temp_clean: true/' "$file" >"$contracts/${file##*/}"
    done
fi

if [ ! -e "$ITCARE_HOME/itcare.toml" ]; then
    mkdir -p -m 700 "$recovery"
    "$itcare" init --recovery-key "$recovery/recovery.key" --contracts "$contracts"
fi

sed -i "s|^contracts = .*|contracts = \"$contracts\"|" "$ITCARE_HOME/itcare.toml"

visit() {
    # exit 3: some host was not reached. The second client's computer is switched off on purpose.
    "$itcare" run "$1" visit.daily --reason "demo" || [ $? = 3 ]
}
visit DOMOWA
visit NORDWIND
"$itcare" publish
"$itcare" verify
"$itcare" findings

cat <<TXT

Look closer:  export ITCARE_HOME=$ITCARE_HOME
              .venv/bin/itcare runs            every run, and .venv/bin/itcare show DOMOWA/1 to the last task
              .venv/bin/itcare dashboard       the client's pages in the browser
TXT
[ -n "${NO_SERVE:-}" ] || exec "$itcare" dashboard
