/// The command line of `fieldfare-smoke`.
struct SmokeArguments {
    static let usage = """
        usage: fieldfare-smoke --bundle DIR --suite FILE [--runtime DIR] [--repeats N]

        Transcribes the packaged utterances of one bundle and prints one line of JSON
        (docs/formats/smoke-result.md).

          --bundle DIR    the folder that holds the bundle's files
          --suite FILE    its manifest, or any JSON object with the manifest's 'runtime' and 'smoke'
          --runtime DIR   the folder of the speech runtime; without it FIELDFARE_SPEECH_RUNTIME, then
                          what lies beside the program
          --repeats N     decodings of each utterance, 1 to 1000; 5 by default

        exit: 0 the line is printed, 2 wrong arguments, 3 no usable speech runtime,
              4 the suite or an utterance is refused, 5 one of them cannot be read,
              6 the line cannot be written

        """

    private(set) var bundle = ""
    private(set) var suite = ""
    private(set) var runtime: String?
    private(set) var repeats = 5

    /// Reads the arguments after the program's name.
    ///
    /// - Throws: `ArgumentError`.
    init(_ arguments: [String]) throws(ArgumentError) {
        var rest = arguments[...]
        var seen: Set<String> = []
        while let option = rest.popFirst() {
            guard Self.options.contains(option) else { throw ArgumentError("unknown '\(option)'") }
            guard seen.insert(option).inserted else { throw ArgumentError("'\(option)' twice") }
            guard let value = rest.popFirst(), !value.isEmpty else {
                throw ArgumentError("'\(option)' without a value")
            }
            try take(option, value)
        }
        guard !bundle.isEmpty else { throw ArgumentError("no '--bundle'") }
        guard !suite.isEmpty else { throw ArgumentError("no '--suite'") }
    }

    private static let options: Set<String> = ["--bundle", "--suite", "--runtime", "--repeats"]

    private mutating func take(_ option: String, _ value: String) throws(ArgumentError) {
        switch option {
        case "--bundle": bundle = value
        case "--suite": suite = value
        case "--runtime": runtime = value
        default:
            guard let count = Int(value), (1...1_000).contains(count) else {
                throw ArgumentError("'\(value)' as the number of repeats")
            }
            repeats = count
        }
    }
}

/// What was found where the usage says otherwise.
struct ArgumentError: Error {
    let found: String

    init(_ found: String) { self.found = found }
}
