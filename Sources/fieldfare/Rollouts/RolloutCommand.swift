import ArgumentParser
import Console
import Primitives

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
            Create.self, Status.self, Start.self, Advance.self, Pause.self, Resume.self,
            Rollback.self, Freeze.self, Unfreeze.self,
        ])

    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Creates a rollout, which does nothing before it is started.",
            discussion: """
                EXAMPLE
                  fieldfare rollout create commands-en 1.1.0 --policy standard
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

        @OptionGroup var server: ServerOptions
        @OptionGroup var output: OutputOptions

        func run() throws {
            let request: JSON = [
                "model": .string(try Word.model(model).description),
                "candidate": .string(try Word.version(version, "version").description),
                "policy": .string(try Word.attribute(policy, "--policy").description),
                "channel": .string(try Word.channel(channel).description),
                "initial": .bool(initial),
            ]
            let answer = try server.api().post("/v1/rollouts", request)
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
            abstract: "Goes on after a pause.",
            discussion: """
                EXAMPLE
                  fieldfare rollout resume commands-en
                """)
        static let order = "resume"
        @OptionGroup var options: OrderOptions
    }

    struct Rollback: RolloutOrderCommand {
        static let configuration = CommandConfiguration(
            abstract: "Withdraws the candidate: every device goes back, without a download.",
            discussion: """
                EXAMPLE
                  fieldfare rollout rollback commands-en --reason "wrong words in en-GB"
                """)
        static let order = "rollback"
        @OptionGroup var options: OrderOptions
    }

    struct Freeze: RolloutOrderCommand {
        static let configuration = CommandConfiguration(
            abstract: "Moves nothing until 'unfreeze'; going back stays possible.",
            discussion: """
                EXAMPLE
                  fieldfare rollout freeze commands-en --reason "holidays"
                """)
        static let order = "freeze"
        @OptionGroup var options: OrderOptions
    }

    struct Unfreeze: RolloutOrderCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ends a freeze.",
            discussion: """
                EXAMPLE
                  fieldfare rollout unfreeze commands-en
                """)
        static let order = "unfreeze"
        @OptionGroup var options: OrderOptions
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

/// A command that gives one order to a rollout.
protocol RolloutOrderCommand: ParsableCommand {
    static var order: String { get }
    var options: OrderOptions { get }
}

extension RolloutOrderCommand {
    func run() throws {
        let model = try Word.model(options.model)
        let channel = try Word.channel(options.channel)
        let answer = try options.server.api().post(
            "/v1/rollouts/\(model)/\(channel)/\(Self.order)",
            ["reason": .string(options.reason)])
        RolloutView(answer).tell(options.output)
    }
}
