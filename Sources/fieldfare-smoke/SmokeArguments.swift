/// The command line of `fieldfare-smoke`.
struct SmokeArguments {
    static let usage = """
        usage: fieldfare-smoke --bundle DIR --suite FILE [--runtime DIR] [--repeats N]

        Transcribes the packaged utterances of one bundle with its own model, and says what came out and what it
        cost. It judges nothing and limits nothing: whoever starts it does both.

        Reads:
          --bundle DIR    the folder that holds the bundle's files: model, token table, utterances (WAV)
          --suite FILE    its manifest, or any JSON object with the manifest's 'runtime' and 'smoke'
          --runtime DIR   the folder of the speech runtime; without it FIELDFARE_SPEECH_RUNTIME, then
                          what lies beside the program
          --repeats N     decodings of each utterance, 1 to 1000; 5 by default

        Prints:
          One line of JSON to standard output: of each utterance its transcript, CPU time and wall time; the time of
          each part; the most memory. Or why there are no figures: {"failure":"null-create",...} where the runtime
          cannot load the model. docs/formats/smoke-result.md has every field. All else goes to standard error.

        Example: fieldfare-smoke --bundle /var/lib/fieldfare/slots/a --suite manifest.json

        Exit codes: 0 the line is printed, 2 wrong arguments, 3 no usable speech runtime,
        4 the suite or an utterance is refused, 5 one of them cannot be read,
        6 the line cannot be written. Others are the runtime's own.

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
