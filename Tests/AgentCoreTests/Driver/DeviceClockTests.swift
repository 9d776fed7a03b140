import AgentCore
import Primitives
import Testing

/// The device's time, over two clocks that the test moves.
struct DeviceClockTests {
    private final class Clocks {
        var real: Int64
        var boot: Int64 = 5_000_000_000

        init(real: Int64) { self.real = real * 1_000_000_000 }

        /// Lets time pass.
        func pass(_ seconds: Int64) {
            real += seconds * 1_000_000_000
            boot += seconds * 1_000_000_000
        }

        /// Sets the clock.
        func set(by seconds: Int64) { real += seconds * 1_000_000_000 }

        func clock() -> DeviceClock {
            DeviceClock(realtime: { self.real }, boot: { self.boot })
        }
    }

    @Test func `follows the system's clock where that is right`() {
        let clocks = Clocks(real: 1_800_000_000)
        var clock = clocks.clock()
        clock.setFloor(UTCTime(clamping: 1_700_000_000))
        clocks.pass(90)
        #expect(clock.now == UTCTime(clamping: 1_800_000_090))
        #expect(clock.milliseconds(until: UTCTime(clamping: 1_800_000_092)) == 2_000)
        #expect(clock.milliseconds(until: UTCTime(clamping: 1_700_000_000)) == 0)
    }

    @Test func `goes on from the newest signed moment where there is no clock`() {
        let clocks = Clocks(real: 100)
        var clock = clocks.clock()
        clock.setFloor(UTCTime(clamping: 1_800_000_000))
        clocks.pass(60)
        #expect(clock.now == UTCTime(clamping: 1_800_000_060))
        clock.setFloor(UTCTime(clamping: 1_800_000_000))
        clocks.pass(60)
        #expect(clock.now == UTCTime(clamping: 1_800_000_120))
    }

    @Test func `tells a clock that was set from time that passed`() {
        let clocks = Clocks(real: 1_900_000_000)
        var clock = clocks.clock()
        #expect(clock.takeStep() == 0)
        clocks.pass(3_600)
        #expect(clock.takeStep() == 0)
        clocks.set(by: -86_400)
        clocks.pass(10)
        #expect(clock.takeStep() == -86_400)
        #expect(clock.takeStep() == 0)
        clocks.set(by: 30)
        #expect(clock.takeStep() == 30)
    }

    @Test func `waits rounded up, so that what is due is due`() {
        let clocks = Clocks(real: 10)
        let clock = clocks.clock()
        clocks.real += 1
        #expect(clock.milliseconds(until: UTCTime(clamping: 11)) == 1_000)
    }
}
