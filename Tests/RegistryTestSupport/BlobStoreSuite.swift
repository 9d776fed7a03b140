import Cryptography
import Dispatch
package import Primitives
package import RegistryCore
import Synchronization
import Testing

/// What every `BlobStoring` must do: run by the tests of memory and disk alike.
package struct BlobStoreSuite {
    private let make: () throws -> any BlobStoring

    package init(make: @escaping () throws -> any BlobStoring) {
        self.make = make
    }

    private static let owner = TokenID.registry
    private static let bytes = Array("forty-two bytes that stand for a whole model".utf8)

    private static func upload(_ bytes: [UInt8] = bytes, length: Int64? = nil) -> Upload {
        Upload(
            sha256: SHA256.digest(of: bytes), length: length ?? Int64(bytes.count), owner: owner)
    }

    /// Bytes in two chunks become a blob that reads as they were.
    package func roundTrip() throws {
        let store = try make()
        let upload = Self.upload()
        #expect(try store.begin(upload) == 0)
        #expect(try store.append(Array(Self.bytes[..<10]), to: upload, at: 0) == 10)
        #expect(try store.reached(upload) == 10)
        let end = Int64(Self.bytes.count)
        #expect(try store.append(Array(Self.bytes[10...]), to: upload, at: 10) == end)
        #expect(try store.open(upload.sha256) == nil)
        try store.finish(upload)
        let blob = try #require(try store.open(upload.sha256))
        #expect(blob.length == end)
        #expect(try blob.read(0..<end) == Self.bytes)
        #expect(try blob.read(3..<9) == Array(Self.bytes[3..<9]))
        #expect(try store.reached(upload) == nil)
    }

    /// Opening an upload again finds what has arrived.
    package func resume() throws {
        let store = try make()
        let upload = Self.upload()
        _ = try store.begin(upload)
        _ = try store.append(Array(Self.bytes[..<7]), to: upload, at: 0)
        #expect(try store.begin(upload) == 7)
    }

    /// A chunk at another offset changes nothing.
    package func wrongOffset() throws {
        let store = try make()
        let upload = Self.upload()
        _ = try store.begin(upload)
        _ = try store.append(Array(Self.bytes[..<7]), to: upload, at: 0)
        for offset in [Int64(0), 6, 8, 1_000] {
            #expect(throws: RegistryError.offsetConflict(reached: 7, offered: offset)) {
                try store.append([1], to: upload, at: offset)
            }
        }
        #expect(try store.reached(upload) == 7)
        #expect(throws: RegistryError.self) { try store.finish(upload) }
        #expect(try store.reached(upload) == 7)
    }

    /// More bytes than the upload's length are refused, and leave no trace.
    package func tooLong() throws {
        let store = try make()
        let upload = Self.upload(length: 5)
        _ = try store.begin(upload)
        #expect(throws: RegistryError.tooLarge("upload", limit: 5, found: 6)) {
            try store.append(Array(Self.bytes[..<6]), to: upload, at: 0)
        }
        #expect(try store.reached(upload) == 0)
    }

    /// Other bytes than the digest says never become a blob, and the upload is gone.
    package func wrongDigest() throws {
        let store = try make()
        let upload = Self.upload()
        var wrong = Self.bytes
        wrong[20] ^= 1
        _ = try store.begin(upload)
        _ = try store.append(wrong, to: upload, at: 0)
        let mismatch = RegistryError.digestMismatch(
            expected: upload.sha256, found: SHA256.digest(of: wrong))
        #expect(throws: mismatch) { try store.finish(upload) }
        #expect(try store.open(upload.sha256) == nil)
        #expect(try store.open(SHA256.digest(of: wrong)) == nil)
        #expect(try store.reached(upload) == nil)
        _ = try store.begin(upload)
        _ = try store.append(Self.bytes, to: upload, at: 0)
        try store.finish(upload)
        #expect(try store.open(upload.sha256) != nil)
    }

    /// The same bytes again, by another upload, are as good.
    package func equalBytes() throws {
        let store = try make()
        let digest = SHA256.digest(of: Self.bytes)
        let other = try #require(TokenID("0123456789abcdef"))
        let second = Upload(sha256: digest, length: Int64(Self.bytes.count), owner: other)
        _ = try store.begin(second)
        try store.put(Self.bytes, digest)
        try store.put(Self.bytes, digest)
        _ = try store.append(Self.bytes, to: second, at: 0)
        try store.finish(second)
        #expect(try store.reached(second) == nil)
        #expect(try store.bytes(of: digest, limit: 100) == Self.bytes)
    }

    /// An upload that nobody opened takes no bytes; an empty file is a file.
    package func unknownAndEmpty() throws {
        let store = try make()
        let upload = Self.upload()
        #expect(try store.reached(upload) == nil)
        let missing = RegistryError.notFound("upload", upload.description)
        #expect(throws: missing) { try store.append([1], to: upload, at: 0) }
        #expect(throws: missing) { try store.finish(upload) }
        let empty = Self.upload([])
        #expect(try store.begin(empty) == 0)
        try store.finish(empty)
        #expect(try store.bytes(of: empty.sha256, limit: 0) == [])
    }

    /// Several who send one upload at the same time all see the blob, whoever was faster at what.
    package func together(senders: Int = 4, rounds: Int = 25) throws {
        let store = try make()
        for round in 0..<rounds {
            let bytes = Self.bytes + Array("\(round)".utf8)
            let upload = Self.upload(bytes)
            let unexpected = Mutex<[String]>([])
            DispatchQueue.concurrentPerform(iterations: senders) { _ in
                while true {
                    do throws(RegistryError) {
                        if try store.open(upload.sha256) != nil { return }
                        var offset = try store.begin(upload)
                        while offset < upload.length {
                            let end = min(offset + 20, upload.length)
                            offset = try store.append(
                                Array(bytes[Int(offset)..<Int(end)]), to: upload, at: offset)
                        }
                        try store.finish(upload)
                    } catch {
                        switch error {
                        case .offsetConflict, .notFound: continue
                        default:
                            unexpected.withLock { $0.append("\(error)") }
                            return
                        }
                    }
                }
            }
            #expect(unexpected.withLock { $0 } == [], "round \(round)")
            #expect(try store.bytes(of: upload.sha256, limit: 100) == bytes)
            #expect(try store.reached(upload) == nil)
        }
    }

    /// Idle uploads go, busy ones and blobs stay.
    package func dropsIdle(from now: UTCTime) throws {
        let store = try make()
        let upload = Self.upload()
        _ = try store.begin(upload)
        try store.put([7], SHA256.digest(of: [7]))
        #expect(try store.dropUploads(idleSince: now + -60) == 0)
        #expect(try store.reached(upload) == 0)
        #expect(try store.dropUploads(idleSince: now + 60) == 1)
        #expect(try store.reached(upload) == nil)
        #expect(try store.open(SHA256.digest(of: [7])) != nil)
    }

    /// All of it.
    package func run(at now: UTCTime) throws {
        try roundTrip()
        try resume()
        try wrongOffset()
        try tooLong()
        try wrongDigest()
        try equalBytes()
        try unknownAndEmpty()
        try together()
        try dropsIdle(from: now)
    }
}
