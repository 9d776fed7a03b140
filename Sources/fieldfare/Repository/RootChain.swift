import Console
import Primitives
import TUF

/// Roots that follow from one another, each judged as a device judges it, expired or not.
///
/// Who renews expired metadata must be able to read it. Whether the first root is the right one is for the caller to see.
struct RootChain {
    /// The newest version of a chain that a device follows in one refresh from the first.
    static let most = Int64(Limits.standard.rootRotations) + 1

    static var tooLong: Failure {
        Failure(.refused, "root: expected at most \(most) versions, got more")
    }

    /// Never empty, oldest first.
    let roots: [Trusted<Root>]

    /// - Parameters:
    ///   - first: the file of the root that the chain begins with.
    ///   - next: the file of a version; nil after the last.
    /// - Throws: `Failure` `refused` for a root that does not follow, and what `next` throws.
    init(
        from first: [UInt8], next: (MetadataVersion) throws(Failure) -> [UInt8]?
    ) throws(Failure) {
        let verifier = Verifier(start: .epoch)
        var roots = [try Self.judge { () throws(TUFError) in try verifier.initialRoot(first) }]
        while let held = roots.last, let bytes = try next(held.version.next) {
            guard roots.count < Self.most else { throw Self.tooLong }
            roots.append(
                try Self.judge { () throws(TUFError) in try verifier.root(bytes, after: held) })
        }
        self.roots = roots
    }

    /// Whether targets have the signatures that a root of the chain asks for.
    ///
    /// Not only the newest: it may have come before its targets.
    func verifies(targets: StagedRole) -> Bool {
        roots.contains { targets.progress(towards: $0.content.verifiers(of: .targets)).isComplete }
    }

    private static func judge(
        _ step: () throws(TUFError) -> Trusted<Root>
    ) throws(Failure) -> Trusted<Root> {
        do { return try step() } catch { throw Failure(.refused, "root: \(error)") }
    }
}
