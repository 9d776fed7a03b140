package import AgentCore

/// Who tells the agent what kind of link the device has, and what is left in its battery.
///
/// Answers within a fraction of a second, with what it knows: the agent's loop waits for it.
package protocol ConditionSensing: Sendable {
    func conditions() -> Conditions
}

/// The battery as the kernel tells it, and no word of the link.
package struct KernelConditions: ConditionSensing {
    private let sensors: SensorFiles

    package init(sensors: SensorFiles = SensorFiles()) { self.sensors = sensors }

    package func conditions() -> Conditions {
        guard sensors.isDischarging, let percent = sensors.batteryPercent else {
            return Conditions()
        }
        return Conditions(batteryCharge: Int(percent) * 10)
    }
}
