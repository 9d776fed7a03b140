import Primitives

/// The version of a metadata file: 1 or more.
package struct MetadataVersion: Sendable, Hashable, Comparable, CustomStringConvertible {
    package static let first = MetadataVersion(unchecked: 1)
    package static let range: ClosedRange<Int64> = 1...Int64.max

    package let number: Int64

    /// Nil below 1.
    package init?(_ number: Int64) {
        guard number >= 1 else { return nil }
        self.number = number
    }

    private init(unchecked number: Int64) { self.number = number }

    /// The version after this one; the last one has none, and stays.
    package var next: MetadataVersion {
        MetadataVersion(unchecked: number == .max ? number : number + 1)
    }

    package var description: String { String(number) }

    package static func < (left: MetadataVersion, right: MetadataVersion) -> Bool {
        left.number < right.number
    }
}

extension Fields {
    mutating func metadataVersion(_ key: String) throws(FieldError) -> MetadataVersion {
        guard let version = MetadataVersion(try integer(key, in: MetadataVersion.range)) else {
            preconditionFailure("the range was checked")
        }
        return version
    }
}
