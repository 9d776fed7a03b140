package import FleetSimulation
package import Primitives
import Rollouts
import TUF

extension PublishedLine {
    /// What devices that follow a channel see in the live metadata.
    package init(
        _ model: ModelName, _ channel: ChannelName, in records: any RegistryRecords,
        blobs: any BlobStoring
    ) throws(RegistryError) {
        var shelf = try ModelShelf(model, in: records, blobs: blobs)
        let plan = try PlanPublisher.published(model, channel, in: records, blobs: blobs)
        for bundle in [plan?.candidate, plan?.baseline].compactMap(\.self) {
            _ = try shelf.manifest(bundle)
        }
        self.init(
            model: model, channel: channel, listing: shelf.listing, plan: plan,
            planVersion: try records.live(.plans(model))?.version.number ?? 0)
    }
}
