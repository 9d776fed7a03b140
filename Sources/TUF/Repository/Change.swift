/// A thing before and after: added where there is no `old`, removed where there is no `new`.
package struct Change<Name: Sendable & Hashable, Value: Sendable & Hashable>: Sendable, Hashable {
    package let name: Name
    package let old: Value?
    package let new: Value?

    package var isAddition: Bool { old == nil }
    package var isRemoval: Bool { new == nil }

    /// What differs between two tables, in order of the names.
    static func between(
        _ old: [Name: Value], _ new: [Name: Value]
    ) -> [Change] where Name: Comparable {
        Set(old.keys).union(new.keys).sorted().compactMap { name in
            old[name] == new[name] ? nil : Change(name: name, old: old[name], new: new[name])
        }
    }
}
