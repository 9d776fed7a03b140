/// Where trusted metadata is kept between refreshes, byte for byte, by file name.
///
/// One refresh at a time uses a store. A call is durable when it returns, and a kill leaves the old or
/// the new bytes of a file, never a mix; the order of the calls is `Refresh`'s, and good at any cut.
package protocol MetadataStoring {
    associatedtype Failure: Error & Sendable

    /// The bytes of a file, or nil where there is none, or one longer than `limit` bytes.
    func load(_ name: MetadataFileName, limit: Int) throws(Failure) -> [UInt8]?

    /// Puts the bytes in the place of the file.
    func store(_ bytes: [UInt8], as name: MetadataFileName) throws(Failure)

    /// Removes the file; no error where there is none.
    func remove(_ name: MetadataFileName) throws(Failure)
}
