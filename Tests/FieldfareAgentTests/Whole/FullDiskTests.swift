import AgentCore
import EffectTestSupport
import Glibc
import ModelBundle
import PosixFiles
import Primitives
import Rollouts
import SlotHost
import TestSupport
import Testing

/// A whole agent whose disk is full for a day, while a release waits for it.
struct FullDiskTests {
    private static let start = UTCTime(clamping: 1_800_000_000)
    private static let hour: Int64 = 3_600

    private let old = Result { try MemoryBundle("1.0.0", ["large.bin": Self.noise(300_000, 1)]) }
    /// Larger than what the journal keeps in reserve, and gives up on a full disk.
    private let new = Result { try MemoryBundle("1.1.0", ["large.bin": Self.noise(6 << 20, 2)]) }

    private static func noise(_ count: Int, _ seed: UInt64) -> [UInt8] {
        MemoryBundle.noise(count, seed: seed)
    }

    /// An update over a day and more, hour by hour, on a disk that a test fills and makes room on.
    ///
    /// - Parameters:
    ///   - errno: what a disk without room answers.
    ///   - isFull: whether it is without room for that day.
    ///   - hourly: looks at the device each hour of it.
    /// - Returns: the device, some time after the update, and its registry.
    /// - Throws: where it does not come to an end.
    private func update(
        errno: Int32, isFull: Bool, hourly: (DiskDevice) throws -> Void
    ) throws -> (device: DiskDevice, registry: MemoryRegistry) {
        let registry = MemoryRegistry(now: Self.start)
        let policy = MemoryRegistry.everybody(from: Self.start)
        let first = try registry.publish(old.get(), policy: policy, now: Self.start)
        registry.sign(first, over: nil, state: .completed, at: Self.start)
        let disk = SmallDisk(errno: errno)
        let device = try DiskDevice(
            trusting: registry.simulator.trustedRoot, at: Self.start,
            by: .init(registry, downloads: registry), observer: disk,
            vfs: ObservedDatabases(disk).name)
        try device.take("1.0.0", within: Self.hour)
        device.pass(2 * Self.hour)
        let second = try registry.publish(new.get(), policy: policy, now: device.now)
        registry.sign(second, over: first, at: device.now)
        if isFull { disk.fill() }
        for _ in 1...24 {
            device.pass(Self.hour)
            device.speak(10)
            try hourly(device)
        }
        disk.makeRoom()
        try device.take("1.1.0", within: 48 * Self.hour)
        device.pass(2 * Self.hour)
        return (device, registry)
    }

    @Test(arguments: [ENOSPC, EDQUOT])
    func `serves through a day on a full disk, says so, and goes on when there is room`(
        errno: Int32
    ) throws {
        var openFiles: Set<[String]> = []
        var words: Set<String> = []
        let (device, registry) = try update(errno: errno, isFull: true) { device in
            #expect(device.version == "1.0.0")
            try device.requireServing(old.get())
            let lease = try device.slots.lease()
            #expect(lease?.bundle.version.description == "1.0.0")
            withExtendedLifetime(lease) {}
            openFiles.insert(try device.openFiles())
            for trial in device.status["trials"]?.array ?? [] where trial["version"] == "1.1.0" {
                words.insert(trial["trouble"]?.string ?? "-")
            }
        }
        #expect(words == ["insufficient-storage"])
        #expect(openFiles.count == 1, "\(openFiles)")
        try device.requireServing(new.get())
        #expect(device.status["journal_error"] == nil)
        let reports = registry.reports.map { String(decoding: $0.bytes, as: UTF8.self) }
        #expect(reports.contains { $0.contains("no_space") && $0.contains("1.1.0") })
        let whole = try update(errno: errno, isFull: false) { _ in }.device
        #expect(try device.tree() == whole.tree())
        #expect(try device.openFiles().count == whole.openFiles().count)
    }
}
