import ArgumentParser
import Primitives

/// The rollout.yaml that `policy init` writes; tests keep it equal to manifests/rollout.yaml, that of a first release to
/// manifests/first-rollout.yaml, and the one whose last stage two people sign to manifests/signed-rollout.yaml.
enum PolicyTemplate: String, CaseIterable, ExpressibleByArgument {
    /// An operator begins the last stage.
    case standard
    /// The release keys do.
    case signed

    /// `now` is when it is written: the policy begins at the next 08:00 UTC, and ends 90 days later.
    func text(
        model: ModelName, version: SemanticVersion, isInitial: Bool, after now: UTCTime
    ) -> String {
        [
            Self.head(model, version, isInitial, after: now),
            stages(isInitial, Self.last(self, model, version)),
            isInitial ? Self.firstGates : Self.comparison, Self.rest,
        ].joined(separator: "\n")
    }

    private static func head(
        _ model: ModelName, _ version: SemanticVersion, _ isInitial: Bool, after now: UTCTime
    ) -> String {
        let today = now.seconds / 86_400 * 86_400 + 8 * 3_600
        let start = UTCTime(clamping: today < now.seconds ? today + 86_400 : today)
        let isFirst = version.minor == 0 && version.patch == 0
        let oldest = isFirst ? "0.0.0" : "\(version.major).0.0"
        let replaces = isInitial ? "" : "\"\(oldest)..<\(version)\""
        return """
            # How release \(version) of \(model) may spread. `fieldfare policy check` reads this file, fills in every
            # default and lists all problems at once; `fieldfare publish --policy` makes the policy of it that is signed
            # (docs/formats/policy.md has every field, with its default and its reason).
            #
            # Numbers may have units: shares 1%, ratios 1.30 or 5%, times 90s 15m 24h 7d, sizes 64MiB,
            # moments 2026-11-21T08:00:00Z.

            model: \(model)
            candidate: \(version)

            # The versions it may replace: single ones, or ranges such as 1.0.0..<1.4.0 (without the upper end) and
            # 1.2.0...1.3.9 (with it). An empty list is a first release: no baseline, no control.
            replaces: [\(replaces)]

            # Devices count the least soak times from here, whatever the registry says.
            not_before: \(start)
            not_after: \(start + 90 * 86_400)

            """
    }

    private func stages(_ isInitial: Bool, _ last: String) -> String {
        let blindSpots = isInitial ? ["    required_blind_spot: {}"] : []
        return
            ([isInitial ? Self.firstIntroduction : Self.introduction, Self.beta]
            + (isInitial ? blindSpots : [Self.betaBlindSpot]) + [Self.canary] + blindSpots + [last]
            + blindSpots).joined(separator: "\n") + "\n"
    }

    private static func last(
        _ template: PolicyTemplate, _ model: ModelName, _ version: SemanticVersion
    ) -> String {
        switch template {
        case .standard: stable
        case .signed:
            """
              - name: stable
                # signed: besides the gate's verdict it takes an approval with the release keys, which each device checks,
                # whoever signed the plan. As many people sign it as the model's role asks for (`fieldfare repo status`:
                # the threshold; give it 2: at 1 `policy check --server` and `rollout create` warn). The first runs
                #   fieldfare policy approve \(model) \(version) --stage stable --key KEY
                # the second looks at what it says, and signs it:
                #   fieldfare repo sign model.\(model) --key KEY
                # Once that is live the stage begins with the gate's verdict, or when an operator orders `advance`: that
                # needs the approval and the least soak too, but no verdict, and is recorded as unproven.
                promote: signed
            """
        }
    }

    private static let introduction = """
        # What is left out comes from the templates: the first stage from `beta` (1%, at least 10 devices), the
        # last from `stable` (100%, which is all but the hold-back), all between from `canary` (10%, at least 20).
        """

    private static let firstIntroduction = """
        # What is left out comes from the templates: the first stage from `beta` (1%, at least 10 devices), the
        # last from `stable` (100%), all between from `canary` (10%, at least 20). There is no old release to compare
        # with, so no stage can show by comparison what it might have missed: silent devices, devices that go back by
        # themselves and the absolute limit below stop a release.
        """

    private static let beta = """
        stages:
          - name: beta
            where:
              regions: [eu]
              labels: [office]
            # At least 10 devices of each cohort, but never more than a quarter of it.
            share: 1%
            least_devices: 10
            cap: 25%
            least_soak: 24h
            most_soak: 72h
        """

    private static let betaBlindSpot = """
            # The worsening that this stage may be unable to see: p95 x2.0, and errors in 8% of all turns.
            required_blind_spot:
              latency_p95: 2.0
              errors: 8%
        """

    private static let canary = """
          - name: canary
            where:
              regions: [eu]
            share: 10%
            # New devices start one after the other over six hours, by bucket.
            ramp: 6h
        """

    private static let stable = """
          - name: stable
            # auto: the gate's verdict is enough; manual: and an operator's `advance`; signed: and an approval
            # signed with the release keys, which each device checks.
            promote: manual
        """

    /// With the devices that stay on the old release.
    private static let comparison = """
        # These devices stay on the old release until the new one is declared good: the gate compares with them.
        hold_back:
          share: 5%
          least_devices: 50
          cap: 25%

        # Listed gates replace the default of the same metric; the others stay. `without_gates` drops some.
        gates:
          - metric: latency_p95
            limit: 1.30
            # A known cost that is not held against the release: 3% more.
            accepted: 1.03
            # cpu_ms is not moved by other programs on the device; latency_ms is what the user felt.
            clock: cpu_ms
          - metric: errors
            limit: 1.5
            absolute: 5%
        without_gates: [abandonment]

        """

    /// Without them, a limit that needs no comparison.
    private static let firstGates = """
        gates:
          - metric: errors
            absolute: 5%

        """

    private static let rest = """
        # pause waits for a person when a stage ends without the evidence it needs; promote_unproven goes on,
        # and says so.
        on_insufficient_evidence: pause

        # The segments that the controller may leave out by itself when only they are worse off.
        excludable: [cohort, region, device_class, locale]

        # How each device watches the new bundle by itself before it commits.
        probation:
          turns: 240
          least_turns: 40
          seconds: 7d
          most: 14d

        download:
          metered: true
          # For devices on battery. The agent cannot see battery or link yet, and takes no notice of this section.
          least_battery: 30%
          budgets:
            # What one update may cost on a metered link.
            metered:
              bytes: 16MiB
              retries: 10

        # At most one swap forward of a device in six hours; going back is always free.
        min_dwell: 6h
        # A swap forward needs a timestamp that was signed at most a day ago.
        freshness: 24h
        # So many devices may be pinned to the release before its stages are over.
        max_pins: 0

        """
}
