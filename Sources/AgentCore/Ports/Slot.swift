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
