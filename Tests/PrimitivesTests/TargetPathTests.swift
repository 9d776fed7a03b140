import Primitives
import TestSupport
import Testing

struct TargetPathTests {
    @Test(arguments: [
        "a", "a/b.json", "bundles/commands-en/1.0.0.json", "...", ".hidden/..x", "a b?%2e#",
        "\u{E9}/\u{1F600}",
    ])
    func `takes relative paths of any characters`(text: String) throws {
        let path = try #require(TargetPath(text))
        #expect(path.description == text)
        #expect(path.parts.joined(separator: "/") == text)
    }

    @Test(arguments: [
        "", "/", "/a", "a/", "a//b", ".", "..", "a/..", "../a", "a/./b", "a/../../b", "a\0b",
        "a\\b",
    ])
    func `refuses paths that could leave their folder`(text: String) {
        #expect(TargetPath(text) == nil)
    }

    @Test func `takes at most 512 bytes`() {
        #expect(TargetPath(String(repeating: "a", count: 512)) != nil)
        #expect(TargetPath(String(repeating: "a", count: 513)) == nil)
        #expect(TargetPath(String(repeating: "\u{E9}", count: 257)) == nil)
    }

    @Test func `tells paths apart by their bytes`() throws {
        let composed = try #require(TargetPath("caf\u{E9}"))
        let decomposed = try #require(TargetPath("cafe\u{301}"))
        #expect(composed.description == decomposed.description)  // to Swift they are one text
        #expect(composed != decomposed)
        #expect(Set([composed, decomposed]).count == 2)
        #expect(decomposed < composed)
    }

    /// Whatever is put together from the worst parts, no path that is taken has a step upward.
    @Test(arguments: 0..<200 as Range<UInt64>)
    func `never takes a path with an empty part or a step upward`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let pieces = ["/", ".", "..", "a", "\\", "\0", "%2e", "", "~", "//"]
        let text = (0..<Int.random(in: 0...6, using: &random)).map { _ in
            pieces[Int.random(in: 0..<pieces.count, using: &random)]
        }.joined()
        guard let path = TargetPath(text) else { return }
        #expect(!path.description.utf8.contains(0))
        #expect(!path.description.utf8.contains(UInt8(ascii: "\\")))
        let parts = path.description.utf8.split(
            separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        for part in parts {
            #expect(
                !part.isEmpty && !part.elementsEqual(".".utf8) && !part.elementsEqual("..".utf8))
        }
    }
}
