import HTTPTypes

/// A file of `fixtures/http`: requests, and of each answer the status, the header fields that matter and the body.
///
///     # What it shows.
///     # Scene: release
///
///     ### What this request is.
///     GET /tuf/timestamp.json
///     If-None-Match: "..."
///
///     HTTP/1.1 304
///     Cache-Control: no-cache
///
/// A request's body stands after an empty line, and so does an answer's; an answer without one is not compared by its
/// body. `{publish:commands-en}` in a request's field stands for a token with that scope.
struct ExchangeFile: CustomStringConvertible {
    /// What the registry has before the first request.
    enum Scene: String, CaseIterable {
        /// No root yet.
        case empty
        /// Root and targets.
        case repository
        /// That, and version 1.0.0 of `commands-en`, live with its policy.
        case release
    }

    struct Field: Equatable {
        let name: String
        var value: String
    }

    struct Message: Equatable {
        var fields: [Field] = []
        var body: [String] = []

        /// Reads lines up to `isEnd`, and leaves the rest.
        fileprivate init?(
            _ lines: inout ArraySlice<String>, until isEnd: (String) -> Bool = { _ in false }
        ) {
            while let line = lines.first, !line.isEmpty, !isEnd(line) {
                let parts = line.split(separator: ": ", maxSplits: 1).map(String.init)
                guard parts.count == 2 else { return nil }
                fields.append(Field(name: parts[0], value: parts[1]))
                lines.removeFirst()
            }
            while let line = lines.first, !isEnd(line) {
                body.append(line)
                lines.removeFirst()
            }
            while body.first?.isEmpty == true { body.removeFirst() }
            while body.last?.isEmpty == true { body.removeLast() }
        }

        fileprivate var lines: [String] {
            fields.map { "\($0.name): \($0.value)" } + (body.isEmpty ? [] : [""] + body)
        }
    }

    struct Exchange: Equatable {
        let title: String
        let method: HTTPRequest.Method
        let target: String
        let request: Message
        var status: Int
        var answer: Message

        fileprivate init?(_ block: [String]) {
            var lines = block[...]
            guard let title = lines.popFirst(), let start = lines.popFirst() else { return nil }
            let words = start.split(separator: " ").map(String.init)
            guard words.count == 2, let method = HTTPRequest.Method(words[0]),
                let request = Message(&lines, until: { $0.hasPrefix("HTTP/1.1 ") }),
                let status = lines.popFirst().flatMap({ Int($0.dropFirst(9)) }),
                let answer = Message(&lines)
            else { return nil }
            self.title = title
            self.method = method
            target = words[1]
            self.request = request
            self.status = status
            self.answer = answer
        }

        fileprivate var lines: [String] {
            ["", "### \(title)", "\(method) \(target)"] + request.lines
                + ["", "HTTP/1.1 \(status)"] + answer.lines
        }
    }

    let scene: Scene
    /// The comment at the beginning.
    let head: [String]
    var exchanges: [Exchange]

    /// Reads a file; nil where it is not written as above.
    init?(_ text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        head = Array(lines.prefix { $0.hasPrefix("# ") })
        let scene = head.compactMap { line in
            line.hasPrefix("# Scene: ") ? Scene(rawValue: String(line.dropFirst(9))) : nil
        }
        guard let scene = scene.first else { return nil }
        self.scene = scene
        var blocks: [[String]] = []
        for line in lines.dropFirst(head.count) {
            if line.hasPrefix("### ") {
                blocks.append([String(line.dropFirst(4))])
            } else if blocks.isEmpty {
                guard line.isEmpty else { return nil }
            } else {
                blocks[blocks.count - 1].append(line)
            }
        }
        exchanges = []
        for block in blocks {
            guard let exchange = Exchange(block) else { return nil }
            exchanges.append(exchange)
        }
    }

    /// The file as it is written.
    var description: String {
        (head + exchanges.flatMap(\.lines)).map { $0 + "\n" }.joined()
    }
}
