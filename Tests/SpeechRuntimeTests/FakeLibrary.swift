import Glibc
import Speech
import SpeechRuntime
import TestSupport
import Testing

/// Folders with something else in the place of the runtime's library.
enum FakeLibrary {
    /// A folder that a shell script has filled, run in its `lib`; `$2` is the real runtime's folder.
    static func folder(_ script: String) throws -> ScratchFolder {
        let scratch = ScratchFolder("library")
        let path = unsafe getenv("PATH").map { unsafe String(cString: $0) } ?? "/usr/bin:/bin"
        let child = try ChildProcess(
            [
                "/bin/sh", "-ec", "mkdir \"$1/lib\"; cd \"$1/lib\"; \(script)", "sh", scratch.path,
                try RuntimeUnderTest.folder(),
            ], environment: ["PATH=\(path)"])
        #expect(child.ending == .exited(0), "\(child.errors)")
        return scratch
    }

    /// A library that has every function, says that it is of `version`, and runs `create` when it is asked for
    /// a recogniser, which it refuses.
    static func compiled(version: String, create: String = "") throws -> ScratchFolder {
        let others = [
            "DestroyOfflineRecognizer", "CreateOfflineStream", "DestroyOfflineStream",
            "AcceptWaveformOffline", "DecodeOfflineStream", "GetOfflineStreamResult",
            "DestroyOfflineRecognizerResult",
        ]
        let lines =
            [
                "#include <stdio.h>",
                "const char *SherpaOnnxGetVersionStr(void) { return \"\(version)\"; }",
                "void *SherpaOnnxCreateOfflineRecognizer(void *c) { \(create) return 0; }",
            ] + others.map { "void SherpaOnnx\($0)(void) {}" }
        let arguments = lines.map { "'\($0)'" }.joined(separator: " ")
        return try folder(
            "printf '%s\\n' \(arguments) | clang -shared -fPIC -x c - -o libsherpa-onnx-c-api.so")
    }
}
