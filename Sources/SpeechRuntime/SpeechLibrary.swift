import CSherpaOnnx
package import Primitives

/// The speech runtime's library, opened: the functions of sherpa-onnx, of the version compiled for.
///
/// It stays open until the process ends.
@safe package struct SpeechLibrary {
    let pointer: OpaquePointer
    /// What the library says it is, such as `2.0.1`.
    package let version: String

    /// Opens the library in a folder that `RuntimeFolder.find` gave.
    package init(folder: String) throws(SpeechRuntimeError) {
        let path = "\(folder)/\(RuntimeFolder.libraryPath)"
        var reason = [CChar](repeating: 0, count: 1_024)
        let opened = unsafe reason.withUnsafeMutableBufferPointer { buffer in
            unsafe csherpa_open(path, buffer.baseAddress, buffer.count)
        }
        guard let opened = unsafe opened else {
            throw .cannotOpen(path: path, reason: Self.text(reason))
        }
        unsafe pointer = opened
        version = unsafe String(cString: csherpa_version(opened))
    }

    /// The version of the runtime that this was compiled for; nil where its header was absent.
    package static var compiledVersion: String? {
        guard let text = unsafe csherpa_compiled_version() else { return nil }
        return unsafe String(cString: text)
    }

    /// Refuses a runtime older than a bundle asks for.
    package func require(_ needed: SemanticVersion) throws(SpeechRuntimeError) {
        guard let found = SemanticVersion(version), found >= needed else {
            throw .tooOld(found: version, needed: needed)
        }
    }

    private static func text(_ characters: [CChar]) -> String {
        String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
