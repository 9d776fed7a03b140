/// What a limited child may use.
struct ChildLimits: Sendable, Hashable {
    /// RLIMIT_AS, in bytes.
    var addressSpace: Int64
    /// RLIMIT_CPU; SIGXCPU when it is used up.
    var cpuSeconds: Int64
    /// RLIMIT_FSIZE: of each file that it writes, in bytes.
    var fileSize: Int64 = 16 << 20
    /// RLIMIT_NOFILE.
    var openFiles: Int64 = 256
    var wallMilliseconds: Int64
    /// Standard output; a child that writes more is killed.
    var outputBytes: Int
}

/// How a limited child ended, and what it left.
package struct ChildRun: Sendable, Hashable {
    package enum Ending: Sendable, Hashable {
        case exited(Int32)
        /// By a signal that was not ours.
        case signalled(Int32)
        /// Killed, because its time was over.
        case timedOut
        /// Killed, because it printed more than it may.
        case printedTooMuch
    }

    package let ending: Ending
    /// Standard output, at most one byte more than allowed.
    package let output: [UInt8]
    /// The end of standard error, at most `complaintLimit` bytes, for people.
    package let complaints: [UInt8]
    package let cpuMilliseconds: Int64
    package let isolation: NetworkIsolation

    package static let complaintLimit = 4_096
}

/// What kept a child from the network; at least one of them does on any kernel since 3.17 that has seccomp.
package struct NetworkIsolation: Sendable, Hashable, CustomStringConvertible {
    /// It had a network namespace of its own, with nothing in it.
    package let hasNamespace: Bool
    /// It could not make sockets.
    package let hasFilter: Bool

    package init(hasNamespace: Bool, hasFilter: Bool) {
        self.hasNamespace = hasNamespace
        self.hasFilter = hasFilter
    }

    package var description: String {
        switch (hasNamespace, hasFilter) {
        case (true, true): "namespace and filter"
        case (true, false): "namespace"
        case (false, true): "filter"
        case (false, false): "none"
        }
    }
}
