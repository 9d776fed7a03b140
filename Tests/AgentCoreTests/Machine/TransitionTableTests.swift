import AgentCore
import Glibc
import Primitives
import Testing

@Suite struct TransitionTableTests {
    /// `FIELDFARE_REGENERATE=1` writes the table instead of comparing it.
    @Test func `every event in every state does what the golden table says`() throws {
        let text = TransitionTable.text
        if unsafe getenv("FIELDFARE_REGENERATE") != nil {
            try write(text, to: Self.path)
            return
        }
        let golden = try read(Self.path)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let goldenLines = golden.split(separator: "\n", omittingEmptySubsequences: false)
        for (index, pair) in zip(lines, goldenLines).enumerated() where pair.0 != pair.1 {
            Issue.record("line \(index + 1): expected \(pair.1), got \(pair.0)")
        }
        #expect(lines.count == goldenLines.count)
        #expect(
            lines.count
                == TransitionTable.states.count * (TransitionTable.events.count + 5) + 3)
    }

    @Test func `every state but rest has a deadline`() {
        for (name, machine) in TransitionTable.states {
            if case .resting = machine.state { continue }
            #expect(machine.state.deadline != nil, "\(name)")
        }
    }

    @Test func `save comes first wherever it appears, and only a poll begins and ends without one`()
    {
        for (name, machine) in TransitionTable.states {
            for (word, event) in TransitionTable.events {
                var next = machine
                let effects = next.handle(event, at: Fixture.start + 2_000)
                guard effects.contains(.save) else {
                    let isPoll = next.state.isAtRest && machine.state.isAtRest
                    let isAsItWas =
                        isPoll
                        ? next.memory.exceptState == machine.memory.exceptState : next == machine
                    #expect(isAsItWas, "\(name), \(word): changed without a save")
                    continue
                }
                #expect(effects.first == .save, "\(name), \(word)")
            }
        }
    }

    @Test func `a passed deadline leads out of every state`() {
        for (name, machine) in TransitionTable.states {
            if case .resting = machine.state { continue }
            var next = machine
            _ = next.handle(.deadlinePassed, at: (machine.state.deadline ?? Fixture.start) + 1)
            #expect(next.state.name != machine.state.name, "\(name)")
        }
    }

    private static let path: String = {
        var parts = #filePath.split(separator: "/").dropLast(4).map(String.init)
        parts += ["fixtures", "agent", "transitions.txt"]
        return "/" + parts.joined(separator: "/")
    }()

    private func read(_ path: String) throws -> String {
        let file = unsafe try #require(fopen(path, "r"))
        defer { unsafe fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = unsafe fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes[..<count], as: UTF8.self)
    }

    private func write(_ text: String, to path: String) throws {
        let file = unsafe try #require(fopen(path, "w"))
        defer { unsafe fclose(file) }
        unsafe fputs(text, file)
    }
}

extension AgentState {
    /// Whether nothing is under way but a poll, which a restart forgets.
    fileprivate var isAtRest: Bool {
        switch self {
        case .resting, .checking: true
        default: false
        }
    }
}

extension MachineState {
    /// The same, in one state for all.
    fileprivate var exceptState: MachineState {
        var memory = self
        memory.state = .resting(.idle)
        return memory
    }
}
