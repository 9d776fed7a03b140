/// Where metadata comes from: one small verb.
package protocol MetadataFetching {
    associatedtype Failure: Error & Sendable

    /// The bytes of a metadata file, or nil where the repository does not have it.
    ///
    /// - Parameters:
    ///   - name: to be appended to the repository's URL as it stands.
    ///   - limit: bytes. Reads no more than one byte beyond it, and throws when there are more.
    /// - Returns: the bytes, or nil.
    /// - Throws: when the answer is neither the file nor a plain "there is none": only the latter may
    ///   end the root chain.
    func fetch(_ name: MetadataFileName, limit: Int) throws(Failure) -> [UInt8]?
}
