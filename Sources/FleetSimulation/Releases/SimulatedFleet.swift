import Glibc
package import Health
import Primitives

/// Fleets of uneven cohorts that releases are tried on.
package struct SimulatedFleet: Sendable {
    package let name: String
    package let cohorts: [SimulatedCohort]

    /// Six, twelve and thirty cohorts, the largest many times the smallest, in three locales.
    package static let uneven: [SimulatedFleet] = [
        SimulatedFleet("6 cohorts", regions: 3, classes: 2, largest: 600, smallest: 20),
        SimulatedFleet("12 cohorts", regions: 4, classes: 3, largest: 600, smallest: 12),
        SimulatedFleet("30 cohorts", regions: 6, classes: 5, largest: 1_000, smallest: 8),
    ]

    /// `regions` times `classes` cohorts, from the largest to the smallest in equal ratios; a device class is slower or
    /// faster than another by up to a factor of two.
    package init(
        _ name: String, regions: Int, classes: Int, largest: Int, smallest: Int
    ) {
        self.name = name
        let count = regions * classes
        let step = count > 1 ? log(Double(smallest) / Double(largest)) / Double(count - 1) : 0
        var cohorts: [SimulatedCohort] = []
        for place in 0..<count {
            let region = Self.name("r\(place % regions)")
            let deviceClass = Self.name("c\(place / regions)")
            let size = Double(largest) * exp(step * Double(place))
            var cohort = SimulatedCohort(
                Cohort(region: region, deviceClass: deviceClass), devices: Int(size.rounded()))
            cohort.levelShift = log(2) * Double(place / regions) / Double(max(1, classes - 1))
            cohort.locales = ["de", "en", "fr"].map(Self.name)
            cohorts.append(cohort)
        }
        self.cohorts = cohorts
    }

    /// `devices` in `regions` times `classes` cohorts, the largest fifty times the smallest.
    package init(devices: Int, regions: Int, classes: Int) {
        let shape = SimulatedFleet(
            "", regions: regions, classes: classes, largest: 1_000_000, smallest: 20_000)
        name = "\(devices) devices"
        var rest = devices
        cohorts = shape.cohorts.reversed().enumerated().map { place, cohort in
            var cohort = cohort
            let isLast = place == shape.cohorts.count - 1
            cohort.devices = isLast ? rest : min(rest, devices * cohort.devices / shape.devices)
            rest -= cohort.devices
            return cohort
        }.reversed()
    }

    private static func name(_ text: String) -> AttributeName {
        guard let name = AttributeName(text) else { preconditionFailure("'\(text)' is a name") }
        return name
    }

    package var devices: Int { cohorts.reduce(0) { $0 + $1.devices } }

    /// The devices of the cohorts that belong to a segment as a whole; none for a locale, which every cohort has.
    func devices(in segment: FleetSegment) -> Int {
        cohorts.filter { cohort in
            switch segment {
            case .cohort(let other): cohort.cohort == other
            case .region(let region): cohort.cohort.region == region
            case .deviceClass(let other): cohort.cohort.deviceClass == other
            case .locale: false
            }
        }.reduce(0) { $0 + $1.devices }
    }

    /// The fleet with a candidate that does the same to all, or to one segment.
    package func with(
        _ effect: CandidateEffect, in segment: FleetSegment? = nil
    ) -> [SimulatedCohort] {
        cohorts.map { cohort in
            var cohort = cohort
            switch segment {
            case nil: cohort.effect = effect
            case .cohort(let other): if cohort.cohort == other { cohort.effect = effect }
            case .region(let region): if cohort.cohort.region == region { cohort.effect = effect }
            case .deviceClass(let other):
                if cohort.cohort.deviceClass == other { cohort.effect = effect }
            case .locale(let locale): cohort.localeEffects[locale] = effect
            }
            return cohort
        }
    }
}
