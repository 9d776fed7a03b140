import ArgumentParser
import Console
import Cryptography
import ModelBundle
import PosixFiles
import Primitives

/// Makes bundles of models: `fieldfare bundle`.
struct BundleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bundle", abstract: "Makes and checks bundles of speech models.",
        discussion: """
            EXAMPLE
              fieldfare bundle init my-model
              fieldfare bundle check my-model
              fieldfare bundle build my-model --out build
            """,
        subcommands: [Initialise.self, Check.self, Build.self, Inspect.self, Verify.self])

    struct Initialise: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "init", abstract: "Writes a commented bundle.yaml to fill in.",
            discussion: """
                EXAMPLE
                  fieldfare bundle init my-model
                """)

        @Argument(help: "The folder of the bundle, and the model's name.")
        var folder: String

        @OptionGroup var output: OutputOptions

        func run() throws {
            let name = folder.split(separator: "/").last.map(String.init) ?? folder
            let model = try Word.model(name, "folder")
            let path = "\(folder)/\(BundleFolder.descriptionName)"
            guard try !FileBytes.exists(path) else {
                throw Failure(.refused, "'\(path)': expected none yet, got one")
            }
            try FileBytes.write(Array(BundleTemplate.text(model: model).utf8), to: path)
            if output.isJSON {
                Output.json(["type": "bundle_template", "path": .string(path)])
            } else {
                Output.line(
                    "wrote \(path); put the model's files beside it, then: fieldfare bundle check \(folder)"
                )
            }
        }
    }

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists everything that is wrong with a bundle, at once.",
            discussion: """
                EXAMPLE
                  fieldfare bundle check my-model
                """)

        @Argument(help: "The folder with bundle.yaml.")
        var folder: String

        @OptionGroup var output: OutputOptions

        func run() throws {
            let files = try BundleFolder(folder)
            let problems = BundleCheck.problems(of: try files.description(), in: files)
            try BundleCommand.tell(problems, output)
            if output.isJSON {
                Output.json([
                    "type": "bundle_check", "state": "good",
                    "warnings": .integer(Int64(problems.count)),
                ])
            } else {
                Output.line("\(folder): good")
            }
        }
    }

    struct Build: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes the manifest, and puts the files under their digests.",
            discussion: """
                Reproducible: the same files and the same moment give the same bytes. The moment is SOURCE_DATE_EPOCH or \
                --created; without them, when the newest of the files was last changed.

                EXAMPLE
                  fieldfare bundle build my-model --out build
                """)

        @Argument(help: "The folder with bundle.yaml.")
        var folder: String

        @Option(help: "The folder to write.")
        var out: String

        @Option(help: "The moment that the manifest names, as 2026-11-21T05:06:07Z.")
        var created: String?

        @OptionGroup var output: OutputOptions

        func run() throws {
            let files = try BundleFolder(folder)
            let description = try files.description()
            let moment = try Moment.build(naming: created) { () throws(Failure) in
                try files.lastChange(of: description.paths)
            }
            let built: BuiltBundle
            do {
                built = try BundleBuilder.build(description, from: files, created: moment)
            } catch {
                try BundleCommand.tell(error.problems, output)
                throw Failure(.failed, "\(folder): no bundle was built")
            }
            try BundleCommand.tell(built.warnings, output)
            let folder = BuiltFolder(path: out)
            let bar = ProgressBar(
                "copying files", total: built.manifest.totalLength, isShown: !output.isJSON)
            try folder.write(
                built.bytes, built.manifest.files, from: files.path, show: bar.show)
            bar.finish()
            BundleCommand.show(built.manifest, built.bytes, output)
        }
    }

    struct Inspect: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows a manifest.",
            discussion: """
                EXAMPLE
                  fieldfare bundle inspect build
                """)

        @Argument(help: "A folder that 'bundle build' made.")
        var folder: String

        @OptionGroup var output: OutputOptions

        func run() throws {
            let (manifest, bytes) = try BuiltFolder(path: folder).manifest()
            BundleCommand.show(manifest, bytes, output)
            guard !output.isJSON else { return }
            var table = Table(["file", "bytes", "sha256"])
            for file in manifest.files {
                table.add([file.path.description, "\(file.length)", file.sha256.hex])
            }
            for line in table.lines { Output.line(line) }
        }
    }

    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Compares a built bundle's files with its manifest, chunk by chunk.",
            discussion: """
                EXAMPLE
                  fieldfare bundle verify build
                """)

        @Argument(help: "A folder that 'bundle build' made.")
        var folder: String

        @OptionGroup var output: OutputOptions

        func run() throws {
            let built = BuiltFolder(path: folder)
            let (manifest, bytes) = try built.manifest()
            try BundleCommand.tell(built.problems(of: manifest), output)
            BundleCommand.show(manifest, bytes, output)
        }
    }

    /// Tells every problem; fails where one is an error.
    private static func tell(_ problems: [BundleProblem], _ output: OutputOptions) throws(Failure) {
        for problem in problems {
            if output.isJSON {
                Output.json([
                    "type": "problem", "severity": .string(problem.severity.rawValue),
                    "thing": .string(problem.thing), "expected": .string(problem.expected),
                    "found": .string(problem.found),
                    "hint": problem.hint.map { .string($0) } ?? .null,
                ])
            } else {
                Output.note("\(problem.severity.rawValue): \(problem)")
            }
        }
        let errors = problems.count { $0.severity == .error }
        guard errors == 0 else {
            throw Failure(.failed, "bundle: expected no problem, got \(errors)")
        }
    }

    private static func show(_ manifest: Manifest, _ bytes: [UInt8], _ output: OutputOptions) {
        let digest = SHA256.digest(of: bytes)
        if output.isJSON {
            Output.json([
                "type": "bundle", "model": .string(manifest.model.description),
                "version": .string(manifest.version.description),
                "manifest_sha256": .string(digest.hex),
                "files": .integer(Int64(manifest.files.count)),
                "bytes": .integer(manifest.totalLength),
            ])
        } else {
            Output.line(
                "\(manifest.model) \(manifest.version): \(manifest.files.count) files, \(manifest.totalLength) bytes, manifest \(digest)"
            )
        }
    }
}
