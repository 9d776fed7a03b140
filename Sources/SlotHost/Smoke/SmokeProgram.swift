package import AgentCore

/// The smoke program itself, apart from any bundle.
package enum SmokeProgram {
    /// Has it say what it is, under the limits of a smoke test.
    ///
    /// - Parameters:
    ///   - program: its absolute path.
    ///   - folder: where it starts.
    /// - Returns: how it ended, and what kept it from the network.
    /// - Throws: `.cannotStart`.
    package static func introduce(
        _ program: String, in folder: String
    ) throws(ProbeError) -> ChildRun {
        let child = try LimitedChild(
            [program, "--help"],
            environment: ["PATH=/usr/bin:/bin", "LC_ALL=C", "SWIFT_BACKTRACE=enable=no"],
            in: folder,
            limits: ChildLimits(
                addressSpace: 1 << 30, cpuSeconds: 10, wallMilliseconds: 10_000,
                outputBytes: 64 << 10))
        return try child.run(until: Interrupt())
    }
}
