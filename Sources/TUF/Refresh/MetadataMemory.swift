/// Metadata for the length of one process: for commands and for devices that exist in memory only.
package final class MetadataMemory: MetadataStoring {
    private var files: [MetadataFileName: [UInt8]] = [:]

    package init() {}

    package func load(_ name: MetadataFileName, limit: Int) throws(Never) -> [UInt8]? {
        files[name].flatMap { $0.count <= limit ? $0 : nil }
    }

    package func store(_ bytes: [UInt8], as name: MetadataFileName) throws(Never) {
        files[name] = bytes
    }

    package func remove(_ name: MetadataFileName) throws(Never) { files[name] = nil }
}
