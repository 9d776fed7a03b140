package import Primitives

/// A part of the fleet that a plan can exclude or pause: all that is named must match.
package struct Segment: Sendable, Hashable, CustomStringConvertible {
    /// What a segment names; a cohort is a region with a device class.
    package enum Kind: String, Sendable, CaseIterable {
        case cohort
        case deviceClass = "device_class"
        case locale
        case region
    }

    package let region: AttributeName?
    package let deviceClass: AttributeName?
    package let locale: AttributeName?

    package static func region(_ name: AttributeName) -> Segment {
        Segment(region: name, deviceClass: nil, locale: nil)
    }

    package static func deviceClass(_ name: AttributeName) -> Segment {
        Segment(region: nil, deviceClass: name, locale: nil)
    }

    package static func locale(_ name: AttributeName) -> Segment {
        Segment(region: nil, deviceClass: nil, locale: name)
    }

    package static func cohort(_ cohort: Cohort) -> Segment {
        Segment(region: cohort.region, deviceClass: cohort.deviceClass, locale: nil)
    }

    private init(region: AttributeName?, deviceClass: AttributeName?, locale: AttributeName?) {
        self.region = region
        self.deviceClass = deviceClass
        self.locale = locale
    }

    package init(reading json: JSON, at path: String) throws(FieldError) {
        var fields = try Fields(json, at: path)
        region = try fields.optionalName("region")
        deviceClass = try fields.optionalName("device_class")
        locale = try fields.optionalName("locale")
        try fields.refuseUnknown()
        let hasCohort = region != nil || deviceClass != nil
        guard hasCohort != (locale != nil) else {
            throw FieldError(
                path: path, expected: "a region, a device class, both, or a locale",
                found: json.text)
        }
    }

    package var kind: Kind {
        switch (region, deviceClass) {
        case (_?, _?): .cohort
        case (_?, nil): .region
        case (nil, _?): .deviceClass
        case (nil, nil): .locale
        }
    }

    package func contains(_ device: DeviceAttributes) -> Bool {
        (region == nil || region == device.region)
            && (deviceClass == nil || deviceClass == device.deviceClass)
            && (locale == nil || locale == device.locale)
    }

    package var json: JSON {
        var fields: JSONObject = [:]
        fields["region"] = region.map { .string($0.description) }
        fields["device_class"] = deviceClass.map { .string($0.description) }
        fields["locale"] = locale.map { .string($0.description) }
        return .object(fields)
    }

    package var description: String {
        let parts = [
            region.map { "region \($0)" }, deviceClass.map { "device class \($0)" },
            locale.map { "locale \($0)" },
        ]
        return parts.compactMap { $0 }.joined(separator: ", ")
    }
}
