import AgentCore

/// Whom the configuration names to tell of link and battery.
package enum ConditionSource: Sendable, Hashable {
    /// The kernel: the battery only.
    case kernel
    /// NetworkManager and UPower.
    case bus
    /// A file, by its absolute path.
    case file(String)

    package static let expected = "'kernel', 'bus' or an absolute path of at most 1024 bytes"

    package init?(_ text: String) {
        switch text {
        case "kernel": self = .kernel
        case "bus": self = .bus
        default:
            guard text.hasPrefix("/"), text.utf8.count <= 1_024, !text.utf8.contains(0) else {
                return nil
            }
            self = .file(text)
        }
    }

    var sensing: any ConditionSensing {
        switch self {
        case .kernel: KernelConditions()
        case .bus: BusConditions()
        case .file(let path): ConditionsFile(path: path)
        }
    }
}

extension ConditionSource: CustomStringConvertible {
    package var description: String {
        switch self {
        case .kernel: "kernel"
        case .bus: "bus"
        case .file(let path): path
        }
    }
}
