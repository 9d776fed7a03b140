#!/usr/bin/env bash
# Swaps the slots of a device 10,000 times under two readers that lease in a loop (docs/crash-tests.md), on a disk whose
# syncs are real; then with an agent that commits to its journal for each swap, whose times are told only; then a staging
# that asks for no leases, which the readers have to see.
set -euo pipefail
cd "$(dirname "$0")/.."

for product in fieldfare-agent model-consumer; do
    FIELDFARE_DEVICE_ONLY=1 swift build --configuration release --product "$product" --scratch-path .build-crash
done
consumer=.build-crash/release/model-consumer

"$consumer" swaps "${SWAPS:-10000}" --most-p99-us 5000
"$consumer" swaps 1000 --with-orders
if "$consumer" swaps 500 --without-leases; then
    echo "expected the readers to see a staging that asks for no leases, got nothing" >&2
    exit 1
fi
