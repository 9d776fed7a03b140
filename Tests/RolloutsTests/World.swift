import Primitives
import TestSupport

@testable import Rollouts

/// Unwraps what a test wrote itself.
func made<Value>(_ value: Value?, line: Int = #line) -> Value {
    guard let value else { preconditionFailure("a test's own value is wrong, line \(line)") }
    return value
}

func name(_ text: String) -> AttributeName { made(AttributeName(text)) }

func version(_ text: String) -> SemanticVersion { made(SemanticVersion(text)) }

func bundle(_ text: String) -> BundleReference { RolloutWorld.reference(text) }

func basisPoints(_ value: Int) -> BasisPoints { made(BasisPoints(Int64(value))) }

let hour: Int64 = 3_600
let day: Int64 = 86_400

typealias World = RolloutWorld
