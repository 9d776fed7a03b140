package import Primitives

/// The devices that are pinned to one version until one moment.
///
/// Owner and reason of a pin stay in the registry. In JSON, `devices` is the hashes in ascending order,
/// one after the other, in base 64: 10.7 bytes a pin.
package struct PinGroup: Sendable, Hashable {
    /// The most pins in one plan.
    package static let most = 10_000
    /// The most groups in one plan: a group takes some 160 bytes beside its pins.
    package static let mostGroups = 1_000

    package let bundle: BundleReference
    package let expires: UTCTime
    /// In ascending order, each once.
    package let devices: [DeviceHash]

    package init(bundle: BundleReference, expires: UTCTime, devices: [DeviceHash]) {
        self.bundle = bundle
        self.expires = expires
        self.devices = Set(devices).sorted()
    }

    package init(reading json: JSON, at path: String) throws(FieldError) {
        var fields = try Fields(json, at: path)
        bundle = try BundleReference(
            reading: try fields.value("bundle", "an object"), at: fields.path(of: "bundle"))
        expires = try fields.moment("expires")
        let text = try fields.string("devices", limit: Self.most * 11)
        devices = try Self.hashes(text, at: fields.path(of: "devices"))
        try fields.refuseUnknown()
    }

    package var json: JSON {
        [
            "bundle": bundle.json, "expires": .integer(expires.seconds),
            "devices": .string(Base64.encode(devices.flatMap(\.bytes))),
        ]
    }

    /// Whether `device` is one of them; a binary search.
    package func contains(_ device: DeviceHash) -> Bool {
        var low = 0
        var high = devices.count
        while low < high {
            let middle = (low + high) / 2
            if devices[middle] < device { low = middle + 1 } else { high = middle }
        }
        return low < devices.count && devices[low] == device
    }

    private static func hashes(_ text: String, at path: String) throws(FieldError) -> [DeviceHash] {
        let bytes = Base64.decode(text) ?? []
        guard !bytes.isEmpty, bytes.count.isMultiple(of: DeviceHash.byteCount) else {
            throw FieldError(
                path: path, expected: "hashes of 8 bytes each, in base 64 without padding",
                found: "\(text.utf8.count) characters")
        }
        let hashes = stride(from: 0, to: bytes.count, by: DeviceHash.byteCount).map {
            DeviceHash(bytes: bytes[$0..<($0 + DeviceHash.byteCount)])
        }
        guard zip(hashes, hashes.dropFirst()).allSatisfy({ $0 < $1 }) else {
            throw FieldError(
                path: path, expected: "each hash once, in ascending order", found: "another order")
        }
        return hashes
    }
}
