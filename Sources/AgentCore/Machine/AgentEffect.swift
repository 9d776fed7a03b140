package import Rollouts
package import Speech
package import Telemetry

/// Something worth a report and a log line.
package enum Notice: Sendable, Hashable {
    case verified
    /// A smoke test is about to start.
    case attempt
    case smokePassed(SmokeMeasurement)
    case smokeFailed(SmokeFailure, SmokeMeasurement?)
    /// "Switching now."
    case beacon
    case swapped
    case committed
    /// Giving up before the swap: what runs goes on running.
    case abandoning(RetreatCause)
    /// Going back after the swap, or from a committed bundle.
    case retreating(RetreatCause)
    /// It is back, or the attempt is over.
    case retreated(RetreatCause)
    /// The slot to go back to cannot be activated; the device stays where it is.
    case stranded(RetreatCause)
    case held
    case unheld
    /// An order that there is nothing to do about, such as a rollback with nothing to go back to.
    case refusedOrder(LocalOrder)
}

/// Something to do, as data; the driver performs a list in order.
///
/// `.save` comes first wherever it appears, and the `.report`s of the list go into its transaction. All
/// others may be repeated: after a power cut `resume` makes them again from the saved state.
package enum AgentEffect: Sendable, Hashable {
    case save
    case report(Notice, BundleReference?, TraceID?)
    /// Stop the worker's present job, and drop its result.
    case cancel
    case poll
    /// Bring the attempt's bundle into its slot; after so many seconds (jitter is the driver's).
    case stage(Slot, after: Int64)
    /// Ask whether the test may begin now, and say `.proceed` if so.
    case consider
    case probe(Slot)
    /// Send what is queued, now.
    case flush
    case activate(Slot?)
    /// Hash the slot that may have to be gone back to, or just was; `.damaged` where it fails.
    case verify(Slot)
    /// Give the room back that a bundle on its way into the slot has taken.
    case discard(Slot)
    /// Tell the applications that another version is active, or none.
    case announce
}
