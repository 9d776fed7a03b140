#!/usr/bin/env bash
# Runs the agent's tests under a sanitizer: `scripts/sanitize.sh thread` or `scripts/sanitize.sh address`.
set -euo pipefail
cd "$(dirname "$0")/.."

suites='^(AgentCore|SlotHost|AgentJournal|FieldfareAgent|CurlTransport|PosixFiles)Tests'
case "${1:-}" in
thread) scratch=.build-tsan ;;
address)
    scratch=.build-asan
    # What Swift's runtime and SQLite keep until the end is no leak of ours.
    export ASAN_OPTIONS=detect_leaks=0
    ;;
*)
    echo "expected thread or address, got '${1:-nothing}'" >&2
    exit 2
    ;;
esac

export FIELDFARE_DEVICE_ONLY=1
# Smoke tests run in 512 MiB of address space, in which no sanitizer has room for its shadow memory.
swift build --configuration release --product fieldfare-smoke --scratch-path .build-crash
export FIELDFARE_SMOKE=$PWD/.build-crash/release/fieldfare-smoke

# The table of lies takes ten times as long here, and its agents run on one thread.
swift test --sanitize="$1" --scratch-path "$scratch" --filter "$suites" --skip 'LyingRegistryTests'
