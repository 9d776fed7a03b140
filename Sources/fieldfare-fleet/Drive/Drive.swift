import Console
import CurlTransport
import PosixFiles
import Primitives
import RegistryCore

/// A fleet through its rounds: lanes of devices, each lane on a thread, one request of a lane at a time.
struct Drive {
    /// Files that one device has open: libcurl keeps a pair of its own beside the connection.
    private static let filesOfDevice = 4
    /// Files beside those of the devices.
    private static let otherFiles = 256

    let line: DriveLine
    let rounds: Int
    let lanes: Int

    /// How many files a fleet of that size has open.
    static func openFiles(_ devices: Int) -> Int { devices * filesOfDevice + otherFiles }

    private typealias Lane = [DrivenDevice]

    /// Enrols one device for each of the attributes, lets all go through the rounds, and compares with the registry.
    ///
    /// A round begins when all devices have ended the one before.
    ///
    /// - Throws: `Failure` where the drive cannot be made; what the devices meet with is in the report.
    func run(
        _ attributes: [DeviceAttributes], _ tokens: [BearerText], _ desk: DriveDesk
    ) throws(Failure) -> DriveReport {
        let before = try desk.acceptedReports()
        let now = SystemClock.now()
        var fleet: [[(device: DrivenDevice, token: BearerText)]] = Array(
            repeating: [], count: lanes)
        for (index, (attributes, token)) in zip(attributes, tokens).enumerated() {
            let device = DrivenDevice(line, attributes: attributes, at: now)
            fleet[index % lanes].append((device, token))
        }
        var phases: [DrivePhase] = []
        var driven = try phase("enrolment", &phases, fleet) { lane in
            lane.map { device, token in
                var device = device
                device.enrol(token)
                return device
            }
        }
        for round in 1...rounds {
            driven = try phase("round \(round)", &phases, driven) { lane in
                lane.map { device in
                    var device = device
                    device.round()
                    return device
                }
            }
        }
        return try report(driven.flatMap(\.self), phases, since: before, desk)
    }

    private func phase<Item: Sendable>(
        _ name: String, _ phases: inout [DrivePhase], _ items: [Item],
        _ work: @escaping @Sendable (Item) -> Lane
    ) throws(Failure) -> [Lane] {
        let requests = line.meter.figures.requests
        let start = SystemClock.monotonicNanoseconds()
        let lanes = try Lanes.map(items, work)
        phases.append(
            DrivePhase(
                name: name, requests: line.meter.figures.requests - requests,
                milliseconds: (SystemClock.monotonicNanoseconds() - start) / 1_000_000))
        return lanes
    }

    private func report(
        _ devices: [DrivenDevice], _ phases: [DrivePhase], since before: Int64, _ desk: DriveDesk
    ) throws(Failure) -> DriveReport {
        let enrolled = devices.filter(\.isEnrolled)
        let known = desk.hasToken ? try desk.devices() : nil
        return DriveReport(
            rounds: rounds, lanes: lanes, devices: devices.count, enrolled: enrolled.count,
            swapped: devices.count { $0.swaps > 0 }, figures: line.meter.figures,
            transfers: devices.reduce(TransferMetrics()) { $0 + $1.transfers }, phases: phases,
            known: known.map { known in enrolled.count { known[$0.id] == true } },
            counted: try desk.acceptedReports() - before)
    }
}
