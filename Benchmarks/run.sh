#!/usr/bin/env bash
# Measures speed and size, as ratios against named peers in the same run; docs/performance.md has the goals.
#   Benchmarks/run.sh            all of it
#   Benchmarks/run.sh install    one of: size, refresh, gate, plan, drive, idle, install, polls, slow-clients
# Needs nginx, curl and wrk; builds the registry for release.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
for program in nginx curl wrk openssl taskset; do
    command -v "$program" >/dev/null && continue
    package=${program/taskset/util-linux}
    missing+=("${package/nginx/nginx-light}")
done
if ((${#missing[@]})); then
    if [[ $EUID -ne 0 ]]; then
        echo "bench: expected the packages ${missing[*]}; hint: apt-get update && apt-get install ${missing[*]}" >&2
        exit 2
    fi
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
# As one would ship it: for servers that have no Swift.
for product in fieldfare-registry refresh-benchmark fieldfare-fleet gate-benchmark plan-benchmark; do
    swift build --configuration release --static-swift-stdlib --scratch-path .build-release-server --product "$product"
done
exec python3 Benchmarks/bench.py "$@"
