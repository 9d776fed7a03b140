import Primitives
import Speech

/// The static checks of a bundle before it is built: every problem at once, and nothing is run.
package struct BundleCheck<Files: BundleFiles> {
    private let description: BundleDescription
    private let files: Files
    private var problems: [BundleProblem] = []

    /// Checks what a description names, in the folder that it stands in.
    package static func problems(
        of description: BundleDescription, in files: Files
    ) -> [BundleProblem] {
        var check = BundleCheck(description: description, files: files)
        check.run()
        return check.problems
    }

    private init(description: BundleDescription, files: Files) {
        self.description = description
        self.files = files
    }

    private mutating func run() {
        let lengths = checkFiles()
        let table = checkTokens(lengths)
        checkModel(lengths, tokens: table?.count)
        for utterance in description.smoke.utterances { checkWave(utterance, lengths) }
        if let table { checkTranscripts(table) }
        checkCard(lengths)
        checkRequirements(lengths)
        if let error = description.disagreement(lengths: lengths) {
            refuse("bundle.yaml: \(error.path)", error.expected, error.found)
        }
    }

    /// The lengths of the files that are there and may be in a bundle.
    private mutating func checkFiles() -> [TargetPath: Int64] {
        var lengths: [TargetPath: Int64] = [:]
        for path in description.paths {
            guard BundleLayout.accepts(path) else {
                refuse("\(path)", BundleLayout.expected, "this path")
                continue
            }
            do throws(BundleFileError) {
                guard let length = try files.length(of: path) else {
                    refuse(
                        "\(path)", "a file in the bundle's folder", "none",
                        hint: "bundle.yaml names it")
                    continue
                }
                guard ManifestFile.lengthRange.contains(length) else {
                    let limit = ManifestFile.lengthRange.upperBound
                    refuse("\(path)", "1 to \(limit) bytes", "\(length)")
                    continue
                }
                lengths[path] = length
            } catch {
                refuse("\(path)", "a file to read", error.reason)
            }
        }
        return lengths
    }

    private mutating func checkTokens(_ lengths: [TargetPath: Int64]) -> TokenTable? {
        let path = description.runtime.tokens
        guard let bytes = read(path, lengths, limit: TokenTable.byteLimit) else { return nil }
        do throws(TokenTableError) {
            return try TokenTable(parsing: bytes)
        } catch {
            refuse(
                "\(path)", error.facts.expected, error.facts.found,
                hint: "the runtime ends the process over a token table that is not right")
            return nil
        }
    }

    private mutating func checkModel(_ lengths: [TargetPath: Int64], tokens: Int?) {
        let path = description.runtime.model
        guard let length = lengths[path] else { return }
        do throws(OnnxError) {
            let model = try OnnxModel(path, length: length, in: files)
            problems += OnnxCheck.problems(
                of: model, named: "\(path)",
                expecting: OnnxExpectations(
                    features: description.runtime.features, tokens: tokens,
                    allowedOperators: description.allowedOperators))
        } catch {
            refuse("\(path)", error.facts.expected, error.facts.found)
        }
    }

    private mutating func checkWave(_ utterance: SmokeUtterance, _ lengths: [TargetPath: Int64]) {
        guard let bytes = read(utterance.wav, lengths, limit: Wave.fileLimit) else { return }
        do throws(WaveError) {
            _ = try Wave(parsing: bytes)
        } catch {
            refuse(
                "\(utterance.wav)", error.facts.expected, error.facts.found,
                hint: "utterances are RIFF WAVE, 16-bit PCM, one channel, 16000 Hz, 0.3 to 60 s")
        }
    }

    /// A word that the model cannot say makes the smoke test fail everywhere.
    private mutating func checkTranscripts(_ table: TokenTable) {
        guard let vocabulary = table.vocabulary else { return }
        for utterance in description.smoke.utterances {
            let strange = TranscriptWords(utterance.transcript).words
                .filter { !vocabulary.contains($0) }
            guard let word = strange.first else { continue }
            warn(
                "transcript of \(utterance.wav)", "words of \(description.runtime.tokens)",
                "'\(word)'", hint: "the model cannot say it, so every device will count it as wrong"
            )
        }
    }

    private mutating func checkCard(_ lengths: [TargetPath: Int64]) {
        let path = description.modelCard
        guard let bytes = read(path, lengths, limit: ModelCard.byteLimit) else { return }
        do throws(ManifestError) {
            let card = try ModelCard(parsing: bytes)
            for locale in description.locales where card.measuredWER[locale] == nil {
                refuse("\(path): measured_wer", "a rate for locale \(locale)", "none")
            }
        } catch {
            switch error {
            case .field(let field):
                refuse("\(path): \(field.path)", field.expected, field.found)
            case .json(let json): refuse("\(path)", "JSON", "\(json)")
            }
        }
    }

    private mutating func checkRequirements(_ lengths: [TargetPath: Int64]) {
        let total = lengths.values.reduce(0, +)
        let free = description.requirements.minimumDisk
        guard free < total else { return }
        refuse(
            "requirements.min_disk", "at least the bundle's own \(total) bytes", "\(free)")
    }

    /// A whole small file; nil, with a problem, where it cannot be read.
    private mutating func read(
        _ path: TargetPath, _ lengths: [TargetPath: Int64], limit: Int
    ) -> [UInt8]? {
        guard let length = lengths[path] else { return nil }
        do throws(BundleFileError) {
            if let bytes = try files.small(path, length: length, limit: limit) { return bytes }
            refuse("\(path)", "at most \(limit) bytes", "\(length)")
        } catch {
            refuse("\(path)", "a file to read", error.reason)
        }
        return nil
    }

    private mutating func refuse(
        _ thing: String, _ expected: String, _ found: String, hint: String? = nil
    ) {
        problems.append(
            BundleProblem(.error, thing, expected: expected, found: found, hint: hint))
    }

    private mutating func warn(
        _ thing: String, _ expected: String, _ found: String, hint: String? = nil
    ) {
        problems.append(
            BundleProblem(.warning, thing, expected: expected, found: found, hint: hint))
    }
}
