package import Primitives

/// All that the agent remembers over a restart, as one value.
package struct JournalState: Sendable, Hashable {
    package var machine: MachineState
    package var trust: TrustMemory
    package var observation: Observation
    /// The attributes as last reported, with their number.
    package var attributes: DeviceAttributes?
    /// Who leased last under each name, the newest last; at most `ApplicationProcess.limit`.
    package var applications: [ApplicationProcess]

    package init(
        machine: MachineState = MachineState(), trust: TrustMemory = TrustMemory(),
        observation: Observation, attributes: DeviceAttributes? = nil,
        applications: [ApplicationProcess] = []
    ) {
        self.machine = machine
        self.trust = trust
        self.observation = observation
        self.attributes = attributes
        self.applications = applications
    }
}
