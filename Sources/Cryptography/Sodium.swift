import CSodium

/// The one door to libsodium's start: its functions are safe to call, from any thread, once this is true.
enum Sodium {
    static let isReady: Bool = sodium_init() >= 0

    static func start() {
        precondition(isReady, "libsodium cannot start: no source of random bytes")
    }
}
