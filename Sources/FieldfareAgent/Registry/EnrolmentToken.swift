import PosixFiles

/// A one-time token, which is `fe_` and 43 characters of base64url.
///
/// Its text is a secret, and in no message.
struct EnrolmentToken {
    /// Where people get one.
    static let source = "'fieldfare devices enrol-tokens' makes tokens"

    let text: String
    /// The file that it came from; nil for one that a program handed over.
    private(set) var file: String?

    /// The token in messages.
    var name: String { file.map { "enrolment token '\($0)'" } ?? "enrolment token" }

    /// Nil for what the registry could not even read as a token.
    init?(_ text: String) {
        let body = text.utf8.dropFirst(3)
        guard text.hasPrefix("fe_"), body.count == 43, body.allSatisfy(Self.isAllowed) else {
            return nil
        }
        self.text = text
    }

    /// Reads a file that holds one, and nothing more but white space.
    ///
    /// - Throws: `AgentError` with `configuration`.
    init(file: String) throws(AgentError) {
        let bytes: [UInt8]
        do { bytes = try ConfiguredFile.read(file, limit: 4_096) } catch {
            throw AgentError(
                .configuration, "enrolment token: \(error)",
                hint: "put a token there; \(Self.source)")
        }
        let text = String(decoding: bytes.filter { $0 > 0x20 }, as: UTF8.self)
        guard let token = EnrolmentToken(text) else {
            throw .noToken("enrolment token '\(file)'")
        }
        self = token
        self.file = file
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}

extension AgentError {
    /// What was to be a token is none.
    static func noToken(_ name: String) -> AgentError {
        AgentError(
            .configuration,
            "\(name): expected 'fe_' and 43 letters, digits, '-' or '_', got another text",
            hint: EnrolmentToken.source)
    }
}
