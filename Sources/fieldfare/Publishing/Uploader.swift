import Console
import CurlTransport
import PosixFiles
import Primitives

/// Uploads files by digest, from where an earlier try stopped.
struct Uploader {
    /// Bytes of one chunk, as the protocol allows.
    static let chunk: Int64 = 8 << 20

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
        let opened = try api.post(
            "/v1/uploads", ["sha256": .string(digest.hex), "length": .integer(length)])
        guard opened["state"]?.string == "open" else { return }
        guard let id = opened["id"]?.string, var offset = opened["offset"]?.integer else {
            throw Failure(
                .failed, "upload of '\(name)': expected an id and an offset, got \(opened.text)")
        }
        let bar = ProgressBar(name, total: length, isShown: showsProgress)
        while offset < length {
            bar.show(offset)
            let range = offset..<min(offset + Self.chunk, length)
            let answer = try api.send(
                .patch, "/v1/uploads/\(id)", body: body(range),
                headers: [
                    "Upload-Offset": "\(offset)", "Content-Type": "application/octet-stream",
                ]
            ).json()
            guard let reached = answer["offset"]?.integer, reached > offset else {
                throw Failure(.failed, "upload of '\(name)': expected progress, got \(answer.text)")
            }
            offset = reached
        }
        _ = try api.send(.put, "/v1/uploads/\(id)")
        bar.finish()
    }
}
