/// The `ETag` of a file: its SHA-256, quoted; equal tags are equal bytes (RFC 9110 section 8.8.3).
enum EntityTag {
    /// Whether `If-None-Match` names the tag, weak or strong, or says `*`.
    ///
    /// Proxies that compress make a strong tag weak; section 13.1.2 compares them as equal here.
    static func isHeld(_ tag: String, by header: String?) -> Bool {
        guard let header else { return false }
        if header == tag { return true }
        return header.split(separator: ",").contains { item in
            var item = item.drop { $0 == " " || $0 == "\t" }
            while let last = item.last, last == " " || last == "\t" { item.removeLast() }
            return item == "*" || item == tag || item == "W/\(tag)"
        }
    }
}
