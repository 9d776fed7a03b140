/// The command line of `tuf-conformance`, which is that of the public conformance suite for TUF clients.
struct ConformanceArguments {
    static let usage = """
        usage: tuf-conformance [--metadata-dir DIR] init TRUSTED_ROOT
               tuf-conformance --metadata-dir DIR --metadata-url URL refresh
               tuf-conformance --metadata-dir DIR --metadata-url URL --target-name PATH
                   [--target-name PATH...] --target-base-url URL --target-dir DIR download

        Follows a TUF repository by the strict workflow of TUF 1.0.34 (docs/tuf-conformance.md).

          --metadata-dir DIR      where trusted metadata is kept; for init the working directory by default
          --metadata-url URL      where the repository serves its metadata
          --target-name PATH      a target to download; several are taken in their order
          --target-base-url URL   where the repository serves its targets
          --target-dir DIR        where downloaded targets go, each under its percent-encoded path

        exit: 0 all of it succeeded, 1 otherwise

        """

    enum Command {
        case initialise(trustedRoot: String)
        case refresh(metadata: String)
        case download(metadata: String, base: String, folder: String, [String])
    }

    let metadataFolder: String
    let command: Command

    /// Reads the arguments after the program's name: options first, then the command.
    init(_ arguments: [String]) throws(ArgumentError) {
        var rest = arguments[...]
        var values: [String: String] = [:]
        var targets: [String] = []
        while let option = rest.first, option.hasPrefix("--") {
            guard Self.options.contains(option) else { throw ArgumentError("unknown '\(option)'") }
            guard let value = rest.dropFirst().first, !value.isEmpty else {
                throw ArgumentError("'\(option)' without a value")
            }
            rest = rest.dropFirst(2)
            if option == "--target-name" {
                targets.append(value)
            } else if values.updateValue(value, forKey: option) != nil {
                throw ArgumentError("'\(option)' twice")
            }
        }
        metadataFolder = values["--metadata-dir"] ?? "."
        command = try Self.command(Array(rest), values, targets)
    }

    private static let options: Set<String> = [
        "--metadata-dir", "--metadata-url", "--target-name", "--target-base-url", "--target-dir",
    ]

    private static func command(
        _ words: [String], _ values: [String: String], _ targets: [String]
    ) throws(ArgumentError) -> Command {
        func needed(_ option: String) throws(ArgumentError) -> String {
            guard let value = values[option] else { throw ArgumentError("no '\(option)'") }
            return value
        }
        guard let name = words.first else { throw ArgumentError("no command") }
        guard words.count == (name == "init" ? 2 : 1) else {
            throw ArgumentError("\(words.count - 1) words after '\(name)'")
        }
        switch name {
        case "init": return .initialise(trustedRoot: words[1])
        case "refresh":
            _ = try needed("--metadata-dir")
            return .refresh(metadata: try needed("--metadata-url"))
        case "download":
            _ = try needed("--metadata-dir")
            guard !targets.isEmpty else { throw ArgumentError("no '--target-name'") }
            return .download(
                metadata: try needed("--metadata-url"), base: try needed("--target-base-url"),
                folder: try needed("--target-dir"), targets)
        default: throw ArgumentError("command '\(name)'")
        }
    }
}

/// What was found where the usage says otherwise.
struct ArgumentError: Error {
    let found: String

    init(_ found: String) { self.found = found }
}
