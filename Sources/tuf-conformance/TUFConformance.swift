import FieldfareAgent
import Glibc
import PosixFiles
import Primitives
import TUF

/// The command line that the public conformance suite for TUF clients drives: the strict workflow, and nothing else.
@main enum TUFConformance {
    typealias Workflow = Refresh<Repository, MetadataFolder>

    /// Bytes of a trusted root.
    private static let rootLimit = Limits.standard.root

    private static func end(_ message: String) -> Never {
        let line = Array("tuf-conformance: \(message.visibleLines)\n".utf8)
        _ = unsafe line.withUnsafeBytes { unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
        exit(1)
    }

    private static func run(_ arguments: ConformanceArguments) throws {
        switch arguments.command {
        case .initialise(let path):
            let bytes = try trustedRoot(path)
            // The network is not asked: a repository without an address would refuse.
            try workflow(arguments, Repository(metadata: "")).install(trustedRoot: bytes)
        case .refresh(let url):
            _ = try workflow(arguments, Repository(metadata: url)).run()
        case .download(let url, let base, let folder, let paths):
            let repository = Repository(metadata: url)
            let workflow = try workflow(arguments, repository)
            var trusted = try workflow.run()
            let targets = try TargetFolder(making: folder)
            for name in paths {
                guard let path = TargetPath(name) else { throw NoTargetPath(name: name) }
                guard let file = try workflow.target(at: path, in: &trusted) else {
                    throw NoSuchTarget(path: path)
                }
                let place = Repository.join(base, trusted.urlPath(of: file))
                try targets.fetch(file, from: repository, at: place)
            }
        }
    }

    private static func workflow(
        _ arguments: ConformanceArguments, _ repository: Repository
    ) throws(FileError) -> Workflow {
        Workflow(
            fetcher: repository,
            store: MetadataFolder(try Directory(making: arguments.metadataFolder)),
            start: SystemClock.now(), expiry: .strict)
    }

    private static func trustedRoot(_ path: String) throws(FileError) -> [UInt8] {
        let parts = path.split(separator: "/")
        guard let name = parts.last.flatMap({ TargetPath(String($0)) }) else {
            throw .notFound(.open, path: path)
        }
        let above = parts.dropLast().joined(separator: "/")
        let start = path.hasPrefix("/") ? "/" : "./"
        return try Directory(opening: start + above).read(name, limit: rootLimit)
    }

    private struct NoSuchTarget: Error, CustomStringConvertible {
        let path: TargetPath

        var description: String {
            "cannot find target '\(path)': expected a role of targets that lists it, got none"
        }
    }

    private struct NoTargetPath: Error, CustomStringConvertible {
        let name: String

        var description: String {
            "cannot take target '\(name)': expected \(TargetPath.expected), got another text"
        }
    }

    private static func text(_ error: any Error) -> String {
        guard let error = error as? Workflow.Failure else { return "\(error)" }
        switch error {
        case .refused(let reason):
            return "\(reason)" + "\nhint: \(reason.hint)"
        case .fetching(let reason): return "\(reason)"
        case .storing(let reason): return "\(reason)"
        }
    }

    static func main() {
        let arguments: ConformanceArguments
        do throws(ArgumentError) {
            arguments = try ConformanceArguments(Array(CommandLine.arguments.dropFirst()))
        } catch {
            end("expected its arguments, got \(error.found)\n\n\(ConformanceArguments.usage)")
        }
        do { try run(arguments) } catch { end(text(error)) }
    }
}
