#!/usr/bin/env bash
# Builds registry, CLI and fleet for debugging, and the device's programs for release.
set -euo pipefail
cd "$(dirname "$0")/.."
swift build --explicit-target-dependency-import-check error
FIELDFARE_DEVICE_ONLY=1 swift build --configuration release --static-swift-stdlib \
    --scratch-path .build-release --product fieldfare-agent
FIELDFARE_DEVICE_ONLY=1 swift build --configuration release --static-swift-stdlib \
    --scratch-path .build-release --product fieldfare-smoke
