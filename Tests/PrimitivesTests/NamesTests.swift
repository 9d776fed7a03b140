import Primitives
import Testing

struct NamesTests {
    @Test func `takes model names that can stand in a path`() {
        for good in ["a", "0", "commands-en", String(repeating: "m", count: 63)] {
            #expect(ModelName(good)?.description == good)
        }
        let bad = [
            "", "-a", "A", "a.b", "a_b", "a/b", "..", "a b", "\u{E9}", "*", "a\0",
            String(repeating: "m", count: 64), "root", "targets", "snapshot", "timestamp",
        ]
        for text in bad { #expect(ModelName(text) == nil, "\(text)") }
        #expect(ModelName("a").map { $0 < $0 } == false)
    }

    @Test func `takes channel names`() {
        #expect(ChannelName("main") == .main)
        #expect(ChannelName("targets") != nil)
        #expect(ChannelName("Main") == nil)
        #expect(ChannelName("") == nil)
        #expect(ChannelName("beta").map { $0 < .main } == true)
    }

    @Test func `takes attribute names of either case, and ASCII only`() {
        for good in ["en-GB", "eu.west_1", "9", "A"] { #expect(AttributeName(good) != nil) }
        for bad in ["", ".a", "-a", "_a", "a/b", "\u{212A}elvin", "a b"] {
            #expect(AttributeName(bad) == nil, "\(bad)")
        }
    }

    @Test func `reads a cohort as region and class`() throws {
        let cohort = try #require(Cohort("eu/small"))
        #expect(cohort.region.description == "eu")
        #expect(cohort.deviceClass.description == "small")
        #expect(cohort.description == "eu/small")
        for bad in ["", "eu", "eu/", "/small", "eu/small/x"] { #expect(Cohort(bad) == nil) }
        #expect(try cohort < #require(Cohort("eu/tall")))
        #expect(try #require(Cohort("ap/tall")) < cohort)
    }

    @Test func `takes a device id of 16 bytes`() throws {
        let digest = try #require(SHA256Digest(Array(0..<32)))
        let id = DeviceID(publicKeyDigest: digest)
        #expect(id.description == "000102030405060708090a0b0c0d0e0f")
        #expect(DeviceID(id.description) == id)
        #expect(DeviceID(id.description.uppercased()) == nil)
        #expect(DeviceID("00") == nil)
        #expect(DeviceID(bytes: [1]) == nil)
        #expect(try id < #require(DeviceID(bytes: [UInt8](repeating: 1, count: 16))))
    }

    @Test func `has one spelling for hexadecimal`() {
        #expect(Hex.encode([0x00, 0xAB, 0xFF]) == "00abff")
        #expect(Hex.decode("00abff") == [0x00, 0xAB, 0xFF])
        for bad in ["0", "0g", "AB", "aB", "0x00", " 00"] { #expect(Hex.decode(bad) == nil) }
        #expect(Hex.decode("") == [])
    }

    @Test func `takes a digest of 32 bytes`() {
        #expect(SHA256Digest([UInt8](repeating: 1, count: 31)) == nil)
        #expect(SHA256Digest(hex: String(repeating: "0a", count: 32))?.bytes.first == 10)
        #expect(SHA256Digest(hex: String(repeating: "0A", count: 32)) == nil)
    }

    @Test func `takes shares from 0 to 10,000 and prints them as percentages`() {
        #expect(BasisPoints(10_001) == nil)
        #expect(BasisPoints(-1) == nil)
        #expect(BasisPoints(clamping: 20_000) == .all)
        #expect(BasisPoints(clamping: -1) == BasisPoints.none)
        let texts = [100, 25, 10_000, 0, 5, 150].map { BasisPoints(clamping: $0).description }
        #expect(texts == ["1%", "0.25%", "100%", "0%", "0.05%", "1.5%"])
        #expect(BasisPoints.none < .all)
    }
}
