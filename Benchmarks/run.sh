#!/usr/bin/env bash
# Measures speed and size, as ratios against named peers in the same run; docs/performance.md has the goals.
#   Benchmarks/run.sh            all of it
#   Benchmarks/run.sh size       one of: size, refresh, gate, plan, drive, idle, polls, slow-clients, switch, idle-poll, install, install-memory
# Needs nginx, curl, wrk and the installation's peers; builds the registry for release. The last four are those of install.py.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
for program in nginx curl wrk openssl taskset skopeo docker-registry ostree casync; do
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
for product in fieldfare-registry refresh-benchmark fieldfare-fleet gate-benchmark plan-benchmark switch-benchmark; do
    swift build --configuration release --static-swift-stdlib --scratch-path .build-release-server --product "$product"
done
general=() installing=()
for part in "$@"; do
    case $part in
        switch | idle-poll | install | install-memory) installing+=("$part") ;;
        *) general+=("$part") ;;
    esac
done
if (($# == 0 || ${#general[@]})); then python3 Benchmarks/bench.py "${general[@]}"; fi
if (($# == 0 || ${#installing[@]})); then python3 Benchmarks/install.py "${installing[@]}"; fi
