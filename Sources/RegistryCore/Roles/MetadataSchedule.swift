/// How long online metadata lives, and how old it gets before it is signed anew; all in seconds.
package struct MetadataSchedule: Sendable, Hashable {
    /// From signing to expiry.
    package var timestampLife: Int64 = 3 * 86_400
    package var snapshotLife: Int64 = 7 * 86_400
    package var plansLife: Int64 = 30 * 86_400
    /// Timestamps are signed anew this often, because devices ask for a fresh one before a swap forward.
    package var timestampInterval: Int64 = 3_600

    package init() {}

    /// Metadata of this life is signed anew when a third of it is left.
    static func margin(_ life: Int64) -> Int64 { life / 3 }
}
