import Primitives
import RegistryCore
import Rollouts

/// Devices with what they run, one page of them.
struct DevicesSection {
    /// Devices on one page.
    static let pageLimit = 100

    let devices: [Devices.Detail]
    let now: UTCTime

    var html: HTML {
        var table = PageTable(
            "Devices, in the order of their ids",
            ["Device", "Region", "Class", "Model", "Version", "State", "Last report"],
            empty: "No device has enrolled yet.", isCompact: true)
        for device in devices { table.rows.append(contentsOf: rows(device)) }
        return """
            <section id="devices"><h2>Devices</h2>
            <p>\(summary)</p>
            \(table.html)
            \(next)
            </section>

            """
    }

    private var summary: HTML {
        let silent = devices.count { isSilent($0) }
        let shown: HTML =
            devices.count == Self.pageLimit
            ? "\(devices.count) devices on this page" : "\(devices.count) devices"
        return """
            \(shown), of which \(silent) have not been heard for \
            \(Figures.span(FleetMetrics.silence)).
            """
    }

    private var next: HTML {
        guard devices.count == Self.pageLimit, let last = devices.last else { return "" }
        return """
            <p><a href="/?after=\(last.record.id.description)#devices">Devices after these</a>, \
            <a href="/#devices">first devices</a></p>
            """
    }

    /// One row for each model that the device has; one for a device that has not reported yet.
    private func rows(_ device: Devices.Detail) -> [[HTML]] {
        let json = device.json(at: now)
        let models = json["models"]?.array ?? []
        return (models.isEmpty ? [.null] : models).map { row(device, $0) }
    }

    private func row(_ device: Devices.Detail, _ model: JSON) -> [HTML] {
        let id = device.record.id.description
        let attributes = device.record.attributes
        let candidate: HTML =
            model["candidate"]?.string.map { " <span class=\"dim\">candidate \($0)</span>" } ?? ""
        return [
            "<code title=\"\(id)\">\(String(id.prefix(8)))</code>",
            "\(attributes.region.description)", "\(attributes.deviceClass.description)",
            "\(model["model"]?.string ?? "none")",
            "\(model["version"]?.string ?? "none")\(candidate)",
            Badge.state(model["state"]?.string ?? "enrolled").html, age(device),
        ]
    }

    private func age(_ device: Devices.Detail) -> HTML {
        guard let heard = device.heard else { return "never heard" }
        let silent: HTML = isSilent(device) ? " \(Badge.bad("silent").html)" : ""
        return "\(Figures.span(now - heard)) ago\(silent)"
    }

    private func isSilent(_ device: Devices.Detail) -> Bool {
        now - (device.heard ?? device.record.enrolled) > FleetMetrics.silence
    }
}

/// The models with their versions.
struct ModelsSection {
    let models: [Models.Model]

    var html: HTML {
        var table = PageTable(
            "Models and versions, the newest first",
            ["Version", "Model", "State", "Manifest", "Policies and approvals"],
            empty: "No model is known yet.")
        for model in models {
            for version in model.versions {
                let digest = version.bundle.sha256.hex
                let prefix = "policies/\(model.name)/"
                let paths = version.policies.map {
                    String($0.description.dropFirst(prefix.utf8.count))
                }
                table.rows.append([
                    "\(version.bundle.version.description)", "\(model.name.description)",
                    Badge.state(version.state.rawValue).html,
                    "<code title=\"\(digest)\">\(String(digest.prefix(12)))</code>",
                    "\(paths.joined(separator: ", "))",
                ])
            }
        }
        let bare = models.filter(\.versions.isEmpty).map(\.name.description)
        let without: HTML =
            bare.isEmpty ? "" : "<p>Without a version: \(bare.joined(separator: ", ")).</p>"
        return "<section id=\"models\"><h2>Models</h2>\n\(table.html)\(without)</section>\n"
    }
}
