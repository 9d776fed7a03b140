package import AgentCore
import Glibc
import ModelBundle
import PosixFiles
package import Primitives
package import Speech

/// Runs `fieldfare-smoke` over a slot's bundle, in a child that can do no harm, and judges what it left.
package struct SmokeProbe: Probing {
    private let slots: SlotFolder
    private let program: String
    private let runtime: String?
    private let onRun: @Sendable (Slot, ChildRun) -> Void

    /// - Parameters:
    ///   - slots: where the bundles are; the child's private folder is made there too.
    ///   - program: the absolute path of `fieldfare-smoke`.
    ///   - runtime: the folder of the speech runtime; nil to let the program look for it.
    ///   - onRun: hears what a child left, beside the verdict: its complaints, and what kept it from the network.
    package init(
        slots: SlotFolder, program: String, runtime: String?,
        onRun: @escaping @Sendable (Slot, ChildRun) -> Void = { _, _ in }
    ) {
        self.slots = slots
        self.program = program
        self.runtime = runtime
        self.onRun = onRun
    }

    package func probe(
        _ slot: Slot, deviceClass: AttributeName, until stop: Interrupt
    ) throws(ProbeError) -> SmokeVerdict {
        guard let target = try? slots.sealedManifest(in: slot) else { throw .noBundle(slot) }
        let suite = target.manifest.smoke
        let run = try run(slot, suite, until: stop)
        onRun(slot, run)
        return SmokeVerdict.judge(run.end, suite: suite, deviceClass: deviceClass)
    }

    private func run(
        _ slot: Slot, _ suite: SmokeSuite, until stop: Interrupt
    ) throws(ProbeError) -> ChildRun {
        if stop.isSet { throw .interrupted }
        let folder = try PrivateFolder(in: slots)
        defer { folder.remove() }
        let bundle = slots.path(of: slot)
        var words = [program, "--bundle", bundle, "--suite", "\(bundle)/\(SlotPaths.manifest)"]
        if let runtime { words += ["--runtime", runtime] }
        let child = try LimitedChild(
            words,
            environment: [
                "PATH=/usr/bin:/bin", "LC_ALL=C", "HOME=\(folder.path)", "TMPDIR=\(folder.path)",
                "SWIFT_BACKTRACE=enable=no",
            ], in: folder.path, limits: Self.limits(suite))
        return try child.run(until: stop)
    }

    private static func limits(_ suite: SmokeSuite) -> ChildLimits {
        ChildLimits(
            addressSpace: suite.memoryLimit,
            // Above the timeout: one thread that never rests meets the timeout first.
            cpuSeconds: (suite.timeoutMilliseconds + 999) / 1_000 + 1,
            wallMilliseconds: suite.timeoutMilliseconds, outputBytes: SmokeResult.byteLimit)
    }
}

extension ChildRun {
    /// In the terms of the verdict; whoever prints too much is judged by what he printed.
    var end: ChildEnd {
        let ending: ChildEnd.Ending =
            switch ending {
            case .exited(let code): .exited(code)
            case .signalled(let number): .signalled(number)
            case .timedOut: .timedOut
            case .printedTooMuch: .exited(0)
            }
        return ChildEnd(ending: ending, output: output, cpuMilliseconds: cpuMilliseconds)
    }
}

/// The child's folder for temporary files: empty at the start, and gone afterwards.
private struct PrivateFolder {
    private let root: Directory
    let path: String

    init(in slots: SlotFolder) throws(ProbeError) {
        root = slots.root
        do {
            try root.removeTree(SlotPaths.smoke)
            try root.makeFolders(SlotPaths.smoke, mode: .ownerOnly)
        } catch {
            guard case .system(let operation, _, let errno) = SlotError(error) else {
                preconditionFailure("a file error is one of the system")
            }
            throw .cannotStart(operation: operation, errno: errno)
        }
        path = slots.path(of: SlotPaths.smoke)
    }

    /// What cannot be removed now is removed before the next test.
    func remove() { _ = try? root.removeTree(SlotPaths.smoke) }
}
