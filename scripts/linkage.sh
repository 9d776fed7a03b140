#!/usr/bin/env bash
# Fails where the agent carries Foundation or SwiftNIO, lacks a library it should link, or weighs over 9 MB stripped.
set -euo pipefail
cd "$(dirname "$0")/.."
agent=.build-release/release/fieldfare-agent
[[ -x $agent ]] || { echo "linkage: expected $agent, got nothing; hint: make build" >&2; exit 1; }

symbols=$(nm --defined-only "$agent" | wc -l)
((symbols > 1000)) || { echo "linkage: expected a program with symbols, got $symbols" >&2; exit 1; }
for forbidden in Foundation NIOCore ArgumentParser; do
    count=$(nm "$agent" | grep -c "${#forbidden}$forbidden" || true)
    ((count == 0)) || { echo "linkage: expected no $forbidden in the agent, got $count symbols" >&2; exit 1; }
done
needed=$(readelf -d "$agent" | awk '/NEEDED/ { gsub(/[][]/, "", $5); print $5 }')
for library in libcurl libcrypto libsodium libsqlite3; do
    grep -q "^$library" <<<"$needed" || { echo "linkage: expected $library among the agent's libraries" >&2; exit 1; }
done
if grep -Eq 'libFoundation|lib_Foundation|libswift' <<<"$needed"; then
    echo "linkage: expected no Swift or Foundation library at run time, got:" $needed >&2
    exit 1
fi
stripped=$(mktemp)
trap 'rm -f "$stripped"' EXIT
strip -o "$stripped" "$agent"
size=$(stat -c %s "$stripped")
((size <= 9000000)) || { echo "linkage: expected at most 9000000 bytes stripped, got $size" >&2; exit 1; }
echo "linkage: agent $size bytes stripped, no Foundation, no NIO"
