import ArgumentParser
import Console
import Primitives
import RegistryAccess

/// Rollouts of a model: `fieldfare rollout`.
struct RolloutCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollout", abstract: "Stages a release, and stops or withdraws it.",
        discussion: """
            EXAMPLE
              fieldfare rollout create commands-en 1.1.0 --policy standard
              fieldfare rollout start commands-en
              fieldfare rollout status commands-en --watch
              fieldfare rollout rollback commands-en --reason "wrong words in en-GB"
            """,
        subcommands: [
            Create.self, PlanCommand.self, RehearseCommand.self, SimulateCommand.self, Status.self,
            Start.self,
            Advance.self, Pause.self,
            Resume.self,
            Rollback.self, Freeze.self, Release.self, Exclude.self, Include.self,
            PinCommand.self, UnpinCommand.self, PinsCommand.self,
        ])

    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Creates a rollout, which does nothing before it is started.",
            discussion: """
                Exits with 10 and all problems where the policy, the bundle or the channel stand against it. Without \
                any it still wants a word of yours where a stage could never show what its policy asks for with the \
                devices that follow the channel, or one signature is enough for its approval: it lists these \
                warnings, and ends with 10 too.

                EXAMPLE
                  fieldfare rollout create commands-en 1.1.0 --policy standard
                  fieldfare rollout create commands-en 1.1.0 --turns-per-day 400 --acknowledge-warnings
                """)

        @Argument(help: "The model.")
        var model: String

        @Argument(help: "The version to roll out.")
        var version: String

        @Option(help: "The name of its policy.")
        var policy = "standard"

        @Option(help: "The channel.")
        var channel = "main"

        @Flag(help: "The first release of the model: there is nothing to compare with.")
        var initial = false

        @OptionGroup var turns: TurnsOption

        @Flag(
            help: "Create it although stages can never show what the policy asks for; logged."
        )
        var acknowledgeWarnings = false

        @OptionGroup var server: ServerOptions
        @OptionGroup var output: OutputOptions

        func run() throws {
            var request: JSONObject = [
                "model": .string(try Word.model(model).description),
                "candidate": .string(try Word.version(version, "version").description),
                "policy": .string(try Word.attribute(policy, "--policy").description),
                "channel": .string(try Word.channel(channel).description),
                "initial": .bool(initial), "acknowledge": .bool(acknowledgeWarnings),
            ]
            request["turns_per_day"] = try turns.checked().map { .integer($0) }
            let answer = try server.api().post("/v1/rollouts", .object(request))
            RolloutView(answer).tell(output)
        }
    }

    struct Status: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows stages, arms and tests; --watch keeps showing them.",
            discussion: """
                EXAMPLE
                  fieldfare rollout status commands-en --watch
                """)

        @Argument(help: "The model; without it, all rollouts are listed.")
        var model: String?

        @Option(help: "The channel.")
        var channel = "main"

        @Flag(help: "Show it again every two seconds until the rollout has ended.")
        var watch = false

        @OptionGroup var server: ServerOptions
        @OptionGroup var output: OutputOptions

        func run() throws {
            let path = try model.map { (model) throws(Failure) in
                "/v1/rollouts/\(try Word.model(model))/\(try Word.channel(channel))"
            }
            let api = try server.api()
            guard let path else {
                let answer = try api.get("/v1/rollouts")
                guard !output.isJSON else { return Output.json(answer) }
                for rollout in answer["rollouts"]?.array ?? [] {
                    Output.line(RolloutView(rollout).line)
                }
                return
            }
            while true {
                let view = RolloutView(try api.get(path))
                if watch && Output.isTerminal && !output.isJSON {
                    Output.prompt("\u{1B}[2J\u{1B}[H")
                }
                view.tell(output)
                guard watch, !view.isOver else { return }
                Wait.seconds(2)
            }
        }
    }

    struct Start: RolloutOrderCommand {
        static let configuration = CommandConfiguration(
            abstract: "Starts a rollout.",
            discussion: """
                EXAMPLE
                  fieldfare rollout start commands-en
                """)
        static let order = "start"
        @OptionGroup var options: OrderOptions
    }

    struct Advance: RolloutOrderCommand {
        static let configuration = CommandConfiguration(
            abstract: "Begins the next stage, where the policy leaves that to a person.",
            discussion: """
                It takes the place of the gate's verdict, once the least soak is over: where the gate has not promoted, \
                the stage that ends is recorded as unproven. A stage with 'promote: signed' needs its approval ('policy \
                approve') all the same.

                EXAMPLE
                  fieldfare rollout advance commands-en --reason "looked at the canary"
                """)
        static let order = "advance"
        @OptionGroup var options: OrderOptions
    }

    struct Pause: RolloutOrderCommand {
        static let configuration = CommandConfiguration(
            abstract: "Exposes no further device; those exposed stay.",
            discussion: """
                EXAMPLE
                  fieldfare rollout pause commands-en --reason "complaints from one site"
                """)
        static let order = "pause"
        @OptionGroup var options: OrderOptions
    }

    struct Resume: RolloutOrderCommand {
        static let configuration = CommandConfiguration(
            abstract: "Goes on after a pause, everywhere or in one segment.",
            discussion: """
                EXAMPLE
                  fieldfare rollout resume commands-en
                  fieldfare rollout resume commands-en --region us
                """)
        static let order = "resume"
        @OptionGroup var segment: SegmentOptions
        @OptionGroup var options: OrderOptions

        func about() throws(Failure) -> JSONObject { try segment.fields() }
    }

    struct Rollback: RolloutOrderCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Withdraws the release in force: devices that run it go back to the one before.",
            discussion: """
                Going back needs no download as long as a device's other slot still holds the version before. A rollout that \
                is only prepared is dropped, and what devices follow meanwhile is withdrawn: the answer says which version \
                that is. A first release has nothing before it and is refused, unless you say --leave-no-model: devices that \
                run it then keep it, as stranded, and no other device gets a model.

                EXAMPLE
                  fieldfare rollout rollback commands-en --reason "wrong words in en-GB"
                """)
        static let order = "rollback"

        @Flag(help: "Withdraw a first release too: devices have no model that they may run.")
        var leaveNoModel = false

        @OptionGroup var options: OrderOptions

        func about() throws(Failure) -> JSONObject {
            leaveNoModel ? ["leave_no_model": true] : [:]
        }

        func tell(_ view: RolloutView) { view.tellWithdrawal() }
    }

    struct Freeze: RolloutOrderCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Moves nothing of the model until 'release', or in a weekly window; going back stays possible.",
            discussion: """
                Without --window all channels of the model stand still at once. With it nobody of this channel swaps \
                forward in that time of any week; devices know it in UTC, and the command prints both.

                EXAMPLE
                  fieldfare rollout freeze commands-en --reason "holidays"
                  fieldfare rollout freeze commands-en --window "Fri 16:00 to Mon 07:00" --time-zone Europe/Berlin
                """)
        static let order = "freeze"
        @OptionGroup var window: WindowOptions
        @OptionGroup var options: OrderOptions

        func about() throws(Failure) -> JSONObject { try window.fields() }
    }

    struct Release: RolloutOrderCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ends a freeze, or drops a weekly window.",
            discussion: """
                EXAMPLE
                  fieldfare rollout release commands-en
                  fieldfare rollout release commands-en --window "Fri 15:00 to Mon 06:00"
                """,
            aliases: ["unfreeze"])
        static let order = "unfreeze"
        @OptionGroup var window: WindowOptions
        @OptionGroup var options: OrderOptions

        func about() throws(Failure) -> JSONObject { try window.fields() }
    }

    struct Exclude: RolloutOrderCommand {
        static let configuration = CommandConfiguration(
            abstract: "Takes the candidate back in one segment, and goes on elsewhere.",
            discussion: """
                EXAMPLE
                  fieldfare rollout exclude commands-en --region us --reason "a carrier's proxy"
                """)
        static let order = "exclude"
        @OptionGroup var segment: SegmentOptions
        @OptionGroup var options: OrderOptions

        func about() throws(Failure) -> JSONObject { try segment.fields() }

        func validate() throws { try segment.requireOne() }
    }

    struct Include: RolloutOrderCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lets a segment that was excluded take part again.",
            discussion: """
                EXAMPLE
                  fieldfare rollout include commands-en --region us
                """)
        static let order = "include"
        @OptionGroup var segment: SegmentOptions
        @OptionGroup var options: OrderOptions

        func about() throws(Failure) -> JSONObject { try segment.fields() }

        func validate() throws { try segment.requireOne() }
    }
}

