import Foundation
import Primitives
import ProgramTestSupport
import RegistryTestSupport
import Testing

extension RegistryUnderTest {
    /// Makes a device known to the running registry, with a token of its own.
    func enrol(_ device: TestDevice) throws {
        let made = try good("devices", "enrol-tokens", "--json")
        let token = try #require((made.json["tokens"] as? [String])?.first)
        let answer = try request(
            "/v1/devices", method: "POST", body: Data(device.enrolment(token: token).bytes))
        try #require(answer.status == 201, "\(answer.text)")
    }
}
