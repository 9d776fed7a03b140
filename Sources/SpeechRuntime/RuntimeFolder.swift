import Glibc

/// Finds the folder that scripts/fetch-speech-runtime.sh or a package has put the speech runtime in.
package enum RuntimeFolder {
    /// The environment variable that names the folder.
    package static let variable = "FIELDFARE_SPEECH_RUNTIME"
    package static let libraryPath = "lib/libsherpa-onnx-c-api.so"

    /// Where to look, best first.
    ///
    /// A folder that someone named is the only one looked at: another would be a surprise. Otherwise
    /// `../lib/fieldfare/sherpa-onnx` beside the program's folder (as installed), and `.deps/sherpa-onnx`
    /// in the folders above the program (as built).
    ///
    /// - Parameters:
    ///   - named: what the caller was told by an argument, if anything.
    ///   - environment: the value of `variable`, if it is set.
    ///   - program: the absolute path of the running program.
    /// - Returns: folders, in the order to look.
    package static func candidates(
        named: String?, environment: String?, program: String
    ) -> [String] {
        if let folder = [named, environment].compactMap(\.self).first(where: { !$0.isEmpty }) {
            return [folder]
        }
        var above: [String] = []
        var parts = program.split(separator: "/").dropLast().map(String.init)
        if !parts.isEmpty {
            above.append(
                "/"
                    + (parts.dropLast() + ["lib", "fieldfare", "sherpa-onnx"]).joined(
                        separator: "/"))
        }
        while !parts.isEmpty {
            above.append("/" + (parts + [".deps", "sherpa-onnx"]).joined(separator: "/"))
            parts.removeLast()
        }
        return above
    }

    /// The first candidate that holds the library.
    package static func find(_ candidates: [String]) throws(SpeechRuntimeError) -> String {
        for folder in candidates where unsafe access("\(folder)/\(libraryPath)", R_OK) == 0 {
            return folder
        }
        throw .notFound(looked: candidates)
    }

    /// The absolute path of the running program, from the kernel.
    package static func programPath() -> String {
        var buffer = [CChar](repeating: 0, count: 4_096)
        let length = unsafe readlink("/proc/self/exe", &buffer, buffer.count)
        return String(
            decoding: buffer.prefix(max(length, 0)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
