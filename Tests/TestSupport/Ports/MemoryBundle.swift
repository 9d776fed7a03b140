package import AgentCore
import Cryptography
import ModelBundle
package import Primitives

/// A bundle in memory: files, and the manifest that names them.
package struct MemoryBundle: Sendable {
    package let files: [String: [UInt8]]
    package let target: ManifestTarget

    /// - Parameters:
    ///   - version: its version.
    ///   - changes: files beside or instead of the standard ones; nil takes one away.
    ///   - smoke: the manifest's `smoke`, where the standard one will not do.
    ///   - alter: changes the manifest's fields at last.
    /// - Throws: where the result is no manifest.
    package init(
        _ version: String, _ changes: [String: [UInt8]?] = [:], smoke: JSON? = nil,
        alter: (inout JSONObject) -> Void = { _ in }
    ) throws {
        var files: [String: [UInt8]] = [
            "card.json": Array("{}".utf8), "io.json": Array("{\"io\":1}".utf8),
            "telemetry.json": Array("{\"t\":1}".utf8), "tokens.txt": Array("<blk> 0\n".utf8),
            "model.onnx": Array("model \(version)".utf8), "utterances/a.wav": [1, 2, 3],
        ]
        for (name, bytes) in changes { files[name] = bytes }
        self.files = files
        let entries = files.keys.map { Self.path($0) }.sorted().map { path in
            Self.entry(path, files[path.description] ?? [])
        }
        var fields: JSONObject = [
            "schema": .string(Manifest.schema), "task": .string(Manifest.task),
            "model": "commands-en", "version": .string(version),
            "created": "2026-11-18T11:06:40Z", "locales": ["en-GB"],
            "runtime": [
                "engine": "sherpa-onnx", "min_version": "1.10.0", "family": "nemo_ctc",
                "model": "model.onnx", "tokens": "tokens.txt",
                "features": [
                    "sample_rate": 16000, "bins": 80, "normalize": "per_feature",
                    "subsampling": 4,
                ],
            ],
            "files": .array(entries), "smoke": smoke ?? Self.smoke(),
            "requirements": [
                "arch": ["aarch64", "x86_64"], "min_memory": 0, "min_disk": 0,
                "min_agent": "0.1.0",
            ],
            "io_schema": Self.reference("io.json", files),
            "telemetry_schema": Self.reference("telemetry.json", files),
            "compatibility": ["mode": "none"], "model_card": "card.json",
            "provenance": [
                "source_commit": .string(String(repeating: "0", count: 40)), "builder": "test",
            ],
        ]
        alter(&fields)
        let manifest = try Manifest(.object(fields))
        let bytes = manifest.bytes
        target = ManifestTarget(
            manifest: manifest, bytes: bytes, sha256: SHA256.digest(of: bytes))
    }

    package static func smoke(timeout: Int64 = 10_000, memory: Int64 = 512 << 20) -> JSON {
        [
            "utterances": [["wav": "utterances/a.wav", "transcript": "stop", "locale": "en-GB"]],
            "max_wer": 0, "max_cpu_ms_per_audio_s": ["default": 1000],
            "timeout_ms": .integer(timeout), "memory_limit": .integer(memory),
        ]
    }

    private static func entry(_ path: TargetPath, _ bytes: [UInt8]) -> JSON {
        let length = Int(ManifestFile.chunkLength)
        let chunks = stride(from: 0, to: bytes.count, by: length).map { start in
            SHA256.digest(of: Array(bytes[start..<min(start + length, bytes.count)]))
        }
        return [
            "path": .string(path.description), "length": .integer(Int64(bytes.count)),
            "sha256": .string(SHA256.digest(of: bytes).hex),
            "chunk_length": .integer(ManifestFile.chunkLength),
            "chunks": .array(chunks.map { .string($0.hex) }),
        ]
    }

    /// A path that is known to be good.
    package static func path(_ text: String) -> TargetPath {
        guard let path = TargetPath(text) else { preconditionFailure("a path: \(text)") }
        return path
    }

    private static func reference(_ name: String, _ files: [String: [UInt8]]) -> JSON {
        [
            "path": .string(name),
            "sha256": .string(SHA256.digest(of: files[name] ?? []).hex),
        ]
    }

    /// Bytes of all files.
    package var length: Int64 { target.manifest.totalLength }

    package func digest(of name: String) -> SHA256Digest { SHA256.digest(of: files[name] ?? []) }

    /// Bytes that no compression or chance makes equal, the same for the same seed.
    package static func noise(_ count: Int, seed: UInt64) -> [UInt8] {
        var random = SeededGenerator(seed: seed)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 8)
        while bytes.count < count {
            unsafe withUnsafeBytes(of: random.next()) { unsafe bytes.append(contentsOf: $0) }
        }
        bytes.removeSubrange(count...)
        return bytes
    }
}
