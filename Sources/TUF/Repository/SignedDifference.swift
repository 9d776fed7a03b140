package import Primitives

/// All that a new version of a role's metadata changes, line by line: what a person is shown before signing it.
///
/// It compares the whole of `signed`, whatever we know of it, so that nothing can be signed unseen: an unknown field, the
/// order of delegations, another key under a known id. What strangers have written is shown as `String.visible`.
package struct SignedDifference: Sendable, Hashable {
    /// `+` for what is added, `-` for what is gone, `~` for what is another; versions and ends first.
    package let lines: [String]

    /// - Parameters:
    ///   - old: `signed` of the version before; nil where there is none, and all is added.
    ///   - new: `signed` of the version to be signed.
    package init(from old: JSON?, to new: JSON) {
        var lines = [
            "version \(Self.step("version", old, new)), expires \(Self.step("expires", old, new))"
        ]
        let before = old?.object ?? [:]
        let after = new.object ?? [:]
        for key in Self.keys(before, after) where key != "version" && key != "expires" {
            lines += Self.part(key, before[key], after[key])
        }
        self.lines = lines
    }

    private static func step(_ key: String, _ old: JSON?, _ new: JSON) -> String {
        let (before, after) = (old?[key].map(word) ?? "none", new[key].map(word) ?? "none")
        return before == after ? after : "\(before) -> \(after)"
    }

    private static func part(_ key: String, _ old: JSON?, _ new: JSON?) -> [String] {
        let lines = entries(key, old, new)
        // An empty table and none have no entry to tell them apart.
        let isSeen = !lines.isEmpty || old?.canonicalBytes == new?.canonicalBytes
        return isSeen ? lines : changes(key.visible, old, new)
    }

    /// The tables of the specification by the names of what is in them, anything else by its own.
    private static func entries(_ key: String, _ old: JSON?, _ new: JSON?) -> [String] {
        switch key {
        case "targets", "keys", "roles": return entries(of: String(key.dropLast()), old, new)
        case "delegations" where old?.object != nil || new?.object != nil:
            return keys(old?.object ?? [:], new?.object ?? [:]).flatMap {
                part($0, old?[$0], new?[$0])
            }
        default: return changes(key.visible, old, new)
        }
    }

    private static func entries(
        of kind: String, _ old: JSON?, _ new: JSON?
    ) -> [String] {
        let (before, after) = (table(old), table(new))
        guard let before, let after else { return changes("\(kind)s", old, new) }
        var lines: [String] = []
        for name in Set(before.names.map(Name.init)).union(after.names.map(Name.init)).sorted() {
            lines += changes(
                "\(kind) \(name.description.visible)", before.fields[name.description],
                after.fields[name.description])
        }
        let isOrdered = before.isOrdered || after.isOrdered
        return isOrdered ? lines + order(kind, before.names, after.names) : lines
    }

    private struct Name: ExactText {
        let description: String
    }

    /// The entries of an object, or of an array of objects that each have a name of their own; nil for anything else.
    private static func table(
        _ json: JSON?
    ) -> (names: [String], fields: JSONObject, isOrdered: Bool)? {
        switch json {
        case nil: return ([], [:], false)
        case .object(let fields): return (fields.keys, fields, false)
        case .array(let elements):
            var names: [String] = []
            var fields = JSONObject()
            for element in elements {
                guard let name = element["name"]?.string, fields.insert(element, at: name) else {
                    return nil
                }
                names.append(name)
            }
            return (names, fields, true)
        default: return nil
        }
    }

    /// Says where order means something and is not the old one with what is new behind it.
    private static func order(_ kind: String, _ old: [String], _ new: [String]) -> [String] {
        let (before, after) = (old.map(Name.init), new.map(Name.init))
        let kept = before.filter(Set(after).contains)
        let added = after.filter { !Set(before).contains($0) }
        guard after != kept + added else { return [] }
        return ["~ order of \(kind)s: \(new.map(\.visible).joined(separator: ", "))"]
    }

    private static func changes(_ thing: String, _ old: JSON?, _ new: JSON?) -> [String] {
        guard old != new || old?.canonicalBytes != new?.canonicalBytes else { return [] }
        switch (old, new) {
        case (nil, let new?): return ["+ \(thing): \(word(new))"]
        case (let old?, nil): return ["- \(thing): \(word(old))"]
        case (.object(let before)?, .object(let after)?):
            return keys(before, after).flatMap {
                changes("\(thing), \($0.visible)", before[$0], after[$0])
            }
        case (.array(let before)?, .array(let after)?):
            guard let before = texts(before), let after = texts(after) else { break }
            let gone = before.filter { !after.contains($0) }.map {
                "- \(thing): \($0.description.visible)"
            }
            let added = after.filter { !before.contains($0) }.map {
                "+ \(thing): \($0.description.visible)"
            }
            let isMoved = before.filter(after.contains) != after.filter(before.contains)
            guard isMoved || !(gone + added).isEmpty else { break }
            let order = after.map(\.description.visible).joined(separator: ", ")
            return gone + added + (isMoved ? ["~ \(thing), order: \(order)"] : [])
        default: break
        }
        return ["~ \(thing): \(old.map(word) ?? "none") -> \(new.map(word) ?? "none")"]
    }

    /// The elements of a list of texts, each there once; nil for any other.
    private static func texts(_ elements: [JSON]) -> [Name]? {
        let texts = elements.compactMap(\.string).map(Name.init)
        return texts.count == elements.count && Set(texts).count == texts.count ? texts : nil
    }

    private static func keys(_ before: JSONObject, _ after: JSONObject) -> [String] {
        Set(before.keys.map(Name.init)).union(after.keys.map(Name.init)).sorted()
            .map(\.description)
    }

    /// A value in one line: a text as it is, what a target says in words where that is all it says, else JSON.
    private static func word(_ json: JSON) -> String {
        if let text = json.string { return text.visible }
        if let fields = json.object, fields.count == 2, let length = json["length"]?.integer,
            let hashes = json["hashes"]?.object, hashes.count == 1,
            let sha256 = hashes["sha256"]?.string
        {
            return "\(length) bytes, sha256 \(sha256.visible)"
        }
        return json.text.visible
    }
}
