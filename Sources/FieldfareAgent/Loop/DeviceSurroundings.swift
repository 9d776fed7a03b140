import AgentCore
import Glibc
import ModelBundle
import PosixFiles
import Primitives
import Rollouts

/// The machine that the agent runs on, as the kernel tells.
struct DeviceSurroundings: Surroundings {
    /// The slots' folder, whose file system a new bundle would fill.
    let slots: Directory

    func hardware() -> DeviceFacts.Hardware {
        DeviceFacts.Hardware(
            architecture: Self.architecture, memory: Self.memory, freeDisk: freeDisk)
    }

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

    /// Free bytes; none where the file system does not say, so that nothing is begun.
    private var freeDisk: Int64 { (try? slots.freeBytes()) ?? 0 }
}
