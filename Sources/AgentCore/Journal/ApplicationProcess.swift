import Primitives

/// The process that has leased a model last under an application's name.
///
/// A process id comes again, and so does every one after a boot: only the three together name a process.
package struct ApplicationProcess: Sendable, Hashable {
    package let application: String
    package let process: Int64
    /// When it began, in clock ticks since the boot (proc(5), field 22 of /proc/pid/stat).
    package let startTicks: Int64
    /// The kernel's word for this boot (/proc/sys/kernel/random/boot_id).
    package let boot: String

    /// Applications that are remembered; the one that leased longest ago goes first.
    package static let limit = 16
    package static let textLimit = 64

    package init(application: String, process: Int64, startTicks: Int64, boot: String) {
        self.application = application
        self.process = process
        self.startTicks = startTicks
        self.boot = boot
    }
}

extension ApplicationProcess {
    var json: JSON {
        [
            "application": .string(application), "process": .integer(process),
            "start_ticks": .integer(startTicks), "boot": .string(boot),
        ]
    }

    init(_ json: JSON, at path: String) throws(FieldError) {
        var fields = try Fields(json, at: path)
        self.init(
            application: try fields.string("application", limit: Self.textLimit),
            process: try fields.integer("process", in: 1...Int64(Int32.max)),
            startTicks: try fields.integer("start_ticks", in: 0...Int64.max),
            boot: try fields.string("boot", limit: Self.textLimit))
        try fields.refuseUnknown()
    }
}
