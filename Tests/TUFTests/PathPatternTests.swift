import Primitives
import TUF
import TestSupport
import Testing

struct PathPatternTests {
    @Test(arguments: [
        ("targets/*.tgz", "targets/foo.tgz", true), ("targets/*.tgz", "targets/foo.txt", false),
        ("foo-version-?.tgz", "foo-version-2.tgz", true),
        ("foo-version-?.tgz", "foo-version-alpha.tgz", false), ("*.tgz", "targets/foo.tgz", false),
        ("*", "a", true), ("*", "a/b", false), ("*/*", "a/b", true), ("a?b", "a/b", false),
        ("bundles/commands-en/*", "bundles/commands-en/1.0.0.json", true),
        ("bundles/commands-en/*", "bundles/commands-en/x/1.0.0.json", false),
        ("bundles/commands-en/*", "bundles/commands-en-2/1.0.0.json", false),
        ("bundles/commands-en/*", "bundles/commands-e", false), ("a*b*c", "aXbYbZc", true),
        ("a*b*c", "aXbYbZ", false), ("**", "abc", true), ("a*/b", "axx/b", true),
        ("*a/b", "ca/xb", false), ("*/x", "a/b/x", false), ("?", "\u{E9}", true),
        ("[ab]", "a", false), ("[ab]", "[ab]", true), ("a", "a", true), ("a", "A", false),
    ])
    func `matches as section 4_5 says`(pattern: String, path: String, matches: Bool) throws {
        let pattern = try #require(PathPattern(pattern))
        #expect(pattern.matches(try #require(TargetPath(path))) == matches)
    }

    /// A plain recursive matcher, slow and plainly right.
    static func slow(_ pattern: Substring, _ text: Substring) -> Bool {
        guard let first = pattern.first else { return text.isEmpty }
        if first == "*" {
            if slow(pattern.dropFirst(), text) { return true }
            guard let next = text.first, next != "/" else { return false }
            return slow(pattern, text.dropFirst())
        }
        guard let next = text.first else { return false }
        let matches = first == next || (first == "?" && next != "/")
        return matches && slow(pattern.dropFirst(), text.dropFirst())
    }

    @Test(arguments: 0..<100 as Range<UInt64>)
    func `matches as a plain recursive matcher does`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        func text(_ letters: [String], _ count: Int) -> String {
            (0..<count).map { _ in letters[Int.random(in: 0..<letters.count, using: &random)] }
                .joined()
        }
        for _ in 0..<100 {
            let pattern = text(["a", "b", "/", "*", "?"], Int.random(in: 1...7, using: &random))
            let target = text(["a", "b", "/"], Int.random(in: 1...7, using: &random))
            guard let path = TargetPath(target) else { continue }
            let fast = try #require(PathPattern(pattern)).matches(path)
            #expect(fast == Self.slow(pattern[...], target[...]), "\(pattern) \(target)")
        }
    }

    @Test func `does not take long for a hostile pattern`() throws {
        let pattern = try #require(PathPattern(String(repeating: "*a", count: 255) + "b"))
        let path = try #require(TargetPath(String(repeating: "a", count: 512)))
        #expect(!pattern.matches(path))
        #expect(PathPattern("") == nil)
        #expect(PathPattern(String(repeating: "*", count: 513)) == nil)
    }
}
