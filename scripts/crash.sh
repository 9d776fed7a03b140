#!/usr/bin/env bash
# Kills, cuts off and fails a device at every change of its disk, and fails what it reads (docs/crash-tests.md): each engine in two processes, over
# the even and the odd points; then devices that do one thing wrong, each of which has to be found.
set -euo pipefail
cd "$(dirname "$0")/.."

least=10000
FIELDFARE_DEVICE_ONLY=1 swift build --configuration release --product crash-agent --scratch-path .build-crash
agent=.build-crash/release/crash-agent
logs=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$logs"' EXIT

echo "points: $("$agent" points | wc -l) by name (fixtures/agent/crash-points.txt)"
echo "reads: $("$agent" read-points | wc -l) by name (fixtures/agent/crash-reads.txt)"
failed=0
all=0
scripts/crash_trace.py "$agent" || failed=1
for engine in kills cuts faults reads; do
    start=$SECONDS
    for half in 1 2; do
        "$agent" "$engine" --first "$half" --stride 2 >"$logs/$engine.$half" &
    done
    for half in 1 2; do wait -n || failed=1; done
    # Each process ends with "ENGINE: N points, M runs, F failures"; above it is what it found.
    cat "$logs/$engine".* | grep -v "^[a-z ]*: [0-9]* points" || true
    read -r points runs failures < <(cat "$logs/$engine".* | awk -F '[:,]' \
        '/ points,/ { split($2, p, " "); split($3, r, " "); split($4, f, " "); a += p[1]; b += r[1]; c += f[1] } END { print a, b, c }')
    echo "$engine: $points calls, $runs runs, $failures failures, $((SECONDS - start)) s"
    all=$((all + runs))
done
echo "all: $all runs, expected at least $least"
((all >= least)) || failed=1

"$agent" downloads || failed=1

start=$SECONDS
"$agent" variants --stride 13 || failed=1
echo "variants: $((SECONDS - start)) s"
exit "$failed"
