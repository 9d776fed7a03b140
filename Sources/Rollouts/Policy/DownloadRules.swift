package import Primitives

/// What a device may spend on the download of a candidate.
package struct DownloadRules: Sendable, Hashable {
    /// What one kind of link may carry for one update attempt.
    package struct Budget: Sendable, Hashable {
        /// Bytes in all; nil is no limit.
        ///
        /// What does not fit is not begun, a full download included.
        package var bytes: Int64?
        /// Times that a failed transfer is begun again.
        package var retries: Int

        package init(bytes: Int64? = nil, retries: Int = 20) {
            self.bytes = bytes
            self.retries = retries
        }

        init(reading json: JSON, at path: String) throws(FieldError) {
            var fields = try Fields(json, at: path)
            bytes = try fields.optionalInteger("bytes", in: 0...(1 << 50))
            retries = try fields.count("retries", in: 0...10_000)
            try fields.refuseUnknown()
        }

        var json: JSON {
            var fields: JSONObject = ["retries": .integer(retries)]
            fields["bytes"] = bytes.map { .integer($0) }
            return .object(fields)
        }
    }

    /// Whether metered links may be used at all.
    package var metered: Bool
    /// The least charge of a device on battery, in thousandths.
    package var leastBattery: Int
    package var meteredBudget: Budget
    package var unmeteredBudget: Budget

    package init(
        metered: Bool = true, leastBattery: Int = 300, meteredBudget: Budget = Budget(),
        unmeteredBudget: Budget = Budget()
    ) {
        self.metered = metered
        self.leastBattery = leastBattery
        self.meteredBudget = meteredBudget
        self.unmeteredBudget = unmeteredBudget
    }

    package init(reading json: JSON, at path: String) throws(FieldError) {
        var fields = try Fields(json, at: path)
        metered = try fields.bool("metered")
        leastBattery = try fields.count("least_battery", in: 0...1_000)
        var budgets = try fields.fields("budgets")
        meteredBudget = try Budget(
            reading: try budgets.value("metered", "an object"), at: budgets.path(of: "metered"))
        unmeteredBudget = try Budget(
            reading: try budgets.value("unmetered", "an object"),
            at: budgets.path(of: "unmetered"))
        try budgets.refuseUnknown()
        try fields.refuseUnknown()
    }

    package var json: JSON {
        [
            "metered": .bool(metered), "least_battery": .integer(leastBattery),
            "budgets": ["metered": meteredBudget.json, "unmetered": unmeteredBudget.json],
        ]
    }
}
