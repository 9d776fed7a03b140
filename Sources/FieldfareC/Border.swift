import CFieldfare
import FieldfareAgent
import Glibc

/// Crosses the border to C once: what is thrown becomes a code, and a sentence for `fieldfare_last_error`.
func crossing(_ work: () throws(AgentError) -> fieldfare_code) -> fieldfare_code {
    do {
        let code = try work()
        unsafe cfieldfare_set_last_error("")
        return code
    } catch {
        unsafe cfieldfare_set_last_error(error.description)
        return error.code.inC
    }
}

/// As `crossing`, for work that needs something which C may have left out.
func crossing<Needed>(
    _ needed: Needed?, _ name: String, _ work: (Needed) throws(AgentError) -> fieldfare_code
) -> fieldfare_code {
    guard let needed else { return refusing("\(name): expected one, got NULL") }
    return crossing { () throws(AgentError) in try work(needed) }
}

/// An argument is wrong.
func refusing(_ message: String) -> fieldfare_code {
    unsafe cfieldfare_set_last_error(message)
    return FIELDFARE_CONFIGURATION
}

extension AgentError.Code {
    fileprivate var inC: fieldfare_code {
        switch self {
        case .configuration, .malformedRequest: FIELDFARE_CONFIGURATION
        case .refused, .forbidden: FIELDFARE_REFUSED
        case .busy: FIELDFARE_BUSY
        case .unreachable: FIELDFARE_UNREACHABLE
        case .cloudOnly: FIELDFARE_CLOUD_ONLY
        default: FIELDFARE_FAILED
        }
    }
}

/// A text for C, which lives as long as this object, and which nobody changes: hence `Sendable`.
@safe final class CText: @unchecked Sendable {
    private let pointer: UnsafeMutablePointer<CChar>?

    init(_ text: String) { unsafe pointer = unsafe strdup(text) }

    deinit { unsafe free(pointer) }

    var reading: UnsafePointer<CChar>? { unsafe UnsafePointer(pointer) }
}

extension String {
    /// What C passed; nil for NULL.
    ///
    /// Bytes that are no UTF-8 are replaced.
    init?(fromC text: UnsafePointer<CChar>?) {
        guard let text = unsafe text else { return nil }
        unsafe self.init(cString: text)
    }
}

/// A handle: what C holds of an object of ours.
enum Handle {
    static func make(_ object: some AnyObject) -> OpaquePointer {
        unsafe OpaquePointer(Unmanaged.passRetained(object).toOpaque())
    }

    /// The object behind a handle that is not ended; nil for NULL.
    static func object<Object: AnyObject>(_ handle: OpaquePointer?) -> Object? {
        guard let handle = unsafe handle else { return nil }
        return unsafe Unmanaged<Object>.fromOpaque(UnsafeRawPointer(handle)).takeUnretainedValue()
    }

    static func end<Object: AnyObject>(_ handle: OpaquePointer?, of type: Object.Type) {
        guard let handle = unsafe handle else { return }
        unsafe Unmanaged<Object>.fromOpaque(UnsafeRawPointer(handle)).release()
    }
}
