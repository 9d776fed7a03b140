import BlobFiles
import Cryptography
import Glibc
import PosixFiles
import Primitives
import RegistryCore
import RegistryTestSupport
import Synchronization
import TestSupport
import Testing

struct BlobFolderTests {
    private let folder = ScratchFolder("blobs")
    private let bytes = Array("a file of a bundle, in a folder".utf8)
    private var digest: SHA256Digest { SHA256.digest(of: bytes) }

    private var upload: Upload {
        Upload(sha256: digest, length: Int64(bytes.count), owner: .registry)
    }

    private func open(
        _ name: String = "data", observer: (any SyscallObserving)? = nil
    ) throws -> BlobFolder {
        try BlobFolder(Directory(making: folder.path(name), observer: observer))
    }

    private func listing(_ path: String) throws -> [String] {
        try Directory(opening: folder.path(path)).list().map(\.name)
    }

    @Test func `a folder keeps blobs as the port asks`() throws {
        let count = Mutex(0)
        let now = SystemClock.now()
        try BlobStoreSuite {
            let number = count.withLock { count in
                count += 1
                return count
            }
            return try open("suite-\(number)")
        }.run(at: now)
    }

    @Test func `a blob lies under its digest, and nothing else is left`() throws {
        let store = try open()
        try store.put(bytes, digest)
        #expect(try listing("data/uploads") == [])
        let shard = String(digest.hex.prefix(2))
        #expect(try listing("data/blobs/\(shard)") == [digest.hex])
    }

