"""Verifies a running registry with python-tuf, over HTTPS.

    verify_registry.py URL CA ROOT TARGET...

URL is the registry's base, CA a PEM file with its authority, ROOT the root that the key ceremony made. The script

1. lets `tuf.ngclient.Updater` start from the root with its own HTTPS client, refresh, and download every TARGET;
2. requires the same without our authority to fail;
3. puts a proxy between both that changes one byte of one answer at a time, for every file that was asked for and found
   (newer roots, metadata of every role and all targets), and requires each of these runs to fail with nothing kept of
   that file. In metadata the byte is a digit within what is signed, so that the file is well-formed all the same and
   only a signature or a digest can tell.

It prints one JSON line: `{"targets": {path: sha256}, "files": [path...], "refused": {path: error}}`, where an error is the
name of its class, and exits 0 only if all of that held.
"""

import hashlib
import http.server
import json
import os
import ssl
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from pathlib import Path

EXPIRES = b'"expires":"'
URL, CA, ROOT, TARGETS = sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4:]
os.environ["SSL_CERT_FILE"] = CA
for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
    os.environ.pop(name, None)

from tuf.api.exceptions import DownloadError, RepositoryError  # noqa: E402
from tuf.ngclient import Updater  # noqa: E402


class Proxy(http.server.ThreadingHTTPServer):
    """Passes requests on to the registry; changes one byte of the answer for `broken`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.context = ssl.create_default_context(cafile=CA)
        self.broken: str | None = None
        self.changed: bytes | None = None
        self.served: list[str] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        try:
            with urllib.request.urlopen(URL + self.path, context=self.server.context) as answer:
                status, data = answer.status, bytearray(answer.read())
        except urllib.error.HTTPError as error:
            status, data = error.code, bytearray(error.read())
        if status == 200:
            self.server.served.append(self.path)
            if self.path == self.server.broken:
                data[place(self.path, data)] ^= 1
                self.server.changed = bytes(data)
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(bytes(data))

    def log_message(self, *_) -> None:
        pass


def place(path: str, data: bytearray) -> int:
    """The byte to change: in metadata the first digit of the year in which it expires, elsewhere the middle."""
    return data.index(EXPIRES) + len(EXPIRES) if path.startswith("/tuf/") else len(data) // 2


def run(base: str) -> dict[str, str]:
    """One client with nothing but the root of trust: digests of what it downloaded.

    What it refuses has `kept`, the bytes of every file that the client has at its end.
    """
    digests = {}
    with tempfile.TemporaryDirectory() as scratch:
        local, downloads = Path(scratch, "metadata"), Path(scratch, "targets")
        local.mkdir()
        downloads.mkdir()
        try:
            updater = Updater(
                str(local), base + "/tuf/", str(downloads), base + "/targets/",
                bootstrap=ROOT.read_bytes(),
            )
            updater.refresh()
            for target in TARGETS:
                info = updater.get_targetinfo(target)
                if info is None:
                    raise SystemExit(f"python-tuf finds no target {target}")
                data = Path(updater.download_target(info)).read_bytes()
                digests[target] = hashlib.sha256(data).hexdigest()
        except RepositoryError as error:
            error.kept = [path.read_bytes() for path in Path(scratch).rglob("*") if path.is_file()]
            raise
        return digests


def main() -> int:
    digests = run(URL)

    # The same client, and an authority of somebody else's: no trust in the line, no metadata.
    os.environ["SSL_CERT_FILE"] = "/dev/null"
    try:
        run(URL)
    except DownloadError:
        os.environ["SSL_CERT_FILE"] = CA
    else:
        raise SystemExit("python-tuf trusts a certificate without its authority")

    proxy = Proxy()
    if run(proxy.url) != digests:
        raise SystemExit("python-tuf downloads other bytes through the proxy")
    files, refused = list(proxy.served), {}
    for path in files:
        proxy.broken = path
        try:
            run(proxy.url)
        except RepositoryError as error:
            if proxy.changed in error.kept:
                raise SystemExit(f"python-tuf kept {path} with one byte changed")
            refused[path] = type(error).__name__
        else:
            raise SystemExit(f"python-tuf accepts {path} with one byte changed")
    print(json.dumps({"targets": digests, "files": files, "refused": refused}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
