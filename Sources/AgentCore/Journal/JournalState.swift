/// All that the agent remembers over a restart, as one value.
package struct JournalState: Sendable, Hashable {
    package var machine: MachineState

    package init(machine: MachineState = MachineState()) {
        self.machine = machine
    }
}
