package import Primitives

/// Where a stage may reach: an empty list is no limit, a list with names lets in devices with one of them.
package struct Where: Sendable, Hashable {
    package static let everywhere = Where()

    package var regions: [AttributeName]
    package var deviceClasses: [AttributeName]
    package var labels: [AttributeName]
    package var locales: [AttributeName]

    package init(
        regions: [AttributeName] = [], deviceClasses: [AttributeName] = [],
        labels: [AttributeName] = [], locales: [AttributeName] = []
    ) {
        self.regions = regions.sorted()
        self.deviceClasses = deviceClasses.sorted()
        self.labels = labels.sorted()
        self.locales = locales.sorted()
    }

    package init(reading json: JSON, at path: String) throws(FieldError) {
        var fields = try Fields(json, at: path)
        regions = try fields.names("regions")
        deviceClasses = try fields.names("device_classes")
        labels = try fields.names("labels")
        locales = try fields.optionalNames("locales")
        try fields.refuseUnknown()
    }

    /// The object, with `locales` only where there are any: without them it has the bytes that it had before
    /// there was such a filter.
    package var json: JSON {
        var fields: JSONObject = [
            "regions": .strings(regions), "device_classes": .strings(deviceClasses),
            "labels": .strings(labels),
        ]
        if !locales.isEmpty { fields["locales"] = .strings(locales) }
        return .object(fields)
    }

    package func contains(_ device: DeviceAttributes) -> Bool {
        contains(device.cohort, labels: device.labels, locale: device.locale)
    }

    func contains(
        _ cohort: Cohort, labels held: [AttributeName], locale: AttributeName
    ) -> Bool {
        (regions.isEmpty || regions.contains(cohort.region))
            && (deviceClasses.isEmpty || deviceClasses.contains(cohort.deviceClass))
            && (labels.isEmpty || labels.contains { held.contains($0) })
            && (locales.isEmpty || locales.contains(locale))
    }

    /// Whether every device that `other` lets in is let in here too.
    package func covers(_ other: Where) -> Bool {
        func covers(_ mine: [AttributeName], _ theirs: [AttributeName]) -> Bool {
            mine.isEmpty || (!theirs.isEmpty && theirs.allSatisfy { mine.contains($0) })
        }
        return covers(regions, other.regions) && covers(deviceClasses, other.deviceClasses)
            && covers(labels, other.labels) && covers(locales, other.locales)
    }
}
