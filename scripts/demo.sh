#!/usr/bin/env bash
# The main job on this machine, as far as it is built: a key ceremony, a registry over HTTPS on loopback, a real speech
# model published through the steps of a CI pipeline, held until a second person signs, and rolled out.
# KEEP=1 leaves the registry running. The README's status section says what is still to come.
set -euo pipefail
cd "$(dirname "$0")/.."

project=$PWD
programs=$(swift build --show-bin-path)
export PATH="$programs:$PATH"
work=$(mktemp -d)
registry=
failed=0
rows=()

clean() {
    [[ -n $registry ]] && kill "$registry" 2>/dev/null && wait "$registry" 2>/dev/null
    rm -rf "$work"
}
trap clean EXIT
cd "$work"

step() { printf '%s  %s\n' "$(date -u +%H:%M:%S)" "$*"; }

# expect WHAT EXPECTED SEEN: a row of the table at the end.
expect() {
    local verdict=ok
    [[ $2 == "$3" ]] || { verdict=FAILED; failed=1; }
    rows+=("$(printf '%-7s %-52s expected %-24s seen %s' "$verdict" "$1" "$2" "$3")")
}

field() { python3 -c 'import json,sys; print(json.loads(sys.stdin.readlines()[-1]).get(sys.argv[1]))' "$1"; }

export FIELDFARE_PASSPHRASE
FIELDFARE_PASSPHRASE=$(head -c 24 /dev/urandom | base64)

step "key ceremony: root 2 of 3, targets, two release keys, and the registry's own three"
for name in root-a root-b root-c targets ci anna; do
    fieldfare keys generate "$name" --out keys >/dev/null
done
fieldfare-registry keys generate --keys online >online.json
fieldfare repo init --dir repo --root-key keys/root-a.json --root-key keys/root-b.json --root-key keys/root-c.json \
    --targets-key keys/targets.json --online online.json --model commands-en \
    --release-key keys/ci.json --release-key keys/anna.json --release-threshold 2
fieldfare repo sign root --dir repo --key keys/root-a.json --yes 2>/dev/null
fieldfare repo sign root --dir repo --key keys/root-b.json --yes 2>/dev/null
fieldfare repo sign targets --dir repo --key keys/targets.json --yes 2>/dev/null

step "a registry over HTTPS on loopback, with an empty store"
openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost \
    -addext "subjectAltName=DNS:localhost,IP:127.0.0.1" 2>/dev/null
FIELDFARE_TOKEN=$(fieldfare-registry token create --data data --scope admin | field token)
fieldfare-registry serve --data data --keys online --port 0 --tls-cert cert.pem --tls-key key.pem \
    --controller-interval 1 >listening 2>registry.log &
registry=$!
for _ in $(seq 100); do [[ -s listening ]] && break; sleep 0.1; done
[[ -s listening ]] || { cat registry.log >&2; exit 1; }
export FIELDFARE_TOKEN FIELDFARE_SERVER FIELDFARE_CA=$work/cert.pem
FIELDFARE_SERVER=https://127.0.0.1:$(field port <listening)
fieldfare repo push --dir repo

step "a real speech model, through the steps of deploy/ci"
mkdir bundle
cp -r "$project/fixtures/asr/utterances" bundle/
cp "$project/fixtures/asr/models/good/model.onnx" "$project/fixtures/asr/models/tokens.txt" \
    "$project/fixtures/asr/model-card.json" "$project/manifests/bundle.yaml" \
    "$project/manifests/io.schema.json" "$project/manifests/telemetry.schema.json" bundle/
printf 'schema: fieldfare.policy/1\nmodel: commands-en\ncandidate: 1.0.0\nreplaces: []\n' >rollout.yaml
summary=$(FIELDFARE_KEY=keys/ci.json SOURCE_DATE_EPOCH=1764000000 \
    "$project/deploy/ci/publish.sh" bundle build standard=rollout.yaml | field summary)
expect "the pipeline publishes with one of two keys" "held: 1 of 2 signatures" "$summary"
set +e
fieldfare rollout create commands-en 1.0.0 --initial >/dev/null 2>&1
expect "a held bundle cannot be rolled out, exit code" 10 "$?"
fieldfare publish build --key keys/root-a.json >/dev/null 2>&1
expect "a key that is none of the model's is refused, exit code" 10 "$?"
set -e
state=$(fieldfare repo sign model.commands-en --key keys/anna.json --yes --json 2>/dev/null | field state)
expect "a second person signs" live "$state"

step "a rollout"
fieldfare rollout create commands-en 1.0.0 --initial >/dev/null
expect "the rollout starts" running "$(fieldfare rollout start commands-en --json | field state)"
fieldfare rollout status commands-en
expect "manifest, policy and plan verify from the ceremony's root" 3 \
    "$(fieldfare repo verify --root repo/root.json --json | field targets)"

printf '\n'
printf '%s\n' "${rows[@]}"
if [[ ${KEEP:-} == 1 ]]; then
    step "the registry runs on at $FIELDFARE_SERVER (authority $FIELDFARE_CA); press Enter to end it"
    read -r _ || true
fi
exit "$failed"
