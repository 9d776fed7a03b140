import Primitives
package import TUF
import Testing

/// A metadata store of one test, and what lies below it.
package protocol MetadataStoreUnderTest {
    associatedtype Opened: MetadataStoring

    /// Opens the store as a process does that starts.
    func opened() throws -> Opened

    /// Every file that is there, by its path below the store; one beside the store begins with `../`.
    func files() throws -> [String: [UInt8]]
}

/// What every `MetadataStoring` must do: run by the tests of memory and of the agent's folder alike.
package struct MetadataStoringSuite<Subject: MetadataStoreUnderTest> {
    private let make: () throws -> Subject

    /// - Parameter make: a new store's place, in which nothing was ever stored.
    package init(make: @escaping () throws -> Subject) {
        self.make = make
    }

    /// Roles whose names mean something to a file system, a URL or a terminal, with the file of each.
    private static var odd: [(role: String, file: String)] {
        [
            ("..", "...json"), (".", "..json"), ("/", "%2F.json"),
            ("../../up", "..%2F..%2Fup.json"),
            ("/etc/passwd", "%2Fetc%2Fpasswd.json"), ("a/b", "a%2Fb.json"),
            ("a//b/", "a%2F%2Fb%2F.json"),
            ("%2f", "%252f.json"), ("%2F", "%252F.json"), ("a%2fb", "a%252fb.json"),
            ("%2e%2e", "%252e%252e.json"), ("a\\b", "a%5Cb.json"), ("\0", "%00.json"),
            ("a\0b", "a%00b.json"), ("line\nline", "line%0Aline.json"), (" ", "%20.json"),
            ("-rf", "-rf.json"), ("~", "~.json"), ("*", "%2A.json"),
            ("root.json", "root.json.json"),
            (".new-0123456789abcdef", ".new-0123456789abcdef.json"), ("Root", "Root.json"),
            ("\u{FC}", "%C3%BC.json"), ("u\u{308}", "u%CC%88.json"), ("\u{202E}", "%E2%80%AE.json"),
            (
                String(repeating: "x", count: RoleName.encodedLimit),
                String(repeating: "x", count: RoleName.encodedLimit) + ".json"
            ),
        ]
    }

    /// Bytes that are no text: what is stored is nobody's to read, and comes back as it went.
    private static var everyByte: [UInt8] { (0...255).map { UInt8($0) } }

    private func name(_ role: String) throws -> MetadataFileName {
        MetadataFileName(try #require(RoleName(role)))
    }

    /// What was never stored is nil, and makes nothing.
    package func hasNothingAtFirst() throws {
        let subject = try make()
        let store = try subject.opened()
        for role in RoleName.topLevel {
            #expect(try store.load(MetadataFileName(role), limit: .max >> 1) == nil)
        }
        #expect(try subject.files() == [:])
    }

    /// What is stored comes back byte for byte, also after a restart, and lies there byte for byte.
    package func remembers() throws {
        let subject = try make()
        let long = Array(repeating: Self.everyByte, count: 2_000).flatMap { $0 }
        let files: [(RoleName, [UInt8])] = [
            (.root, Self.everyByte), (.timestamp, []), (.snapshot, [0]), (.targets, long),
        ]
        do {
            let store = try subject.opened()
            for (role, bytes) in files { try store.store(bytes, as: MetadataFileName(role)) }
        }
        let store = try subject.opened()
        for (role, bytes) in files {
            #expect(try store.load(MetadataFileName(role), limit: 1 << 20) == bytes, "\(role)")
        }
        #expect(
            try subject.files() == [
                "root.json": Self.everyByte, "timestamp.json": [], "snapshot.json": [0],
                "targets.json": long,
            ])
    }

    /// A file of as many bytes as the limit is given, and a longer one is nil, and stays.
    package func keepsTheLimit() throws {
        let subject = try make()
        let store = try subject.opened()
        let root = MetadataFileName(.root)
        try store.store(Self.everyByte, as: root)
        #expect(try store.load(root, limit: 256) == Self.everyByte)
        #expect(try store.load(root, limit: 255) == nil)
        #expect(try store.load(root, limit: 0) == nil)
        #expect(try store.load(root, limit: 256) == Self.everyByte)
        try store.store([], as: root)
        #expect(try store.load(root, limit: 0) == [])
    }

    /// A file takes the place of the one before it, longer or shorter, and of no other.
    package func replaces() throws {
        let subject = try make()
        let store = try subject.opened()
        let (root, targets) = (MetadataFileName(.root), MetadataFileName(.targets))
        try store.store([7], as: targets)
        for bytes in [[1, 2, 3], Self.everyByte, [4], [], Self.everyByte, Self.everyByte] {
            try store.store(bytes, as: root)
            #expect(try store.load(root, limit: 1 << 10) == bytes)
        }
        #expect(try subject.files() == ["root.json": Self.everyByte, "targets.json": [7]])
    }

    /// What is removed is gone, and stays gone; the others stay; what is not there is no error.
    package func removes() throws {
        let subject = try make()
        do {
            let store = try subject.opened()
            try store.remove(MetadataFileName(.root))
            for role in RoleName.topLevel { try store.store([1], as: MetadataFileName(role)) }
            try store.remove(MetadataFileName(.snapshot))
            try store.remove(MetadataFileName(.snapshot))
            #expect(try store.load(MetadataFileName(.snapshot), limit: 10) == nil)
        }
        let store = try subject.opened()
        #expect(try store.load(MetadataFileName(.snapshot), limit: 10) == nil)
        #expect(
            try subject.files().keys.sorted() == ["root.json", "targets.json", "timestamp.json"])
        try store.store([2], as: MetadataFileName(.snapshot))
        #expect(try store.load(MetadataFileName(.snapshot), limit: 10) == [2])
    }

    /// Any role has a file of its own directly in the store, whatever its name means elsewhere.
    package func containsOddNames() throws {
        let subject = try make()
        let store = try subject.opened()
        var expected: [String: [UInt8]] = [:]
        for (index, odd) in Self.odd.enumerated() {
            #expect(try store.load(name(odd.role), limit: 10) == nil, "\(odd.file)")
            try store.store([UInt8(index)], as: name(odd.role))
            expected[odd.file] = [UInt8(index)]
        }
        #expect(expected.count == Self.odd.count)
        #expect(try subject.files() == expected)
        for (index, odd) in Self.odd.enumerated() {
            #expect(try store.load(name(odd.role), limit: 10) == [UInt8(index)], "\(odd.file)")
        }
        for odd in Self.odd { try store.remove(name(odd.role)) }
        #expect(try subject.files() == [:])
    }

    /// All of it.
    package func run() throws {
        try hasNothingAtFirst()
        try remembers()
        try keepsTheLimit()
        try replaces()
        try removes()
        try containsOddNames()
    }
}
