/// A state as a word with a sign; its colour says nothing that these do not.
enum Badge {
    case good(String)
    case wait(String)
    case bad(String)
    case plain(String)

    var html: HTML {
        switch self {
        case .good(let word): Self.html("good", "✓", word)
        case .wait(let word): Self.html("wait", "◌", word)
        case .bad(let word): Self.html("bad", "▲", word)
        case .plain(let word): Self.html("plain", "•", word)
        }
    }

    private static func html(_ kind: String, _ sign: String, _ word: String) -> HTML {
        "<span class=\"badge \(kind)\"><span aria-hidden=\"true\">\(sign)</span> \(word)</span>"
    }

    /// The state of a rollout, a version or a device in the word of the API.
    static func state(_ word: String) -> Badge {
        let text = word.split(separator: "_").joined(separator: " ")
        return switch word {
        case "completed", "live", "committed", "running": .good(text)
        case "paused", "frozen", "held", "created", "probation", "attempting", "swapping",
            "downloading", "verified", "checking":
            .wait(text)
        case "rolled_back", "rolling_back", "rejected", "failed", "withdrawn": .bad(text)
        default: .plain(text)
        }
    }
}
