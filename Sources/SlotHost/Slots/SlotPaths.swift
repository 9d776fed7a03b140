import AgentCore
import Primitives

/// The names below `slots/` (docs/formats/slot-layout.md).
///
///     current -> a      the active slot
///     a/  b/            a bundle each; sealed while `manifest.json` is in it
///     a.lease           empty; who holds a lock on it uses the slot
///     a.damaged         the reference of a bundle that did not verify
///     a.staging/        a bundle on its way into the slot
///     smoke.tmp/        temporary files of the smoke test that runs
struct SlotPaths {
    static let current = path("current")
    static let smoke = path("smoke.tmp")
    static let manifest = path("manifest.json")
    /// In a staging folder: the manifest of the bundle that the slot held before.
    static let oldManifest = path("old.json")

    /// In a staging folder: a file that met its digest.
    static func whole(_ digest: SHA256Digest) -> TargetPath { path(digest.hex) }
    /// In a staging folder: a file of which some chunks are there.
    static func part(_ digest: SHA256Digest) -> TargetPath { path("\(digest.hex).part") }
    /// In a staging folder: a file that did not meet its digest, kept for its good chunks.
    static func donor(_ digest: SHA256Digest) -> TargetPath { path("\(digest.hex).donor") }

    let slot: Slot

    init(_ slot: Slot) { self.slot = slot }

    var folder: TargetPath { Self.path("\(slot)") }
    var lease: TargetPath { Self.path("\(slot).lease") }
    var damaged: TargetPath { Self.path("\(slot).damaged") }
    var staging: TargetPath { Self.path("\(slot).staging") }
    /// What seals the slot.
    var seal: TargetPath { Self.path("\(slot)/\(Self.manifest)") }
    var stagedManifest: TargetPath { Self.path("\(slot).staging/\(Self.manifest)") }
    var unsealed: TargetPath { Self.path("\(slot).staging/\(Self.oldManifest)") }

    private static func path(_ text: String) -> TargetPath {
        guard let path = TargetPath(text) else { preconditionFailure("a name of ours: \(text)") }
        return path
    }
}
