import Primitives
import RegistryCore

extension MemoryRecords: PlaceboStoring {
    func placebos(
        _ model: ModelName, _ channel: ChannelName
    ) throws(RegistryError) -> [PlaceboRecord] {
        try look { state in
            state.placebos.filter { $0.model == model && $0.channel == channel }
                .sorted { $0.cohort < $1.cohort }
        }
    }

    func setPlacebo(_ record: PlaceboRecord) throws(RegistryError) {
        try change { state in
            state.placebos.removeAll {
                $0.model == record.model && $0.channel == record.channel
                    && $0.cohort == record.cohort
            }
            state.placebos.append(record)
        }
    }
}
