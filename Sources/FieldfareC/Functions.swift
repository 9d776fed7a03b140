// The functions of fieldfare.h, where their documentation is; the compiler compares them with it, names included.
// swift-format-ignore-file: AlwaysUseLowerCamelCase, AllPublicDeclarationsHaveDocumentation

public import CFieldfare
import FieldfareAgent

private let version = CText(Agent.version)
private let nothing = CText("")

@c @implementation
public func fieldfare_version() -> UnsafePointer<CChar>? { unsafe version.reading }

// MARK: Connections

@c @implementation
public func fieldfare_connect(
    _ socket: UnsafePointer<CChar>?, _ timeout_ms: Int32,
    _ connection: UnsafeMutablePointer<OpaquePointer?>?
) -> fieldfare_code {
    guard let connection = unsafe connection else {
        return refusing("connection: expected a place for one, got NULL")
    }
    unsafe connection.pointee = nil
    return crossing(unsafe String(fromC: socket), "socket") { socket throws(AgentError) in
        let made = try AgentConnection(socket: socket, timeoutMilliseconds: Int(timeout_ms))
        unsafe connection.pointee = unsafe Handle.make(ConnectionBox(made))
        return FIELDFARE_OK
    }
}

@c @implementation
public func fieldfare_disconnect(_ connection: OpaquePointer?) {
    unsafe Handle.end(connection, of: ConnectionBox.self)
}

@c @implementation
public func fieldfare_descriptor(_ connection: OpaquePointer?) -> Int32 {
    let box: ConnectionBox? = unsafe Handle.object(connection)
    return box?.connection.descriptor ?? -1
}

/// Does something with a connection.
private func with(
    _ connection: OpaquePointer?, _ work: (ConnectionBox) throws(AgentError) -> fieldfare_code
) -> fieldfare_code {
    crossing(unsafe Handle.object(connection), "connection", work)
}

// MARK: Leases

/// Hands a lease over to C, or says that there is none.
private func give(
    _ lease: ModelLease?, _ place: UnsafeMutablePointer<OpaquePointer?>
) throws(AgentError) -> fieldfare_code {
    guard let lease else { return FIELDFARE_CLOUD_ONLY }
    unsafe place.pointee = unsafe Handle.make(LeaseBox(lease))
    return FIELDFARE_OK
}

@c @implementation
public func fieldfare_lease_model(
    _ connection: OpaquePointer?, _ application: UnsafePointer<CChar>?,
    _ lease: UnsafeMutablePointer<OpaquePointer?>?
) -> fieldfare_code {
    guard let lease = unsafe lease else {
        return refusing("lease: expected a place for one, got NULL")
    }
    unsafe lease.pointee = nil
    guard let application = unsafe String(fromC: application) else {
        return refusing("application: expected a name, got NULL")
    }
    return unsafe with(connection) { box throws(AgentError) in
        unsafe try give(try box.connection.lease(as: application), lease)
    }
}

@c @implementation
public func fieldfare_lease_direct(
    _ slots_folder: UnsafePointer<CChar>?, _ lease: UnsafeMutablePointer<OpaquePointer?>?
) -> fieldfare_code {
    guard let lease = unsafe lease else {
        return refusing("lease: expected a place for one, got NULL")
    }
    unsafe lease.pointee = nil
    return crossing(unsafe String(fromC: slots_folder), "slots folder") {
        folder throws(AgentError) in
        unsafe try give(try ModelLease.direct(in: folder), lease)
    }
}

@c @implementation
public func fieldfare_lease_end(_ lease: OpaquePointer?) {
    unsafe Handle.end(lease, of: LeaseBox.self)
}

/// A text of a lease; "" for NULL.
private func text(
    _ lease: OpaquePointer?, _ text: (LeaseBox) -> CText
) -> UnsafePointer<CChar>? {
    let box: LeaseBox? = unsafe Handle.object(lease)
    return unsafe (box.map(text) ?? nothing).reading
}

@c @implementation
public func fieldfare_lease_path(_ lease: OpaquePointer?) -> UnsafePointer<CChar>? {
    unsafe text(lease, \.path)
}

@c @implementation
public func fieldfare_lease_version(_ lease: OpaquePointer?) -> UnsafePointer<CChar>? {
    unsafe text(lease, \.version)
}

@c @implementation
public func fieldfare_lease_slot(_ lease: OpaquePointer?) -> UnsafePointer<CChar>? {
    unsafe text(lease, \.slot)
}

@c @implementation
public func fieldfare_lease_manifest_sha256(_ lease: OpaquePointer?) -> UnsafePointer<CChar>? {
    unsafe text(lease, \.manifestSHA256)
}

@c @implementation
public func fieldfare_lease_deadline_s(_ lease: OpaquePointer?) -> Int64 {
    let box: LeaseBox? = unsafe Handle.object(lease)
    return box?.lease.deadlineSeconds.map { Int64($0) } ?? -1
}