    /// What the page cache holds of the blob from `offset` on; nil where it would wait for the disk.
    private func cached(_ blob: any BlobReading, from offset: Int64) throws -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 64)
        let count = try unsafe buffer.withUnsafeMutableBytes { room throws -> Int? in
            try unsafe blob.readCached(into: room, at: offset)
        }
        return count.map { Array(buffer[..<$0]) }
    }

    @Test func `a blob in memory is read without waiting; what must wait is left to others`() throws
    {
        let store = try open()
        try store.put(bytes, digest)
        let blob = try #require(try store.open(digest))
        #expect(try cached(blob, from: 0) == bytes)
        #expect(try cached(blob, from: 2) == Array(bytes[2...]))
        #expect(try cached(blob, from: Int64(bytes.count)) == [])
        let waiting = try #require(try open(observer: FailedReads(errno: EAGAIN)).open(digest))
        #expect(try cached(waiting, from: 0) == nil)
        let broken = try #require(try open(observer: FailedReads(errno: EIO)).open(digest))
        #expect(throws: RegistryError.self) { try cached(broken, from: 0) }
    }

    /// Answers every read with an error number.
    private struct FailedReads: SyscallObserving {
        let errno: Int32

        func verdict(on call: Syscall) -> SyscallVerdict {
            call.operation == .read ? .fail(errno: errno) : .proceed
        }
    }

    @Test(arguments: 0..<31)
    func `an upload goes on after a restart, whatever had arrived`(split: Int) throws {
        _ = try open().begin(upload)
        if split > 0 {
            _ = try open().append(Array(bytes[..<split]), to: upload, at: 0)
        }
        let again = try open()
        #expect(try again.reached(upload) == Int64(split))
        _ = try again.append(Array(bytes[split...]), to: upload, at: Int64(split))
        try again.finish(upload)
        #expect(try again.bytes(of: digest, limit: 100) == bytes)
    }

    @Test func `bytes that changed on disk since they arrived never become a blob`() throws {
        let store = try open()
        _ = try store.begin(upload)
        _ = try store.append(Array(bytes[..<10]), to: upload, at: 0)
        let uploads = try Directory(opening: folder.path("data/uploads"))
        let path = try #require(TargetPath(upload.description))
        try uploads.open(path, .writing).write([0xFF], at: 3)
        let again = try open()
        _ = try again.append(Array(bytes[10...]), to: upload, at: 10)
        let error = #expect(throws: RegistryError.self) { try again.finish(upload) }
        #expect(error?.code == .digestMismatch)
        #expect(try listing("data/uploads") == [])
        #expect(try again.open(digest) == nil)
    }

    @Test func `more bytes on disk than the upload has are cut off`() throws {
        _ = try open().begin(upload)
        let uploads = try Directory(opening: folder.path("data/uploads"))
        let path = try #require(TargetPath(upload.description))
        try uploads.open(path, .writing).write(bytes + [1, 2, 3], at: 0)
        let store = try open()
        #expect(try store.reached(upload) == upload.length)
        try store.finish(upload)
        #expect(try store.bytes(of: digest, limit: 100) == bytes)
    }

    // MARK: Full disks

    /// Makes one kind of system call fail.
    private struct Failing: SyscallObserving {
        let operation: FileOperation

        func verdict(on call: Syscall) -> SyscallVerdict {
            call.operation == operation ? .fail(errno: ENOSPC) : .proceed
        }
    }

    @Test func `a full disk refuses an upload at its beginning and keeps no trace`() throws {
        let store = try open(observer: Failing(operation: .reserve))
        #expect(throws: RegistryError.insufficientStorage) { try store.begin(upload) }
        #expect(try listing("data/uploads") == [])
        #expect(try store.reached(upload) == nil)
    }

    @Test(arguments: [FileOperation.write, .sync])
    func `a disk that fills up leaves the chunk out, and takes it later`(
        operation: FileOperation
    ) throws {
        let store = try open()
        _ = try store.begin(upload)
        _ = try store.append(Array(bytes[..<10]), to: upload, at: 0)
        let directory = try Directory(opening: folder.path("data"))
        let blobs = try BlobFolder(directory)
        #expect(try blobs.reached(upload) == 10)
        let full = try BlobFolder(
            Directory(
                opening: folder.path("data"), observer: Failing(operation: operation)))
        #expect(throws: RegistryError.insufficientStorage) {
            try full.append(Array(bytes[10...]), to: upload, at: 10)
        }
        #expect(try full.reached(upload) == 10)
        let again = try open()
        #expect(try again.reached(upload) == 10)
        _ = try again.append(Array(bytes[10...]), to: upload, at: 10)
        try again.finish(upload)
        #expect(try again.bytes(of: digest, limit: 100) == bytes)
    }

    // MARK: Order and crashes

    /// Writes system calls down, and from the `kill`th on answers none any more.
    private final class Recording: SyscallObserving {
        private let state = Mutex<[Syscall]>([])
        private let kill: Int

        init(kill: Int = .max) { self.kill = kill }

        var calls: [Syscall] { state.withLock { $0 } }

        func verdict(on call: Syscall) -> SyscallVerdict {
            state.withLock { calls in
                calls.append(call)
                return calls.count > kill ? .fail(errno: EIO) : .proceed
            }
        }
    }

    @Test func `a blob gets its name only after its bytes are durable`() throws {
        let recording = Recording()
        try open(observer: recording).put(bytes, digest)
        let operations = recording.calls.map(\.operation)
        let write = try #require(operations.lastIndex(of: .write))
        let rename = try #require(operations.lastIndex(of: .rename))
        #expect(operations[write..<rename].contains(.sync))
        // The folder that gained the name, and the one that lost it.
        #expect(operations[rename...].filter { $0 == .sync }.count == 2)
    }

    @Test func `killed at any system call, a blob is whole or not there`() throws {
        var kill = 0
        while true {
            let name = "kill-\(kill)"
            let recording = Recording(kill: kill)
            let isDone = (try? open(name, observer: recording).put(bytes, digest)) != nil
            let after = try open(name)
            if let blob = try after.open(digest) {
                #expect(try blob.read(0..<blob.length) == bytes)
            } else {
                #expect(!isDone)
            }
            try after.put(bytes, digest)
            #expect(try after.bytes(of: digest, limit: 100) == bytes)
            if isDone { break }
            kill += 1
        }
        #expect(kill > 12)
    }
}
