import Cryptography
import FieldfareAgent
import Glibc
import ModelBundle
import PosixFiles
import Primitives

/// Where a reader has its leases from.
protocol Leasing {
    func lease() throws -> ModelLease?
}

/// Leases without an agent.
struct DirectLeasing: Leasing {
    let slots: String

    func lease() throws -> ModelLease? { try ModelLease.direct(in: slots) }
}

/// Leases by the agent's socket, on one connection.
final class SocketLeasing: Leasing {
    private let socket: String
    private var connection: AgentConnection?

    init(_ socket: String) { self.socket = socket }

    func lease() throws -> ModelLease? {
        let connection = try connection ?? AgentConnection(socket: socket)
        self.connection = connection
        return try connection.lease(as: "reader")
    }
}

/// Leases the model over and over, opens each file of it, and compares every byte with the manifest of the lease.
struct Consumer {
    /// What a reader met with.
    struct Tally {
        var leases = 0
        /// Files, or a manifest, that are not of the bundle that was leased.
        var mixes = 0
        var missing = 0
        /// Times that the device had no model.
        var without = 0
        var failures = 0
        /// Of each lease: what it and the opening of its files took.
        var microseconds: [Int] = []

        /// `label: N leases, ...`, as `Swapping` reads it.
        func line() -> String {
            let sorted = microseconds.sorted()
            func part(_ share: Int) -> Int {
                sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, sorted.count * share / 1_000)]
            }
            return "leases \(leases) mixes \(mixes) missing \(missing) without \(without) "
                + "failures \(failures) p50 \(part(500)) p99 \(part(990)) max \(sorted.last ?? 0)"
        }
    }

    private let leasing: any Leasing
    private var tally = Tally()
    /// Manifests that were read and met the digest of a lease.
    private var manifests: [String: Manifest] = [:]

    init(_ leasing: any Leasing) { self.leasing = leasing }

    /// Reads until there is a file of that name; prints `ready` after the first round, and what it met with at the end.
    func run(until stop: String) {
        var reader = self
        reader.round()
        print("ready")
        fflush(nil)
        while unsafe access(stop, F_OK) != 0 { reader.round() }
        print(reader.tally.line())
    }

    private mutating func round() {
        do {
            let start = SystemClock.monotonicNanoseconds()
            guard let lease = try leasing.lease() else {
                tally.without += 1
                return
            }
            let leased = SystemClock.monotonicNanoseconds() - start
            tally.leases += 1
            guard let manifest = manifest(of: lease) else { return }
            // The slots are swapped meanwhile, and now and then somebody takes long to load. Two readers that never rest
            // would leave no processor to the others.
            SystemClock.pause(nanoseconds: tally.leases % 16 == 0 ? 20_000_000 : 1_000_000)
            let opening = SystemClock.monotonicNanoseconds()
            let files = manifest.files.map { open("\(lease.path)/\($0.path)") }
            let opened = SystemClock.monotonicNanoseconds() - opening
            tally.microseconds.append(Int((leased + opened) / 1_000))
            for (file, descriptor) in zip(manifest.files, files) { check(descriptor, file) }
            for descriptor in files where descriptor >= 0 { close(descriptor) }
            withExtendedLifetime(lease) {}
        } catch {
            tally.failures += 1
            if tally.failures == 1 { Self.complain("\(error)\n") }
        }
    }

    private static func complain(_ text: String) {
        let bytes = Array(text.utf8)
        _ = unsafe write(2, bytes, bytes.count)
    }

    private func open(_ path: String) -> Int32 { unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC) }

    /// The manifest of a lease, from the disk; nil where it is missing or another one.
    private mutating func manifest(of lease: ModelLease) -> Manifest? {
        let descriptor = open("\(lease.path)/manifest.json")
        guard descriptor >= 0 else {
            tally.missing += 1
            return nil
        }
        defer { close(descriptor) }
        let bytes = Self.bytes(descriptor)
        let digest = SHA256.digest(of: bytes).hex
        if digest == lease.manifestSHA256 {
            if let known = manifests[digest] { return known }
            if let read = try? Manifest(parsing: bytes), read.version.description == lease.version {
                manifests[digest] = read
                return read
            }
        }
        tally.mixes += 1
        return nil
    }

    private mutating func check(_ descriptor: Int32, _ file: ManifestFile) {
        guard descriptor >= 0 else {
            tally.missing += 1
            return
        }
        let bytes = Self.bytes(descriptor)
        if Int64(bytes.count) != file.length || SHA256.digest(of: bytes) != file.sha256 {
            tally.mixes += 1
        }
    }

    private static func bytes(_ descriptor: Int32) -> [UInt8] {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe read(descriptor, &piece, piece.count)
            guard count > 0 else { return bytes }
            bytes += piece[..<count]
        }
    }
}
