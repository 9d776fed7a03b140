import AgentCore
import AgentJournal
import Cryptography
import Glibc
import PosixFiles
import Primitives
import Rollouts
import SlotHost

/// Looks at all that an agent needs on this device, changes none of it, and says what is missing.
///
/// It may run beside the agent: what only the agent may open is then asked of it.
struct Doctor {
    let settings: AgentSettings
    /// A connection to the registry.
    let registry: any Fetching
    let now: UTCTime
    /// In tests, sees every system call made below the state directory.
    var observer: (any SyscallObserving)?

    /// All findings, in the order in which an agent would meet with them.
    func findings() -> [Finding] {
        var found = [authorities(), root()]
        let (folder, finding) = stateDirectory()
        found.append(finding)
        if let folder { found += kept(in: folder) }
        return found + [poll(folder)] + programs(folder) + [socket()]
    }

    // MARK: Settings

    private func authorities() -> Finding {
        let expected = "certificates to trust"
        do { try StartingCheck(settings: settings).authorities() } catch {
            return .bad("ca_file", expected, error.message, hint: error.hint)
        }
        return .good("ca_file", expected, settings.authorities ?? "the system's")
    }

    private func root() -> Finding {
        let expected = "a root of trust, held or in a file"
        do { try StartingCheck(settings: settings).root(at: now) } catch {
            return .bad("trusted_root", expected, error.message, hint: error.hint)
        }
        let isHeld = StateDirectory.holdsRoot(settings.stateDirectory)
        return .good("trusted_root", expected, isHeld ? "held" : settings.trustedRoot)
    }

    // MARK: The state directory

    private func stateDirectory() -> (Directory?, Finding) {
        let name = "state_directory"
        let expected = "a folder of this user's, on a disk with all that slots need"
        let path = settings.stateDirectory
        let folder: Directory
        do { folder = try Directory(opening: path, observer: observer) } catch {
            let hint = "'fieldfare-agent run' makes it, where its user may; see 'state_directory'"
            return (nil, .bad(name, expected, "\(error)", hint: hint))
        }
        var status = stat()
        guard unsafe stat(path, &status) == 0, status.st_uid == geteuid() else {
            return (
                nil,
                .bad(
                    name, expected, "'\(path)' of user \(status.st_uid)",
                    hint: "ask as that user; this is user \(geteuid())")
            )
        }
        guard status.st_mode & 0o022 == 0 else {
            return (
                folder,
                .bad(
                    name, expected, "'\(path)', which others may write",
                    hint: "chmod go-w '\(path)'")
            )
        }
        do { try Self.tryOut(folder) } catch {
            return (
                folder,
                .bad(name, expected, "\(error)", hint: "put it on a local disk with room")
            )
        }
        return (folder, .good(name, expected, path))
    }

    /// Does once what slots need of a disk, in a folder of its own.
    private static func tryOut(_ folder: Directory) throws(FileError) {
        guard let name = TargetPath("doctor.tmp"), let first = TargetPath("a"),
            let second = TargetPath("b")
        else { preconditionFailure("names of ours") }
        try folder.removeTree(name)
        let scratch = try folder.makeFolders(name, mode: .ownerOnly)
        do throws(FileError) {
            try scratch.open(first, .makingNew(.ownerOnly)).reserve(4_096)
            try scratch.place(second, from: scratch, first, by: [.hardLink])
            guard try scratch.tryLock(second, .exclusive) != nil else {
                throw .busy(path: scratch.path)
            }
            try scratch.replaceLink(first, to: second)
        } catch {
            _ = try? folder.removeTree(name)
            throw error
        }
        try folder.removeTree(name)
    }

    // MARK: What lies in it

    private func kept(in folder: Directory) -> [Finding] {
        let state = StateDirectory(opened: folder)
        var found = [key(state)]
        do throws(FileError) {
            if let lock = try state.lock() {
                found += resting(folder)
                _ = consume lock
            } else {
                found += running()
            }
        } catch {
            found.append(.bad("agent.lock", "a lock file of this user's", "\(error)"))
        }
        return found
    }

