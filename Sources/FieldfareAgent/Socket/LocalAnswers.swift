import AgentCore
import AgentJournal
import Glibc
import Primitives
import Rollouts
import SlotHost

/// What the agent answers at its local socket (docs/protocol.md, "The agent's local socket").
struct LocalAnswers {
    let driver: AgentDriver<Journal>
    let slots: SlotFolder
    let clock: () -> UTCTime
    private let processes = RunningProcess()

    init(
        driver: AgentDriver<Journal>, slots: SlotFolder, clock: @escaping () -> UTCTime
    ) {
        self.driver = driver
        self.slots = slots
        self.clock = clock
    }

    /// Acts on one line, and sends the answer.
    func answer(_ line: [UInt8], on connection: LocalConnection) {
        do throws(AgentError) {
            let request = try LocalRequest(parsing: line)
            try answer(request, on: connection)
        } catch {
            let answer: JSON = [
                "ok": false, "code": .string(error.code.rawValue), "detail": .string(error.message),
            ]
            connection.send(answer.bytes)
        }
    }

    private func answer(
        _ request: LocalRequest, on connection: LocalConnection
    ) throws(AgentError) {
        let now = clock()
        switch request {
        case .status:
            connection.send(AgentStatus(of: driver, slots: try? slots.survey()).json.bytes)
        case .explain:
            connection.send(AgentStatus.explanation(of: driver).bytes)
        case .lease(let application):
            try lease(as: application, on: connection, at: now)
        case .acknowledge(let version):
            try Self.require(version, lentTo: connection)
            driver.acknowledge(version, at: now)
            done(connection)
        case .turns(let turns):
            driver.record(turns, at: now)
            done(connection)
        case .watch(let subscription):
            connection.subscription = subscription
            done(connection)
            connection.tell(.model(driver.machine.memory.slots.activeBundle?.version))
            connection.tell(.state(driver.machine.memory.state.name))
            for event in releases() { connection.tell(event) }
        case .check:
            try Self.require(operator: connection.peer, for: "check")
            driver.check(at: now)
            done(connection)
        case .order(let order):
            try Self.require(operator: connection.peer, for: order.rawValue)
            try obey(order, at: now)
            done(connection)
        }
    }

    /// The slots that an application still holds though they are not active.
    func releases() -> [LocalEvent] {
        // Who cannot look has nothing to tell; the next attempt meets the same trouble, and says so.
        guard let left = try? slots.leftBehind() else { return [] }
        return left.map { .release($0.slot, seconds: $0.seconds) }
    }

    private func done(_ connection: LocalConnection) {
        connection.send(JSON.object(["ok": true]).bytes)
    }

    /// Orders are for root and for the agent's own user; the socket's mode says who else may connect.
    private static func require(
        operator peer: LocalConnection.Peer, for operation: String
    ) throws(AgentError) {
        guard peer.user == 0 || peer.user == geteuid() else {
            throw AgentError(
                .forbidden,
                "\(operation): expected root or user \(geteuid()), got user \(peer.user)")
        }
    }

    /// An application serves what it leased, and what it leased last.
    private static func require(
        _ version: SemanticVersion, lentTo connection: LocalConnection
    ) throws(AgentError) {
        guard connection.lent != version else { return }
        let lent = connection.lent.map { "version \($0), leased last on this connection" }
        throw AgentError(
            .refused,
            "acknowledge: expected \(lent ?? "a lease on this connection before"), got \(version)")
    }

    private func obey(_ order: LocalOrder, at now: UTCTime) throws(AgentError) {
        if order == .rollback, !driver.machine.canRollBack {
            throw AgentError(.refused, "rollback: expected a version to go back to, got none")
        }
        driver.handle(.ordered(order), at: now)
        if let error = driver.journalError {
            throw AgentError(
                .storage,
                "\(order.rawValue): cannot write the journal; done as soon as that is possible: \(error)"
            )
        }
    }

    private func lease(
        as application: String, on connection: LocalConnection, at now: UTCTime
    ) throws(AgentError) {
        if let process = processes.identity(of: connection.peer.process, as: application) {
            driver.leased(by: process, at: now, isRunning: processes.isRunning)
        }
        let lease: SlotLease?
        do { lease = try slots.lease() } catch { throw AgentError(.storage, "lease: \(error)") }
        guard let lease else {
            throw AgentError(.cloudOnly, "lease: expected a usable model, got none on this device")
        }
        let answer: JSON = [
            "ok": true, "type": "lease", "slot": .string(lease.slot.rawValue),
            "path": .string(lease.path), "version": .string(lease.bundle.version.description),
            "manifest_sha256": .string(lease.bundle.sha256.hex),
            "deadline_s": .integer(slots.leaseDeadline),
        ]
        connection.lent = lease.bundle.version
        connection.send(answer.bytes, with: lease)
    }
}
