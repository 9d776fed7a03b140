"""The fleet: real agents, each with a stand-in for its voice application, both processes of their own."""

import json
import socket
import subprocess
import time
from collections import Counter
from pathlib import Path

from registry import MODEL, PROGRAMS, ROOT

AGENT = ROOT / ".build-release/release/fieldfare-agent"
SMOKE = ROOT / ".build-release/release/fieldfare-smoke"
RUNTIME = ROOT / ".deps/sherpa-onnx"


class Device:
    """One device: its agent, its application, and what they say."""

    def __init__(self, folder: Path, number: int, region: str, device_class: str, locale: str):
        self.folder = folder
        self.name = f"device-{number:02}"
        self.region, self.device_class, self.locale = region, device_class, locale
        self.agent: subprocess.Popen | None = None
        self.voice: subprocess.Popen | None = None
        self.connection: socket.socket | None = None

    @property
    def cohort(self) -> str:
        return f"{self.region}/{self.device_class}"

    def configure(self, url: str, site: Path) -> None:
        self.folder.mkdir()
        settings = {
            "registry": url, "ca_file": str(site / "cert.pem"), "trusted_root": str(site / "repo/root.json"),
            "state_directory": str(self.folder / "state"), "socket": str(self.folder / "socket"), "model": MODEL,
            "region": self.region, "device_class": self.device_class, "locale": self.locale, "poll_interval_s": 3,
            "report_interval_s": 3, "rest_s": 2, "lease_deadline_s": 60,
            "smoke_program": str(SMOKE), "speech_runtime": str(RUNTIME),
        }
        (self.folder / "agent.json").write_text(json.dumps(settings), encoding="utf-8")

    def enrol(self, token: str) -> None:
        (self.folder / "token").write_text(token, encoding="utf-8")
        subprocess.run([AGENT, "enrol", "--config", self.folder / "agent.json", "--token-file", self.folder / "token"],
                       check=True, capture_output=True)

    def start(self) -> None:
        with open(self.folder / "agent.log", "wb") as log:
            self.agent = subprocess.Popen([AGENT, "run", "--config", self.folder / "agent.json"], stderr=log)
        with open(self.folder / "voice.jsonl", "wb") as out, open(self.folder / "voice.log", "wb") as log:
            self.voice = subprocess.Popen(
                [PROGRAMS / "fieldfare-fleet", "voice", "--socket", self.folder / "socket", "--speech-runtime", RUNTIME,
                 "--interval-ms", "1000", "--figures-ms", "2000"], stdout=out, stderr=log)

    def ask(self, operation: str) -> dict:
        """One request on the agent's local socket, which stays open."""
        for is_last in (False, True):
            try:
                if self.connection is None:
                    self.connection = socket.socket(socket.AF_UNIX)
                    self.connection.settimeout(10)
                    self.connection.connect(str(self.folder / "socket"))
                self.connection.sendall(json.dumps({"op": operation}).encode() + b"\n")
                line = b""
                while not line.endswith(b"\n"):
                    part = self.connection.recv(1 << 16)
                    if not part:
                        raise ConnectionError("the agent has closed")
                    line += part
                return json.loads(line)
            except OSError:
                self.connection = None
                if is_last:
                    return {}
        return {}

    def status(self) -> "Status":
        return Status(self, self.ask("status"))

    def heard(self) -> dict:
        """The last figures of the application."""
        last: dict = {}
        for line in (self.folder / "voice.jsonl").read_text(encoding="utf-8").splitlines():
            if '"figures"' in line:
                last = json.loads(line)
        return last

    def served(self) -> list[str]:
        """The versions that the application has served, in order."""
        lines = (self.folder / "voice.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line)["version"] for line in lines if '"serving"' in line]

    def downloads_since_switch(self, version: str) -> int:
        """Bundles that the agent has fetched since it switched to a version, by its log.

        -1 where the log does not show the switch, or no bundle fetched before it: then it tells nothing.
        """
        lines = (self.folder / "agent.log").read_text(encoding="utf-8").splitlines()
        switches = [place for place, line in enumerate(lines) if f"switched to {version}" in line]
        if not switches or not any("staged:" in line for line in lines[:switches[-1]]):
            return -1
        return sum("staged:" in line for line in lines[switches[-1]:])


class Status:
    """An agent's `status` answer."""

    def __init__(self, device: Device, answer: dict):
        self.device = device
        self.answer = answer

    @property
    def version(self) -> str:
        return ((self.answer.get("active") or {}).get("version")) or "none"

    @property
    def serving(self) -> str:
        return self.answer.get("serving") or "none"

    @property
    def state(self) -> str:
        return self.answer.get("state", "unknown")

    def trial(self, version: str) -> str:
        """What is held against a version on this device: `probation:tail`, `smoke:wer`, or nothing."""
        for trial in self.answer.get("trials", []):
            if trial["version"] == version:
                return trial.get("rejected") or trial.get("trouble") or ""
        return ""


class Fleet:
    def __init__(self, devices: list[Device]):
        self.devices = devices

    def statuses(self) -> list[Status]:
        return [device.status() for device in self.devices]

    def stop(self) -> None:
        processes = [process for device in self.devices for process in (device.voice, device.agent) if process]
        for process in processes:
            process.terminate()
        until = time.monotonic() + 10
        for process in processes:
            try:
                process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def fallen_over(self) -> list[str]:
        """Agents and applications that have ended by themselves."""
        return [device.name for device in self.devices
                for process in (device.agent, device.voice) if process and process.poll() is not None]


def count(words) -> str:
    """`24 committed, 12 idle`, the most frequent first."""
    return ", ".join(f"{number} {word}" for word, number in Counter(words).most_common()) or "none"
