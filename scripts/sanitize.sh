#!/usr/bin/env bash
# Runs the agent's tests under a sanitizer: `scripts/sanitize.sh thread` or `scripts/sanitize.sh address`. What any process
# reports fails the run, also where a test started it and did not look at how it ended.
set -euo pipefail
cd "$(dirname "$0")/.."

suites='^(AgentCore|SlotHost|AgentJournal|FieldfareAgent|CurlTransport|PosixFiles)Tests\.'
case "${1:-}" in
thread) scratch=$PWD/.build-tsan ;;
address) scratch=$PWD/.build-asan ;;
*)
    echo "expected thread or address, got '${1:-nothing}'" >&2
    exit 2
    ;;
esac

export FIELDFARE_DEVICE_ONLY=1
# Smoke tests run in 512 MiB of address space, in which no sanitizer has room for its shadow memory.
swift build --configuration release --product fieldfare-smoke --scratch-path .build-crash
export FIELDFARE_SMOKE=$PWD/.build-crash/release/fieldfare-smoke

reports=$scratch/reports
mkdir -p "$reports"
rm -f "$reports"/*
# What Swift's runtime and SQLite keep until the end is no leak of ours.
options="detect_leaks=0:log_path=$reports/report:external_symbolizer_path=$(command -v llvm-symbolizer || true)"
clang -c -O1 -fsanitize="$1" -DOPTIONS="\"$options\"" scripts/sanitizer.c -o "$scratch/sanitizer.o"
flags=(--sanitize="$1" --scratch-path "$scratch" -Xlinker "$scratch/sanitizer.o")
# The linker has a thousand warnings for symbols of the address sanitizer's own.
swift build --build-tests "${flags[@]}" 2>&1 | grep -v 'Cannot export local symbol'

# A planted bug has to be reported, or no report means nothing.
FIELDFARE_PLANTED=1 "$scratch/debug/fieldfare-agent" --version >/dev/null || true
if ! grep -qs 'data race\|heap-use-after-free' "$reports"/*; then
    echo "expected a report of the planted bug in $reports, got none" >&2
    exit 1
fi
rm -f "$reports"/*

failed=0
start=$SECONDS
swift test --skip-build "${flags[@]}" --filter "$suites" --skip LyingRegistryTests || failed=1
# By itself: beside the table of lies an agent that was flooded did not answer in time.
swift test --skip-build "${flags[@]}" --filter LyingRegistryTests || failed=1
echo "$1: $((SECONDS - start)) s, $(find "$reports" -type f | wc -l) reports"
if compgen -G "$reports/*" >/dev/null; then
    cat "$reports"/*
    failed=1
fi
exit "$failed"
