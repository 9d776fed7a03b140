// What libFuzzer calls with every input; `scripts/fuzz.py` builds it with the sources of the readers.
import Glibc
import ModelBundle
import Primitives
import TUF

/// A reader of bytes from outside, and what must hold for each text that it takes.
private enum Parser: String {
    case json, root, timestamp, snapshot, targets, manifest

    /// Chosen by the environment, so that one program serves them all.
    static let chosen: Parser = {
        guard let name = unsafe getenv("FUZZ_PARSER"),
            let parser = unsafe Parser(rawValue: String(cString: name))
        else { fatalError("FUZZ_PARSER: expected the name of a parser") }
        return parser
    }()

    func read(_ bytes: [UInt8]) {
        switch self {
        case .json: readJSON(bytes)
        case .root: readMetadata(bytes, .root, Root.self)
        case .timestamp: readMetadata(bytes, .timestamp, Timestamp.self)
        case .snapshot: readMetadata(bytes, .snapshot, Snapshot.self)
        case .targets: readMetadata(bytes, .targets, Targets.self)
        case .manifest: readManifest(bytes)
        }
    }

    /// What was read is written as the same value, compact and for people.
    private func readJSON(_ bytes: [UInt8]) {
        guard let json = try? JSON(parsing: bytes, limit: 1 << 20) else { return }
        for written in [json.bytes, json.prettyBytes] {
            guard let again = try? JSON(parsing: written, limit: 16 << 20),
                again.bytes == json.bytes, again.canonicalBytes == json.canonicalBytes
            else { fatalError("a text that was read is not the same when it was written") }
        }
    }

    /// What was read is written again with nothing lost (ADR 0002), but for the version of the specification.
    private func readMetadata<Content: RoleMetadata>(
        _ bytes: [UInt8], _ role: RoleName, _: Content.Type
    ) {
        guard let draft = try? Draft<Content>(parsing: bytes, as: role) else { return }
        let written = Draft(draft.content, of: role)
        guard let again = try? Draft<Content>(parsing: written.bytes, as: role),
            again.content == draft.content, again.message == written.message,
            let before = try? JSON(parsing: draft.bytes, limit: 16 << 20)["signed"],
            let after = try? JSON(parsing: written.bytes, limit: 16 << 20)["signed"]
        else { fatalError("metadata that was read is not the same when it was written") }
        expect(after, toHold: before, at: "signed")
    }

    /// Nothing is lost but the version of the specification.
    private func expect(_ after: JSON, toHold before: JSON, at path: String) {
        switch (before, after) {
        case (.object(let before), .object(let after)):
            for (key, value) in before where key != "spec_version" {
                guard let kept = after[key] else { fatalError("\(path).\(key) was lost") }
                expect(kept, toHold: value, at: "\(path).\(key)")
            }
        case (.array(let before), .array(let after)) where before.count == after.count:
            for (before, after) in zip(before, after) {
                expect(after, toHold: before, at: "\(path)[]")
            }
        default: guard before == after else { fatalError("\(path) was changed") }
        }
    }

    private func readManifest(_ bytes: [UInt8]) {
        guard let manifest = try? Manifest(parsing: bytes) else { return }
        guard let again = try? Manifest(parsing: manifest.bytes), again.bytes == manifest.bytes
        else { fatalError("a manifest that was read is not the same when it was written") }
    }
}

/// One input of libFuzzer; a trap is a finding.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    Parser.chosen.read(unsafe Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}
