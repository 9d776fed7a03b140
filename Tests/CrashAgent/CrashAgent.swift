import CrashSupport
import Glibc

/// Kills, cuts off and fails a device at every change of its disk, and fails what it reads:
/// `crash-agent ENGINE [--first N] [--stride N]`, `crash-agent points`, `crash-agent read-points`,
/// `crash-agent downloads`, or `crash-agent variants [--catching] [--first N] [--stride N] [NAME...]`.
///
/// Ends with 0 where nothing was found, else with 1.
@main struct CrashAgent {
    static func main() {
        do {
            exit(try run(CommandLine.arguments.dropFirst()) ? 0 : 1)
        } catch {
            print("crash-agent: \(error)")
            exit(1)
        }
    }

    private static func run(_ words: ArraySlice<String>) throws -> Bool {
        func number(_ name: String) -> Int {
            guard let index = words.firstIndex(of: name), index + 1 < words.endIndex else {
                return 1
            }
            return Int(words[index + 1]) ?? 1
        }
        let (first, stride) = (number("--first"), number("--stride"))
        switch words.first {
        case "points":
            for line in try Points(Story()).lines { print(line) }
            return true
        case "read-points":
            for line in try ReadPoints(Story()).lines { print(line) }
            return true
        case "kills": return tell(try Killing(first: first, stride: stride).run(Story()))
        case "cuts": return tell(try Cutting(first: first, stride: stride).run(Story()))
        case "faults": return tell(try Failing(first: first, stride: stride).run(Story()))
        case "reads":
            let reads = try ReadPoints(Story())
            print("\(reads.count) reads, \(reads.chosen.count) of them chosen")
            return tell(try Failing(reads, first: first, stride: stride).run(Story()))
        case "downloads":
            let (line, failures) = try DownloadKills(kills: 50).run()
            for failure in failures { print(failure) }
            print(line)
            return failures.isEmpty
        case "variants":
            let chosen = words.compactMap { Variant(rawValue: $0) }
            return try variants(chosen, first, stride, onlyCatching: words.contains("--catching"))
        default:
            print(
                "expected points, read-points, kills, cuts, faults, reads, downloads or variants, got \(words.first ?? "nothing")"
            )
            exit(2)
        }
    }

    private static func tell(_ tally: Tally) -> Bool {
        for failure in tally.failures { print(failure) }
        print(tally.line)
        return tally.failures.isEmpty
    }

    private static func variants(
        _ chosen: [Variant], _ first: Int, _ stride: Int, onlyCatching: Bool
    ) throws -> Bool {
        let table = try VariantTable(
            Story(), chosen.isEmpty ? Variant.allCases : chosen, onlyCatching: onlyCatching,
            first: first, stride: stride
        ) { row in
            print("\(row.variant.rawValue): \(row.runs) runs")
            print("    kills: \(row.kills ?? "-")")
            print("    power cuts: \(row.cuts ?? "-")")
            fflush(nil)
        }
        let complaints = table.complaints(onlyCatching: onlyCatching)
        for complaint in complaints { print(complaint) }
        return complaints.isEmpty
    }
}
