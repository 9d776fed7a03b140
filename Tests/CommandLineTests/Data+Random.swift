import Foundation
import TestSupport

extension Data {
    /// Bytes of which no two parts are alike, and none can be taken for the zeros that a file has by itself.
    static func random(_ count: Int, seed: UInt64) -> Data {
        var generator = SeededGenerator(seed: seed)
        var data = Data(capacity: count + 8)
        while data.count < count {
            let number = generator.next()
            for shift in 0..<8 { data.append(UInt8(truncatingIfNeeded: number >> (shift * 8))) }
        }
        return data.prefix(count)
    }
}
