package import Primitives

/// Where a bundle's bytes lie in its folder: the manifest at `manifest.json`, every file at its own path.
///
/// The same layout serves a slot of a device and what `fieldfare bundle build` writes, so that an
/// application finds `model.onnx` where the manifest says it is.
package enum BundleLayout {
    /// The manifest, in the very bytes that the target's digest covers.
    package static let manifestName = "manifest.json"
    /// What a path may not start with: such names in a slot's folder belong to the agent.
    package static let privatePrefix: Unicode.Scalar = "."

    package static let expected = "a path that does not start with '.' and is not '\(manifestName)'"

    /// Whether a file of a bundle may have this path.
    package static func accepts(_ path: TargetPath) -> Bool {
        let parts = path.parts
        return parts[0] != manifestName && parts[0].unicodeScalars.first != privatePrefix
            && !path.description.utf8.contains { $0 < 0x20 || $0 == 0x7F }
    }
}
