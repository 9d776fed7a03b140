package import Primitives

/// Who asks: the token that a request came with, known to the registry and in force.
package struct Principal: Sendable, Hashable {
    package let id: TokenID
    package let name: String
    package let scopes: [Scope]

    package init(id: TokenID, name: String, scopes: [Scope]) {
        self.id = id
        self.name = name
        self.scopes = scopes
    }
}

/// What an action touches, as far as scopes tell it apart.
package enum Reach: Sendable, Hashable {
    /// Something that belongs to no model, or to all: only a scope without a model covers it.
    case registry
    /// One model: a scope of this model, or one without a model.
    case model(ModelName)
    /// Something harmless without a model's signature, such as bytes by their digest: any scope of the verb.
    case anyModel
}

/// The one place that says yes; all that is not allowed here is forbidden.
///
/// - Throws: `.forbidden` with the scope that would have done.
package func authorise(
    _ principal: Principal, _ verb: Scope.Verb, on reach: Reach
) throws(RegistryError) {
    let allowed = principal.scopes.contains { scope in
        guard scope.verb == verb || scope.verb == .admin else { return false }
        return switch reach {
        case .registry: scope.model == nil
        case .model(let model): scope.model == nil || scope.model == model
        case .anyModel: true
        }
    }
    guard allowed else {
        let model: ModelName? = if case .model(let model) = reach { model } else { nil }
        throw .forbidden(needs: Scope(verb, model))
    }
}
