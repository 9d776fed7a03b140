package import Primitives

/// What the registry said to a batch of reports.
package struct ReportReceipt: Sendable, Hashable {
    /// One report the registry will not take, with the problem's code; sending it again is useless.
    package struct Refusal: Sendable, Hashable {
        package let sequence: Int64
        package let code: String

        package init(sequence: Int64, code: String) {
            self.sequence = sequence
            self.code = code
        }
    }

    /// Sequences that are durable at the registry; a swap beacon among them is acknowledged.
    package var accepted: [Int64]
    package var refused: [Refusal]

    package init(accepted: [Int64], refused: [Refusal] = []) {
        self.accepted = accepted
        self.refused = refused
    }
}

/// What the agent sends to the registry.
package protocol Reporting: Sendable {
    /// Posts a batch (`POST /v1/reports`); reports that the receipt does not name were not taken.
    ///
    /// Idempotent: the same report again is accepted again.
    func post(_ batch: JSON, until stop: Interrupt) throws(FetchError) -> ReportReceipt

    /// Enrols the device (`POST /v1/devices`), and returns the id that the registry knows it by.
    ///
    /// Idempotent: the same key again gives the same id.
    func enrol(_ request: JSON, until stop: Interrupt) throws(FetchError) -> DeviceID
}
