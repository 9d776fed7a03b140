package import CurlTransport

/// Where a registry or a mirror is, whom to trust there, and the token to show, if any.
package struct RegistryAddress: Sendable {
    package let base: String
    package let token: String?
    /// A PEM file; nil for the system's.
    package let authorities: String?

    package init(base: String, token: String?, authorities: String?) {
        self.base = base
        self.token = token
        self.authorities = authorities
    }

    /// A client's settings for it.
    package func settings(_ userAgent: String) -> HTTPClientSettings {
        var settings = HTTPClientSettings()
        settings.authorities = authorities
        settings.userAgent = userAgent
        return settings
    }

    /// What paths are put after: the URL of a registry without the slashes at its end; nil for what is no `https`
    /// URL of a host, or has a query, a fragment or a user.
    package static func base(of url: String) -> String? {
        let scheme = "https://"
        guard url.lowercased().hasPrefix(scheme),
            url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }),
            !url.contains(where: { "?#@\\".contains($0) })
        else { return nil }
        var rest = url.dropFirst(scheme.count)
        while rest.last == "/" { rest.removeLast() }
        guard let first = rest.first, first != "/", first != ":" else { return nil }
        return scheme + rest
    }
}
