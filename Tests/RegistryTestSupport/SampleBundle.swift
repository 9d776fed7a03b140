import Cryptography
package import ModelBundle
package import Primitives
import RegistryCore
package import Rollouts
import Speech
import TUF

/// A small bundle with a true manifest, whose files are short texts.
package struct SampleBundle: Sendable {
    package let manifest: Manifest
    /// The files' bytes, by path.
    package let files: [TargetPath: [UInt8]]

    package init(
        _ model: ModelName, _ version: SemanticVersion, rollbackFloor: SemanticVersion? = nil
    ) throws {
        let names = [
            "io.json", "model.onnx", "model-card.md", "telemetry.json", "tokens.txt", "u.wav",
        ]
        var files: [TargetPath: [UInt8]] = [:]
        var listed: [ManifestFile] = []
        for name in names.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
            let path = try Self.path(name)
            let bytes = Array("\(name) of \(model) \(version)".utf8)
            files[path] = bytes
            let digest = SHA256.digest(of: bytes)
            listed.append(
                try ManifestFile(
                    path: path, length: Int64(bytes.count), sha256: digest, chunks: [digest]))
        }
        self.files = files
        let digests = files.mapValues { SHA256.digest(of: $0) }
        func schema(_ name: String) throws -> SchemaReference {
            let path = try Self.path(name)
            return SchemaReference(path: path, sha256: try Self.some(digests[path]))
        }
        let locale = try Self.some(AttributeName("en-GB"))
        manifest = try Manifest(
            model: model, version: version, created: UTCTime(clamping: 1_760_000_000),
            locales: [locale],
            runtime: RecogniserSettings(
                minimumVersion: try Self.some(SemanticVersion("1.12.0")), family: .nemoCTC,
                model: try Self.path("model.onnx"), tokens: try Self.path("tokens.txt"),
                features: FeatureSettings(normalisation: .perFeature, subsampling: 4)),
            files: listed,
            smoke: try SmokeSuite(
                utterances: [
                    SmokeUtterance(
                        wav: try Self.path("u.wav"), transcript: "turn left", locale: locale)
                ], maximumWER: 100, cpuBudget: CPUBudget(standard: 500)),
            requirements: Requirements(
                architectures: [.x86, .arm], minimumMemory: 1 << 20, minimumDisk: 1 << 20,
                minimumAgent: try Self.some(SemanticVersion("0.1.0"))),
            ioSchema: try schema("io.json"), telemetrySchema: try schema("telemetry.json"),
            compatibility: Compatibility(mode: .backward, supersedes: nil),
            modelCard: try Self.path("model-card.md"), routingPolicy: nil,
            provenance: Provenance(
                sourceCommit: String(repeating: "ab", count: 20), pipelineURL: nil,
                builder: "tests", derivedFrom: nil),
            rollbackFloor: rollbackFloor)
    }

    package var reference: BundleReference {
        let bytes = manifest.bytes
        return BundleReference(
            version: manifest.version, sha256: SHA256.digest(of: bytes),
            length: Int64(bytes.count))
    }

    private static func path(_ text: String) throws -> TargetPath { try some(TargetPath(text)) }

    private static func some<Value>(_ value: Value?) throws -> Value {
        guard let value else { throw SampleError.impossible }
        return value
    }
}

/// What a sample made of constants can do wrong.
package enum SampleError: Error {
    case impossible
    /// A report of a simulated device was refused.
    case refused(String)
}
