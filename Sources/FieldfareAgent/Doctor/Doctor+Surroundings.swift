import AgentCore
import Cryptography
import Glibc
import PosixFiles
import Primitives
import SlotHost
import Synchronization
import TUF

extension Doctor {
    // MARK: The registry

    /// A poll as the agent makes it, of which nothing is kept.
    func poll(_ folder: Directory?) -> Finding {
        let expected = "a registry whose metadata this device trusts"
        let hint = "see whether 'registry', 'ca_file' and 'model' are right, and the network"
        let held = TargetPath(StateDirectory.metadataName).flatMap {
            try? folder?.directory($0)
        }
        let root = try? TrustedRootFile(path: settings.trustedRoot).read(at: now)
        let cycle = PollCycle(
            fetching: registry,
            store: UnkeptMetadata(over: held.map { MetadataFolder($0) }, root: root),
            cache: NoCache(), stop: Interrupt())
        // Which device it is matters to no document that is fetched.
        let nobody = DeviceID(publicKeyDigest: SHA256.digest(of: []))
        do {
            let material = try cycle.run(
                PollQuestion(
                    model: settings.model, channel: settings.channel, device: nobody,
                    concerned: [], start: now))
            if let missing = material.missing {
                return .bad("registry", expected, missing.description, hint: hint)
            }
            return .good(
                "registry", expected,
                "timestamp of \(material.timestampSigned), good until \(material.timestampExpires)")
        } catch {
            return .bad("registry", expected, "\(error)", hint: hint)
        }
    }

    // MARK: Programs

    /// The smoke program, what keeps it from the network, and the speech runtime.
    func programs(_ folder: Directory?) -> [Finding] {
        var found: [Finding] = []
        let expected = "a smoke program that starts"
        let name = "smoke_program"
        do {
            let run = try SmokeProgram.introduce(settings.smokeProgram, in: "/")
            found.append(
                run.ending == .exited(0)
                    ? .good(name, expected, settings.smokeProgram)
                    : .bad(name, expected, "'\(settings.smokeProgram)' that ended: \(run.ending)"))
            found.append(Self.isolation(run.isolation))
        } catch {
            found.append(
                .bad(
                    name, expected, "'\(settings.smokeProgram)': \(error)", hint: error.hint))
        }
        let library = settings.speechRuntime + "/lib/libsherpa-onnx-c-api.so"
        let runtime = "a speech runtime"
        found.append(
            unsafe access(library, R_OK) == 0
                ? .good("speech_runtime", runtime, settings.speechRuntime)
                : .bad(
                    "speech_runtime", runtime, "no '\(library)' that this user can read",
                    hint: "install it, or name its folder in 'speech_runtime'"))
        return found
    }

    static func isolation(_ granted: NetworkIsolation) -> Finding {
        let expected = "a kernel that keeps a child from the network"
        guard granted.hasNamespace || granted.hasFilter else {
            return .bad(
                "isolation", expected, "\(granted)",
                hint: "let the kernel have seccomp, or user and network namespaces")
        }
        return .good("isolation", expected, "\(granted)")
    }

    // MARK: The socket

    func socket() -> Finding {
        let expected = "an agent's socket, or a folder that it can be made in"
        do throws(AgentClientError) {
            _ = try AgentClient(connecting: settings.socket)
            return .good("socket", expected, "'\(settings.socket)', where an agent listens")
        } catch {
            let (folder, _) = MergedConfiguration.split(settings.socket)
            guard case .unreachable(_, let number) = error,
                [ENOENT, ECONNREFUSED].contains(number),
                unsafe access(folder, W_OK) == 0 || Self.canMake(folder)
            else { return .bad("socket", expected, error.description, hint: error.hint) }
            return .good("socket", expected, "'\(settings.socket)', where no agent listens")
        }
    }

    /// Whether a folder that is missing could be made below one that is there.
    private static func canMake(_ folder: String) -> Bool {
        guard unsafe access(folder, F_OK) != 0, folder != "/" else { return false }
        let (above, _) = MergedConfiguration.split(folder)
        return unsafe access(above, W_OK) == 0
    }
}

/// Trusted metadata to read; what a refresh brings is kept in memory and forgotten.
private final class UnkeptMetadata: MetadataStoring, Sendable {
    private let held: MetadataFolder?
    private let brought: Mutex<[MetadataFileName: [UInt8]?]>

    /// - Parameters:
    ///   - held: what the device trusts; nil where it has not begun.
    ///   - root: what it would begin with.
    init(over held: MetadataFolder?, root: [UInt8]?) {
        self.held = held
        let name = MetadataFileName(.root)
        let isHeld = (try? held?.load(name, limit: Limits.standard.root)) != nil
        brought = Mutex(isHeld ? [:] : [name: root])
    }

    func load(_ name: MetadataFileName, limit: Int) throws(FileError) -> [UInt8]? {
        if let bytes = brought.withLock({ $0[name] }) {
            return bytes.flatMap { $0.count <= limit ? $0 : nil }
        }
        return try held?.load(name, limit: limit)
    }

    func store(_ bytes: [UInt8], as name: MetadataFileName) throws(FileError) {
        brought.withLock { $0[name] = .some(bytes) }
    }

    func remove(_ name: MetadataFileName) throws(FileError) {
        brought.withLock { $0[name] = .some(nil) }
    }
}

/// Keeps nothing.
private struct NoCache: TargetCaching {
    func cached(_ digest: SHA256Digest, limit: Int) -> [UInt8]? { nil }
    func keep(_ bytes: [UInt8], as digest: SHA256Digest) {}
    func retain(only digests: Set<SHA256Digest>) {}
}
