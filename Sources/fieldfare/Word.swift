import Console
import Primitives

/// A word of the command line, read; what cannot be read is wrong usage.
enum Word {
    /// - Throws: `Failure` `usage` that names the argument, with what was expected of it.
    static func read<Value>(
        _ text: String, _ name: String, _ expected: String, _ parse: (String) -> Value?
    ) throws(Failure) -> Value {
        guard let value = parse(text) else {
            throw Failure(.usage, "\(name): expected \(expected), got '\(text)'")
        }
        return value
    }

    static func model(_ text: String, _ name: String = "model") throws(Failure) -> ModelName {
        try read(text, name, ModelName.expected, ModelName.init)
    }

    static func channel(_ text: String) throws(Failure) -> ChannelName {
        try read(text, "--channel", ChannelName.expected, ChannelName.init)
    }

    static func version(_ text: String, _ name: String) throws(Failure) -> SemanticVersion {
        try read(text, name, SemanticVersion.expected, SemanticVersion.init)
    }

    static func attribute(_ text: String, _ name: String) throws(Failure) -> AttributeName {
        try read(text, name, AttributeName.expected, AttributeName.init)
    }

    static func device(_ text: String) throws(Failure) -> DeviceID {
        try read(text, "device", DeviceID.expected) { DeviceID($0) }
    }

    /// The id of a token, as `token list` shows it.
    static func token(_ text: String) throws(Failure) -> String {
        try read(text, "token", "an id of 16 lower-case hexadecimal digits") { text in
            let digits = Array("0123456789abcdef".utf8)
            return text.utf8.count == 16 && text.utf8.allSatisfy(digits.contains) ? text : nil
        }
    }
}
