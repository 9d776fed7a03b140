import GRDB
import Primitives
import RegistryCore

extension DatabaseRecords: RolloutStoring {
    func rollout(
        _ model: ModelName, _ channel: ChannelName
    ) throws(RegistryError) -> RolloutRecord? {
        try row(
            "SELECT record FROM rollout WHERE model = ? AND channel = ?",
            [model.description, channel.description]
        ) { (row) throws(RegistryError) in try row.json("record", RolloutRecord.init(reading:)) }
    }

    func rollouts() throws(RegistryError) -> [RolloutRecord] {
        try rows("SELECT record FROM rollout ORDER BY model, channel") {
            (row) throws(RegistryError) in
            try row.json("record", RolloutRecord.init(reading:))
        }
    }

    func rollouts(of model: ModelName) throws(RegistryError) -> [RolloutRecord] {
        try rows(
            "SELECT record FROM rollout WHERE model = ? ORDER BY channel", [model.description]
        ) { (row) throws(RegistryError) in
            try row.json("record", RolloutRecord.init(reading:))
        }
    }

    func rolloutLines() throws(RegistryError) -> [RolloutLine] {
        try rows("SELECT model, channel FROM rollout ORDER BY model, channel") {
            (row) throws(RegistryError) in
            RolloutLine(
                model: try row.parse("model") { (text: String) in ModelName(text) },
                channel: try row.parse("channel") { (text: String) in ChannelName(text) })
        }
    }

    func setRollout(_ record: RolloutRecord) throws(RegistryError) {
        try execute(
            "INSERT OR REPLACE INTO rollout (model, channel, record) VALUES (?, ?, ?)",
            [record.model.description, record.channel.description, record.json.canonicalText])
    }
}
