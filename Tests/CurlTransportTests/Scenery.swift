import CurlTransport
import PosixFiles
import Primitives
import Testing

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// Settings for a plain server on loopback.
func settings(_ change: (inout HTTPClientSettings) -> Void = { _ in }) -> HTTPClientSettings {
    var settings = HTTPClientSettings()
    settings.allowsPlainHTTP = true
    // Never reached by a client that works; else a test would hang rather than fail.
    settings.stall = .seconds(20)
    settings.total = .seconds(40)
    change(&settings)
    return settings
}

/// The error that a call throws, or nil.
func refusal<Answer>(_ call: () throws -> Answer) -> TransportError? {
    do {
        _ = try call()
        return nil
    } catch let error as TransportError {
        return error
    } catch DownloadError<Never>.transport(let error) {
        return error
    } catch {
        Issue.record("expected a transport error, got \(error)")
        return nil
    }
}

/// Bytes that differ from place to place.
func pattern(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
}

/// Collects a download.
final class Collector {
    private(set) var bytes: [UInt8] = []
    private(set) var pieces = 0

    func take(_ piece: RawSpan) {
        unsafe piece.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
        pieces += 1
    }
}
