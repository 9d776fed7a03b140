import BlobFiles
import Cryptography
import PosixFiles
import Primitives
import RegistryCore
import RegistryTestSupport
import TestSupport
import Testing

struct BlobFolderTests {
    private let folder = ScratchFolder("blobs")
    private let bytes = Array("a file of a bundle, in a folder".utf8)
    private var digest: SHA256Digest { SHA256.digest(of: bytes) }

    private var upload: Upload {
        Upload(sha256: digest, length: Int64(bytes.count), owner: .registry)
    }

    private func open(_ name: String = "data") throws -> BlobFolder {
        try BlobFolder(Directory(making: folder.path(name)))
    }
}
