import HTTPAPI
import HTTPTypes
import HummingbirdTesting
import Primitives
import RegistryCore
import Testing

extension TestAPI {
    /// Expects an answer to be one that `/openapi.json` tells of: status, media type, type or code.
    func expectDescribed(
        _ response: TestResponse, to method: HTTPRequest.Method, _ target: String,
        at location: SourceLocation
    ) {
        let path = String(target.prefix { $0 != "?" })
        let asked: HTTPRequest.Method = method == .head ? .get : method
        let route = router.table().routes.first {
            $0.method == asked && $0.hasPath(path)
        }
        let comment: Comment = "\(method) \(target): \(response.status)"
        guard let route else {
            let isPath = router.table().routes.contains { $0.hasPath(path) }
            #expect(
                response.status == (isPath ? .methodNotAllowed : .notFound), comment,
                sourceLocation: location)
            return
        }
        if method == .head, response.status.kind == .clientError {
            let isKnown = route.problems.contains { $0.status == response.status }
            #expect(isKnown, comment, sourceLocation: location)
            return
        }
        if let code = response.problem {
            let isKnown = route.problems.contains { $0.rawValue == code }
            #expect(isKnown, "\(comment) \(code)", sourceLocation: location)
            return
        }
        let media = response.header("Content-Type").map { String($0.prefix { $0 != ";" }) }
        let type = media == "application/json" ? (try? response.json)?["type"]?.string : nil
        let isKnown = route.answers.contains { answer in
            guard answer.status == response.status else { return false }
            guard response.status.kind != .redirection, media != nil, answer.media != nil else {
                return true
            }
            return answer.media == media
                && (answer.type == nil || method == .head || answer.type == type)
        }
        #expect(isKnown, comment, sourceLocation: location)
    }
}
