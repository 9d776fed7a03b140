import Glibc

extension DiskImage {
    /// Makes the image a folder's content; two names of one file are hard links.
    func write(_ disk: DiskModel, to folder: String) throws {
        var made: [DiskModel.Node: String] = [:]
        try write(DiskModel.root, disk, to: folder, &made)
    }

    private func write(
        _ node: DiskModel.Node, _ disk: DiskModel, to folder: String,
        _ made: inout [DiskModel.Node: String]
    ) throws {
        for (name, node) in (names[node] ?? [:]).sorted(by: { $0.key < $1.key }) {
            let path = "\(folder)/\(name)"
            let answer: Int32
            switch disk.kinds[node] {
            case .folder(let mode): answer = unsafe mkdir(path, mode)
            case .link(let target): answer = unsafe symlink(target, path)
            case .file:
                if let first = made[node] {
                    answer = unsafe link(first, path)
                } else {
                    made[node] = path
                    answer = write(disk.files[node], kept[node] ?? [], to: path) ? 0 : -1
                }
            }
            guard answer == 0 else { throw StoryError("cannot make \(path): errno \(errno)") }
            if case .folder = disk.kinds[node] { try write(node, disk, to: path, &made) }
        }
    }

    private func write(_ file: DiskModel.File?, _ kept: [Kept], to path: String) -> Bool {
        guard let file, let handle = unsafe fopen(path, "w") else { return false }
        let (bytes, mode) = file.content(kept)
        let count = unsafe fwrite(bytes, 1, bytes.count, handle)
        let isClosed = unsafe fclose(handle) == 0
        let isModed = unsafe chmod(path, mode) == 0
        return count == bytes.count && isClosed && isModed
    }
}
