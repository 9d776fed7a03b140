package import AgentCore
import ModelBundle
import Primitives
package import Rollouts
import Synchronization
package import Telemetry

/// A machine of one gibibyte with a microphone and a battery, as tests have it.
package struct TestSurroundings: Surroundings {
    package static let standard = DeviceFacts.Hardware(
        architecture: .x86, memory: 1 << 30, freeDisk: 1 << 30)

    private let made: DeviceFacts.Hardware
    private let told: TestConditions

    package init(
        _ made: DeviceFacts.Hardware = standard, conditions: TestConditions = TestConditions()
    ) {
        self.made = made
        told = conditions
    }

    package func conditions() -> Conditions { told.now }

    package func hardware() -> DeviceFacts.Hardware { made }

    package func environment() -> DeviceEnvironment {
        DeviceEnvironment(
            temperatureTenths: 412, batteryPercent: 80, microphone: AttributeName("array-4"))
    }
}

/// Conditions that a test changes while a device runs.
package final class TestConditions: Sendable {
    private let value = Mutex(Conditions())

    package init() {}

    package var now: Conditions {
        get { value.withLock { $0 } }
        set { value.withLock { $0 = newValue } }
    }
}
