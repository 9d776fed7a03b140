import ArgumentParser
import Console
import CurlTransport
import Primitives
import RegistryAccess
import TUF

/// `fieldfare repo withdraw`: closes an open proposal that shall never be signed.
struct RepositoryWithdraw: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "withdraw", abstract: "Closes a role's open proposal, unsigned.",
        discussion: """
            For a mistake, or for what a stolen key has proposed: while a proposal is open, what is proposed next must \
            contain all of it. Nothing that is live changes, and the audit log keeps who did it. The token needs the scope \
            'sign'.

            EXAMPLE
              fieldfare repo withdraw model.commands-en
            """)

    @Argument(help: "The role: root, targets or model.<model>.")
    var role: String

    @OptionGroup var server: ServerOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        guard let role = RoleName(role), role.isSignedOffline, role.kind != nil else {
            throw Failure(
                .usage, "role: expected root, targets or model.<model>, got '\(self.role)'")
        }
        let answer = try server.api().send(.delete, "/v1/roles/\(role)/proposal").json()
        if output.isJSON {
            Output.json(answer)
        } else {
            Output.line("\(role): \(answer["state"]?.string ?? "unknown")")
        }
    }
}
