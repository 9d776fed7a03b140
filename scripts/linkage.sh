#!/usr/bin/env bash
# Fails where agent or C library carry Foundation or SwiftNIO, lack a library they should link, or weigh over 9.5 MB stripped,
# or where the C library shows more than the functions of its header.
set -euo pipefail
cd "$(dirname "$0")/.."
agent=.build-release/release/fieldfare-agent
library=.build-release/release/libfieldfare.so.0
stripped=$(mktemp)
trap 'rm -f "$stripped"' EXIT

complain() {
    echo "linkage: $*" >&2
    exit 1
}

check() {
    local built=$1 symbols forbidden count needed library size
    [[ -x $built ]] || complain "expected $built, got nothing; hint: make build"
    symbols=$(nm --defined-only "$built" | wc -l)
    ((symbols > 1000)) || complain "$built: expected one with symbols, got $symbols"
    for forbidden in Foundation NIOCore ArgumentParser; do
        count=$(nm "$built" | grep -c "${#forbidden}$forbidden" || true)
        ((count == 0)) || complain "$built: expected no $forbidden, got $count symbols"
    done
    needed=$(readelf -d "$built" | awk '/NEEDED/ { gsub(/[][]/, "", $5); print $5 }')
    for library in libcurl libcrypto libsodium libsqlite3; do
        grep -q "^$library" <<<"$needed" || complain "$built: expected $library among its libraries"
    done
    if grep -Eq 'libFoundation|lib_Foundation|libswift' <<<"$needed"; then
        complain "$built: expected no Swift or Foundation library at run time, got:" $needed
    fi
    strip -o "$stripped" "$built"
    size=$(stat -c %s "$stripped")
    ((size <= 9500000)) || complain "$built: expected at most 9500000 bytes stripped, got $size"
    echo "linkage: $(basename "$built") $size bytes stripped, no Foundation, no NIO"
}
check "$agent"
check "$library"

# What the library shows is what the header declares, by name.
shown=$(nm -D --defined-only "$library" | awk '{ print $3 }' | sort)
declared=$(grep -v '^ *//' Sources/CFieldfare/include/fieldfare.h | grep -o 'fieldfare_[a-z_0-9]*(' | tr -d '(' | sort -u)
[[ $shown == "$declared" ]] || complain "$library: expected the functions of fieldfare.h, got a difference:" \
    "$(diff <(echo "$declared") <(echo "$shown") | grep '^[<>]' | tr '\n' ' ')"
readelf -d "$library" | grep -q 'SONAME.*\[libfieldfare.so.0\]' || complain "$library: expected its soname, got another"
echo "linkage: libfieldfare.so.0 shows $(wc -l <<<"$shown") functions, and nothing else"
