/// How the smoke test's child process ended, and what it left, as its parent saw it.
package struct ChildEnd: Sendable, Hashable {
    package enum Ending: Sendable, Hashable {
        case exited(Int32)
        /// Killed by a signal that the parent did not send.
        case signalled(Int32)
        /// Killed by the parent, because the suite's `timeoutMilliseconds` had passed.
        case timedOut
    }

    package let ending: Ending
    /// Standard output, at most `SmokeResult.byteLimit` + 1 bytes of it.
    package let output: [UInt8]
    /// User and system time of the child.
    package let cpuMilliseconds: Int64

    package init(ending: Ending, output: [UInt8], cpuMilliseconds: Int64) {
        self.ending = ending
        self.output = output
        self.cpuMilliseconds = cpuMilliseconds
    }
}
