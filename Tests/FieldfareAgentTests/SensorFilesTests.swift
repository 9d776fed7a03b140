import FieldfareAgent
import Glibc
import TestSupport
import Testing

/// The kernel's sensor files, and what else may stand in their place.
@Suite struct SensorFilesTests {
    private let root = ScratchFolder("sensors")
    private var sensors: SensorFiles { SensorFiles(root: root.path) }

    private func write(_ text: String, to path: String) throws {
        var folder = root.path
        for part in path.split(separator: "/").dropLast() {
            folder += "/\(part)"
            _ = unsafe mkdir(folder, 0o755)
        }
        let file = unsafe try #require(fopen(root.path(path), "w"))
        defer { unsafe fclose(file) }
        unsafe fputs(text, file)
    }

    private func battery(
        _ name: String, _ capacity: String, type: String = "Battery", scope: String? = nil
    ) throws {
        try write("\(type)\n", to: "power_supply/\(name)/type")
        try write("\(capacity)\n", to: "power_supply/\(name)/capacity")
        if let scope { try write("\(scope)\n", to: "power_supply/\(name)/scope") }
    }

    @Test func `reads the battery and the hottest zone`() throws {
        try battery("BAT0", "81")
        try write("41250\n", to: "thermal/thermal_zone0/temp")
        try write("52900\n", to: "thermal/thermal_zone1/temp")
        try write("99000\n", to: "thermal/cooling_device0/temp")
        #expect(sensors.batteryPercent == 81)
        #expect(sensors.temperatureTenths == 529)
    }

    @Test func `of several batteries the emptiest counts, and a headset's does not`() throws {
        try battery("BAT0", "81")
        try battery("BAT1", "34", scope: "System")
        try battery("AC", "3", type: "Mains")
        try battery("headset", "5", scope: "Device")
        #expect(sensors.batteryPercent == 34)
    }

    @Test func `follows the links that the kernel makes`() throws {
        try write("-1500\n", to: "devices/virtual/zone/temp")
        _ = unsafe mkdir(root.path("thermal"), 0o755)
        try #require(
            unsafe symlink("../devices/virtual/zone", root.path("thermal/thermal_zone0")) == 0)
        #expect(sensors.temperatureTenths == -15)
    }

    @Test func `a device without sensors says nothing`() {
        #expect(sensors.batteryPercent == nil && sensors.temperatureTenths == nil)
        let none = SensorFiles(root: root.path("nowhere"))
        #expect(none.batteryPercent == nil && none.temperatureTenths == nil)
    }

    @Test(arguments: [
        "", "\n", "hot", "41.2", " 41250", "9999999999999999999999", "-273150", "200000",
        String(repeating: "1", count: 100_000),
    ])
    func `what cannot be is absent`(text: String) throws {
        try battery("BAT0", text)
        try write(text, to: "thermal/thermal_zone0/temp")
        #expect(sensors.batteryPercent == nil && sensors.temperatureTenths == nil)
        try write("41250\n", to: "thermal/thermal_zone1/temp")
        #expect(sensors.temperatureTenths == 412, "the others are read all the same")
    }

    @Test(arguments: ["101", "-1"]) func `a charge is a percentage`(text: String) throws {
        try battery("BAT0", text)
        #expect(sensors.batteryPercent == nil)
    }

    @Test func `a folder or a pipe in the place of a file holds nobody up`() throws {
        try battery("BAT0", "50")
        try #require(unsafe remove(root.path("power_supply/BAT0/capacity")) == 0)
        try #require(unsafe mkfifo(root.path("power_supply/BAT0/capacity"), 0o644) == 0)
        _ = unsafe mkdir(root.path("thermal"), 0o755)
        _ = unsafe mkdir(root.path("thermal/thermal_zone0"), 0o755)
        _ = unsafe mkdir(root.path("thermal/thermal_zone0/temp"), 0o755)
        #expect(sensors.batteryPercent == nil && sensors.temperatureTenths == nil)
    }
}
