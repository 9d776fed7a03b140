import Primitives
import TestSupport
import Testing

@testable import Rollouts

/// The JSON Schemas say what the readers do: every field, every limit, every word.
struct SchemaTests {
    /// A policy with every optional field.
    static var policy: JSON {
        var policy = World().policy
        policy.gates[0].absolute = 900
        policy.download.meteredBudget.bytes = 1 << 20
        policy.download.unmeteredBudget.bytes = 1 << 30
        policy.excludable = [.cohort]
        policy.stages[0].where = Where(
            regions: [name("eu")], deviceClasses: [name("hub")], labels: [name("office")],
            locales: [name("en-GB")])
        policy.gates[2].absolute = 20
        policy.gates[3].absolute = 200
        policy.gates[4].absolute = 200
        return policy.json
    }

    static var plan: JSON {
        var world = World()
        world.rollBack()
        world.pin("1.3.0")
        let cohort = world.device.attributes.cohort
        world.plan.stages[0].shares = [cohort: basisPoints(250)]
        world.plan.stages[1].shares = [cohort: basisPoints(1_250)]
        world.plan.holdBack = [cohort: basisPoints(900)]
        world.plan.excluded = [.cohort(cohort), .deviceClass(name("car")), .locale(name("en-GB"))]
        world.plan.paused = [.region(name("us"))]
        world.plan.freezeWindows = [made(FreezeWindow(from: 1, until: 2))]
        return world.plan.json
    }

    @Test func `the policy's schema and reader agree`() throws {
        try agree("policy", Self.policy) { _ = try Policy(reading: $0) }
    }

    @Test func `the plan's schema and reader agree`() throws {
        try agree("plan", Self.plan) { _ = try Plan(reading: $0) }
    }

    private func agree(
        _ name: String, _ document: JSON, _ read: @escaping (JSON) throws -> Void
    ) throws {
        let bytes = try projectFile("manifests/schemas/\(name).schema.json")
        let schema = try JSON(parsing: bytes, limit: 1 << 20)
        #expect(throws: Never.self) { try read(document) }
        var walk = SchemaWalk(root: schema, document: document, read: read)
        walk.visit(schema, document, [])
        #expect(walk.disagreements == [])
        #expect(walk.checks > 100)
        let named = walk.properties(of: schema, below: "")
        #expect(named.subtracting(walk.seen) == [], "not in the sample")
    }

    @Test func `a real policy and plan stay below eight kilobytes together`() throws {
        var world = World()
        let cohorts = (0..<30).map { made(Cohort("region-\($0 / 5)/device-class-\($0 % 5)")) }
        let shares = Dictionary(cohorts.map { ($0, basisPoints(2_345)) }) { first, _ in first }
        world.moveToLastStage()
        world.plan.stages[0].shares = shares
        world.plan.stages[1].shares = shares
        let size =
            world.policy.json.canonicalBytes.count + world.plan.json.canonicalBytes.count
        #expect(size < 8_000)
    }
}

/// Walks a schema and a document side by side, changes the document at each place, and asks the reader.
private struct SchemaWalk {
    enum Key: Hashable {
        case field(String)
        case index(Int)
    }

    let root: JSON
    let document: JSON
    let read: (JSON) throws -> Void
    private(set) var disagreements: [String] = []
    private(set) var seen: Set<String> = []
    private(set) var checks = 0

    init(root: JSON, document: JSON, read: @escaping (JSON) throws -> Void) {
        self.root = root
        self.document = document
        self.read = read
    }

    mutating func visit(_ schema: JSON, _ value: JSON, _ path: [Key]) {
        let schema = chosen(resolved(schema), for: value)
        if let words = schema["enum"]?.array {
            for word in words { expect(true, path, word, "the word \(word.text)") }
            expect(false, path, "no-such-word", "another word")
        }
        switch value {
        case .object(let fields): visit(schema, fields: fields, path)
        case .array(let elements): visit(schema, elements: elements, path)
        case .integer:
            guard let low = schema["minimum"]?.integer, let high = schema["maximum"]?.integer
            else { return disagreements.append("\(path): no range in the schema") }
            for (number, isRight) in [
                (low, true), (high, true), (low - 1, false), (high + 1, false),
            ] {
                expect(isRight, path, .integer(number), "\(number)")
            }
            expect(false, path, "1", "a string")
        case .string: expect(false, path, 1, "an integer")
        case .bool: expect(false, path, 1, "an integer")
        case .null: disagreements.append("\(path): null in the sample")
        }
    }

