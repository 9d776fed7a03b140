"""What the same refresh costs python-tuf's ngclient: processor time of the median round from nothing.

    python_tuf.py FOLDER MODEL RELEASES ROUNDS

FOLDER holds the files that refresh-benchmark wrote. One line of JSON: `{"cpu_us": N, "files": N, "bytes": N}`.
"""

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tuf.api.exceptions import DownloadHTTPError
from tuf.ngclient import Updater
from tuf.ngclient.fetcher import FetcherInterface


class Memory(FetcherInterface):
    """Answers from files that are read beforehand."""

    def __init__(self, folder: Path) -> None:
        self.files = {path.name: path.read_bytes() for path in folder.iterdir()}
        self.asked: list[str] = []

    def _fetch(self, url: str):
        name = url.rpartition("/")[2]
        if name not in self.files:
            raise DownloadHTTPError("there is none", 404)
        self.asked.append(name)
        return iter([self.files[name]])


def main() -> None:
    folder, model, releases, rounds = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    fetcher = Memory(folder)
    times = []
    for _ in range(rounds):
        fetcher.asked = []
        with tempfile.TemporaryDirectory(dir="/dev/shm") as kept:
            begun = time.process_time()
            updater = Updater(kept, "https://memory/", fetcher=fetcher, bootstrap=fetcher.files["1.root.json"])
            updater.refresh()
            for path in (f"rollouts/{model}/main.json", f"bundles/{model}/1.{releases}.0.json"):
                if updater.get_targetinfo(path) is None:
                    raise SystemExit(f"python_tuf: {path}: expected a target, got none")
            times.append(time.process_time() - begun)
    print(json.dumps({"cpu_us": round(statistics.median(times) * 1e6), "files": len(fetcher.asked),
                      "bytes": sum(len(fetcher.files[name]) for name in fetcher.asked)}))


main()
