"""Verifies a repository that Fieldfare wrote, with python-tuf, from a folder and without a network.

    verify_repository.py FOLDER TARGET...

FOLDER holds `tuf/` (metadata by consistent name, and `1.root.json`, which is the root of trust) and
`targets/` (target files by consistent name). The script

1. lets `tuf.ngclient.Updater` start from the root, refresh, and download every TARGET;
2. checks that the updater kept every metadata file byte for byte as it was served;
3. changes one bit of one file at a time, in the middle of the file, for every file that the updater
   asked for, and requires each of these runs to fail. Only the probe for the next root, which is
   absent, cannot be changed.

It prints one JSON line: `{"targets": {path: sha256}, "files": n, "refused": n}`, and exits 0 only if
all of that held.
"""

import hashlib
import json
import sys
import tempfile
from pathlib import Path
from urllib.parse import unquote

from tuf.api.exceptions import DownloadError, DownloadHTTPError, RepositoryError
from tuf.ngclient import FetcherInterface, Updater

BASE = "http://repository.invalid/"


class FolderFetcher(FetcherInterface):
    """Serves a folder; remembers what was asked for; can change one bit of one file."""

    def __init__(self, folder: Path, broken: str | None = None) -> None:
        self.folder = folder
        self.broken = broken
        self.served: list[str] = []

    def _fetch(self, url: str):
        name = unquote(url.removeprefix(BASE))
        path = self.folder / name
        if not path.is_file():
            raise DownloadHTTPError(f"no file {name}", 404)
        data = bytearray(path.read_bytes())
        if name == self.broken:
            data[len(data) // 2] ^= 1
        self.served.append(name)
        return iter([bytes(data)])


def run(folder: Path, targets: list[str], broken: str | None = None):
    """One client with nothing but the root of trust; returns what it served, kept and downloaded."""
    fetcher = FolderFetcher(folder, broken)
    digests = {}
    with tempfile.TemporaryDirectory() as scratch:
        local, downloads = Path(scratch, "metadata"), Path(scratch, "targets")
        local.mkdir()
        downloads.mkdir()
        updater = Updater(
            str(local), BASE + "tuf/", str(downloads), BASE + "targets/", fetcher,
            bootstrap=(folder / "tuf" / "1.root.json").read_bytes(),
        )
        updater.refresh()
        for target in targets:
            info = updater.get_targetinfo(target)
            if info is None:
                raise SystemExit(f"python-tuf finds no target {target}")
            data = Path(updater.download_target(info)).read_bytes()
            digests[target] = hashlib.sha256(data).hexdigest()
        kept = {path.name: path.read_bytes() for path in local.glob("*.json")}
    return fetcher.served, kept, digests


def main() -> int:
    folder, targets = Path(sys.argv[1]), sys.argv[2:]
    served, kept, digests = run(folder, targets)
    for name in served:
        if name.startswith("tuf/"):
            role = name.removeprefix("tuf/").removesuffix(".json").split(".", 1)
            local = (role[1] if role[0].isdigit() else ".".join(role)) + ".json"
            if kept.get(local) != (folder / name).read_bytes():
                raise SystemExit(f"python-tuf kept other bytes for {name}")
    refused = 0
    for name in served:
        try:
            run(folder, targets, broken=name)
        except (RepositoryError, DownloadError):
            refused += 1
        else:
            raise SystemExit(f"python-tuf accepts {name} with one bit changed")
    print(json.dumps({"targets": digests, "files": len(served), "refused": refused}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
