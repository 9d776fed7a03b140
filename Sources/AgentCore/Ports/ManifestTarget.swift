package import ModelBundle
package import Primitives
package import Rollouts

/// A manifest as the TUF target that it is: read, together with the very bytes that its digest covers.
///
/// Only `PollCycle` makes one from the network, after the bytes met the digest that `model.<m>` signs.
package struct ManifestTarget: Sendable, Hashable {
    package let manifest: Manifest
    /// What a slot keeps as its `manifest.json`.
    package let bytes: [UInt8]
    package let sha256: SHA256Digest

    package init(manifest: Manifest, bytes: [UInt8], sha256: SHA256Digest) {
        self.manifest = manifest
        self.bytes = bytes
        self.sha256 = sha256
    }

    package var reference: BundleReference {
        BundleReference(version: manifest.version, sha256: sha256, length: Int64(bytes.count))
    }
}
