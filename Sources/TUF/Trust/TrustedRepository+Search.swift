package import Primitives

/// How a search for a target ended, or what it needs before it can go on.
package enum SearchResult: Sendable, Hashable {
    case found(TargetFile)
    case absent
    /// The metadata of the role at the end of this chain is not loaded.
    case needs(DelegationChain)
}

extension TrustedRepository {
    /// Looks a target up in pre-order, depth first (TUF 1.0.34 section 5.6.7).
    ///
    /// Each role is visited once, by the first way that reaches it; after as many delegated roles as
    /// `Limits.visitedRoles` says the target counts as absent.
    package func search(for path: TargetPath) -> SearchResult {
        var waiting: [DelegationChain] = [.top]
        var visited: Set<RoleName> = []
        while visited.count <= verifier.limits.visitedRoles, let chain = waiting.popLast() {
            guard !visited.contains(chain.role) else { continue }
            guard let metadata = metadata(at: chain) else { return .needs(chain) }
            visited.insert(chain.role)
            if let description = metadata.content.targets[path] {
                return .found(TargetFile(path, description, in: metadata))
            }
            let next = metadata.content.delegations?.search(path) ?? (roles: [], isFinal: false)
            if next.isFinal { waiting = [] }
            waiting.append(contentsOf: next.roles.reversed().map { chain.appending($0) })
        }
        return .absent
    }

    /// The target at a path, or nil where no role lists it.
    ///
    /// - Throws: `TUFError.roleNotLoaded` where that cannot be said yet.
    package func target(at path: TargetPath) throws(TUFError) -> TargetFile? {
        switch search(for: path) {
        case .found(let file): return file
        case .absent: return nil
        case .needs(let chain): throw .roleNotLoaded(chain.role)
        }
    }
}

extension Delegations {
    /// The roles to visit for a path, in order, and whether a terminating one ends the search.
    fileprivate func search(_ path: TargetPath) -> (roles: [RoleName], isFinal: Bool) {
        var names: [RoleName] = []
        for role in roles where role.covers(path) {
            names.append(role.name)
            if role.isTerminating { return (names, true) }
        }
        return (names, false)
    }
}

extension TargetFile {
    fileprivate init(
        _ path: TargetPath, _ description: TargetDescription, in metadata: Trusted<Targets>
    ) {
        self.init(
            path: path, length: description.length, hashes: description.hashes,
            custom: description.custom, role: metadata.role, roleVersion: metadata.version)
    }
}