/// What every order names.
struct OrderOptions: ParsableArguments {
    @Argument(help: "The model.")
    var model: String

    @Option(help: "The channel.")
    var channel = "main"

    @Option(help: "Why, for the audit log; at most 200 bytes.")
    var reason = ""

    @OptionGroup var server: ServerOptions
    @OptionGroup var output: OutputOptions
}

/// A part of the fleet: a region, a device class, both of them (a cohort), or a locale.
struct SegmentOptions: ParsableArguments {
    @Option(help: "The segment's region.")
    var region: String?

    @Option(help: "The segment's device class; with --region, the cohort of both.")
    var deviceClass: String?

    @Option(help: "The segment's locale, alone.")
    var locale: String?

    private var isNamed: Bool { region != nil || deviceClass != nil || locale != nil }

    func requireOne() throws {
        guard isNamed else {
            throw ValidationError(
                "expected --region, --device-class, both, or --locale, got none of them")
        }
    }

    /// The segment of the request; none where none is named.
    func fields() throws(Failure) -> JSONObject {
        guard isNamed else { return [:] }
        guard locale == nil || (region == nil && deviceClass == nil) else {
            throw Failure(.usage, "--locale: expected it alone, got other parts of a segment too")
        }
        var fields: JSONObject = [:]
        for (key, option, value) in [
            ("region", "--region", region), ("device_class", "--device-class", deviceClass),
            ("locale", "--locale", locale),
        ] {
            guard let value else { continue }
            fields[key] = .string(try Word.attribute(value, option).description)
        }
        return ["segment": .object(fields)]
    }
}

/// A command that gives one order to a rollout.
protocol RolloutOrderCommand: ParsableCommand {
    static var order: String { get }
    var options: OrderOptions { get }
    /// What the order is about, where that is not the whole rollout: fields of the request.
    func about() throws(Failure) -> JSONObject
    /// Says what came of it, before the status.
    func tell(_ view: RolloutView)
}

extension RolloutOrderCommand {
    func about() throws(Failure) -> JSONObject { [:] }

    func tell(_ view: RolloutView) {}

    func run() throws {
        let model = try Word.model(options.model)
        let channel = try Word.channel(options.channel)
        var body = try about()
        body["reason"] = .string(options.reason)
        let answer = try options.server.api().post(
            "/v1/rollouts/\(model)/\(channel)/\(Self.order)", .object(body))
        let view = RolloutView(answer)
        if !options.output.isJSON { tell(view) }
        view.tell(options.output)
    }
}
