package import AgentCore
import Cryptography
import Glibc
import ModelBundle
import Primitives
import Rollouts
import Testing

/// The slots of one test, and what happens to them behind the port's back.
package protocol SlotsUnderTest {
    /// Opens the slots as a process does that starts.
    func opened() throws -> any SlotStoring

    /// Changes one byte of a file of a sealed slot, as a rotten disk would.
    func rot(_ slot: Slot, _ file: String) throws

    /// Takes a file away from a sealed slot.
    func lose(_ slot: Slot, _ file: String) throws

    /// An application's hold on the active slot, as long as the object lives; nil where no whole bundle is active.
    func lease() throws -> AnyObject?
}

/// What every `SlotStoring` must do: run by the tests of memory and disk alike.
package struct SlotStoringSuite {
    private let make: () throws -> any SlotsUnderTest
    /// From how many sources at once bundles come.
    private let sources: Int
    private let old: MemoryBundle
    /// Shares all files with `old` but the model and one more.
    private let new: MemoryBundle

    /// - Parameters:
    ///   - sources: from how many sources at once bundles come.
    ///   - make: slots into which nothing was ever brought.
    /// - Throws: where the suite's own bundles are none.
    package init(
        sources: Int = 1, make: @escaping () throws -> any SlotsUnderTest
    ) throws {
        self.make = make
        self.sources = sources
        old = try MemoryBundle("1.0.0")
        new = try MemoryBundle("1.1.0", ["extra.txt": Array("new in 1.1.0".utf8)])
    }

    private static let nothing = StagingSummary(fetchedBytes: 0, reusedBytes: 0)
    private static let model = "model.onnx"
    private static let path = MemoryBundle.path(model)

    /// The source as often as bundles come from one at once.
    private func many(_ source: MemorySource) -> [any Fetching] {
        Array(repeating: source, count: sources)
    }

    private func length(_ bundle: MemoryBundle, _ file: String) -> Int64 {
        Int64(bundle.files[file]?.count ?? 0)
    }

    /// Slots of which `a` holds `old` and is active, and `b` holds `new`.
    private func both() throws -> any SlotsUnderTest {
        let subject = try make()
        let source = MemorySource([old, new])
        let slots = try subject.opened()
        _ = try slots.stage(
            old.target, into: .a, from: many(source), atMost: nil, until: Interrupt())
        _ = try slots.stage(
            new.target, into: .b, from: many(source), atMost: nil, until: Interrupt())
        try slots.activate(.a)
        return subject
    }

    private func expectWhole(
        _ subject: any SlotsUnderTest, _ slot: Slot, _ bundle: MemoryBundle,
        at location: SourceLocation = #_sourceLocation
    ) throws {
        let slots = try subject.opened()
        #expect(
            try slots.survey().contents[slot] == .whole(bundle.target.reference),
            sourceLocation: location)
        #expect(try slots.manifest(in: slot) == bundle.target, sourceLocation: location)
        try slots.verify(slot, holds: bundle.target.reference, until: Interrupt())
    }

    // MARK: Staging

    /// An empty slot takes a bundle; one that holds it already fetches nothing.
    package func stages() throws {
        let subject = try make()
        let slots = try subject.opened()
        let source = MemorySource([old])
        #expect(try slots.survey() == SlotSurvey(active: nil, contents: PerSlot(both: .empty)))
        #expect(try slots.manifest(in: .a) == nil)
        let summary = try slots.stage(
            old.target, into: .a, from: many(source), atMost: nil, until: Interrupt())
        #expect(summary == StagingSummary(fetchedBytes: old.length, reusedBytes: 0))
        try expectWhole(subject, .a, old)
        #expect(try slots.survey().contents.b == .empty)
        #expect(try slots.survey().active == nil)
        let before = source.requests
        let again = try slots.stage(
            old.target, into: .a, from: many(source), atMost: nil, until: Interrupt())
        #expect(again == Self.nothing)
        #expect(source.requests == before)
        try expectWhole(subject, .a, old)
    }

    /// What the other slot has, or the slot's own old bundle, is not fetched; equal files come once.
    package func reuses() throws {
        let subject = try both()
        let slots = try subject.opened()
        let twin = Array("twice in one bundle".utf8)
        let third = try MemoryBundle(
            "1.2.0", ["extra.txt": new.files["extra.txt"], "one.bin": twin, "two.bin": twin])
        let source = MemorySource([third])
        let summary = try slots.stage(
            third.target, into: .b, from: many(source), atMost: nil, until: Interrupt())
        let fetched = length(third, Self.model) + Int64(twin.count)
        #expect(summary.fetchedBytes == fetched)
        #expect(summary.reusedBytes == third.length - fetched - Int64(twin.count))
        #expect(source.sentBytes == fetched)
        try expectWhole(subject, .a, old)
        try expectWhole(subject, .b, third)
    }

    /// After the connection broke anywhere, a later process goes on, and pays for no byte twice.
    package func goesOn() throws {
        for broken in 0..<old.length {
            let subject = try make()
            let source = MemorySource([old], pieceLength: 3)
            source.breakOff(after: broken)
            #expect {
                try subject.opened().stage(
                    old.target, into: .a, from: many(source), atMost: nil, until: Interrupt())
            } throws: {
                ($0 as? SlotError)?.isFetch(.unreachable("reset")) == true
            }
            let slots = try subject.opened()
            // Other sources may have sent more before they heard of it.
            let sent = source.sentBytes
            #expect(sources == 1 ? sent == broken : sent >= broken)
            #expect(
                try slots.survey().contents.a == .partial(old.target.reference, held: sent))
            #expect(try slots.manifest(in: .a) == old.target)
            #expect(throws: SlotError.notWhole(.a)) { try slots.activate(.a) }
            #expect(throws: SlotError.notWhole(.a)) {
                try slots.verify(.a, holds: old.target.reference, until: Interrupt())
            }
            #expect(
                try slots.survey().contents.a == .partial(old.target.reference, held: sent))
            let summary = try slots.stage(
                old.target, into: .a, from: many(source), atMost: nil, until: Interrupt())
            #expect(summary.fetchedBytes == old.length - sent)
            #expect(summary.reusedBytes == sent)
            #expect(source.sentBytes == old.length)
            try expectWhole(subject, .a, old)
        }
    }

    /// What must come is counted before the first byte of it comes, after what is here; more than the limit is not begun.
    package func keepsToItsLimit() throws {
        let subject = try both()
        let slots = try subject.opened()
        let third = try MemoryBundle("1.2.0", ["extra.txt": new.files["extra.txt"]])
        let source = MemorySource([third])
        let needed = length(third, Self.model)
        #expect(throws: SlotError.overBudget(needed: needed, allowed: needed - 1)) {
            try slots.stage(
                third.target, into: .b, from: many(source), atMost: needed - 1, until: Interrupt())
        }
        #expect(source.sentBytes == 0)
        source.breakOff(after: 2)
        #expect(throws: SlotError.fetch(.unreachable("reset"), of: Self.path)) {
            try slots.stage(
                third.target, into: .b, from: many(source), atMost: needed, until: Interrupt())
        }
        let again = try subject.opened()
        #expect(throws: SlotError.overBudget(needed: needed - 2, allowed: needed - 3)) {
            try again.stage(
                third.target, into: .b, from: many(source), atMost: needed - 3, until: Interrupt())
        }
        _ = try again.stage(
            third.target, into: .b, from: many(source), atMost: needed - 2, until: Interrupt())
        #expect(source.sentBytes == needed)
        try expectWhole(subject, .b, third)
    }

    /// Another bundle takes the place of one that is on its way, or whole.
    package func changesItsMind() throws {
        let subject = try both()
        let slots = try subject.opened()
        let third = try MemoryBundle("1.2.0")
        let source = MemorySource([old, third])
        source.breakOff(after: 2)
        #expect(throws: SlotError.fetch(.unreachable("reset"), of: Self.path)) {
            try slots.stage(
                third.target, into: .b, from: many(source), atMost: nil, until: Interrupt())
        }
        let here = third.length - length(third, Self.model) + 2
        #expect(
            try slots.survey().contents.b == .partial(third.target.reference, held: here))
        let summary = try slots.stage(
            old.target, into: .b, from: many(source), atMost: nil, until: Interrupt())
        #expect(summary == StagingSummary(fetchedBytes: 0, reusedBytes: old.length))
        try expectWhole(subject, .b, old)
    }

    /// What a broken-off staging left is given back, also of the bundle that it took the place of; a sealed slot stays.
    package func discards() throws {
        let subject = try both()
        let third = try MemoryBundle("1.2.0")
        let source = MemorySource([new, third])
        source.breakOff(after: 2)
        #expect(throws: SlotError.fetch(.unreachable("reset"), of: Self.path)) {
            try subject.opened().stage(
                third.target, into: .b, from: many(source), atMost: nil, until: Interrupt())
        }
        for _ in 0..<2 {
            try subject.opened().discard(.b)
            #expect(try subject.opened().survey().contents.b == .empty)
            #expect(try subject.opened().manifest(in: .b) == nil)
        }
        _ = try subject.opened().stage(
            new.target, into: .b, from: many(source), atMost: nil, until: Interrupt())
        let lease = try subject.lease()
        for slot in Slot.allCases { try subject.opened().discard(slot) }
        withExtendedLifetime(lease) {}
        try expectWhole(subject, .a, old)
        try expectWhole(subject, .b, new)
        #expect(try subject.opened().survey().active == .a)
    }

    /// Bytes with another digest are asked for once more; nothing keeps them.
    package func refusesOtherBytes() throws {
        let subject = try make()
        let source = MemorySource([old])
        let model = old.digest(of: Self.model)
        var wrong = try #require(old.files[Self.model])
        wrong[2] ^= 1
        source.offer(wrong, as: model)
        let expected = SlotError.wrongBytes(
            path: MemoryBundle.path(Self.model), expected: model, found: SHA256.digest(of: wrong))
        #expect(throws: expected) {
            try subject.opened().stage(
                old.target, into: .a, from: many(source), atMost: nil, until: Interrupt())
        }
        #expect(source.requests.filter { $0.digest == model }.count == 2)
        let before = source.requests.reduce(0) { $0 + ($1.digest == model ? 0 : $1.sent) }
        if sources == 1 { #expect(before == length(old, "card.json") + length(old, "io.json")) }
        #expect(
            try subject.opened().survey().contents.a
                == .partial(old.target.reference, held: before))

        source.offer(try #require(old.files[Self.model]), as: model)
        let number = source.requests.count
        source.tamper { request, offset, byte in
            request == number && offset == 0 ? byte ^ 1 : byte
        }
        let summary = try subject.opened().stage(
            old.target, into: .a, from: many(source), atMost: nil, until: Interrupt())
        #expect(
            summary
                == StagingSummary(
                    fetchedBytes: old.length - before + Int64(source.requests[number].range.count),
                    reusedBytes: before))
        try expectWhole(subject, .a, old)
    }

    /// A stop is heard, and what came before it is kept.
    package func stops() throws {
        let subject = try make()
        let source = MemorySource([old], pieceLength: 1)
        let stop = Interrupt()
        source.onPiece { if source.sentBytes >= 3 { stop.set() } }
        #expect(throws: SlotError.interrupted) {
            try subject.opened().stage(
                old.target, into: .a, from: many(source), atMost: nil, until: stop)
        }
        let sent = source.sentBytes
        #expect(sources == 1 ? sent == 3 : sent >= 3)
        #expect(
            try subject.opened().survey().contents.a
                == .partial(old.target.reference, held: sent))
        source.onPiece(nil)
        _ = try subject.opened().stage(
            old.target, into: .a, from: many(source), atMost: nil, until: Interrupt())
        #expect(source.sentBytes == old.length)
        #expect(throws: SlotError.interrupted) {
            try subject.opened().verify(.a, holds: old.target.reference, until: stop)
        }
        try expectWhole(subject, .a, old)
    }

    /// The active slot is not written; that it holds the bundle already is no error.
    package func sparesTheActiveSlot() throws {
        let subject = try both()
        let slots = try subject.opened()
        let source = MemorySource([old, new])
        #expect {
            try slots.stage(
                new.target, into: .a, from: many(source), atMost: nil, until: Interrupt())
        } throws: { error in
            guard case .system(operation: "stage", path: _, errno: EBUSY) = error as? SlotError
            else { return false }
            return true
        }
        let again = try slots.stage(
            old.target, into: .a, from: many(source), atMost: nil, until: Interrupt())
        #expect(again == Self.nothing)
        #expect(source.requests == [])
        try expectWhole(subject, .a, old)
    }

    /// A slot that an application holds is not written until it lets go; it can become active again meanwhile.
    package func sparesALeasedSlot() throws {
        let subject = try both()
        let slots = try subject.opened()
        let source = MemorySource([old, new])
        do {
            let lease = try #require(try subject.lease())
            #expect(try slots.survey().leases == PerSlot(a: .held, b: .free))
            try slots.activate(.b)
            #expect(try slots.survey().leases == PerSlot(a: .held, b: .free))
            #expect(throws: SlotError.leased(.a, overdue: false)) {
                try slots.stage(
                    new.target, into: .a, from: many(source), atMost: nil, until: Interrupt())
            }
            #expect(source.requests == [])
            try expectWhole(subject, .a, old)
            try slots.activate(.a)
            try slots.activate(.b)
            withExtendedLifetime(lease) {}
        }
        #expect(try slots.survey().leases == PerSlot(both: .free))
        _ = try slots.stage(
            new.target, into: .a, from: many(source), atMost: nil, until: Interrupt())
        try expectWhole(subject, .a, new)
    }

    // MARK: Activating

    /// The link moves to whole slots and to nothing, and is there after a restart.
    package func activates() throws {
        let subject = try both()
        let steps: [Slot?] = [.b, .b, .a, nil, nil, .b]
        for slot in steps {
            try subject.opened().activate(slot)
            #expect(try subject.opened().survey().active == slot)
        }
        try expectWhole(subject, .a, old)
        try expectWhole(subject, .b, new)
        let empty = try make()
        #expect(throws: SlotError.notWhole(.b)) { try empty.opened().activate(.b) }
        #expect(try empty.opened().survey().active == nil)
    }

    // MARK: Damage

    /// Rot shows when the slot is verified, is remembered, keeps the slot from being activated, and is repaired.
    package func findsRot() throws {
        let subject = try both()
        let reference = new.target.reference
        try subject.rot(.b, Self.model)
        #expect(try subject.opened().survey().contents.b == .whole(reference))
        #expect(throws: SlotError.notWhole(.b)) {
            try subject.opened().verify(.b, holds: reference, until: Interrupt())
        }
        let slots = try subject.opened()
        #expect(try slots.survey().contents.b == .damaged(reference))
        #expect(throws: SlotError.notWhole(.b)) { try slots.activate(.b) }
        #expect(try slots.survey().active == .a)
        let summary = try slots.stage(
            new.target, into: .b, from: many(MemorySource([new])), atMost: nil,
            until: Interrupt())
        let fetched = length(new, Self.model)
        #expect(
            summary
                == StagingSummary(fetchedBytes: fetched, reusedBytes: new.length - fetched))
        try expectWhole(subject, .b, new)
        try subject.opened().activate(.b)
    }

    /// Rot of the active slot leaves it active: where to go is for others to say.
    package func findsRotOfTheActiveSlot() throws {
        let subject = try both()
        try subject.rot(.a, Self.model)
        #expect(throws: SlotError.notWhole(.a)) {
            try subject.opened().verify(.a, holds: old.target.reference, until: Interrupt())
        }
        let survey = try subject.opened().survey()
        #expect(survey.active == .a)
        #expect(
            survey.contents
                == PerSlot(
                    a: .damaged(old.target.reference), b: .whole(new.target.reference)))
    }

    /// A missing file shows at a look, and is fetched again.
    package func findsALoss() throws {
        let subject = try both()
        let reference = new.target.reference
        try subject.lose(.b, "extra.txt")
        let slots = try subject.opened()
        #expect(try slots.survey().contents.b == .damaged(reference))
        #expect(throws: SlotError.notWhole(.b)) { try slots.activate(.b) }
        #expect(throws: SlotError.notWhole(.b)) {
            try slots.verify(.b, holds: reference, until: Interrupt())
        }
        let summary = try slots.stage(
            new.target, into: .b, from: many(MemorySource([new])), atMost: nil,
            until: Interrupt())
        #expect(summary.fetchedBytes == length(new, "extra.txt"))
        try expectWhole(subject, .b, new)
    }

    /// A slot that holds another bundle than it should does not verify, until it is asked for its own.
    package func findsAnotherBundle() throws {
        let subject = try both()
        #expect(throws: SlotError.notWhole(.b)) {
            try subject.opened().verify(.b, holds: old.target.reference, until: Interrupt())
        }
        let slots = try subject.opened()
        #expect(try slots.survey().contents.b == .damaged(old.target.reference))
        #expect(throws: SlotError.notWhole(.b)) { try slots.activate(.b) }
        try slots.verify(.b, holds: new.target.reference, until: Interrupt())
        try expectWhole(subject, .b, new)
        let empty = try make()
        #expect(throws: SlotError.notWhole(.a)) {
            try empty.opened().verify(.a, holds: old.target.reference, until: Interrupt())
        }
        #expect(try empty.opened().survey().contents.a == .empty)
    }

    /// All of it.
    package func run() throws {
        try stages()
        try reuses()
        try goesOn()
        try keepsToItsLimit()
        try changesItsMind()
        try discards()
        try refusesOtherBytes()
        try stops()
        try sparesTheActiveSlot()
        try sparesALeasedSlot()
        try activates()
        try findsRot()
        try findsRotOfTheActiveSlot()
        try findsALoss()
        try findsAnotherBundle()
    }
}

extension SlotError {
    /// Whether it is that failure, of whichever file.
    package func isFetch(_ failure: FetchError) -> Bool {
        guard case .fetch(failure, of: _) = self else { return false }
        return true
    }
}
