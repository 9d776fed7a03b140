import PosixFiles
import Primitives
import TestSupport
import Testing

struct FileLockTests {
    private let scratch = ScratchFolder()

    @Test func `shared locks exclude an exclusive one, and an exclusive one all others`() throws {
        let directory = try Directory(opening: scratch.path)
        let lock = try path("slot.lock")
        let reader = try directory.lock(lock, .shared, waiting: .zero)
        #expect(try directory.canTake(lock, .shared))
        #expect(try !directory.canTake(lock, .exclusive))
        release(reader)
        let writer = try directory.lock(lock, .exclusive, waiting: .zero)
        #expect(writer.mode == .exclusive)
        #expect(try !directory.canTake(lock, .shared))
        #expect(try !directory.canTake(lock, .exclusive))
        release(writer)
        #expect(try directory.canTake(lock, .exclusive))
    }

    private func release(_ lock: consuming FileLock) {}

    @Test func `gives up when the time is over`() throws {
        let directory = try Directory(opening: scratch.path)
        let holder = try directory.lock(path("l"), .exclusive, waiting: .zero)
        let start = SystemClock.monotonicNanoseconds()
        #expect(throws: FileError.busy(path: scratch.path("l"))) {
            _ = try directory.lock(path("l"), .shared, waiting: .milliseconds(20))
        }
        #expect(SystemClock.monotonicNanoseconds() - start >= 20_000_000)
        release(holder)
    }

    @Test func `stops waiting when it is cancelled`() throws {
        let directory = try Directory(opening: scratch.path)
        let holder = try directory.lock(path("l"), .exclusive, waiting: .zero)
        var asked = 0
        #expect(throws: FileError.busy(path: scratch.path("l"))) {
            _ = try directory.lock(path("l"), .shared, waiting: .seconds(600)) {
                asked += 1
                return asked == 3
            }
        }
        #expect(asked == 3)
        release(holder)
    }

    @Test func `takes the lock as soon as its holder lets go`() throws {
        let directory = try Directory(opening: scratch.path)
        var holder: FileLock? = try directory.lock(path("l"), .exclusive, waiting: .zero)
        let lock = try directory.lock(path("l"), .shared, waiting: .seconds(600)) {
            holder = nil
            return false
        }
        #expect(lock.mode == .shared)
        let isReleased = holder == nil
        #expect(isReleased)
    }

    @Test func `does not take a lock on a file that is no longer there`() throws {
        let lock = try path("l")
        let folder = scratch.path
        let replacing = Interloper(before: .lock, on: "/l") {
            try? Directory(opening: folder).replace(lock, with: [1])
        }
        let directory = try Directory(opening: scratch.path, observer: replacing)
        let held = try #require(try directory.lockStatus(lock))
        let named = try #require(try Directory(opening: scratch.path).status(lock))
        #expect(held.isSameFile(as: named))
    }

    @Test func `passes on what is no contention`() throws {
        let script = Script(verdicts: [3: .fail(errno: 9)])
        let directory = try Directory(opening: scratch.path, observer: script)
        #expect(throws: FileError.system(.lock, path: scratch.path("l"), errno: 9)) {
            _ = try directory.canTake(path("l"), .shared)
        }
    }
}

extension Directory {
    /// Whether the lock can be taken now; it is let go again.
    fileprivate func canTake(_ path: TargetPath, _ mode: FileLock.Mode) throws -> Bool {
        let lock = try tryLock(path, mode)
        return lock != nil
    }

    fileprivate func lockStatus(_ path: TargetPath) throws -> FileStatus? {
        try lock(path, .exclusive, waiting: .zero).file.status()
    }
}
