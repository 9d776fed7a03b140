package import Primitives

/// How many devices there are in which bucket, by cohort, labels and locale: two bytes a device.
package struct FleetCensus: Sendable, Hashable {
    private struct Group: Sendable, Hashable {
        let cohort: Cohort
        let labels: [AttributeName]
        let locale: AttributeName
    }

    private var buckets: [Group: [UInt16]] = [:]

    package init() {}

    package mutating func add(_ device: DeviceAttributes, bucket: Bucket) {
        let group = Group(cohort: device.cohort, labels: device.labels, locale: device.locale)
        buckets[group, default: []].append(UInt16(bucket.value))
    }

    /// The buckets of the devices that any of `places` reaches, in ascending order, by cohort.
    package func buckets(in places: [Where]) -> [Cohort: [Int]] {
        var found: [Cohort: [Int]] = [:]
        for (group, members) in buckets {
            let isReached = places.contains {
                $0.contains(group.cohort, labels: group.labels, locale: group.locale)
            }
            guard isReached else { continue }
            found[group.cohort, default: []] += members.map(Int.init)
        }
        return found.mapValues { $0.sorted() }
    }
}
