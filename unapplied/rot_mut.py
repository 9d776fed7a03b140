import json
p='scripts/mutants.json'
raw=open(p).read(); d=json.loads(raw)
assert json.dumps(d,indent=2,ensure_ascii=False)+"\n"==raw or print("format differs")
have={m['name'] for m in d}
R='Sources/TUF/Repository/RepositoryRevision.swift'
F='Sources/fieldfare/'
new=[
("revision-one-duty",R,"if let other = roles(of: key).first(where: { $0.kind != wanted.kind }) {","if let other = roles(of: key).first(where: { $0.kind != wanted.kind && $0.kind == nil }) {","^TUFTests\\.RepositoryRevisionTests",False),
("revision-threshold",R,"left.count < threshold.count {","left.count < threshold.count - 1 {","^TUFTests\\.RepositoryRevisionTests",False),
("revision-set-threshold",R,"guard keys.count >= held.threshold.count else {","guard keys.count >= 1 else {","^TUFTests\\.RepositoryRevisionTests",False),
("revision-model-exists",R,"where targets.delegations?[role] != nil {","where targets.delegations?[role] != nil && role.isTopLevel {","^TUFTests\\.RepositoryRevisionTests",False),
("revision-foreign-key",R,"publicKey, key.keyID == id else { return nil }","publicKey else { return nil }","^TUFTests\\.RepositoryRevisionTests",False),
("rehearsal-expiry","Sources/TUF/Trust/Verifier.swift","            .verified(by: root.content.verifiers(of: .targets), from: .root)\n        try checkExpiry(targets.content, .targets)\n","            .verified(by: root.content.verifiers(of: .targets), from: .root)\n","^TUFTests\\.RehearsalTests",False),
("signer-answer-verified","Sources/Cryptography/SignerProtocol.swift","guard let signature, key.isValid(signature, for: message) else {","guard let signature, !message.isEmpty || key.isValid(signature, for: message) else {","^CryptographyTests\\.SignerProtocolTests",False),
("signer-output-limit",F+"Keys/ProgramExchange.swift","var isTooLong: Bool { answer.count > limit }","var isTooLong: Bool { answer.count > 2 * limit }","^CommandLineTests\\.ExternalSignerTests",True),
("signer-exit-code",F+"Keys/SigningProgram.swift","guard status == 0 else {","guard status == 0 || exchange.answer.isEmpty else {","^CommandLineTests\\.ExternalSignerTests",True),
("signer-secrets",F+"Keys/SigningProgram.swift","[\"FIELDFARE_PASSPHRASE=\", \"FIELDFARE_TOKEN=\"]","[\"FIELDFARE_PASSPHRASE=\"]","^CommandLineTests\\.ExternalSignerTests",True),
("signer-program-end",F+"Keys/SigningProgram.swift","(SIGCHLD, signal(SIGCHLD, SIG_DFL))","(SIGPIPE, signal(SIGPIPE, SIG_IGN))","^CommandLineTests\\.ExternalSignerTests",True),
("ceremony-old-root-signs",F+"Repository/CeremonyFolder.swift","if role == .root, let before = try version(newest.version.number - 1, of: .root) {","if role == .targets, let before = try version(newest.version.number - 1, of: .root) {","^CommandLineTests\\.KeyRotationTests",True),
("ceremony-signed-stays",F+"Repository/RoleStage.swift","if isComplete, let bytes = try folder.newest(role) {","if isComplete, old.signatures.isEmpty, let bytes = try folder.newest(role) {","^CommandLineTests\\.KeyRotationTests",True),
("ceremony-trusted-chain",F+"Repository/RoleStage.swift","guard published.chain.roots.contains(where: { $0.bytes == trusted }) else {","guard published.chain.roots.contains(where: { $0.bytes != [] || $0.bytes == trusted }) else {","^CommandLineTests\\.KeyRotationTests",True),
("ceremony-half-folder",F+"Repository/RoleStage.swift","guard let held = try folder.newest(role), held != bytes else { continue }","guard let held = try folder.newest(role), held != bytes, held.isEmpty else { continue }","^CommandLineTests\\.KeyRotationTests",True),
("ceremony-may-sign",F+"Repository/StagedRole.swift","guard signers.isEmpty || signers.contains","guard signers.count < 9 || signers.contains","^CommandLineTests\\.AddModelTests",True),
("sign-trusted-root",F+"Repository/TrustedBase.swift","if role == .root, chain.roots.last?.bytes == before { return before }","if role == .root, !chain.roots.isEmpty { return before }","^CommandLineTests\\.TrustedBaseTests",True),
("sign-trusted-targets",F+"Repository/RootChain.swift","targets.progress(towards: $0.content.verifiers(of: .targets)).isComplete }","targets.progress(towards: $0.content.verifiers(of: .targets)).missing < 9 }","^CommandLineTests\\.TrustedBaseTests",True),
("root-walk-arrives",F+"Repository/RootWalker.swift","let isThere = root >= newest","let isThere = root >= newest || targets >= .first","^CommandLineTests\\.RootWalkTests",True),
("root-walk-refused",F+"Repository/RepositoryRotate.swift","if walk.reason != nil { refused.append(walk) }","if walk.reason == \"\" { refused.append(walk) }","^CommandLineTests\\.RootWalkTests",True),
("root-walk-bound",F+"Repository/RootWalker.swift","guard newest.number <= RootChain.most else","guard newest.number <= 2 * RootChain.most else","^CommandLineTests\\.RootWalkTests",True),
("proposal-of-exchanged-keys","Sources/RegistryCore/Roles/Proposing.swift","                role == .root\n                || verifiers.contains","                role != .snapshot\n                || verifiers.contains","^RegistryCoreTests\\.RolesTests",True),
("publish-not-on-unsigned",F+"Publishing/RoleProposal.swift","signedBy.isEmpty ? nil : draft","threshold.count > 9 ? nil : draft","^CommandLineTests\\.KeyRotationTests",True),
("publish-signs-anew",F+"Publishing/RoleProposal.swift","if !isRenewing, let live, live.progress(towards: verifiers).isComplete,","if !isRenewing, let live, live.progress(towards: verifiers).missing < 9,","^DeploymentTests\\.RunbookTests",True),
]
d=[m for m in d if m['name'] not in {n[0] for n in new}]
for n in new:
    d.append(dict(zip(("name","file","find","replace","tests","server"),n)))
open(p,'w').write(json.dumps(d,indent=2,ensure_ascii=False)+"\n")
print([n[0] for n in new])
