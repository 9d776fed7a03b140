import AgentCore
import Primitives
import Rollouts
import Speech

/// Prints every event in every state of the machine, with what comes of it.
///
/// The states and events are representatives: one of each case, and more where a payload decides.
enum TransitionTable {
    static let states: [(String, AgentMachine)] = [
        ("idle, nothing installed", Fixture.machine(.resting(.idle), active: nil, a: nil)),
        ("committed, the idle slot is empty", Fixture.machine(.resting(.committed))),
        (
            "committed, the idle slot holds the version before",
            Fixture.machine(.resting(.committed), active: .b, a: Fixture.old, b: Fixture.new)
        ),
        ("rejected", rejected(.resting(.rejected))),
        (
            "checking since committed",
            Fixture.machine(
                .checking(since: .committed, deadline: Fixture.start + 1_000))
        ),
        ("downloading", Fixture.machine(.downloading(Fixture.attempt()))),
        ("downloading, first install", firstInstall),
        ("verified", Fixture.machine(.verified(Fixture.attempt()), b: Fixture.new)),
        ("attempting", testing),
        (
            "attempting, no beacon needed",
            Fixture.machine(.attempting(Fixture.attempt(beacon: false)), b: Fixture.new)
        ),
        ("announcing", Fixture.machine(.announcing(Fixture.attempt()), b: Fixture.new)),
        ("swapping", Fixture.machine(.swapping(Fixture.attempt()), b: Fixture.new)),
        (
            "probation",
            Fixture.machine(
                .probation(Fixture.attempt()), active: .b, a: Fixture.old, b: Fixture.new)
        ),
        (
            "probation, first install",
            Fixture.machine(
                .probation(Fixture.attempt(Fixture.old, previous: nil)), active: .a,
                a: Fixture.old)
        ),
        (
            "rolling_back",
            Fixture.machine(
                .rollingBack(
                    Retreat(
                        from: Fixture.new, to: .a, cause: .rejected(.probation(.tail)),
                        trace: Fixture.trace, deadline: Fixture.start + 1_000)), active: .b,
                a: Fixture.old, b: Fixture.new)
        ),
    ]

    private static var firstInstall: AgentMachine {
        Fixture.machine(
            .downloading(Fixture.attempt(Fixture.old, previous: nil)), active: nil, a: nil)
    }

    private static var testing: AgentMachine {
        var machine = Fixture.machine(.verified(Fixture.attempt()), b: Fixture.new)
        _ = machine.handle(.proceed, at: Fixture.start)
        return machine
    }

    private static func rejected(_ state: AgentState) -> AgentMachine {
        var memory = Fixture.machine(state).memory
        memory.trials.update(Fixture.new, at: Fixture.start) { $0.rejection = .crashedTwice }
        return AgentMachine(memory)
    }

    static let events: [(String, AgentEvent)] = [
        ("poll_due", .pollDue),
        ("polled: stay", Fixture.polled(.stay)),
        ("polled: forward 1.1.0", Fixture.polled(.run(Fixture.release(Fixture.new)))),
        (
            "polled: forward 1.1.0, no beacon",
            Fixture.polled(.run(Fixture.release(Fixture.new, beacon: false)))
        ),
        ("polled: forward 1.2.0", Fixture.polled(.run(Fixture.release(Fixture.other)))),
        ("polled: back 1.0.0", Fixture.polled(.run(Fixture.release(Fixture.old, .back)))),
        ("poll_failed", .pollFailed),
        ("staged", .staged),
        ("staging_failed: again", Fixture.broken()),
        ("staging_failed: again, with progress", Fixture.broken(holding: 900)),
        ("staging_failed: again, after 600 s", Fixture.broken(retryAfter: 600)),
        ("staging_failed: final", .stagingFailed(.final(.insufficientStorage))),
        ("proceed", .proceed),
        ("probed: passed", .probed(.passed(Fixture.measurement))),
        ("probed: lasting failure", Fixture.failed(.wordErrorRate, isLasting: true)),
        ("probed: passing failure", Fixture.failed(.memory, isLasting: false)),
        ("probe_failed", .probeFailed),
        ("beacon_acknowledged", .beaconAcknowledged),
        ("activated", .activated),
        ("activation_failed", .activationFailed(isLasting: false)),
        ("activation_failed: not whole", .activationFailed(isLasting: true)),
        ("judged: commit", .judged(.commit)),
        ("judged: fall", .judged(.fall(.tail))),
        ("ordered: rollback", .ordered(.rollback)),
        ("ordered: hold", .ordered(.hold)),
        ("ordered: unhold", .ordered(.unhold)),
        ("damaged: a", .damaged(.a)),
        ("damaged: b", .damaged(.b)),
        ("deadline_passed", .deadlinePassed),
        ("stopping", .stopping),
    ]

