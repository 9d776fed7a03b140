import FieldfareAgent

/// The example of docs/agent.md, "In an application", as an outsider would compile it.
final class VoiceExample {
    var loaded: [String] = []

    func load(_ folder: String) throws { loaded.append(folder) }

    // docs/agent.md:
    func serve(_ socket: String, _ slots: String) throws -> ModelLease? {
        guard let agent = try? AgentConnection(socket: socket) else {
            return try ModelLease.direct(in: slots)  // the agent is being updated
        }
        var held: ModelLease?
        try agent.watch()
        while let event = try agent.nextEvent(waitingMilliseconds: 100) {
            guard case .model(let version) = event, version != held?.version else { continue }
            guard let lease = try agent.lease(as: "assistant") else { break }  // cloud_only
            try load(lease.path)
            try agent.acknowledge(lease)
            held = lease  // and only now the old one is let go of
            var turn = Turn(latencyMicroseconds: 412_000, cpuMicroseconds: 15_300)
            turn.confidence = 921
            try agent.record([turn], of: lease.version)
        }
        return held
    }
    // (end)
}
