extension Duration {
    /// Milliseconds, rounded down; held within 64 bits.
    var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (whole, over) = seconds.multipliedReportingOverflow(by: 1_000)
        return over ? (seconds < 0 ? .min : .max) : whole + attoseconds / 1_000_000_000_000_000
    }
}
