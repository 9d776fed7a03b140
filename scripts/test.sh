#!/usr/bin/env bash
# Runs all tests: first the device side's, which need no external package, with the coverage floor of the pure
# targets; then the server side's, which share the debug build with `make build`, and stolen keys against running
# agents; then the main job with a small fleet (without 1.6.0).
set -euo pipefail
cd "$(dirname "$0")/.."

# Every mutant's text is still there once.
scripts/mutants.py --list >/dev/null

# The tests against python-tuf fail here where something is missing, instead of being skipped.
export FIELDFARE_INTEROP=required FIELDFARE_PYTHON=$PWD/.deps/python-tuf/bin/python

# The C library's tests take the one that is shipped.
export FIELDFARE_LIBRARY=$PWD/.build-release/release/libfieldfare.so.0

device=(--scratch-path .build-device --enable-code-coverage)
FIELDFARE_DEVICE_ONLY=1 swift test "${device[@]}"
scripts/coverage.py "$(FIELDFARE_DEVICE_ONLY=1 swift test "${device[@]}" --show-codecov-path)"

server='^(RegistryCore|RegistryDatabase|BlobFiles|FleetSimulation|HTTPAPI|CommandLine|Interop|EndToEnd|Deployment)Tests\.'
swift build --build-tests
# The thefts need little but time: beside the server side's tests, and told after them.
log=$(mktemp)
scripts/demo/thefts.py >"$log" 2>&1 &
thefts=$!
trap 'kill "$thefts" 2>/dev/null || true; rm -f "$log"' EXIT
# Twelve at a time: all at once hold a thousand registries' files open, and Foundation's Process reads beyond its buffer
# where it lists that many descriptors.
swift test --experimental-maximum-parallelization-width 12 --filter "$server"
wait "$thefts" || { cat "$log"; exit 1; }
tail -n 1 "$log"

scripts/demo/main.py --fleet small
