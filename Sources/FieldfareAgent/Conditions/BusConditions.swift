package import AgentCore

/// Link and battery as NetworkManager and UPower tell them on the system's message bus.
///
/// NetworkManager's `Metered` (NMMetered: 1 yes, 2 no, 3 and 4 the same, guessed), UPower's `OnBattery`, and the `Percentage`
/// of its display device. Who of the two is not there says nothing; without UPower the battery is the kernel's.
package struct BusConditions: ConditionSensing {
    /// The system bus (D-Bus Specification 0.43, "Well-known Message Bus Instances").
    package static let systemBus = "/run/dbus/system_bus_socket"

    private let path: String
    private let kernel: KernelConditions
    private let timeout: Int64

    /// - Parameters:
    ///   - path: the bus's socket.
    ///   - kernel: who tells of the battery where UPower is not there.
    ///   - timeout: for each of the three answers at most, in milliseconds; a bus that lives takes one.
    package init(
        path: String = systemBus, kernel: KernelConditions = KernelConditions(),
        timeoutMilliseconds timeout: Int64 = 200
    ) {
        self.path = path
        self.kernel = kernel
        self.timeout = timeout
    }

    package func conditions() -> Conditions {
        guard let bus = BusConnection(path: path, timeoutMilliseconds: timeout) else {
            return kernel.conditions()
        }
        var conditions = Conditions(link: Self.link(bus))
        let power = "org.freedesktop.UPower"
        switch bus.property("OnBattery", of: power, at: "/org/freedesktop/UPower", on: power) {
        case .bool(true):
            let percentage = bus.property(
                "Percentage", of: "\(power).Device",
                at: "/org/freedesktop/UPower/devices/DisplayDevice", on: power)
            if case .real(let percent) = percentage, (0...100).contains(percent) {
                conditions.batteryCharge = Int(percent * 10)
            }
        case .bool(false): break
        default: conditions.batteryCharge = kernel.conditions().batteryCharge
        }
        return conditions
    }

    private static func link(_ bus: BusConnection) -> LinkKind? {
        let manager = "org.freedesktop.NetworkManager"
        let metered = bus.property(
            "Metered", of: manager, at: "/org/freedesktop/NetworkManager", on: manager)
        switch metered {
        case .number(1), .number(3): return .metered
        case .number(2), .number(4): return .unmetered
        default: return nil
        }
    }
}
