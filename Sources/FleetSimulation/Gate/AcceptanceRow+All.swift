/// The acceptance table: what a gate written to the same formulas did, by scenario and fleet size.
extension AcceptanceRow {
    package static let fleets = [50, 200, 2_000, 20_000, 200_000]

    package static let all: [AcceptanceRow] = [
        AcceptanceRow(
            name: "nothing wrong",
            cells: [
                50: AcceptanceCell(0.5, 1.6, runs: 3_000),
                200: AcceptanceCell(0.03, 0.6, runs: 3_000),
                2_000: AcceptanceCell(0, 0.3, runs: 1_300),
                20_000: AcceptanceCell(0.2, 1.1, runs: 550),
                200_000: AcceptanceCell(0, 0.8, runs: 120),
            ]),
        AcceptanceRow(
            name: "p95 x1.15", effect: effect { e in e.latency = 1.15 },
            cells: [
                50: AcceptanceCell(15, 32, runs: 200, stage: 1, hours: 39),
                200: AcceptanceCell(32, 70, runs: 200, stage: 2, hours: 63),
                2_000: AcceptanceCell(50, 100, runs: 100, stage: 1, hours: 36),
                20_000: AcceptanceCell(42, 100, runs: 40, stage: 0, hours: 12),
                200_000: AcceptanceCell(17, 100, runs: 30, stage: 2, hours: 54),
            ]),
        AcceptanceRow(
            name: "p95 x1.30", effect: effect { e in e.latency = 1.30 },
            cells: [
                50: AcceptanceCell(74, 92, runs: 200, stage: 1, hours: 39),
                200: AcceptanceCell(100, 100, runs: 200, stage: 1, hours: 42),
                2_000: AcceptanceCell(100, 100, runs: 100, stage: 0, hours: 21),
                20_000: AcceptanceCell(100, 100, runs: 40, stage: 0, hours: 9),
                200_000: AcceptanceCell(100, 100, runs: 30, stage: 0, hours: 9),
            ]),
        AcceptanceRow(
            name: "p95 x1.60", effect: effect { e in e.latency = 1.60 },
            cells: [
                50: AcceptanceCell(100, 100, runs: 200, stage: 0, hours: 18),
                200: AcceptanceCell(100, 100, runs: 200, stage: 0, hours: 18),
                2_000: AcceptanceCell(100, 100, runs: 100, stage: 0, hours: 12),
                20_000: AcceptanceCell(100, 100, runs: 40, stage: 0, hours: 9),
                200_000: AcceptanceCell(100, 100, runs: 30, stage: 0, hours: 6),
            ]),
        AcceptanceRow(
            name: "p95 x2", effect: effect { e in e.latency = 2 },
            cells: [
                50: AcceptanceCell(100, 100, runs: 200, stage: 0, hours: 15),
                200: AcceptanceCell(100, 100, runs: 200, stage: 0, hours: 15),
                2_000: AcceptanceCell(100, 100, runs: 100, stage: 0, hours: 12),
                20_000: AcceptanceCell(100, 100, runs: 40, stage: 0, hours: 6),
                200_000: AcceptanceCell(100, 100, runs: 30, stage: 0, hours: 6),
            ]),
        AcceptanceRow(
            name: "false positives x1.15", effect: effect { e in e.falsePositives = 1.15 },
            cells: [
                50: AcceptanceCell(1.5, 2.5, runs: 200, stage: 1, hours: 36),
                200: AcceptanceCell(0, 0.5, runs: 200),
                2_000: AcceptanceCell(0, 0, runs: 100),
                20_000: AcceptanceCell(20, 45, runs: 40, stage: 1, hours: 45),
                200_000: AcceptanceCell(90, 100, runs: 30, stage: 1, hours: 45),
            ]),
        AcceptanceRow(
            name: "false positives x1.30", effect: effect { e in e.falsePositives = 1.30 },
            cells: [
                50: AcceptanceCell(1.5, 2.5, runs: 200, stage: 1, hours: 36),
                200: AcceptanceCell(0, 0.5, runs: 200),
                2_000: AcceptanceCell(0, 0, runs: 100),
                20_000: AcceptanceCell(98, 100, runs: 40, stage: 1, hours: 36),
                200_000: AcceptanceCell(100, 100, runs: 30, stage: 0, hours: 12),
            ]),
        AcceptanceRow(
            name: "errors 1 to 5 %", effect: effect { e in e.errors = 5 },
            cells: [
                50: AcceptanceCell(26, 45, runs: 200, stage: 1, hours: 36),
                200: AcceptanceCell(84, 96, runs: 200, stage: 2, hours: 57),
                2_000: AcceptanceCell(100, 100, runs: 100, stage: 1, hours: 30),
                20_000: AcceptanceCell(100, 100, runs: 40, stage: 0, hours: 6),
                200_000: AcceptanceCell(100, 100, runs: 30, stage: 0, hours: 6),
            ]),
        AcceptanceRow(
            name: "15 % of devices x3",
            effect: effect { e in
                e.subset = 0.15
                e.subsetLatency = 3
            },
            cells: [
                50: AcceptanceCell(1, 6.5, runs: 200, stage: 0, hours: 15),
                200: AcceptanceCell(6.5, 21, runs: 200, stage: 0, hours: 24),
                2_000: AcceptanceCell(72, 96, runs: 100, stage: 1, hours: 42),
                20_000: AcceptanceCell(98, 100, runs: 40, stage: 0, hours: 21),
                200_000: AcceptanceCell(100, 100, runs: 30, stage: 0, hours: 21),
            ]),
        AcceptanceRow(
            name: "5 % bricked", effect: effect { e in e.bricked = 0.05 },
            cells: [
                50: AcceptanceCell(0.5, 3, runs: 200, stage: 0, hours: 12),
                200: AcceptanceCell(3.5, 14, runs: 200, stage: 2, hours: 60),
                2_000: AcceptanceCell(100, 100, runs: 100, stage: 2, hours: 60),
                20_000: AcceptanceCell(100, 100, runs: 40, stage: 1, hours: 36),
                200_000: AcceptanceCell(100, 100, runs: 30, stage: 0, hours: 12),
            ]),
        AcceptanceRow(
            name: "20 % bricked", effect: effect { e in e.bricked = 0.20 },
            cells: [
                50: AcceptanceCell(34, 49, runs: 200, hours: 48),
                200: AcceptanceCell(100, 100, runs: 200, stage: 2, hours: 60),
                2_000: AcceptanceCell(100, 100, runs: 100, stage: 1, hours: 36),
                20_000: AcceptanceCell(100, 100, runs: 40, stage: 0, hours: 12),
                200_000: AcceptanceCell(100, 100, runs: 30, stage: 0, hours: 12),
            ]),
        AcceptanceRow(
            name: "all bricked", effect: effect { e in e.bricked = 1 },
            cells: [
                50: AcceptanceCell(100, 100, runs: 200, stage: 0, hours: 12),
                200: AcceptanceCell(100, 100, runs: 200, stage: 0, hours: 12),
                2_000: AcceptanceCell(100, 100, runs: 100, stage: 0, hours: 12),
                20_000: AcceptanceCell(100, 100, runs: 40, stage: 0, hours: 12),
                200_000: AcceptanceCell(100, 100, runs: 30, stage: 0, hours: 12),
            ]),
        AcceptanceRow(
            name: "nothing wrong, device sd 0.60 and ICC 0.06",
            model: model { m in
                m.deviceSpread = 0.60
                m.correlation = 0.06
            },
            cells: [
                200: AcceptanceCell(0, 1, runs: 400),
                2_000: AcceptanceCell(0, 1, runs: 200),
            ]),
        AcceptanceRow(
            name: "nothing wrong, rates with ICC 0.20", model: model { m in m.correlation = 0.20 },
            cells: [
                50: AcceptanceCell(0.8, 2, runs: 500),
                200: AcceptanceCell(0, 1, runs: 500),
                2_000: AcceptanceCell(0.8, 2, runs: 250),
            ]),
        AcceptanceRow(
            name: "nothing wrong, first 3 h x1.6 on new devices",
            effect: effect { e in e.novelty = 1.6 },
            cells: [
                200: AcceptanceCell(0, 0.7, runs: 300),
                2_000: AcceptanceCell(0, 0, runs: 150),
            ]),
    ]

    private static func effect(_ change: (inout CandidateEffect) -> Void) -> CandidateEffect {
        var effect = CandidateEffect()
        change(&effect)
        return effect
    }

    private static func model(_ change: (inout FleetModel) -> Void) -> FleetModel {
        var model = FleetModel()
        change(&model)
        return model
    }
}
