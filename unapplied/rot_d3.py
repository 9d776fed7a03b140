def sub(p,a,b,n=1):
    t=open(p).read(); assert t.count(a)==n,(p,a,t.count(a)); open(p,'w').write(t.replace(a,b))
O='docs/runbooks/offline-metadata-expires.md'
t=open(O).read()
a=t.index("- `model.<model>`: publish"); b=t.index("## Afterwards")
t=t[:a]+'''- `model.<model>`: publish anything, or the newest bundle again, the same bytes: `fieldfare publish build --key ci.json --policy rollout.yaml --renew --days 90`;
  then the second person: `fieldfare repo sign model.<model> --key anna.json`.
- `root`, `targets`: their next versions, from what is live. `--root` with the first root, or any later one you have, makes sure that
  it is your registry that answers. The command says who must sign; carry `ceremony/` to the signers.

  ```sh
  fieldfare repo renew --dir ceremony --root "$ROOT"
  fieldfare repo sign root --dir ceremony --root "$ROOT" --key "$ROOT_KEY_A"
  fieldfare repo sign root --dir ceremony --root "$ROOT" --key "$ROOT_KEY_B"
  fieldfare repo sign targets --dir ceremony --root "$ROOT" --key "$TARGETS_KEY"
  fieldfare repo rotate --simulate --dir ceremony
  fieldfare repo push --dir ceremony
  ```

'''+t[b:]
open(O,'w').write(t)
W='docs/runbooks/proposal-waits.md'
sub(W,"""`fieldfare repo status`: the role, how many signatures are missing. `fieldfare audit`: who proposed it.
""","""`fieldfare repo status`: the role, who has signed, who still can. `fieldfare audit`: who proposed it.
""")
t=open(W).read()
a=t.index("- It is not wanted any more:"); b=t.index("## Afterwards")
t=t[:a]+"""- It is not wanted any more: `fieldfare repo withdraw ROLE` closes it, or publish what is wanted: a proposal that contains all of the
  open one replaces it (`docs/protocol.md`).

"""+t[b:]
open(W,'w').write(t)
J='docs/cli-json.md'
sub(J,"""`repo add-model --dir`, `keys rotate`, `keys revoke` |""","""`repo add-model --dir`, `repo renew`, `keys rotate`, `keys revoke` |""")
sub(J,"""`roles`: each `role`, `version`, `expires`, `signatures`, `threshold` |""","""`roles`: each `role`, `version`, `expires`, `signatures`, `threshold` (of those who lack the most), `signers`: each `root` (the version that names them), `threshold`, `signed_by`, `waiting_for` |""")
C='docs/cli.md'
sub(C,"`repo init`, `repo add-model`, `keys rotate` and `keys revoke` write what is to be signed","`repo init`, `repo add-model`, `repo renew`, `keys rotate` and `keys revoke` write what is to be signed")
L='CHANGELOG.md'
sub(L,"""- CLI: `fieldfare repo withdraw` closes an open proposal.
""","""- CLI: `fieldfare repo withdraw` closes an open proposal; `repo status` says who has signed, and who still can.
- CLI: `fieldfare repo renew` stages root and targets with a later end, and `publish --renew` signs a model's metadata anew; the runbook of expiring metadata uses them.
""")
