#!/usr/bin/env bash
# Puts python-tuf, the reference client that the interoperability tests run, into a virtual environment of its own.
set -euo pipefail
cd "$(dirname "$0")/.."
requirements=Tests/InteropTests/python/requirements.txt
[[ -f $requirements ]] || exit 0
venv=.deps/python-tuf
stamp=$venv/.requirements
if ! cmp -s "$requirements" "$stamp" 2>/dev/null; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements"
    cp "$requirements" "$stamp"
fi
