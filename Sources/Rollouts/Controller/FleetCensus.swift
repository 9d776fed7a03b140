package import Primitives

/// How many devices there are in which bucket, by cohort, labels and locale: two bytes a device.
package struct FleetCensus: Sendable, Hashable {
    private struct Group: Sendable, Hashable {
        let cohort: Cohort
        let labels: [AttributeName]
        let locale: AttributeName

        func isReached(by places: [Where]) -> Bool {
            places.contains { $0.contains(cohort, labels: labels, locale: locale) }
        }
    }

    private var buckets: [Group: [UInt16]] = [:]

    package init() {}

    package mutating func add(_ device: DeviceAttributes, bucket: Bucket) {
        let group = Group(cohort: device.cohort, labels: device.labels, locale: device.locale)
        buckets[group, default: []].append(UInt16(bucket.value))
    }

    /// The cohorts and locales of the devices that any of `places` reaches.
    package func reach(of places: [Where]) -> (cohorts: Set<Cohort>, locales: Set<AttributeName>) {
        let reached = buckets.keys.filter { $0.isReached(by: places) }
        return (Set(reached.map(\.cohort)), Set(reached.map(\.locale)))
    }

    /// The buckets of the devices that any of `places` reaches, in ascending order, by cohort.
    package func buckets(in places: [Where]) -> [Cohort: [Int]] {
        var found: [Cohort: [Int]] = [:]
        for (group, members) in buckets where group.isReached(by: places) {
            found[group.cohort, default: []] += members.map(Int.init)
        }
        return found.mapValues { $0.sorted() }
    }
}