    private mutating func visit(_ schema: JSON, fields: JSONObject, _ path: [Key]) {
        let properties = schema["properties"]?.object
        let required = Set((schema["required"]?.array ?? []).compactMap(\.string))
        if properties != nil {
            expect(false, path + [.field("no_such_field")], 1, "an unknown field")
        }
        let least = schema["minProperties"]?.integer ?? 0
        for (key, value) in fields {
            let inner = path + [.field(key)]
            guard let schema = properties?[key] ?? schema["additionalProperties"] else {
                disagreements.append("\(inner): not in the schema")
                continue
            }
            if let properties, properties[key] != nil {
                seen.insert(key)
                let isOptional = !required.contains(key) && fields.count > least
                expect(isOptional, inner, nil, "nothing")
                expect(false, inner, .null, "null")
            }
            visit(schema, value, inner)
        }
        expect(false, path, [], "an array")
    }

    private mutating func visit(_ schema: JSON, elements: [JSON], _ path: [Key]) {
        guard let items = schema["items"], let most = schema["maxItems"]?.integer else {
            return disagreements.append("\(path): no items or no limit in the schema")
        }
        for (index, element) in elements.enumerated() {
            visit(items, element, path + [.index(index)])
        }
        if let first = elements.first {
            let many = JSON.array(Array(repeating: first, count: Int(most) + 1))
            expect(false, path, many, "\(most + 1) elements")
        }
        expect(false, path, [:], "an object")
    }

    private mutating func expect(_ isRight: Bool, _ path: [Key], _ value: JSON?, _ what: String) {
        checks += 1
        let changed = Self.setting(document, path[...], to: value)
        var isRead = true
        do { try read(changed) } catch { isRead = false }
        if isRead != isRight {
            disagreements.append("\(path) with \(what): read \(isRead), schema \(isRight)")
        }
    }

    private static func setting(_ json: JSON, _ path: ArraySlice<Key>, to value: JSON?) -> JSON {
        guard let key = path.first else { return value ?? .null }
        switch (key, json) {
        case (.field(let name), .object(var fields)):
            if path.count == 1 {
                fields[name] = value
            } else {
                fields[name] = setting(fields[name] ?? .null, path.dropFirst(), to: value)
            }
            return .object(fields)
        case (.index(let index), .array(var elements)):
            elements[index] = setting(elements[index], path.dropFirst(), to: value)
            return .array(elements)
        default: return json
        }
    }

    private func resolved(_ schema: JSON) -> JSON {
        guard let reference = schema["$ref"]?.string else { return schema }
        let target = String(reference.dropFirst("#/$defs/".count))
        return root["$defs"]?[target] ?? .null
    }

    /// Of several shapes the one whose fields and words the value has.
    private func chosen(_ schema: JSON, for value: JSON) -> JSON {
        guard let shapes = schema["oneOf"]?.array, let fields = value.object else { return schema }
        let fitting = shapes.filter { shape in
            let known = shape["properties"]?.object ?? [:]
            let required = (shape["required"]?.array ?? []).compactMap(\.string)
            return fields.keys.allSatisfy { known[$0] != nil }
                && required.allSatisfy { fields[$0] != nil }
                && known.allSatisfy { key, inner in
                    guard let words = resolved(inner)["enum"]?.array, let word = fields[key]
                    else { return true }
                    return words.contains(word)
                }
        }
        return fitting.count == 1 ? fitting[0] : .null
    }

    /// All names of properties in a schema.
    func properties(of schema: JSON, below name: String) -> Set<String> {
        switch schema {
        case .object(let fields):
            var names: Set<String> = []
            for (key, value) in fields {
                if key == "properties", let properties = value.object {
                    names.formUnion(properties.keys)
                }
                names.formUnion(properties(of: value, below: key))
            }
            return names
        case .array(let elements):
            return elements.reduce(into: []) { $0.formUnion(properties(of: $1, below: name)) }
        default: return []
        }
    }
}
