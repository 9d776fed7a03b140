package import AgentCore
package import ModelBundle
package import Primitives
package import Speech

/// A smoke test that every bundle passes.
package struct PassingProbing: Probing {
    private let slots: any SlotStoring

    package init(slots: any SlotStoring) { self.slots = slots }

    package func probe(
        _ slot: Slot, deviceClass: AttributeName, until stop: Interrupt
    ) throws(ProbeError) -> SmokeVerdict {
        guard let manifest = try? slots.manifest(in: slot)?.manifest else {
            throw .noBundle(slot)
        }
        let end = ChildEnd(
            ending: .exited(0), output: Self.line(for: manifest), cpuMilliseconds: 20)
        return .judge(end, suite: manifest.smoke, deviceClass: deviceClass)
    }

    /// What a smoke program prints that has heard every word.
    package static func line(for manifest: Manifest) -> [UInt8] {
        let figures = SmokeFigures(
            runtimeVersion: "1.0.0", repeats: 5, peakResidentBytes: 60 << 20,
            parts: SmokeParts(open: 1, load: 2, accept: 3, decode: 4, result: 5),
            utterances: manifest.smoke.utterances.map { utterance in
                UtteranceResult(
                    wav: utterance.wav, transcript: utterance.transcript,
                    audioMilliseconds: 10_000, cpuMicroseconds: 20_000,
                    wallP50Microseconds: 30_000, wallP95Microseconds: 32_000)
            })
        return SmokeResult.complete(figures).line
    }
}
