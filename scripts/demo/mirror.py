"""A mirror between the registry and one region's devices. At first it passes everything on; then somebody takes it over."""

import http.client
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PASSED_ON = ("Content-Type", "ETag", "Cache-Control", "Content-Range", "Accept-Ranges", "Retry-After")


class Mirror:
    def __init__(self, site: Path, registry_port: int):
        self.site = site
        self.registry_port = registry_port
        # Files that are served instead of the registry's, by path; and a way to spoil what passes.
        self.forged: dict[str, bytes] = {}
        self.spoils_blobs = False
        self.spoiled = 0
        self.trust = ssl.create_default_context(cafile=site / "cert.pem")
        identity = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        identity.load_cert_chain(site / "cert.pem", site / "key.pem")
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.server.daemon_threads = True
        self.server.socket = identity.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"https://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def spoil(self, path: str, body: bytes) -> bytes:
        """One bit of a blob."""
        if not self.spoils_blobs or "/blobs/" not in path or not body:
            return body
        self.spoiled += 1
        middle = len(body) // 2
        return body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1:]

    def handler(self) -> type[BaseHTTPRequestHandler]:
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 60
            upstream: http.client.HTTPSConnection | None = None

            def do_GET(self):
                if self.path in mirror.forged:
                    return self.answer(200, {}, mirror.forged[self.path])
                self.pass_on(None)

            def do_POST(self):
                self.pass_on(self.rfile.read(int(self.headers.get("Content-Length", 0))))

            def pass_on(self, body: bytes | None) -> None:
                names = ("Content-Type", "If-None-Match", "Range")
                headers = {name: self.headers[name] for name in names if name in self.headers}
                if mirror.forged:
                    # A thief does not tell a device that nothing has changed.
                    headers.pop("If-None-Match", None)
                for is_last in (False, True):
                    try:
                        if self.upstream is None:
                            self.upstream = http.client.HTTPSConnection(
                                "127.0.0.1", mirror.registry_port, context=mirror.trust, timeout=30)
                        self.upstream.request(self.command, self.path, body, headers)
                        response = self.upstream.getresponse()
                        data = response.read()
                        break
                    except (OSError, http.client.HTTPException):
                        self.upstream = None
                        if is_last:
                            return self.answer(502, {}, b"")
                kept = {name: response.headers[name] for name in PASSED_ON if name in response.headers}
                self.answer(response.status, kept, mirror.spoil(self.path, data))

            def answer(self, status: int, headers: dict, body: bytes) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if status != 304:
                    self.send_header("Content-Length", str(len(body)))
                try:
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    # Who asked has hung up: it asks again.
                    self.close_connection = True

            def log_message(self, *_):
                pass

        return Handler
