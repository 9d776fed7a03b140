import NIOCore
import NIOHTTPTypes

/// Answers polls on the event loop, where they arrive: a few bytes from memory need neither task nor router.
///
/// A poll that comes while the router still answers an earlier request of its connection, or while the client
/// does not read, goes to the router as well: answers keep their order, and what waits to be written stays small.
final class PollHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let answers: PollAnswers
    /// Requests that the router has, and has not answered in full.
    private var routed = 0
    /// The answer to the request whose head was read and whose end was not.
    private var answer: PollAnswers.Answer?
    private var mustFlush = false

    init(answers: PollAnswers) {
        self.answers = answers
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let request):
            if routed == 0, context.channel.isWritable {
                answer = answers.answer(to: request)
            }
            guard answer == nil else { return }
            routed += 1
        case .body: guard answer == nil else { return }
        case .end:
            guard let answer else { break }
            self.answer = nil
            context.write(wrapOutboundOut(.head(answer.head)), promise: nil)
            if answer.body.readableBytes > 0 {
                context.write(wrapOutboundOut(.body(answer.body)), promise: nil)
            }
            context.write(wrapOutboundOut(.end(nil)), promise: nil)
            mustFlush = true
            return
        }
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if mustFlush {
            mustFlush = false
            context.flush()
        }
        context.fireChannelReadComplete()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) { routed -= 1 }
        context.write(data, promise: promise)
    }
}
