import Console
import CurlTransport
import PosixFiles
import Primitives
import RegistryAccess

/// Uploads files by digest, from where an earlier try stopped.
struct Uploader {
    /// Bytes of one chunk, as the protocol allows.
    static let chunk: Int64 = 8 << 20
    /// How often a file is gone on with at the same place: pipelines that publish at once share files, and their uploads.
    static let attempts = 16
    /// Another has gone on with the upload, or finished it.
    private static let overtaken: Set<Int> = [404, 409]

    let api: RegistryAPI
    let showsProgress: Bool

    /// Sends bytes that are in memory.
    func upload(_ bytes: [UInt8], _ digest: SHA256Digest, named name: String) throws(Failure) {
        try upload(Int64(bytes.count), digest, named: name) { range in
            .bytes(Array(bytes[Int(range.lowerBound)..<Int(range.upperBound)]))
        }
    }

    /// Sends a file.
    func upload(
        _ file: OpenFile, _ length: Int64, _ digest: SHA256Digest, named name: String
    ) throws(Failure) {
        try upload(length, digest, named: name) { .file(file, $0) }
    }

    private func upload(
        _ length: Int64, _ digest: SHA256Digest, named name: String,
        body: (Range<Int64>) -> HTTPBody
    ) throws(Failure) {
        let bar = ProgressBar(name, total: length, isShown: showsProgress)
        var reached: Int64 = -1
        var attempts = 0
        while true {
            let opened = try api.post(
                "/v1/uploads", ["sha256": .string(digest.hex), "length": .integer(length)])
            guard opened["state"]?.string == "open" else {
                if reached >= 0 { bar.finish() }
                return
            }
            guard let id = opened["id"]?.string, let offset = opened["offset"]?.integer else {
                throw Failure(
                    .failed,
                    "upload of '\(name)': expected an id and an offset, got \(opened.text)")
            }
            attempts = offset > reached ? 1 : attempts + 1
            reached = max(reached, offset)
            if try send(id, offset, length, bar, named: name, body) { return bar.finish() }
            guard attempts < Self.attempts else {
                throw Failure(
                    .busy,
                    "upload of '\(name)': expected to go on at byte \(offset), got overtaken \(attempts) times"
                )
            }
            SystemClock.pause(nanoseconds: 100_000_000)
        }
    }

    /// Sends what is missing.
    ///
    /// - Returns: false where another who sends the same file was faster, and it must be asked anew how far it is.
    private func send(
        _ id: String, _ start: Int64, _ length: Int64, _ bar: ProgressBar, named name: String,
        _ body: (Range<Int64>) -> HTTPBody
    ) throws(Failure) -> Bool {
        var offset = start
        while offset < length {
            bar.show(offset)
            let range = offset..<min(offset + Self.chunk, length)
            let answer = try api.send(
                .patch, "/v1/uploads/\(id)", body: body(range),
                headers: [
                    "Upload-Offset": "\(offset)", "Content-Type": "application/octet-stream",
                ], accepting: Self.overtaken)
            if Self.overtaken.contains(answer.status) { return false }
            let json = try answer.json()
            guard let reached = json["offset"]?.integer, reached > offset else {
                throw Failure(.failed, "upload of '\(name)': expected progress, got \(json.text)")
            }
            offset = reached
        }
        let end = try api.send(.put, "/v1/uploads/\(id)", accepting: Self.overtaken)
        return !Self.overtaken.contains(end.status)
    }
}
