package import Primitives

/// A processor that a bundle can run on, by the name that `uname -m` gives it.
package enum Architecture: String, Sendable, Hashable, CaseIterable {
    case x86 = "x86_64"
    case arm = "aarch64"

    package static let expected = Architecture.allCases.map(\.rawValue).joined(separator: " or ")
}

/// What a device must have before it downloads a bundle.
package struct Requirements: Sendable, Hashable {
    package let architectures: Set<Architecture>
    /// Memory of the device, in bytes, at least.
    package let minimumMemory: Int64
    /// Free space on the slots' file system before the download, in bytes, at least.
    package let minimumDisk: Int64
    package let minimumAgent: SemanticVersion

    package init(
        architectures: Set<Architecture>, minimumMemory: Int64, minimumDisk: Int64,
        minimumAgent: SemanticVersion
    ) {
        self.architectures = architectures
        self.minimumMemory = minimumMemory
        self.minimumDisk = minimumDisk
        self.minimumAgent = minimumAgent
    }

    init(_ json: JSON, at path: String) throws(FieldError) {
        var fields = try Fields(json, at: path)
        var architectures: Set<Architecture> = []
        for element in try fields.array("arch", limit: Architecture.allCases.count) {
            guard case .string(let text) = element.json, let arch = Architecture(rawValue: text),
                architectures.insert(arch).inserted
            else {
                throw FieldError(
                    path: element.path, expected: "\(Architecture.expected), each once",
                    found: element.json.string.map { "'\($0)'" } ?? element.json.kind)
            }
        }
        guard !architectures.isEmpty else {
            throw FieldError(
                path: fields.path(of: "arch"), expected: Architecture.expected, found: "nothing")
        }
        self.architectures = architectures
        minimumMemory = try fields.integer("min_memory", in: 0...(1 << 50))
        minimumDisk = try fields.integer("min_disk", in: 0...(1 << 50))
        minimumAgent = try fields.parse("min_agent", SemanticVersion.expected) {
            SemanticVersion($0)
        }
        try fields.refuseUnknown()
    }

    package var json: JSON {
        [
            "arch": .array(architectures.map(\.rawValue).sorted().map { .string($0) }),
            "min_memory": .integer(minimumMemory), "min_disk": .integer(minimumDisk),
            "min_agent": .string(minimumAgent.description),
        ]
    }
}
