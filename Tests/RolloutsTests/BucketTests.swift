import Primitives
import Testing

@testable import Rollouts

struct BucketTests {
    struct Vector: Sendable, CustomTestStringConvertible {
        let manifest: String
        let device: String
        let bucket: Int

        init(_ manifest: String, _ device: String, _ bucket: Int) {
            self.manifest = manifest
            self.device = device
            self.bucket = bucket
        }

        var testDescription: String { "\(device) \(bucket)" }
    }

    /// Made with Python's hashlib: manifest `sha256(b"manifest %d")`, device `sha256(b"device %d")[:16]`,
    /// bucket `int.from_bytes(sha256(manifest + b"\0" + device).digest()[:8], "big") % 10000`.
    static let vectors = [
        Vector(
            "5880ce5715e0d442f1980afde40e4d00ce9f4fd2453e3cf9fb2b254c588f6a09",
            "d98d70924ee7056ad79057eac5b6b4b4", 6835),
        Vector(
            "f89f2c93435f42ab69280483e49d7244ea4de920c6f6144061c057ab4e176eef",
            "2cc5122d216268c31bf323d2c820aebb", 8043),
        Vector(
            "bedbe217a47cf0b6f225dd3e539a0a1115cff37fd2a84355b41d4db8f0962fdb",
            "046683030c70392f26c7e7737bcaeec8", 9190),
        Vector(
            "e13107f3f974c9c5457927026f565e9bb0c7b80d422797dfcb50d59dd5699e77",
            "bb6a7d0aa52ba096a1c18721cd9789c1", 5653),
        Vector(
            "ce39ffac5e9b42556507f6cc49743aeff49e670bebf654cb1de25d3fd5f60ef9",
            "fb2c9cbbb6b7cebf504dd39a72efebb8", 7527),
        Vector(
            "182888d1e4d90abaf37b410e7b0a1c222d200493cf77661c8e1ae8b2fee88e19",
            "4fd0471c8977ada99acc4ebb8ebbb94a", 1434),
        Vector(
            "be1b80d7aeb74878302c7c16e09ab99d9a769cee974344b0a807a788de729e63",
            "06bc44730fa1995128c721e825992bb7", 5858),
        Vector(
            "a60de9dcec5ecdc1cb663f5c3142ae20cc5eb2d4e4f9919f0a5763d97b1cdd29",
            "bdd52e2ed07b5e992057cc99765a976b", 4254),
        Vector(
            "307d7459f6fad08a072ac588ef916638f881b230644bb7f99e0f0566b4db8a2f",
            "80650a7daf48b9c1f4a576131a7acdc0", 4335),
        Vector(
            "3340857eeb3a5767dc8ea9aa7534adfab1be91734c984c9300ffff941d2c1aba",
            "08b8a3e536f6b39d16adb58e38d32b6a", 9629),
    ]

    @Test func `there are ten golden vectors`() {
        #expect(Self.vectors.count == 10)
    }

    @Test(arguments: vectors) func `agrees with the golden vectors`(_ vector: Vector) throws {
        let manifest = try #require(SHA256Digest(hex: vector.manifest))
        let device = try #require(DeviceID(vector.device))
        #expect(Bucket(of: device, candidate: manifest).value == vector.bucket)
    }

    @Test func `a pin names a device by the golden hash`() throws {
        let model = try #require(ModelName("commands-en"))
        let expected = [
            ("d98d70924ee7056ad79057eac5b6b4b4", "d36ff882a7e04886"),
            ("2cc5122d216268c31bf323d2c820aebb", "ed02b803cab1c065"),
        ]
        for (device, hash) in expected {
            let id = try #require(DeviceID(device))
            #expect(Hex.encode(DeviceHash(of: id, model: model).bytes) == hash)
        }
    }

    @Test func `the lowest and the highest shares meet without overlap`() throws {
        let low = BasisPoints(clamping: 9_500)
        let high = BasisPoints(clamping: 500)
        for value in 0..<Bucket.count {
            let bucket = try #require(Bucket(value))
            #expect(bucket.isBelow(low) != bucket.isAmongHighest(high))
        }
        #expect(Bucket(10_000) == nil)
        #expect(Bucket(-1) == nil)
    }
}
