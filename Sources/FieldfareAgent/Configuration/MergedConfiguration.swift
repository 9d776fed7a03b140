import PosixFiles
package import Primitives

/// The defaults with all fragments on them, and which file each value came from.
package struct MergedConfiguration: Sendable, Hashable {
    package private(set) var values: ConfigurationFragment
    /// The source of each key: a file, or `default`.
    package private(set) var sources: [String: String]

    package static let defaultPath = "/etc/fieldfare/agent.json"
    static let dropInFolders = ["/usr/lib/fieldfare", "/etc/fieldfare", "/run/fieldfare"]
    static let fileLimit = 256

    /// The defaults alone.
    package init() {
        var defaults = ConfigurationFragment()
        defaults.stateDirectory = "/var/lib/fieldfare-agent"
        defaults.socket = "/run/fieldfare-agent/agent.sock"
        defaults.trustedRoot = "/etc/fieldfare/root.json"
        defaults.channel = .main
        defaults.labels = []
        defaults.conditions = .kernel
        defaults.downloadWindows = []
        defaults.smokeProgram = "/usr/bin/fieldfare-smoke"
        defaults.speechRuntime = "/usr/lib/fieldfare/speech"
        defaults.connections = 2
        defaults.seconds = [
            "poll_interval_s": 900, "report_interval_s": 3_600, "turn_save_interval_s": 60,
            "quiet_s": 30, "rest_s": 600, "verify_interval_s": 604_800, "lease_deadline_s": 3_600,
            "connect_timeout_s": 10, "stall_timeout_s": 30,
        ]
        values = defaults
        sources = Dictionary(uniqueKeysWithValues: defaults.fields.keys.map { ($0, "default") })
    }

    /// Puts what a file sets over what is there.
    package mutating func apply(_ fragment: ConfigurationFragment, from file: String) {
        values.merge(fragment)
        for key in fragment.fields.keys { sources[key] = file }
    }

    /// Reads the file, and its drop-ins in order of their names.
    ///
    /// Drop-ins of `/etc/fieldfare/agent.json` are `agent.d/*.json` below `/usr/lib/fieldfare`, `/etc/fieldfare`
    /// and `/run/fieldfare`; of two with one name the later folder's counts. Those of any other file `x.json` are
    /// `x.d/*.json` beside it.
    package static func reading(_ path: String) throws(ConfigurationError) -> MergedConfiguration {
        var merged = MergedConfiguration()
        merged.apply(try fragment(path), from: path)
        for file in try dropIns(of: path) { merged.apply(try fragment(file), from: file) }
        return merged
    }

    private static func fragment(
        _ path: String
    ) throws(ConfigurationError) -> ConfigurationFragment {
        let bytes: [UInt8]
        do throws(FileError) {
            let (folder, name) = split(path)
            guard let target = TargetPath(name) else {
                throw FileError.notFound(.open, path: path)
            }
            bytes = try Directory(opening: folder).read(
                target, limit: ConfigurationFragment.byteLimit)
        } catch { throw ConfigurationError(file: path, reason: .unreadable(error)) }
        do { return try ConfigurationFragment(parsing: bytes) } catch {
            throw ConfigurationError(file: path, reason: error)
        }
    }

    private static func dropIns(of path: String) throws(ConfigurationError) -> [String] {
        let (folder, name) = split(path)
        let stem = name.hasSuffix(".json") ? String(name.dropLast(5)) : name
        let folders = path == defaultPath ? dropInFolders : [folder]
        var files: [String: String] = [:]
        for folder in folders {
            let place = "\(folder)/\(stem).d"
            do {
                for entry in try Directory(opening: place).list(limit: fileLimit)
                where entry.kind == .file && entry.name.hasSuffix(".json") {
                    files[entry.name] = "\(place)/\(entry.name)"
                }
            } catch {
                guard error.isNotFound else {
                    throw ConfigurationError(file: place, reason: .unreadable(error))
                }
            }
        }
        return files.sorted { $0.key < $1.key }.map(\.value)
    }

    static func split(_ path: String) -> (folder: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return (".", path) }
        let folder = path[..<slash]
        return (folder.isEmpty ? "/" : String(folder), String(path[path.index(after: slash)...]))
    }

    /// The result, key by key, with the source of each value: what `config check` prints.
    package var json: JSON {
        let entries = values.fields.map { key, value in
            let entry: JSON = ["value": value, "source": .string(sources[key] ?? "default")]
            return (key, entry)
        }
        return ["type": "configuration", "fields": .object(JSONObject(entries))]
    }
}
