#!/bin/sh
# Publishes one bundle from a pipeline: check, build, publish. Ends with the registry's word in JSON, such as
#   {"state":"held","summary":"held: 1 of 2 signatures",...}
# after which a second person runs `fieldfare repo sign model.<model>`.
#
#   publish.sh BUNDLE_FOLDER OUTPUT_FOLDER [NAME=rollout.yaml ...]
#
# From the environment:
#   FIELDFARE_SERVER, FIELDFARE_TOKEN   the registry, and a token with the scope publish:<model>
#   FIELDFARE_CA                        its authority, where the system does not know it
#   FIELDFARE_ROOT                      a root that the pipeline trusts: what the registry says is verified from it
#   FIELDFARE_KEY, FIELDFARE_PASSPHRASE the pipeline's release key file, and its passphrase
#   FIELDFARE_CHANNEL                   a channel: the policies must fit its devices and the release they are on, now; unset, the
#                                       policies are checked by themselves, as for a release that others must come before
#   SOURCE_DATE_EPOCH                   the commit's time, for a manifest that can be built again byte for byte
set -eu

: "${FIELDFARE_SERVER:?expected the registry's URL}"
: "${FIELDFARE_TOKEN:?expected a token with the scope publish}"
: "${FIELDFARE_ROOT:?expected the path of a root that is trusted}"
: "${FIELDFARE_KEY:?expected the path of the release key file}"
[ $# -ge 2 ] || { echo "usage: publish.sh BUNDLE_FOLDER OUTPUT_FOLDER [NAME=rollout.yaml ...]" >&2; exit 2; }

bundle=$1
out=$2
shift 2

fieldfare bundle check "$bundle" --json
fieldfare bundle build "$bundle" --out "$out" --json

# Each remaining argument is a policy. Warnings end nothing here: who creates the rollout acknowledges them.
count=$#
while [ "$count" -gt 0 ]; do
    policy=$1
    shift
    if [ -n "${FIELDFARE_CHANNEL:-}" ]; then
        fieldfare policy check "$policy" --bundle "$out" --server "$FIELDFARE_SERVER" --channel "$FIELDFARE_CHANNEL" --json
    fi
    set -- "$@" --policy "$policy"
    count=$((count - 1))
done
fieldfare publish "$out" --key "$FIELDFARE_KEY" "$@" --json