    private func key(_ state: StateDirectory) -> Finding {
        let expected = "a device key, and the registry's answer to it"
        do throws(AgentError) {
            guard let key = try state.keys.existingKey() else {
                return .bad(
                    "enrolment", expected, "no key", hint: "fieldfare-agent enrol")
            }
            let device = key.deviceID
            let enrolled: DeviceID?
            do { enrolled = try state.enrolledDevice() } catch {
                throw AgentError("enrolment", error)
            }
            guard enrolled == device else {
                return .bad(
                    "enrolment", expected, enrolled.map { "that of device \($0)" } ?? "no answer",
                    hint: "fieldfare-agent enrol")
            }
            return .good("enrolment", expected, "device \(device)")
        } catch {
            return .bad("enrolment", expected, error.message, hint: error.hint)
        }
    }

    /// No agent runs: the journal and the slots are looked at.
    private func resting(_ folder: Directory) -> [Finding] {
        var found: [Finding] = []
        var floor = UTCTime.epoch
        do throws(JournalError) {
            let state = try Journal.examine(in: folder)
            floor = state?.trust.timeFloor ?? floor
            found.append(
                .good("journal", "a journal that can be read", state == nil ? "none yet" : "whole"))
        } catch {
            found.append(
                .bad(
                    "journal", "a journal that can be read", "\(error)",
                    hint:
                        "the agent puts it aside and begins anew; what it refused is then forgotten"
                ))
        }
        found.append(clock(against: floor))
        guard let name = TargetPath("slots"), let slots = try? folder.directory(name) else {
            return found + [.good("slots", "slots that verify", "none yet")]
        }
        return found + examined(SlotReader(slots))
    }

    private func clock(against floor: UTCTime) -> Finding {
        let expected = "a clock not behind what the registry has signed (\(floor))"
        guard now >= floor else {
            return .bad("clock", expected, "\(now)", hint: "see whether the time is synchronised")
        }
        return .good("clock", expected, "\(now)")
    }

    private func examined(_ reader: SlotReader) -> [Finding] {
        do throws(SlotError) {
            let slots = try reader.examine(until: Interrupt())
            let rotten = slots.filter { !$0.isWhole }
            let words = slots.map { "\($0.bundle.version) in slot \($0.slot)" }
            var found: [Finding] = []
            if let first = rotten.first {
                found.append(
                    .bad(
                        "slots", "slots that verify",
                        "damage in slot \(first.slot) (\(first.bundle.version))",
                        hint: "the agent repairs it from the registry"))
            } else if !slots.isEmpty, try reader.active() == nil {
                found.append(
                    .bad(
                        "slots", "an active slot", "none",
                        hint: "see 'fieldfare-agent status' for what the agent makes of it"))
            } else {
                found.append(
                    .good(
                        "slots", "slots that verify",
                        words.isEmpty ? "none yet" : words.joined(separator: ", ")))
            }
            found.append(
                Self.room(for: slots.map(\.length).max() ?? 0, free: try reader.freeBytes()))
            return found
        } catch {
            return [.bad("slots", "slots that can be read", "\(error)")]
        }
    }

    static func room(for needed: Int64, free: Int64) -> Finding {
        let expected = "room for a bundle like the largest here (\(needed) bytes)"
        let got = "\(free) bytes free"
        guard free >= needed else {
            return .bad("room", expected, got, hint: "make room on that disk")
        }
        return .good("room", expected, got)
    }

    /// An agent runs: it is asked.
    private func running() -> [Finding] {
        let expected = "a running agent that answers"
        do {
            return told(by: try AgentClient(connecting: settings.socket).request(["op": "status"]))
        } catch {
            return [.bad("agent", expected, error.description, hint: error.hint)]
        }
    }

    /// What the agent says of itself.
    func told(by status: JSON) -> [Finding] {
        let signed = status["metadata"]?["timestamp_signed"]?.string
        let journal = status["journal_error"]?.string.map {
            Finding.bad(
                "journal", "a journal that can be written", $0, hint: "make room on that disk")
        }
        let model =
            status["cloud_only"] == true
            ? Finding.bad("slots", "a usable model", "none", hint: "fieldfare-agent explain")
            : .good("slots", "a usable model", status["active"]?["version"]?.string ?? "")
        return [
            .good("agent", "a running agent that answers", status["state"]?.string ?? ""),
            journal ?? .good("journal", "a journal that can be written", "written"),
            clock(against: signed.flatMap { UTCTime(iso8601: $0) } ?? .epoch), model,
        ]
    }
}
