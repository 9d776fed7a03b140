import TUF

/// Metadata for the length of one command.
final class MetadataMemory: TUF.MetadataStoring {
    private var files: [MetadataFileName: [UInt8]] = [:]

    func load(_ name: MetadataFileName, limit: Int) throws(Never) -> [UInt8]? {
        files[name].flatMap { $0.count <= limit ? $0 : nil }
    }

    func store(_ bytes: [UInt8], as name: MetadataFileName) throws(Never) { files[name] = bytes }
    func remove(_ name: MetadataFileName) throws(Never) { files[name] = nil }
}
