import Cryptography
package import Primitives

/// Stands for a device in a plan's pins: 8 bytes that name it to itself, and to nobody else.
///
/// The first 8 bytes of SHA-256("fieldfare.pin", 0x00, model, 0x00, device id as raw bytes). The model
/// keeps the pins of two models from being matched with one another.
package struct DeviceHash: Sendable, Hashable, Comparable {
    package static let byteCount = 8

    package let value: UInt64

    package init(value: UInt64) { self.value = value }

    package init(of device: DeviceID, model: ModelName) {
        let message =
            Array("fieldfare.pin".utf8) + [0] + Array(model.description.utf8) + [0] + device.bytes
        self.init(bytes: SHA256.digest(of: message).bytes.prefix(Self.byteCount))
    }

    init(bytes: ArraySlice<UInt8>) {
        value = bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }

    package var bytes: [UInt8] {
        stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: value >> $0) }
    }

    package static func < (left: DeviceHash, right: DeviceHash) -> Bool {
        left.value < right.value
    }
}
