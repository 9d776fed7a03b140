package import Primitives

/// Who did what an audit record tells.
package enum Actor: Sendable, Hashable {
    /// The bearer of a token.
    case token(TokenID, name: String)
    /// A device, by its signature.
    case device(DeviceID)
    /// The controller, by itself.
    case controller
    /// The registry, by itself or from its own command line.
    case registry

    /// The bearer, or the registry where there is none.
    package init(_ principal: Principal?) {
        self = principal.map { .token($0.id, name: $0.name) } ?? .registry
    }

    package var json: JSON {
        switch self {
        case .token(let id, let name):
            ["kind": "token", "id": .string(id.description), "name": .string(name)]
        case .device(let id): ["kind": "device", "id": .string(id.description)]
        case .controller: ["kind": "controller"]
        case .registry: ["kind": "registry"]
        }
    }
}
