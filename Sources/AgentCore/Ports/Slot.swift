package import Primitives

/// One of the two folders a device keeps bundles in; exactly one of them is active.
package enum Slot: String, Sendable, Hashable, CaseIterable, CustomStringConvertible {
    case a
    case b

    package var other: Slot {
        switch self {
        case .a: .b
        case .b: .a
        }
    }

    package var description: String { rawValue }
}

/// Which bundle: its version, and the SHA-256 of its manifest's very bytes.
package struct BundleIdentity: Sendable, Hashable, CustomStringConvertible {
    package let version: SemanticVersion
    package let manifest: SHA256Digest

    package init(version: SemanticVersion, manifest: SHA256Digest) {
        self.version = version
        self.manifest = manifest
    }

    package var description: String { "\(version) (\(manifest.hex.prefix(12)))" }
}

/// One value for each slot.
package struct PerSlot<Value> {
    package var a: Value
    package var b: Value

    package init(a: Value, b: Value) {
        self.a = a
        self.b = b
    }

    package init(both value: Value) { self.init(a: value, b: value) }

    package subscript(slot: Slot) -> Value {
        get {
            switch slot {
            case .a: a
            case .b: b
            }
        }
        set {
            switch slot {
            case .a: a = newValue
            case .b: b = newValue
            }
        }
    }
}

extension PerSlot: Sendable where Value: Sendable {}
extension PerSlot: Equatable where Value: Equatable {}
extension PerSlot: Hashable where Value: Hashable {}
