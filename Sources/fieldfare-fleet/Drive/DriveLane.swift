import AgentCore
import CurlTransport
import FleetSimulation
import PosixFiles
import Primitives
import RegistryCore

/// What all driven devices share.
struct DriveContext: Sendable {
    let base: String
    let settings: HTTPClientSettings
    /// The trusted root's bytes.
    let root: [UInt8]
    let model: ModelName
    let channel: ChannelName
    let regions: [AttributeName]
    let deviceClasses: [AttributeName]
    let seed: UInt64
    let fleet = FleetModel()
}

/// The devices of one thread, one after the other in each round.
struct DriveLane {
    private let context: DriveContext
    private let tokens: [(index: Int, text: BearerText)]

    /// A device for each token; `index` is its place in the fleet.
    init(_ context: DriveContext, _ tokens: [(Int, BearerText)]) {
        self.context = context
        self.tokens = tokens.map { (index: $0.0, text: $0.1) }
    }

    /// Enrols all, waits until all lanes have, and plays the rounds; a device that fails goes on in the next round.
    func run(rounds: Int, enrolled: Barrier) -> DriveFigures {
        let meter = DriveMeter()
        var devices: [DrivenDevice] = []
        for token in tokens {
            meter.noting { () throws(DriveTrouble) in
                devices.append(try DrivenDevice(context, token.index, token.text, meter))
            }
        }
        enrolled.arriveAndWait()
        for _ in 0..<rounds {
            for device in devices {
                meter.noting { () throws(DriveTrouble) in try device.round() }
            }
        }
        for device in devices { meter.count(device) }
        return meter.figures
    }
}
