import FieldfareAgent
import Glibc

/// Readers that lease a model in a loop while the slots under them are swapped (docs/crash-tests.md).
///
///     model-consumer swaps N [--most-p99-us N] [--folder PATH] [--with-orders] [--without-leases]
///     model-consumer consume direct SLOTS STOP
///     model-consumer consume socket SOCKET STOP
///     model-consumer lease SOCKET APPLICATION
///
/// `swaps` runs the other two as processes of their own, and ends with 0 where no reader met with anything.
@main struct ModelConsumer {
    static func main() {
        do {
            exit(try run(Array(CommandLine.arguments.dropFirst())) ? 0 : 1)
        } catch {
            print("model-consumer: \(error)")
            exit(1)
        }
    }

    private static func run(_ words: [String]) throws -> Bool {
        func value(_ name: String) -> String? {
            words.firstIndex(of: name).flatMap { words.dropFirst($0 + 1).first }
        }
        switch words.first {
        case "swaps" where words.count > 1:
            var swapping = Swapping(count: Int(words[1]) ?? 0)
            swapping.mostMicroseconds = value("--most-p99-us").flatMap { Int($0) }
            swapping.base = value("--folder") ?? "/var/tmp"
            swapping.hasOrders = words.contains("--with-orders")
            swapping.asksForLeases = !words.contains("--without-leases")
            return try swapping.run()
        case "consume" where words.count == 4:
            let leasing: any Leasing =
                words[1] == "direct" ? DirectLeasing(slots: words[2]) : SocketLeasing(words[2])
            Consumer(leasing).run(until: words[3])
            return true
        case "lease" where words.count == 3:
            let lease = try AgentConnection(socket: words[1]).lease(as: words[2])
            print(lease?.version ?? "none")
            return lease != nil
        default:
            print("expected swaps, consume or lease, got \(words)")
            exit(2)
        }
    }
}
