/// How often the driver does things, in seconds; the machine's own times are in `MachineRules`.
package struct DriverSettings: Sendable, Hashable {
    package var pollInterval: Int64 = 900
    /// Where no policy says otherwise.
    package var reportInterval: Int64 = 3_600
    /// The longest that counted turns stay in memory only.
    package var turnSaveInterval: Int64 = 60
    /// How long nobody must have spoken to the device for it to be quiet.
    package var quietSeconds: Int64 = 30
    /// How often both slots are hashed; the first time soon after the start.
    package var verifyInterval: Int64 = 7 * 86_400
    /// Before a slot that could not be read is hashed again; twice as long after each time.
    package var verifyRetry: Int64 = 600
    /// Before what could not be journaled is tried again.
    package var journalRetry: Int64 = 10
    /// Before a `current` link that could not be moved is tried again.
    package var linkRetry: Int64 = 10
    /// How often a download that waits, or is under way, looks at link, battery and window.
    package var conditionInterval: Int64 = 60
    /// When the device's owner lets it download; none is any time.
    package var downloadWindows: [DailyWindow] = []
    /// How long an application may take to serve another model, and to let go of the one before, before that is reported.
    package var leaseDeadline: Int64 = 300
    package var rules = MachineRules()

    package init() {}
}
