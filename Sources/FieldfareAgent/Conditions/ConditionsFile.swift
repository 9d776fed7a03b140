package import AgentCore
import PosixFiles
import Primitives

/// A file that the device's own software keeps: `{"link":"metered","on_battery":true,"battery_percent":40}`.
///
/// Each field may be missing; the battery is then the kernel's. A file that is missing or cannot be read says nothing, so
/// its link counts as metered.
package struct ConditionsFile: ConditionSensing {
    package static let byteLimit = 4_096

    private let path: String
    private let kernel: KernelConditions

    /// - Parameters:
    ///   - path: absolute.
    ///   - kernel: who tells of the battery where the file does not.
    package init(path: String, kernel: KernelConditions = KernelConditions()) {
        self.path = path
        self.kernel = kernel
    }

    package func conditions() -> Conditions {
        var conditions = kernel.conditions()
        guard let bytes = try? ConfiguredFile.read(path, limit: Self.byteLimit),
            let told = try? Told(JSON(parsing: bytes, limit: Self.byteLimit))
        else { return conditions }
        conditions.link = told.link
        if let isOnBattery = told.isOnBattery {
            let charge = told.percent.map { Int($0) * 10 } ?? conditions.batteryCharge
            conditions.batteryCharge = isOnBattery ? charge : nil
        }
        return conditions
    }

    private struct Told {
        let link: LinkKind?
        let isOnBattery: Bool?
        let percent: Int64?

        init(_ json: JSON) throws(FieldError) {
            var fields = try Fields(json)
            link = try fields.optionalParse("link", "'metered' or 'unmetered'") {
                LinkKind(rawValue: $0)
            }
            isOnBattery =
                fields.optional("on_battery") == nil ? nil : try fields.bool("on_battery")
            percent = try fields.optionalInteger("battery_percent", in: 0...100)
            try fields.refuseUnknown()
        }
    }
}
