#!/usr/bin/env bash
# Builds registry, CLI and fleet for debugging, and the device's programs and C library for release.
set -euo pipefail
cd "$(dirname "$0")/.."
swift build --explicit-target-dependency-import-check error

# For the device: small. Functions that nothing calls are dropped, which --static-swift-stdlib's -export-dynamic would
# forbid; equal ones become one, since Swift compares no addresses of functions; relative relocations are packed, which
# needs glibc 2.36 or newer on the device.
device=(--configuration release --static-swift-stdlib -Xswiftc -static-stdlib --scratch-path .build-release
    -Xswiftc -Osize -Xswiftc -Xfrontend -Xswiftc -function-sections -Xswiftc -use-ld=lld
    -Xlinker --gc-sections -Xlinker --no-export-dynamic -Xlinker --icf=all
    -Xlinker -z -Xlinker pack-relative-relocs)
for product in fieldfare-agent fieldfare-smoke; do
    FIELDFARE_DEVICE_ONLY=1 swift build "${device[@]}" --product "$product"
done

# The C library, with the Swift runtime inside and hidden. It stays in a process that has loaded it, since the runtime does.
FIELDFARE_DEVICE_ONLY=1 swift build "${device[@]}" --product fieldfare-c \
    -Xlinker --version-script="$PWD/scripts/fieldfare.map" -Xlinker -soname=libfieldfare.so.0 \
    -Xlinker -z -Xlinker nodelete
ln -sf libfieldfare-c.so .build-release/release/libfieldfare.so.0
