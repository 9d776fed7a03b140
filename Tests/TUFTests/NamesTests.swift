import Cryptography
import Primitives
import TUF
import TestSupport
import Testing

struct NamesTests {
    /// The second name is what Python's `urllib.parse.quote(name, "")` gives.
    @Test(arguments: [
        ("root", "root"), ("model.commands-en", "model.commands-en"), ("?", "%3F"), ("#", "%23"),
        ("/delegatedrole", "%2Fdelegatedrole"), ("../delegatedrole", "..%2Fdelegatedrole"),
        ("..", ".."), ("a b%2e", "a%20b%252e"), ("\u{E9}\u{1F600}", "%C3%A9%F0%9F%98%80"),
        ("a\\b\0", "a%5Cb%00"), ("~_-.", "~_-."), ("1.root", "1.root"),
    ])
    func `encodes a role for URLs and files as python-tuf does`(
        text: String, encoded: String
    ) throws {
        let role = try #require(RoleName(text))
        #expect(MetadataFileName(role).description == encoded + ".json")
        #expect(
            MetadataFileName(role, version: version(7)).description == "7." + encoded + ".json")
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `never makes a file name that leaves its folder`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let pieces = ["/", ".", "..", "\\", "\0", "%2F", "a", " ", "\u{E9}", "root", "\n"]
        let text = (0..<Int.random(in: 1...8, using: &random)).map { _ in
            pieces[Int.random(in: 0..<pieces.count, using: &random)]
        }.joined()
        let role = try #require(RoleName(text))
        for name in [MetadataFileName(role), MetadataFileName(role, version: .first)] {
            let bytes = Array(name.description.utf8)
            #expect(bytes.count <= 255)
            #expect(name.description != "." && name.description != "..")
            #expect(bytes.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"/\\".utf8.contains($0) })
        }
    }

    @Test func `refuses a role name that would be too long for a file name`() {
        #expect(RoleName("") == nil)
        #expect(RoleName(String(repeating: "a", count: 240)) != nil)
        #expect(RoleName(String(repeating: "a", count: 241)) == nil)
        #expect(RoleName(String(repeating: "/", count: 80)) != nil)
        #expect(RoleName(String(repeating: "/", count: 81)) == nil)
    }

    @Test func `names the roles of a model`() throws {
        let model = try #require(ModelName("commands-en"))
        #expect(RoleName.model(model) == .releases)
        #expect(RoleName.plans(model) == .plans)
        #expect(RoleName.releases.modelName == model)
        #expect(RoleName.plans.modelName == model)
        for other in ["targets", "model.", "model.A", "plan.x"] {
            #expect(RoleName(other)?.modelName == nil)
        }
        let offline = [RoleName.root, .targets, .releases].map(\.isSignedOffline)
        let online = [RoleName.timestamp, .snapshot, .plans].map(\.isSignedOffline)
        #expect(offline == [true, true, true])
        #expect(online == [false, false, false])
    }

    @Test func `refuses a delegation to a top-level role's name`() throws {
        let simulator = RepositorySimulator()
        let device = try Device(simulator)
        let delegation = DelegatedRole(
            name: .timestamp, keys: RoleKeys(keyIDs: [], threshold: .one),
            paths: .patterns([]), isTerminating: false)
        simulator.edit { $0.update(.targets) { $0.delegations?.roles.append(delegation) } }
        let error = FieldError(
            path: "signed.delegations.roles[2].name", expected: "a delegated role's name",
            found: "'timestamp'")
        device.expectRefusal(
            .malformed(.targets, error),
            requests: ["2.root.json", "timestamp.json", "2.snapshot.json", "2.targets.json"],
            storing: [.timestamp, .snapshot])
    }

    @Test(arguments: ["?", "#", "/delegatedrole", "../delegatedrole", "..", "a%2Fb"])
    func `follows a role of an unusual name`(text: String) throws {
        let role = try #require(RoleName(text))
        let pattern = try #require(PathPattern("files/*"))
        let simulator = RepositorySimulator(models: [])
        simulator.edit {
            $0.delegate(
                from: .targets, to: role, paths: .patterns([pattern]), key: TestKeys.key("role"))
        }
        let device = try Device(simulator)
        try device.run(following: ["files/x"])
        #expect(
            simulator.requests.last == MetadataFileName(role, version: .first).description)
        #expect(device.store[role] != nil)
        #expect(device.store.files.count == 5)
    }

    @Test func `puts a target's digest before its name`() throws {
        let digest = SHA256.digest(of: [1])
        let path = try #require(TargetPath("bundles/m/1.0.0.json"))
        #expect(path.consistent(digest)?.description == "bundles/m/\(digest).1.0.0.json")
        #expect(TargetPath("x").flatMap { $0.consistent(digest)?.description } == "\(digest).x")
        let long = try #require(TargetPath(String(repeating: "a", count: 500)))
        #expect(long.consistent(digest) == nil)
        #expect(TargetPath("a b/c?d").map(\.urlPath) == "a%20b/c%3Fd")
    }
}
