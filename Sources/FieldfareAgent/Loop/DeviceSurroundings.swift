import AgentCore
import Glibc
import ModelBundle
import Primitives
import Rollouts
import SlotHost
import Telemetry

/// The machine that the agent runs on, as the kernel tells and the configuration adds.
struct DeviceSurroundings: Surroundings {
    /// Whose file system a new bundle would fill.
    let slots: SlotFolder
    let microphone: AttributeName?
    let sensing: any ConditionSensing
    let sensors = SensorFiles()

    func hardware() -> DeviceFacts.Hardware {
        DeviceFacts.Hardware(
            architecture: Self.architecture, memory: Self.memory, freeDisk: freeDisk)
    }

    func environment() -> DeviceEnvironment {
        DeviceEnvironment(
            temperatureTenths: sensors.temperatureTenths, batteryPercent: sensors.batteryPercent,
            microphone: microphone)
    }

    func conditions() -> Conditions { sensing.conditions() }

    private static var architecture: Architecture {
        #if arch(arm64)
        .arm
        #else
        .x86
        #endif
    }

    private static var memory: Int64 {
        Int64(sysconf(Int32(_SC_PHYS_PAGES))) * Int64(sysconf(Int32(_SC_PAGESIZE)))
    }

    /// What a new bundle could have; none where the file system does not say, so that nothing is begun.
    private var freeDisk: Int64 { (try? slots.availableBytes()) ?? 0 }
}
