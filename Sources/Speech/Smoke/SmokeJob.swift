package import Primitives

/// What `fieldfare-smoke` is told to do: the `runtime` and `smoke` of a manifest.
///
/// The document may be the manifest itself; its other fields are not looked at.
package struct SmokeJob: Sendable, Hashable {
    package static let byteLimit = 1 << 20

    package let settings: RecogniserSettings
    package let suite: SmokeSuite

    package init(settings: RecogniserSettings, suite: SmokeSuite) {
        self.settings = settings
        self.suite = suite
    }

    package init(_ json: JSON) throws(FieldError) {
        var fields = try Fields(json)
        settings = try RecogniserSettings(try fields.value("runtime", "an object"), at: "runtime")
        suite = try SmokeSuite(try fields.value("smoke", "an object"), at: "smoke")
    }

    /// Reads a document of at most `byteLimit` bytes.
    package init(parsing bytes: [UInt8]) throws(SpeechError) {
        let json: JSON
        do { json = try JSON(parsing: bytes, limit: Self.byteLimit) } catch { throw .json(error) }
        do { try self.init(json) } catch { throw .field(error) }
    }

    package var json: JSON { ["runtime": settings.json, "smoke": suite.json] }
}
