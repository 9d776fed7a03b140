/// What a device says of itself: configured by its owner, numbered, and signed with its key.
///
/// Example: `{"device_class":"hub","labels":["office"],"locale":"en-GB","number":3,"region":"eu"}`.
package struct DeviceAttributes: Sendable, Hashable {
    package static let labelLimit = 32

    /// Counts up with each change, from 1: the highest number holds.
    package let number: Int64
    package let region: AttributeName
    package let deviceClass: AttributeName
    /// In order, each once.
    package let labels: [AttributeName]
    package let locale: AttributeName

    package init(
        number: Int64, region: AttributeName, deviceClass: AttributeName,
        labels: [AttributeName] = [], locale: AttributeName
    ) {
        self.number = number
        self.region = region
        self.deviceClass = deviceClass
        self.labels = Set(labels).sorted()
        self.locale = locale
    }

    package var cohort: Cohort { Cohort(region: region, deviceClass: deviceClass) }

    package var json: JSON {
        [
            "number": .integer(number), "region": .string(region.description),
            "device_class": .string(deviceClass.description),
            "labels": .array(labels.map { .string($0.description) }),
            "locale": .string(locale.description),
        ]
    }

    /// Reads the object's fields; the caller refuses unknown ones.
    package init(reading fields: inout Fields) throws(FieldError) {
        let number = try fields.integer("number", in: 1...(1 << 53))
        let region = try fields.parse("region", AttributeName.expected, AttributeName.init)
        let deviceClass = try fields.parse(
            "device_class", AttributeName.expected, AttributeName.init)
        var labels: [AttributeName] = []
        for (json, path) in try fields.array("labels", limit: Self.labelLimit) {
            guard let label = json.string.flatMap(AttributeName.init) else {
                throw FieldError(path: path, expected: AttributeName.expected, found: json.kind)
            }
            labels.append(label)
        }
        let locale = try fields.parse("locale", AttributeName.expected, AttributeName.init)
        self.init(
            number: number, region: region, deviceClass: deviceClass, labels: labels,
            locale: locale)
    }
}
