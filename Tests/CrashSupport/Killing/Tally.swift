/// What an engine has done and found.
package struct Tally: Sendable {
    package let engine: String
    /// Places at which the device was ended.
    package var points = 0
    package var runs = 0
    package var failures: [String] = []

    package init(engine: String) { self.engine = engine }

    package var line: String {
        "\(engine): \(points) points, \(runs) runs, \(failures.count) failures"
    }
}
