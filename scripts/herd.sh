#!/usr/bin/env bash
# Takes the registry from 5,000 agents for an hour, and gives it back (Tests/AgentCoreTests/Herd); `make test` does so with 500.
set -euo pipefail
cd "$(dirname "$0")/.."
HERD=${1:-5000} FIELDFARE_DEVICE_ONLY=1 swift test --scratch-path .build-device --enable-code-coverage --filter HerdTests
