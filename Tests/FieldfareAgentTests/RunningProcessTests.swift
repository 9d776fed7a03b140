import AgentCore
import Glibc
import PosixFiles
import Primitives
import TestSupport
import Testing

@testable import FieldfareAgent

struct RunningProcessTests {
    private let folder = ScratchFolder("proc")

    private func write(_ text: String, to path: String) throws {
        let parts = path.split(separator: "/").map(String.init)
        let root = try Directory(opening: folder.path)
        let parent = try #require(TargetPath(parts.dropLast().joined(separator: "/")))
        let last = try #require(parts.last)
        let name = try #require(TargetPath(last))
        try root.makeFolders(parent).replace(name, with: Array(text.utf8))
    }

    @Test func `this process is who it is, and runs`() throws {
        let processes = RunningProcess()
        let own = try #require(processes.identity(of: getpid(), as: "tests"))
        #expect(own.process == Int64(getpid()))
        #expect(own.startTicks > 0)
        #expect(own.boot.utf8.count == 36)
        #expect(processes.isRunning(own))
        let other = ApplicationProcess(
            application: "tests", process: own.process, startTicks: own.startTicks + 1,
            boot: own.boot)
        #expect(!processes.isRunning(other))
    }

    @Test func `a name with brackets and spaces hides no field`() throws {
        try write("0-1-2\n", to: "sys/kernel/random/boot_id")
        let numbers = (3...52).map { "\($0)" }.joined(separator: " ")
        try write("77 (a) S 9 (b)) \(numbers)\n", to: "77/stat")
        let found = RunningProcess(root: folder.path).identity(of: 77, as: "x")
        #expect(
            found
                == ApplicationProcess(application: "x", process: 77, startTicks: 22, boot: "0-1-2"))
    }

    @Test(arguments: [0, -1, 4_194_305])
    func `a process that the kernel does not show has no identity`(process: Int32) {
        #expect(RunningProcess().identity(of: process, as: "x") == nil)
    }

    @Test(arguments: [
        "", "77 (a) S 1 2", "77", "77 (a) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 x 20",
    ])
    func `a line that is none has no identity`(text: String) throws {
        try write("0-1-2\n", to: "sys/kernel/random/boot_id")
        try write(text, to: "77/stat")
        #expect(RunningProcess(root: folder.path).identity(of: 77, as: "x") == nil)
    }
}
