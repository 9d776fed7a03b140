private import Glibc

extension ExponentialHistogram {
    /// The value below which a share `q` of all values lies, in milliseconds, log-linear inside a bucket.
    ///
    /// The rank is `q * count`; the bucket is the first whose cumulative count reaches it.
    /// At scale 4 the answer is within 2.2% of the true sample quantile.
    ///
    /// - Parameter q: 0 to 1.
    /// - Returns: nil where there are no values or `q` is out of range; 1, the upper bound of all values
    ///   below 1 ms, where the rank falls among those.
    package func quantile(_ q: Double) -> Double? {
        guard !isEmpty, (0...1).contains(q) else { return nil }
        let rank = q * Double(count)
        var below = Double(zeroCount)
        guard rank > below || counts.isEmpty else { return 1 }
        for (step, count) in counts.enumerated() where count > 0 {
            if below + Double(count) >= rank || step == counts.count - 1 {
                let fraction = min(1, max(0, (rank - below) / Double(count)))
                return exp2((Double(offset + step) + fraction) / exp2(Double(scale)))
            }
            below += Double(count)
        }
        return nil
    }

    /// The natural logarithm of a quantile in milliseconds, or nil where there is none.
    package func logQuantile(_ q: Double) -> Double? { quantile(q).map { log($0) } }
}
