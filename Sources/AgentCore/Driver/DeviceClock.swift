package import Primitives

/// The device's time: the system's clock, but never before the newest signed moment, from which it goes on by itself.
///
/// A machine without a clock of its own boots in 1970. It would wait there for ever for what is due today.
package struct DeviceClock {
    private static let second: Int64 = 1_000_000_000

    private let readRealtime: () -> Int64
    private let readBoot: () -> Int64
    /// What the floor was set to, and the boot clock at that moment, in nanoseconds.
    private var floor: (moment: UTCTime, boot: Int64)?
    private var last: (time: Int64, boot: Int64)?

    /// - Parameters:
    ///   - realtime: nanoseconds since 1970, as trustworthy as whoever set them.
    ///   - boot: nanoseconds since the machine started, suspended time included.
    package init(
        realtime: @escaping () -> Int64, boot: @escaping () -> Int64
    ) {
        readRealtime = realtime
        readBoot = boot
    }

    /// The device's time in nanoseconds since 1970.
    private var time: Int64 {
        let real = readRealtime()
        guard let floor else { return real }
        return max(real, floor.moment.seconds * Self.second + readBoot() - floor.boot)
    }

    package var now: UTCTime { UTCTime(clamping: time / Self.second) }

    /// Milliseconds until a moment, rounded up; 0 where it has come.
    package func milliseconds(until moment: UTCTime) -> Int64 {
        let (span, overflow) = (moment.seconds).multipliedReportingOverflow(by: Self.second)
        guard !overflow else { return .max }
        return max(0, (span - time + 999_999) / 1_000_000)
    }

    /// Takes over the newest signed moment; under new keys it may be an earlier one.
    package mutating func setFloor(_ moment: UTCTime) {
        guard moment != floor?.moment else { return }
        floor = (moment, readBoot())
    }

    /// By how many whole seconds the device's time has jumped since the last call, against time that passed.
    package mutating func takeStep() -> Int64 {
        let (time, boot) = (time, readBoot())
        defer { last = (time, boot) }
        guard let last else { return 0 }
        return ((time - last.time) - (boot - last.boot)) / Self.second
    }
}
