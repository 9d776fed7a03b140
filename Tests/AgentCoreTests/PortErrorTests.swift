import AgentCore
import Cryptography
import Glibc
import Primitives
import Testing

/// What the ports' errors say in the log and in `status`.
struct PortErrorTests {
    @Test func `says what is the matter with the slots`() throws {
        let path = try #require(TargetPath("model.onnx"))
        let (one, other) = (SHA256.digest(of: [1]), SHA256.digest(of: [2]))
        let table: [(SlotError, String)] = [
            (.interrupted, "interrupted"),
            (
                .fetch(.notFound, of: path),
                "file 'model.onnx': expected its bytes, got nothing of that name"
            ),
            (
                .wrongBytes(path: path, expected: one, found: other),
                "file 'model.onnx': expected SHA-256 \(one), got \(other)"
            ),
            (
                .insufficientStorage(needed: 9, free: 7), "disk: expected 9 bytes of room, got 7"
            ),
            (
                .leased(.a, overdue: false),
                "slot a: expected no application on it, got one that holds it"
            ),
            (
                .leased(.b, overdue: true),
                "slot b: expected no application on it, got one that holds it beyond its deadline"
            ),
            (.notWhole(.b), "slot b: expected the bundle whole, got parts of it or other bytes"),
            (
                .system(operation: "open", path: "/s/a", errno: EACCES),
                "cannot open '/s/a': permission denied"
            ),
        ]
        for (error, text) in table {
            #expect(error.description == text)
            #expect(DriverError.slots(error).description == "slots: \(text)")
        }
    }

    @Test(arguments: [
        (FetchError.unreachable("stalled after 3 s"), "no whole answer (stalled after 3 s)"),
        (.busy(status: 500, retryAfter: nil), "a busy registry (status 500)"),
        (
            .busy(status: 429, retryAfter: 90),
            "a busy registry (status 429) that asks to wait 90 s"
        ),
        (.refused(status: 403, code: nil), "a refusal (status 403)"),
        (.refused(status: 403, code: "forbidden"), "a refusal (status 403, forbidden)"),
        (.notFound, "nothing of that name"), (.tooLong(limit: 9), "more than 9 bytes"),
        (
            .malformed("expected 2 bytes, got 1"),
            "an answer that cannot be understood (expected 2 bytes, got 1)"
        ),
        (.interrupted, "an interruption"),
    ])
    func `names the target that did not come`(error: FetchError, found: String) throws {
        let path = try #require(TargetPath("rollouts/commands-en/main.json"))
        let named = PollError.fetch(error, of: path)
        #expect(
            named.description
                == "cannot take target 'rollouts/commands-en/main.json': expected the signed file, got \(found)"
        )
        // The schedule sees the same in both.
        #expect(named.isRetryable == error.isRetryable && named.retryAfter == error.retryAfter)
        #expect(PollError.fetch(error).description == "cannot poll: \(error)")
    }

    @Test(arguments: [
        (JournalError.inUse, "expected nobody else to use it, got another process"),
        (.full, "expected room on the disk, got none"),
        (
            .database(code: 11, message: "database disk image is malformed"),
            "the database failed: database disk image is malformed (SQLite 11)"
        ),
    ])
    func `says what is the matter with the journal`(error: JournalError, text: String) {
        #expect(error.description == text)
        #expect(DriverError.journal(error).description == "journal: \(text)")
    }

    @Test(arguments: [
        (ProbeError.interrupted, "interrupted"),
        (
            .cannotStart(operation: "execve", errno: ENOENT),
            "smoke program: expected one that starts, got no such file or directory (execve)"
        ),
        (.noBundle(.a), "slot a: expected a bundle to test, got none"),
    ])
    func `says why there was no smoke test`(error: ProbeError, text: String) {
        #expect(error.description == text)
    }
}