@c @implementation
public func fieldfare_acknowledge(
    _ connection: OpaquePointer?, _ lease: OpaquePointer?
) -> fieldfare_code {
    guard let lease: LeaseBox = unsafe Handle.object(lease) else {
        return refusing("lease: expected one, got NULL")
    }
    return unsafe with(connection) { box throws(AgentError) in
        try box.connection.acknowledge(lease.lease)
        return FIELDFARE_OK
    }
}

// MARK: Turns and events

@c @implementation
public func fieldfare_record(
    _ connection: OpaquePointer?, _ version: UnsafePointer<CChar>?,
    _ turns: UnsafePointer<fieldfare_turn>?, _ count: Int
) -> fieldfare_code {
    guard let version = unsafe String(fromC: version) else {
        return refusing("version: expected one, got NULL")
    }
    let size = unsafe MemoryLayout<fieldfare_turn>.size
    var read: [Turn] = []
    for index in 0..<max(0, count) {
        guard let turn = unsafe turns?[index] else {
            return refusing("turns: expected \(count), got NULL")
        }
        guard unsafe turn.size == size else {
            return unsafe refusing("turn: expected a struct of \(size) bytes, got \(turn.size)")
        }
        unsafe read.append(Turn(turn))
    }
    return unsafe with(connection) { box throws(AgentError) in
        try box.connection.record(read, of: version)
        return FIELDFARE_OK
    }
}

@c @implementation
public func fieldfare_watch(_ connection: OpaquePointer?) -> fieldfare_code {
    unsafe with(connection) { box throws(AgentError) in
        try box.connection.watch()
        return FIELDFARE_OK
    }
}

@c @implementation
public func fieldfare_next_event(
    _ connection: OpaquePointer?, _ wait_ms: Int32, _ event: UnsafeMutablePointer<fieldfare_event>?
) -> fieldfare_code {
    let size = unsafe MemoryLayout<fieldfare_event>.size
    guard let event = unsafe event, unsafe event.pointee.size == size else {
        return refusing("event: expected a struct that begins with its \(size) bytes")
    }
    return unsafe with(connection) { box throws(AgentError) in
        let next = try box.connection.nextEvent(waitingMilliseconds: Int(wait_ms))
        guard let next else { return FIELDFARE_NOTHING }
        unsafe event.pointee = unsafe box.fill(next)
        return FIELDFARE_OK
    }
}

// MARK: State and orders

@c @implementation
public func fieldfare_get_state(
    _ connection: OpaquePointer?, _ state: UnsafeMutablePointer<fieldfare_state>?
) -> fieldfare_code {
    let size = unsafe MemoryLayout<fieldfare_state>.size
    guard let state = unsafe state, unsafe state.pointee.size == size else {
        return refusing("state: expected a struct that begins with its \(size) bytes")
    }
    return unsafe with(connection) { box throws(AgentError) in
        unsafe state.pointee = unsafe box.fill(try box.connection.state())
        return FIELDFARE_OK
    }
}

@c @implementation
public func fieldfare_roll_back(_ connection: OpaquePointer?) -> fieldfare_code {
    unsafe with(connection) { box throws(AgentError) in
        try box.connection.rollBack()
        return FIELDFARE_OK
    }
}

@c @implementation
public func fieldfare_hold(_ connection: OpaquePointer?) -> fieldfare_code {
    unsafe with(connection) { box throws(AgentError) in
        try box.connection.hold()
        return FIELDFARE_OK
    }
}

@c @implementation
public func fieldfare_unhold(_ connection: OpaquePointer?) -> fieldfare_code {
    unsafe with(connection) { box throws(AgentError) in
        try box.connection.unhold()
        return FIELDFARE_OK
    }
}

// MARK: An agent inside the process

@c @implementation
public func fieldfare_agent_open(
    _ configuration: UnsafePointer<CChar>?, _ agent: UnsafeMutablePointer<OpaquePointer?>?
) -> fieldfare_code {
    guard let agent = unsafe agent else {
        return refusing("agent: expected a place for one, got NULL")
    }
    unsafe agent.pointee = nil
    return crossing(unsafe String(fromC: configuration), "configuration") {
        path throws(AgentError) in
        unsafe agent.pointee = unsafe Handle.make(try Agent(configuration: path))
        return FIELDFARE_OK
    }
}

@c @implementation
public func fieldfare_agent_run(_ agent: OpaquePointer?) -> fieldfare_code {
    let agent: Agent? = unsafe Handle.object(agent)
    return crossing(agent, "agent") { agent throws(AgentError) in
        try agent.run()
        return FIELDFARE_OK
    }
}

@c @implementation
public func fieldfare_agent_stop(_ agent: OpaquePointer?) {
    let agent: Agent? = unsafe Handle.object(agent)
    agent?.stop()
}

@c @implementation
public func fieldfare_agent_close(_ agent: OpaquePointer?) {
    unsafe Handle.end(agent, of: Agent.self)
}
