import Primitives
import RegistryCore

extension MemoryRecords: PinStoring {
    func pins(
        _ model: ModelName, _ channel: ChannelName
    ) throws(RegistryError) -> [PinRecord] {
        try look { state in
            state.pins.filter { $0.model == model && $0.channel == channel }
                .sorted { $0.device < $1.device }
        }
    }

    func setPin(_ record: PinRecord) throws(RegistryError) {
        try change { state in
            state.pins.removeAll {
                $0.device == record.device && $0.model == record.model
                    && $0.channel == record.channel
            }
            state.pins.append(record)
        }
    }

    func dropPin(
        of device: DeviceID, _ model: ModelName, _ channel: ChannelName
    ) throws(RegistryError) -> Bool {
        try change { state in
            let before = state.pins.count
            state.pins.removeAll {
                $0.device == device && $0.model == model && $0.channel == channel
            }
            return state.pins.count < before
        }
    }
}
