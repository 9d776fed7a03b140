#!/bin/sh
# Fetches the speech runtime (sherpa-onnx and the ONNX Runtime inside it, Apache-2.0 and MIT) as the pinned
# wheel, checks its SHA-256, and unpacks what Fieldfare uses into .deps/sherpa-onnx:
#
#   lib/libsherpa-onnx-c-api.so  lib/libonnxruntime.so
#   include/sherpa-onnx/c-api/c-api.h  include/fieldfare/speech-runtime.h (its version)
#   wheel.sha256  METADATA
#
# Running it again does nothing; a run cut short leaves the old folder or none. Needs python3 with pip.
#
#   scripts/fetch-speech-runtime.sh               for this machine's processor
#   FIELDFARE_SPEECH_WHEEL=FILE scripts/...       from a wheel that you have already, checked the same way
#   FIELDFARE_SPEECH_ARCH=aarch64 scripts/... DIR for another machine, into another folder
set -eu

version=2.0.1
root=$(cd "$(dirname "$0")/.." && pwd)
target=${1:-$root/.deps/sherpa-onnx}
arch=${FIELDFARE_SPEECH_ARCH:-$(uname -m)}

fail() {
    echo "fetch-speech-runtime: $1" >&2
    [ $# -lt 2 ] || echo "hint: $2" >&2
    exit 1
}

case $arch in
x86_64) digest=f4ee0ab91c4ae596e0e49d7de32522a946295e038a652f1c1884d89014ee4ec2 ;;
aarch64) digest=4a855a5c89c89885111e4e9c570e5da1aed63373c031b757d8046792d95fe8fe ;;
*) fail "no pinned wheel for processor '$arch': expected x86_64 or aarch64" ;;
esac

complete() {
    [ "$(cat "$target/wheel.sha256" 2>/dev/null)" = "$digest" ] &&
        [ -s "$target/lib/libsherpa-onnx-c-api.so" ] && [ -s "$target/lib/libonnxruntime.so" ] &&
        [ -s "$target/include/sherpa-onnx/c-api/c-api.h" ] &&
        [ -s "$target/include/fieldfare/speech-runtime.h" ]
}

command -v python3 >/dev/null || fail "python3 is missing" "apt-get install python3 python3-pip"
mkdir -p "$(dirname "$target")"
exec 9>"$(dirname "$target")/.fetch-speech-runtime.lock"
python3 -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX)' || fail "cannot lock $(dirname "$target")"

# The compiler does not look again for a header that was absent; a newer source file makes it look.
compile_again() { touch "$root/Sources/CSherpaOnnx/CSherpaOnnx.c"; }

if complete; then
    for object in "$root"/.build*/*/*/CSherpaOnnx.build/CSherpaOnnx.c.o; do
        if grep -qs "built without the speech runtime" "$object"; then compile_again; fi
    done
    echo "speech runtime $version is there already: $target"
    exit 0
fi

work=$(mktemp -d "$(dirname "$target")/.sherpa-onnx.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP

if [ -n "${FIELDFARE_SPEECH_WHEEL:-}" ]; then
    [ -f "$FIELDFARE_SPEECH_WHEEL" ] || fail "no such wheel: $FIELDFARE_SPEECH_WHEEL"
    cp "$FIELDFARE_SPEECH_WHEEL" "$work/runtime.whl"
else
    python3 -m pip --version >/dev/null 2>&1 || fail "pip is missing" "apt-get install python3-pip"
    echo "sherpa-onnx-core==$version --hash=sha256:$digest" >"$work/requirements.txt"
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
        --platform "manylinux2014_$arch" --require-hashes --requirement "$work/requirements.txt" \
        --dest "$work" 9>&- || fail "pip could not download sherpa-onnx-core==$version for $arch" \
        "see pip's message above; or set FIELDFARE_SPEECH_WHEEL to a wheel that you have"
    mv "$work"/sherpa_onnx_core-*.whl "$work/runtime.whl"
fi

found=$(sha256sum "$work/runtime.whl" | cut -d ' ' -f 1)
[ "$found" = "$digest" ] || fail "wheel for $arch: expected SHA-256 $digest, got $found"

python3 - "$work" "$version" "$digest" <<'PYTHON' || fail "the wheel does not hold what is expected"
import os, sys, zipfile

work, version, digest = sys.argv[1:]
info = f"sherpa_onnx_core-{version}.dist-info/METADATA"
members = {
    "sherpa_onnx/lib/libsherpa-onnx-c-api.so": "lib/libsherpa-onnx-c-api.so",
    "sherpa_onnx/lib/libonnxruntime.so": "lib/libonnxruntime.so",
    "sherpa_onnx/include/sherpa-onnx/c-api/c-api.h": "include/sherpa-onnx/c-api/c-api.h",
    info: "METADATA",
}


def write(path, data):
    path = os.path.join(work, "new", path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


with zipfile.ZipFile(os.path.join(work, "runtime.whl")) as wheel:
    for member, path in members.items():
        write(path, wheel.read(member))
    metadata = wheel.read(info).decode()
if f"\nVersion: {version}\n" not in metadata:
    sys.exit(f"wheel: expected version {version} in {info}")
write(
    "include/fieldfare/speech-runtime.h",
    f'// Written by scripts/fetch-speech-runtime.sh: the version of the wheel that c-api.h is from.\n'
    f'#define FIELDFARE_SPEECH_RUNTIME_VERSION "{version}"\n'.encode(),
)
write("wheel.sha256", f"{digest}\n".encode())
PYTHON
chmod 755 "$work/new" "$work"/new/lib/*.so

if [ -e "$target" ]; then mv "$target" "$work/old"; fi
mv "$work/new" "$target"

compile_again
complete || fail "the unpacked runtime is not complete: $target"
echo "speech runtime $version for $arch: $target"
