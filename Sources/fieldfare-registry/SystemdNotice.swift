import CPosixShims
import Glibc

/// Tells systemd that the service is ready (sd_notify(3)); does nothing outside of systemd.
enum SystemdNotice {
    static func ready() {
        guard let path = unsafe getenv("NOTIFY_SOCKET") else { return }
        let message = Array("READY=1".utf8)
        _ = unsafe message.withUnsafeBufferPointer { bytes in
            unsafe cposix_notify(path, bytes.baseAddress, bytes.count)
        }
    }
}
