import Glibc
import PosixFiles
import Primitives
import TUF

/// What a refresh costs a device beside the network: processor time and bytes.
///
///     refresh-benchmark MODELS RELEASES ROUNDS FOLDER
///
/// Makes a repository of that size, writes its files into `FOLDER` for other clients to read, and follows one model's
/// plan and newest manifest in it: from nothing but the root, and again after another model's plan has changed. One
/// line of JSON: `cpu_us` of the median round from nothing, `bytes` and `files` fetched for it, and `bytes_after_change`.
@main enum RefreshBenchmark {
    static func main() throws {
        let words = CommandLine.arguments.dropFirst()
        let numbers = words.prefix(3).compactMap { Int($0) }
        guard numbers.count == 3, words.count == 4, let folder = words.last, numbers[2] > 0,
            var repository = SampleRepository(
                models: numbers[0], releases: numbers[1], now: SystemClock.now()),
            let followed = ModelName("model-1"), let other = ModelName("model-\(numbers[0])")
        else {
            print("usage: refresh-benchmark MODELS RELEASES ROUNDS FOLDER")
            exit(2)
        }
        try write(repository.files, into: folder)
        let paths = SampleRepository.paths(of: followed, releases: numbers[1])

        var times: [Int] = []
        var device = Device(repository)
        for _ in 0..<numbers[2] {
            device = Device(repository)
            let begun = clock()
            try device.refresh(paths)
            times.append(Int(clock() - begun))
        }
        let first = device.network.fetched
        repository.changePlan(of: other)
        device.network.serve(repository.files)
        try device.refresh(paths)
        let result: JSON = [
            "cpu_us": .integer(Int64(times.sorted()[times.count / 2])),
            "bytes": .integer(Int64(first.bytes)), "files": .integer(Int64(first.files)),
            "bytes_after_change": .integer(Int64(device.network.fetched.bytes - first.bytes)),
        ]
        print(String(decoding: result.bytes, as: UTF8.self))
    }

    private static func write(
        _ files: [MetadataFileName: [UInt8]], into folder: String
    ) throws {
        let directory = try Directory(making: folder)
        for (name, bytes) in files {
            guard let path = TargetPath(name.description) else { continue }
            try directory.replace(path, with: bytes)
        }
    }
}

/// A client with nothing but the root, and the repository it asks.
private struct Device {
    let network: Network
    private let store = Store()

    init(_ repository: SampleRepository) {
        network = Network(repository.files)
        store.files[MetadataFileName(.root)] =
            repository.files[MetadataFileName(.root, version: .first)]
    }

    func refresh(_ paths: [TargetPath]) throws {
        let refresh = Refresh(fetcher: network, store: store, start: SystemClock.now())
        var trusted = try refresh.run()
        for path in paths where try refresh.target(at: path, in: &trusted) == nil {
            throw NoSuchTarget(path: path)
        }
    }

    private struct NoSuchTarget: Error {
        let path: TargetPath
    }
}

/// A repository in memory, which counts what is fetched.
private final class Network: MetadataFetching {
    private var files: [MetadataFileName: [UInt8]]
    private(set) var fetched = (files: 0, bytes: 0)

    init(_ files: [MetadataFileName: [UInt8]]) { self.files = files }

    func serve(_ files: [MetadataFileName: [UInt8]]) { self.files = files }

    func fetch(_ name: MetadataFileName, limit: Int) throws(Never) -> [UInt8]? {
        guard let bytes = files[name] else { return nil }
        fetched.files += 1
        fetched.bytes += bytes.count
        return bytes
    }
}

/// Metadata in memory.
private final class Store: MetadataStoring {
    var files: [MetadataFileName: [UInt8]] = [:]

    func load(_ name: MetadataFileName, limit: Int) throws(Never) -> [UInt8]? {
        files[name].flatMap { $0.count <= limit ? $0 : nil }
    }

    func store(_ bytes: [UInt8], as name: MetadataFileName) throws(Never) { files[name] = bytes }

    func remove(_ name: MetadataFileName) throws(Never) { files[name] = nil }
}
