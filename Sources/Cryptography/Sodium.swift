import CSodium

/// The one door to libsodium's start: its functions are safe to call, from any thread, once this is true.
enum Sodium {
    static let isReady: Bool = sodium_init() >= 0

    /// The library version of libsodium 1.0.18.
    ///
    /// It is the first that was seen to refuse what the tests forge. Older ones have the same soname, so that a program could
    /// meet one.
    static let oldest: (major: Int32, minor: Int32) = (10, 3)

    static func start() {
        precondition(isReady, "libsodium cannot start: no source of random bytes")
        precondition(
            isNewEnough(
                major: sodium_library_version_major(), minor: sodium_library_version_minor()),
            "libsodium is too old: 1.0.18 or newer is needed")
    }

    static func isNewEnough(major: Int32, minor: Int32) -> Bool {
        (major, minor) >= oldest
    }
}
