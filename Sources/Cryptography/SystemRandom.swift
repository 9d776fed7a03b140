import CSodium

/// Random bytes of the operating system, by libsodium (`getrandom` on Linux).
package struct SystemRandom: RandomNumberGenerator, Sendable {
    package init() { Sodium.start() }

    package mutating func next() -> UInt64 {
        UInt64(randombytes_random()) << 32 | UInt64(randombytes_random())
    }
}

extension RandomNumberGenerator {
    /// The next `count` random bytes.
    package mutating func bytes(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        while bytes.count < count {
            var word = next()
            for _ in 0..<min(8, count - bytes.count) {
                bytes.append(UInt8(truncatingIfNeeded: word))
                word >>= 8
            }
        }
        return bytes
    }
}