    /// The whole table; deadlines have passed by the time of the event.
    static var text: String {
        var lines = [
            "# Every event in every state of the agent, with the next state and the effects in their order.",
            "# Written by AgentCoreTests (TransitionTable.swift); README.md beside it says how to make it anew.",
        ]
        for (name, machine) in states {
            lines += ["", "[\(name)]"]
            for (word, event) in events {
                var next = machine
                let effects = next.handle(event, at: Fixture.start + 2_000)
                lines.append(
                    "\(word) -> \(words(next.state))\(changes(machine.memory, next.memory))"
                        + (effects.isEmpty
                            ? "" : " | " + effects.map(words).joined(separator: ", ")))
            }
            for slot in [nil] + Slot.allCases {
                var next = machine
                let effects = next.resume(
                    from: survey(machine.memory, rotten: slot), at: Fixture.start + 100)
                let word = slot.map { "(restart, \($0) damaged)" } ?? "(restart)"
                lines.append(
                    "\(word) -> \(words(next.state))\(changes(machine.memory, next.memory)) | "
                        + effects.map(words).joined(separator: ", "))
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// A disk that is as the machine intends it, but for a slot whose bundle has rotted.
    static func survey(_ memory: MachineState, rotten: Slot? = nil) -> SlotSurvey {
        func contents(_ slot: Slot) -> SlotContents {
            if slot == rotten, let bundle = memory.slots.contents[slot] { return .damaged(bundle) }
            return memory.slots.contents[slot].map { .whole($0) } ?? .empty
        }
        return SlotSurvey(
            active: memory.slots.active,
            contents: PerSlot(a: contents(.a), b: contents(.b)))
    }

    private static func words(_ state: AgentState) -> String {
        switch state {
        case .rollingBack(let retreat):
            "rolling_back(\(retreat.cause), to \(retreat.to?.rawValue ?? "nothing"))"
        default:
            state.attempt.map { "\(state.name)(\($0.release.bundle.version) in \($0.slot))" }
                ?? state.name
        }
    }

    /// What changed beside the state.
    private static func changes(_ before: MachineState, _ after: MachineState) -> String {
        var words: [String] = []
        if before.slots.active != after.slots.active {
            words.append("active \(after.slots.active?.rawValue ?? "none")")
        }
        for slot in Slot.allCases where before.slots.contents[slot] != after.slots.contents[slot] {
            let version = after.slots.contents[slot].map { "\($0.version)" } ?? "nothing"
            words.append("\(slot) holds \(version)")
        }
        if before.committed != after.committed { words.append("committed") }
        if before.isHeld != after.isHeld { words.append(after.isHeld ? "held" : "not held") }
        for bundle in [Fixture.old, Fixture.new, Fixture.other]
        where after.trials[bundle] != before.trials[bundle] {
            let trial = after.trials[bundle]
            words.append(
                "\(bundle.version): \(trial?.attempts ?? 0) attempts, \(trial?.unfinished ?? 0) open"
                    + (trial?.rejection.map { ", rejected \($0)" } ?? "")
                    + (trial?.lastTrouble.map { ", trouble \($0)" } ?? ""))
        }
        return words.isEmpty ? "" : " {" + words.joined(separator: "; ") + "}"
    }

    private static func words(_ effect: AgentEffect) -> String {
        switch effect {
        case .save: "save"
        case .report(let notice, _, _): "report \(words(notice))"
        case .cancel: "cancel"
        case .poll: "poll"
        case .stage(let slot, let after): "stage \(slot)" + (after > 0 ? " after \(after) s" : "")
        case .consider: "consider"
        case .probe(let slot): "probe \(slot)"
        case .flush: "flush"
        case .activate(let slot): "activate \(slot?.rawValue ?? "nothing")"
        case .announce: "announce"
        case .verify(let slot): "verify \(slot)"
        case .discard(let slot): "discard \(slot)"
        }
    }

    private static func words(_ notice: Notice) -> String {
        switch notice {
        case .smokePassed: "smoke_passed"
        case .smokeFailed(let failure, _): "smoke_failed(\(failure.reason))"
        case .abandoning(let cause): "abandoning(\(cause))"
        case .retreating(let cause): "retreating(\(cause))"
        case .retreated(let cause): "retreated(\(cause))"
        case .stranded(let cause): "stranded(\(cause))"
        case .refusedOrder(let order): "refused_order(\(order.rawValue))"
        default: "\(notice)"
        }
    }
}
