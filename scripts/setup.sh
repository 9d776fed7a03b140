#!/usr/bin/env bash
# Installs what Fieldfare needs and this machine lacks: Debian packages and the speech runtime.
#   scripts/setup.sh                 what `make build` and `make demo` need
#   scripts/setup.sh --for-tests     also what the tests run against: nginx, promtool, sqlite3, systemd-analyze, faketime, ssh-agent, strace, time zones,
#                                    compilers of C and C++, python-tuf
#   scripts/setup.sh --for-fixtures  also what speaks the held-out sentences for the speech model's word error rates
# Packages are installed as root or through sudo; otherwise the one line to run is printed, and the exit code is 2.
set -euo pipefail
cd "$(dirname "$0")/.."

for_tests=0
for_fixtures=0
case "${1:-}" in
    "") ;;
    --for-tests) for_tests=1 ;;
    --for-fixtures) for_fixtures=1 ;;
    *) echo "setup: expected no argument, --for-tests or --for-fixtures, got '$1'" >&2; exit 2 ;;
esac

packages=(libsodium-dev libsqlite3-dev libcurl4-openssl-dev libssl-dev pkg-config
    python3 python3-venv python3-pip openssl curl)
((for_tests)) && packages+=(nginx-light prometheus sqlite3 systemd tmux faketime openssh-client tzdata dbus-daemon strace
    gcc g++ libc6-dev)
((for_fixtures)) && packages+=(gcc libc6-dev espeak-ng flite festival festvox-kallpc16k)

missing=()
for package in "${packages[@]}"; do
    dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^ii' || missing+=("$package")
done

if ((${#missing[@]})); then
    install="apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
    if [[ $EUID -eq 0 ]]; then
        run() { "$@"; }
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        run() { sudo "$@"; }
    else
        echo "setup: missing packages; run this, then try again:" >&2
        echo "sudo sh -c '$install'" >&2
        exit 2
    fi
    echo "setup: installing ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    run apt-get update -qq
    # A package's service must not start on a build machine: policy-rc.d answers 101, "not allowed".
    policy=/usr/sbin/policy-rc.d
    if ((for_tests)) && [[ ! -e $policy ]]; then
        printf '#!/bin/sh\nexit 101\n' | run tee "$policy" >/dev/null
        run chmod 755 "$policy"
        trap 'run rm -f "$policy"' EXIT
    fi
    run apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

if ! command -v swift >/dev/null; then
    echo "setup: expected Swift 6.3 in PATH, got no swift; see https://www.swift.org/install/linux" >&2
    exit 2
fi
if ! swift --version 2>/dev/null | grep -qE 'Swift version (6\.([3-9]|[1-9][0-9])|[7-9]\.)'; then
    echo "setup: expected Swift 6.3 or newer, got $(swift --version 2>/dev/null | head -n 1)" >&2
    exit 2
fi

scripts/fetch-speech-runtime.sh
((for_tests)) && scripts/python-tuf.sh
exit 0
