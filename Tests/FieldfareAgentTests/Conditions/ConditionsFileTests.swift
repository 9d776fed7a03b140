import AgentCore
import FieldfareAgent
import Glibc
import TestSupport
import Testing

/// Link and battery from the device's own software, and from the kernel.
struct ConditionsFileTests {
    private let scratch = ScratchFolder("conditions")

    private func write(_ text: String, to path: String) throws {
        var folder = scratch.path
        for part in path.split(separator: "/").dropLast() {
            folder += "/\(part)"
            _ = unsafe mkdir(folder, 0o755)
        }
        let file = unsafe try #require(fopen(scratch.path(path), "w"))
        defer { unsafe fclose(file) }
        unsafe fputs(text, file)
    }

    private func battery(_ status: String, _ capacity: String) throws {
        try write("Battery\n", to: "power_supply/BAT0/type")
        try write("\(status)\n", to: "power_supply/BAT0/status")
        try write("\(capacity)\n", to: "power_supply/BAT0/capacity")
    }

    private var kernel: KernelConditions {
        KernelConditions(sensors: SensorFiles(root: scratch.path))
    }

    private var told: Conditions {
        ConditionsFile(path: scratch.path("conditions.json"), kernel: kernel).conditions()
    }

    @Test func `the kernel tells the charge while the battery is being emptied`() throws {
        #expect(kernel.conditions() == Conditions())
        try battery("Discharging", "41")
        #expect(kernel.conditions() == Conditions(batteryCharge: 410))
        try battery("Charging", "41")
        #expect(kernel.conditions() == Conditions())
    }

    @Test(arguments: [
        (#"{"link":"metered"}"#, Conditions(link: .metered, batteryCharge: 200)),
        (#"{"link":"unmetered","on_battery":false}"#, Conditions(link: .unmetered)),
        (
            #"{"on_battery":true,"battery_percent":77}"#,
            Conditions(link: nil, batteryCharge: 770)
        ),
        (#"{"on_battery":true}"#, Conditions(batteryCharge: 200)),
        ("{}", Conditions(batteryCharge: 200)),
    ])
    func `the file is heard, and where it is silent the kernel`(
        text: String, expected: Conditions
    ) throws {
        try battery("Discharging", "20")
        try write(text, to: "conditions.json")
        #expect(told == expected)
    }

    @Test(arguments: [
        "", "[]", #"{"link":"free"}"#, #"{"battery_percent":101}"#, #"{"on_battery":1}"#,
        #"{"link":"unmetered","more":1}"#,
    ])
    func `a file that cannot be read says nothing, so that its link counts as metered`(
        text: String
    ) throws {
        try write(text, to: "conditions.json")
        #expect(told == Conditions())
        #expect(told.effectiveLink == .metered)
    }

    @Test func `a file that is missing or too long says nothing`() throws {
        #expect(told == Conditions())
        try write(
            #"{"link":"unmetered"}"# + String(repeating: " ", count: 5_000), to: "conditions.json")
        #expect(told == Conditions())
    }
}
