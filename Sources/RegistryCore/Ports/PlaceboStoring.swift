package import Primitives

/// What the placebo showed, by channel and cohort; part of a transaction (`RegistryStoring`).
package protocol PlaceboStoring {
    /// The newest trial of each cohort, by cohort.
    func placebos(
        _ model: ModelName, _ channel: ChannelName
    ) throws(RegistryError) -> [PlaceboRecord]

    /// Puts a trial in the place of the cohort's last one.
    func setPlacebo(_ record: PlaceboRecord) throws(RegistryError)
}
