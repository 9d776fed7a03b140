import PosixFiles
import Primitives

/// The device's surroundings as the kernel tells them: batteries and thermal zones, where there are any.
///
/// `power_supply/*/capacity` in percent and `thermal/thermal_zone*/temp` in thousandths of a degree (sysfs: Linux,
/// Documentation/ABI/testing/sysfs-class-power and sysfs-class-thermal). What is missing, unreadable or cannot be is absent.
package struct SensorFiles: Sendable {
    /// A page of the largest kind; the kernel gives each file here the size of one.
    private static let byteLimit = 65_536
    private static let entryLimit = 256
    /// Tenths of a degree Celsius between which a sensor is believed.
    private static let believed: ClosedRange<Int64> = -500...1_500

    /// The folder of `power_supply` and `thermal`.
    private let root: String

    package init(root: String = "/sys/class") { self.root = root }

    /// The charge of the battery that is nearest to empty, of those that feed the device itself.
    package var batteryPercent: Int64? {
        batteries
            .compactMap { Self.number("capacity", in: $0) }
            .filter { (0...100).contains($0) }.min()
    }

    /// Whether a battery that feeds the device itself is being emptied.
    package var isDischarging: Bool {
        batteries.contains { Self.text("status", in: $0) == "Discharging" }
    }

    /// The hottest zone, in tenths of a degree Celsius.
    package var temperatureTenths: Int64? {
        folders("thermal", named: "thermal_zone")
            .compactMap { Self.number("temp", in: $0).map { $0 / 100 } }
            .filter { Self.believed.contains($0) }.max()
    }

    private var batteries: [Directory] {
        folders("power_supply")
            .filter { Self.text("type", in: $0) == "Battery" }
            .filter { Self.text("scope", in: $0) != "Device" }  // a headset's, say
    }

    /// The folders of one class; the kernel's are links, which are followed.
    private func folders(_ name: String, named prefix: String = "") -> [Directory] {
        let path = "\(root)/\(name)"
        guard let entries = try? Directory(opening: path).list(limit: Self.entryLimit) else {
            return []
        }
        return entries.filter { $0.name.hasPrefix(prefix) }
            .compactMap { try? Directory(opening: "\(path)/\($0.name)") }
    }

    private static func text(_ name: String, in folder: Directory) -> String? {
        guard let path = TargetPath(name),
            let bytes = try? folder.read(path, limit: byteLimit)
        else { return nil }
        return String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self)
    }

    private static func number(_ name: String, in folder: Directory) -> Int64? {
        text(name, in: folder).flatMap { Int64($0) }
    }
}
