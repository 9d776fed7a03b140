private import Glibc

/// The boundary of tests A and B: a one-sided normal mixture, valid at every look (docs/gate.md).
package enum Boundary {
    /// How many standard errors an effect must reach at `level`, the test's share of alpha, above 0.
    ///
    /// `x` is (prior sd / standard error) squared, above 0.
    package static func k(x: Double, level: Double) -> Double {
        sqrt((1 + 1 / x) * 2 * log(1 + sqrt(1 + x) / (2 * level)))
    }

    /// How much wider an error is whose variance was estimated with so many degrees of freedom, at least 1.
    ///
    /// Student's quantile over the normal one at z = sqrt(19), about the level of a segment's test, by Wallace's
    /// approximation (1959). Its first term is `1 + 5/degrees`: 1.8 where three devices against five need 3.0.
    static func inflation(degrees: Double) -> Double {
        let z = sqrt(19.0)
        let normal = z * (8 * degrees + 3) / (8 * degrees + 1)
        return sqrt(degrees * expm1(normal * normal / degrees)) / z
    }

    /// The chance of ever seeing an effect of `z` standard errors or more at this `x` with no change.
    ///
    /// The always-valid p of a release is the least over its looks.
    package static func pValue(z: Double, x: Double) -> Double {
        guard z > 0, x > 0 else { return 1 }
        return min(1, sqrt(1 + x) / (2 * expm1(z * z * x / (2 * (1 + x)))))
    }
}
