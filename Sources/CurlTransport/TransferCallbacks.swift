import CCurl
import CCurlShims

// libcurl's callbacks. Each captures nothing and finds its `Transfer` behind the user pointer, which
// `HTTPClient.perform` keeps alive.

private func transfer(_ user: UnsafeMutableRawPointer?) -> Transfer? {
    guard let user = unsafe user else { return nil }
    return unsafe Unmanaged<Transfer>.fromOpaque(user).takeUnretainedValue()
}

/// Anything but the count of the bytes offered ends the transfer.
let headerCallback: ccurl_write_callback = { bytes, size, count, user in
    let line = unsafe UnsafeRawBufferPointer(start: bytes, count: size * count)
    guard let transfer = unsafe transfer(user), unsafe transfer.takeHeader(line) else {
        return .max
    }
    return line.count
}

let bodyCallback: ccurl_write_callback = { bytes, size, count, user in
    let piece = unsafe UnsafeRawBufferPointer(start: bytes, count: size * count)
    guard let transfer = unsafe transfer(user), unsafe transfer.takeBody(piece) else { return .max }
    return piece.count
}

let readCallback: ccurl_read_callback = { into, size, count, user in
    let buffer = unsafe UnsafeMutableRawBufferPointer(start: into, count: size * count)
    guard let transfer = unsafe transfer(user), let given = unsafe transfer.giveBody(buffer) else {
        return Int(CURL_READFUNC_ABORT)
    }
    return given
}

let seekCallback: ccurl_seek_callback = { user, offset, origin in
    guard origin == SEEK_SET, let transfer = unsafe transfer(user),
        transfer.seekBody(to: Int64(offset))
    else { return CURL_SEEKFUNC_FAIL }
    return CURL_SEEKFUNC_OK
}

let progressCallback: ccurl_progress_callback = { user, _, received, _, sent in
    guard let transfer = unsafe transfer(user), transfer.progress(bytes: Int64(received + sent))
    else { return 1 }
    return 0
}
