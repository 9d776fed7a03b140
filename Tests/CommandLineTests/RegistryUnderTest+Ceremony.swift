import ProgramTestSupport
import Testing

extension RegistryUnderTest {
    /// One refusal: its code, its words, nothing on standard output, and every file as it was.
    func refuses(
        _ words: [String], _ code: Int32, _ texts: [String],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let before = try files()
        let outcome = try cli(words, with: [:])
        #expect(outcome.status == code, "\(outcome.errors)", sourceLocation: sourceLocation)
        #expect(outcome.output.isEmpty, "\(outcome.output)", sourceLocation: sourceLocation)
        for text in texts {
            #expect(
                outcome.errors.contains(text), "\(outcome.errors)", sourceLocation: sourceLocation)
        }
        #expect(try files() == before, "left behind", sourceLocation: sourceLocation)
    }

    /// Signs a role in the ceremony's folder with some keys.
    ///
    /// - Returns: its state after the last signature.
    func sign(_ role: String, _ keys: [String]) throws -> String? {
        var state: String?
        for key in keys {
            let signed = try good(
                "repo", "sign", role, "--dir", "repo", "--key", "keys/\(key).json", "--yes",
                "--json")
            state = signed.json["state"] as? String
        }
        return state
    }
}
