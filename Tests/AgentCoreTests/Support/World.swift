import AgentCore
import Primitives
import Rollouts
import TestSupport

/// A disk and a journal in miniature: what the machine's effects do to them, and what a power cut leaves.
///
/// An effect may fail in every way that its port may; nothing else can happen.
struct World {
    var machine: AgentMachine
    /// What the journal holds: the state at the last `.save`.
    var saved: MachineState
    var current: Slot?
    var contents: PerSlot<SlotContents>
    var now = Fixture.start
    /// Effects performed so far, and the one before which the power is cut.
    var performed = 0
    var cut: Int?
    /// What the machine did against its own rules.
    var violations: [String] = []

    struct PowerCut: Error {}

    init(_ machine: AgentMachine) {
        self.machine = machine
        saved = machine.memory
        current = machine.memory.slots.active
        let survey = TransitionTable.survey(machine.memory)
        contents = survey.contents
    }

    var survey: SlotSurvey { SlotSurvey(active: current, contents: contents) }

    /// The bundle that an application would get.
    var usable: BundleReference? { current.flatMap { contents[$0].wholeBundle } }

    /// Lets an event happen, and performs what follows.
    mutating func happen(_ event: AgentEvent) throws(PowerCut) {
        let effects = machine.handle(event, at: now)
        try perform(effects)
    }

    /// Starts again from what the journal and the disk hold, of which a slot may not be readable just now.
    mutating func restart(unreadable slot: Slot? = nil) throws(PowerCut) {
        machine = AgentMachine(saved, rules: machine.rules)
        var survey = survey
        if let slot { survey.contents[slot] = .unreadable }
        let effects = machine.resume(from: survey, at: now)
        try perform(effects)
    }

    private mutating func perform(_ effects: [AgentEffect]) throws(PowerCut) {
        var followUps: [AgentEvent] = []
        for effect in effects {
            if let cut, performed == cut { throw PowerCut() }
            performed += 1
            switch effect {
            case .save: saved = machine.memory
            case .stage(let slot, _):
                if slot == current { violations.append("staged into the active slot") }
                if case .rollingBack = machine.state {
                    violations.append("staged while going back")
                }
                let isKept = contents[slot].wholeBundle == machine.state.attempt?.release.bundle
                if let attempt = machine.state.attempt, !isKept {
                    contents[slot] = .partial(attempt.release.bundle, held: attempt.held)
                }
            case .activate(let slot):
                guard let slot else {
                    current = nil
                    followUps.append(.activated)
                    continue
                }
                if contents[slot].wholeBundle == nil {
                    followUps.append(.activationFailed(isLasting: true))
                } else {
                    current = slot
                    followUps.append(.activated)
                }
            case .discard(let slot):
                if case .partial = contents[slot] { contents[slot] = .empty }
            case .verify, .report, .cancel, .poll, .consider, .probe, .flush, .announce: break
            }
        }
        for event in followUps { try happen(event) }
    }

    var isDownloading: Bool { if case .downloading = machine.state { true } else { false } }

    /// The download of the present attempt completes on the disk.
    mutating func completeStaging() {
        guard case .downloading(let attempt) = machine.state else { return }
        contents[attempt.slot] = .whole(attempt.release.bundle)
    }
}
