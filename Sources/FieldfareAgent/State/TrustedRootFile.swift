import PosixFiles
import Primitives
import TUF

/// The root of trust that came with the device, in the file where its maker put it.
package struct TrustedRootFile: Sendable {
    let path: String

    package init(path: String) { self.path = path }

    /// The file's bytes, signed by their own keys as the root that they are.
    ///
    /// - Throws: `AgentError` with `trust`.
    func read(at now: UTCTime) throws(AgentError) -> [UInt8] {
        let hint = "let 'trusted_root' name the registry's root.json that the device was made with"
        let bytes: [UInt8]
        do { bytes = try ConfiguredFile.read(path, limit: Limits.standard.root) } catch {
            throw AgentError(.trust, "trusted root: \(error)", hint: hint)
        }
        do { _ = try Verifier(start: now).initialRoot(bytes) } catch {
            throw AgentError(.trust, "trusted root '\(path)': \(error)", hint: hint)
        }
        return bytes
    }
}
