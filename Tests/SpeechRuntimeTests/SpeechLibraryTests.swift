import Primitives
import SpeechRuntime
import TestSupport
import Testing

struct SpeechLibraryTests {
    @Test func `is of the version that it was compiled for`() throws {
        let library = try RuntimeUnderTest.library()
        #expect(library.version == "2.0.1")
        #expect(SpeechLibrary.compiledVersion == "2.0.1")
    }

    private func reason(_ folder: ScratchFolder) throws -> String {
        do throws(SpeechRuntimeError) {
            _ = try SpeechLibrary(folder: folder.path)
        } catch .cannotOpen(_, let reason) {
            return reason
        } catch {
            Issue.record("\(error)")
        }
        return ""
    }

    @Test func `refuses what is no library, and a library of something else`() throws {
        let text = try reason(FakeLibrary.folder("echo text > libsherpa-onnx-c-api.so"))
        #expect(text.contains("file too short") || text.contains("invalid ELF header"))
        let other = try reason(
            FakeLibrary.folder("cp \"$2/lib/libonnxruntime.so\" libsherpa-onnx-c-api.so"))
        #expect(other.hasSuffix("has no function SherpaOnnxGetVersionStr"))
    }

    @Test func `refuses a library of another version`() throws {
        let found = try reason(FakeLibrary.compiled(version: "2.0.0"))
        #expect(found == "expected sherpa-onnx 2.0.1, as compiled for, got 2.0.0")
    }
}

struct RuntimeFolderTests {
    @Test func `looks only where it was told to`() {
        #expect(
            RuntimeFolder.candidates(named: "/a", environment: "/b", program: "/x/y") == ["/a"])
        #expect(RuntimeFolder.candidates(named: nil, environment: "/b", program: "/x/y") == ["/b"])
        #expect(RuntimeFolder.candidates(named: "", environment: "/b", program: "/x") == ["/b"])
    }

    @Test func `looks beside the program, then in the folders above it`() {
        #expect(
            RuntimeFolder.candidates(named: nil, environment: "", program: "/usr/bin/smoke") == [
                "/usr/lib/fieldfare/sherpa-onnx", "/usr/bin/.deps/sherpa-onnx",
                "/usr/.deps/sherpa-onnx",
            ])
        #expect(RuntimeFolder.candidates(named: nil, environment: nil, program: "/smoke") == [])
    }

    @Test func `says where it looked, and what to do`() throws {
        let error = try #require(throws: SpeechRuntimeError.self) {
            try RuntimeFolder.find(["/nowhere", "/nor/here"])
        }
        #expect(
            error.description
                == "speech runtime: expected lib/libsherpa-onnx-c-api.so below one of /nowhere, "
                + "/nor/here, got none\nhint: make setup")
        #expect(
            SpeechRuntimeError.cannotOpen(path: "/l.so", reason: "r").description
                == "speech runtime '/l.so': expected a library to open, got: r\nhint: make setup")
    }
}
