import Synchronization
package import TUF

/// A metadata store in memory, which keeps a log and can be killed after any number of writes.
package final class MemoryMetadataStore: MetadataStoring, Sendable {
    package enum Failure: Error, Hashable, Sendable {
        case killed
    }

    package enum Write: Hashable, Sendable {
        case stored(MetadataFileName)
        case removed(MetadataFileName)
    }

    private struct State {
        var files: [MetadataFileName: [UInt8]]
        var writes: [Write] = []
        var writesLeft: Int?

        mutating func log(_ write: Write) throws(Failure) {
            if let left = writesLeft {
                guard left > 0 else { throw .killed }
                writesLeft = left - 1
            }
            writes.append(write)
        }
    }

    private let state: Mutex<State>

    /// - Parameters:
    ///   - files: what is there at first.
    ///   - writesLeft: writes that succeed before every further one fails, as after a kill.
    package init(files: [MetadataFileName: [UInt8]] = [:], writesLeft: Int? = nil) {
        state = Mutex(State(files: files, writesLeft: writesLeft))
    }

    package var files: [MetadataFileName: [UInt8]] { state.withLock { $0.files } }
    package var writes: [Write] { state.withLock { $0.writes } }

    package subscript(role: RoleName) -> [UInt8]? { files[MetadataFileName(role)] }

    package func load(_ name: MetadataFileName, limit: Int) throws(Failure) -> [UInt8]? {
        state.withLock { $0.files[name].flatMap { $0.count <= limit ? $0 : nil } }
    }

    package func store(_ bytes: [UInt8], as name: MetadataFileName) throws(Failure) {
        try state.withLock { state throws(Failure) in
            try state.log(.stored(name))
            state.files[name] = bytes
        }
    }

    package func remove(_ name: MetadataFileName) throws(Failure) {
        try state.withLock { state throws(Failure) in
            try state.log(.removed(name))
            state.files[name] = nil
        }
    }
}
