#!/usr/bin/env bash
# Install the system components that tests use (tests/allowed_skips.toml) through apt, as root on
# Debian or Ubuntu. No service is started or left enabled. Elsewhere the tests say what they skip.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=$(.venv/bin/python -m tests.support.components missing-packages)
if [ -n "$packages" ]; then
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        echo "itcare: not installed here: $packages (tests that need them will be skipped by name)"
        exit 0
    fi
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        trap 'rm -f "$policy"' EXIT
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
    fi
    export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
    # an exit code of the update alone decides nothing: a third source may be away while ours answer
    apt-get update -qq || echo "itcare: apt-get update had errors; trying the installation all the same" >&2
    # shellcheck disable=SC2086
    apt-get install -qq -y --no-install-recommends $packages >/dev/null
    for unit in ssh.service ssh.socket sshd.service smartmontools.service; do
        case " $packages " in *" openssh-server "* | *" smartmontools "*)
            ! command -v deb-systemd-helper >/dev/null || deb-systemd-helper disable "$unit" >/dev/null 2>&1 || true ;;
        esac
    done
fi
.venv/bin/python -m tests.support.components prepare
