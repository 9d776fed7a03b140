import Primitives
import RegistryCore
import Testing

/// The one function that says yes, as a table: every scope against every need.
struct AuthorisationTests {
    private static let mine = ModelName("commands-en")
    private static let other = ModelName("commands-de")

    private func principal(_ scopes: [String]) throws -> Principal {
        Principal(
            id: .registry, name: "test", scopes: try scopes.map { try #require(Scope($0)) })
    }

    private func allows(_ scopes: [String], _ verb: Scope.Verb, _ reach: Reach) throws -> Bool {
        let principal = try principal(scopes)
        do {
            try authorise(principal, verb, on: reach)
            return true
        } catch {
            guard case .forbidden(let needs) = error else { throw error }
            #expect(needs.verb == verb)
            return false
        }
    }

    @Test(arguments: Scope.Verb.allCases, Scope.Verb.allCases)
    func `a scope allows its own verb and no other, but admin all`(
        held: Scope.Verb, needed: Scope.Verb
    ) throws {
        let mine = try #require(Self.mine)
        let other = try #require(Self.other)
        let isEnough = held == needed || held == .admin
        let name = held.rawValue
        // Without a model: everything of the verb.
        for reach in [Reach.registry, .model(mine), .model(other), .anyModel] {
            #expect(try allows([name], needed, reach) == isEnough)
        }
        // With a model: that model, and what needs no particular one.
        let scoped = ["\(name):\(mine)"]
        #expect(try allows(scoped, needed, .model(mine)) == isEnough)
        #expect(try allows(scoped, needed, .anyModel) == isEnough)
        #expect(try allows(scoped, needed, .model(other)) == false)
        #expect(try allows(scoped, needed, .registry) == false)
    }

    @Test func `nothing is allowed without scopes`() throws {
        let mine = try #require(Self.mine)
        for verb in Scope.Verb.allCases {
            for reach in [Reach.registry, .model(mine), .anyModel] {
                #expect(try allows([], verb, reach) == false)
            }
        }
    }

    @Test func `any of several scopes is enough`() throws {
        let mine = try #require(Self.mine)
        let scopes = ["read", "publish:commands-en"]
        #expect(try allows(scopes, .publish, .model(mine)))
        #expect(try allows(scopes, .read, .registry))
        #expect(try allows(scopes, .sign, .model(mine)) == false)
    }

    @Test(arguments: [
        "", "publish:", ":commands-en", "Publish", "publish:targets", "publish:*", "root",
        "publish:a:b", "publish ",
    ])
    func `refuses a text that is no scope`(text: String) {
        #expect(Scope(text) == nil)
    }

    @Test(arguments: ["publish", "admin", "operate:commands-en"])
    func `a scope is written as it was read`(text: String) throws {
        #expect(try #require(Scope(text)).description == text)
    }
}
