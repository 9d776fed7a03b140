import AgentCore
import Glibc
import PosixFiles
import Primitives
import SlotHost
import TestSupport

/// Swaps the slots of a running agent's device, and stages bundles in between, while two readers lease in a loop.
///
/// The agent is the built program; it has no registry and takes no part in the swaps, but lends what is active. The
/// readers are processes of their own.
struct Swapping {
    let count: Int
    /// The most that 99 of 100 leases may take with the opening of their files; nil for any time.
    var mostMicroseconds: Int?
    /// Where the device's folder is made: a disk whose syncs are real.
    var base = "/var/tmp"
    /// Whether a staging asks who leases the slot; one that does not must be found.
    var asksForLeases = true
    /// Whether the agent commits one order to its journal for each swap, on the thread that answers leases.
    var hasOrders = false

    /// Swaps from one whole staging to the next.
    private static let stagingStride = 33

    init(count: Int) { self.count = count }

    func run() throws -> Bool {
        let folder = try Folder(in: base)
        let slots = try SlotFolder(Directory(making: folder.path("state/slots"), mode: .shared))
        let agent = try RunningProgram(
            [ChildProcess.program("fieldfare-agent"), "run", "--config", folder.configuration()],
            outputs: folder.path("agent"))
        let orders = try connect(folder.path("agent.sock"))
        try stage(Self.bundle(0), into: .a, of: slots, folder)
        try stage(Self.bundle(1), into: .b, of: slots, folder)
        try slots.activate(.a)
        let stop = folder.path("stop")
        let readers = try ["direct", "socket"].map { kind in
            try RunningProgram(
                [
                    ChildProcess.program("model-consumer"), "consume", kind,
                    folder.path(kind == "direct" ? "state/slots" : "agent.sock"), stop,
                ], outputs: folder.path(kind))
        }
        for kind in ["direct", "socket"] { try folder.wait(for: "ready", in: "\(kind).out") }
        let line = try swap(slots, orders, folder)
        try folder.write([], to: "stop")
        while readers.contains(where: { $0.exitCode == nil }) {
            SystemClock.pause(nanoseconds: 10_000_000)
        }
        agent.terminate()
        print(line)
        let good = try ["direct", "socket"].map { try judge($0, folder) }
        return good.allSatisfy { $0 }
    }

    private func connect(_ socket: String) throws -> AgentClient {
        for _ in 0..<500 {
            if let client = try? AgentClient(connecting: socket) { return client }
            SystemClock.pause(nanoseconds: 20_000_000)
        }
        return try AgentClient(connecting: socket)
    }

    /// Swaps, and says how it went.
    private func swap(
        _ slots: SlotFolder, _ orders: AgentClient, _ folder: Folder
    ) throws -> String {
        let start = SystemClock.monotonicNanoseconds()
        var active = Slot.a
        var stagings = 0
        var heldBack = 0
        for number in 1...max(1, count) {
            let isStaging = number % Self.stagingStride == 0 || !asksForLeases
            let bundle = isStaging ? try Self.bundle(stagings + 2) : nil
            try slots.activate(active.other)
            active = active.other
            if let bundle {
                stagings += 1
                heldBack += try stage(bundle, into: active.other, of: slots, folder)
            }
            guard hasOrders else { continue }
            try orders.request(["op": number % 2 == 1 ? "hold" : "unhold"])
        }
        let seconds = (SystemClock.monotonicNanoseconds() - start) / 1_000_000_000
        return "swaps: \(count) in \(seconds) s, \(stagings) bundles staged, "
            + "\(heldBack) tries held back by a lease"
    }

    private static func bundle(_ number: Int) throws -> MemoryBundle {
        let noise = MemoryBundle.noise(200_000, seed: UInt64(number))
        return try MemoryBundle("1.\(number).0", ["noise.bin": noise])
    }

    /// Stages a bundle, as soon as nobody leases the slot; returns how often somebody did.
    @discardableResult
    private func stage(
        _ bundle: MemoryBundle, into slot: Slot, of slots: SlotFolder, _ folder: Folder
    ) throws -> Int {
        let source = MemorySource([bundle])
        if !asksForLeases {
            // Whoever leases the slot has a lock on a file that nobody asks any more.
            let lease = folder.path("state/slots/\(slot).lease")
            _ = unsafe unlink(lease)
            try folder.write([], to: "state/slots/\(slot).lease")
        }
        var heldBack = 0
        while true {
            do {
                _ = try slots.stage(bundle.target, into: slot, from: source, until: Interrupt())
                return heldBack
            } catch {
                guard case .leased = error else { throw error }
                heldBack += 1
                SystemClock.pause(nanoseconds: 5_000_000)
            }
        }
    }

    /// Whether a reader met with nothing, which it then says.
    private func judge(_ kind: String, _ folder: Folder) throws -> Bool {
        let text = try folder.text("\(kind).out")
        let line = text.split(separator: "\n").last ?? ""
        let words = line.split(separator: " ")
        var found: [String: Int] = [:]
        for (name, value) in zip(words, words.dropFirst()) { found[String(name)] = Int(value) }
        print("\(kind): \(line)\(try folder.text("\(kind).err"))")
        let met = ["mixes", "missing", "without", "failures"].map { found[$0] ?? .max }
        // One that hardly came to read proves nothing.
        guard met.allSatisfy({ $0 == 0 }), found["leases"] ?? 0 >= count / 10 else { return false }
        guard let mostMicroseconds, let p99 = found["p99"], p99 > mostMicroseconds else {
            return true
        }
        print("\(kind): expected at most \(mostMicroseconds) us at p99, got \(p99)")
        return false
    }
}
