import AgentCore
import ModelBundle
import Primitives
package import Rollouts
package import Telemetry

/// A machine of one gibibyte with a microphone and a battery, as tests have it.
package struct TestSurroundings: Surroundings {
    package static let standard = DeviceFacts.Hardware(
        architecture: .x86, memory: 1 << 30, freeDisk: 1 << 30)

    private let made: DeviceFacts.Hardware

    package init(_ made: DeviceFacts.Hardware = standard) { self.made = made }

    package func hardware() -> DeviceFacts.Hardware { made }

    package func environment() -> DeviceEnvironment {
        DeviceEnvironment(
            temperatureTenths: 412, batteryPercent: 80, microphone: AttributeName("array-4"))
    }
}
