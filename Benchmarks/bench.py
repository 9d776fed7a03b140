#!/usr/bin/env python3
"""Fieldfare's benchmarks: real programs over TLS on loopback, each figure against a named peer of the same run.

One line for each: what, the figure, its goal, and whether it was met. These machines are noisy, so a ratio is the
median of several rounds in which the two take turns. Nothing here is a test: the exit code is 1 only where something
could not be measured.
"""

import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEBUG = ROOT / ".build/debug"
AGENT = ROOT / ".build-release/release/fieldfare-agent"
SMOKE = ROOT / ".build-release/release/fieldfare-smoke"
REGISTRY = ROOT / ".build-release-server/release/fieldfare-registry"
REFRESH = ROOT / ".build-release-server/release/refresh-benchmark"
GATE = ROOT / ".build-release-server/release/gate-benchmark"
FLEET = ROOT / ".build-release-server/release/fieldfare-fleet"
PLAN = ROOT / ".build-release-server/release/plan-benchmark"
PYTHON_TUF = ROOT / ".deps/python-tuf/bin/python"
RUNTIME = ROOT / ".deps/sherpa-onnx"
SPEECH = ROOT / "fixtures/asr"
MODEL = "commands-en"
PAYLOAD = 512 << 20
ROUNDS = 5
# Several beats of the watchdog, and no poll.
IDLE_SECONDS = 60
# How often a watchdog of twice that wants to hear from the agent.
BEAT_SECONDS = 10
SLOW_CLIENTS = 32
# Models and releases of each, and what a device that follows one of them may fetch from nothing and after another
# model's plan has changed, in bytes.
REPOSITORIES = [(1, 50, None), (100, 50, (150_000, 15_000)), (1_000, 50, None)]
REFRESH_ROUNDS = 25
GATE_DEVICES = 10_000
PLAN_ROUNDS = 25
# Simulated devices over HTTPS, and their rounds.
DRIVEN, DRIVE_ROUNDS = 2_000, 5


def say(what: str, figure: str, goal: str, met: bool) -> None:
    print(f"{'met ' if met else 'MISS'}  {what:<62} {figure:<34} goal {goal}", flush=True)


def tell(what: str, figure: str) -> None:
    """A figure without a goal."""
    print(f"      {what:<62} {figure}", flush=True)


def run(*words, cwd: Path, env: dict | None = None) -> str:
    """Runs a program to its end and returns what it printed."""
    result = subprocess.run([str(word) for word in words], cwd=cwd, env={**os.environ, **(env or {})},
                            capture_output=True, text=True)
    if result.returncode:
        raise SystemExit(f"bench: {' '.join(map(str, words))}: exit {result.returncode}: {result.stderr.strip()}")
    return result.stdout


def field(output: str, name: str):
    return json.loads(output.strip().splitlines()[-1])[name]


def resident(process: int) -> int:
    """Resident bytes of a process."""
    return status(process, "VmRSS")


def status(process: int, name: str) -> int:
    """A size in bytes that the kernel tells of a process."""
    text = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    return int(re.search(rf"{name}:\s+(\d+) kB", text).group(1)) << 10


def mib(count: float) -> str:
    return f"{count / (1 << 20):.1f} MiB"


class Site:
    """A ceremony, a running registry, nginx with a copy of its static files, and a published bundle."""

    def __init__(self, folder: Path, payload: int, is_pinned: bool = True, terms: str = ""):
        self.folder = folder
        # Of the policy, what follows the name of its only stage.
        self.terms = terms
        # Where the registry runs; others may then have the other core.
        self.pin = ["taskset", "-c", "0"] if is_pinned else []
        self.processes: list[subprocess.Popen] = []
        self.env = {"FIELDFARE_PASSPHRASE": "benchmark", "FIELDFARE_CA": str(folder / "cert.pem"),
                    "FIELDFARE_ROOT": str(folder / "repo/root.json")}
        try:
            self.hold_ceremony()
            self.start_registry()
            self.publish(payload)
        except BaseException:
            self.stop()
            raise

    def cli(self, *words) -> str:
        return run(DEBUG / "fieldfare", *words, cwd=self.folder, env=self.env)

    def hold_ceremony(self) -> None:
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem",
            "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
            cwd=self.folder)
        for name in ("root", "targets", "release"):
            self.cli("keys", "generate", name, "--out", "keys")
        online = run(REGISTRY, "keys", "generate", "--keys", "online", cwd=self.folder)
        (self.folder / "online.json").write_text(online, encoding="utf-8")
        self.cli("repo", "init", "--dir", "repo", "--root-key", "keys/root.json", "--targets-key", "keys/targets.json",
                 "--online", "online.json", "--model", MODEL, "--release-key", "keys/release.json",
                 "--release-threshold", "1", "--root-threshold", "1")
        self.cli("repo", "sign", "root", "--dir", "repo", "--key", "keys/root.json", "--yes")
        self.cli("repo", "sign", "targets", "--dir", "repo", "--key", "keys/targets.json", "--yes")

    def start_registry(self) -> None:
        token = run(REGISTRY, "token", "create", "--data", "data", "--scope", "admin", cwd=self.folder)
        self.env["FIELDFARE_TOKEN"] = field(token, "token")
        with open(self.folder / "registry.log", "wb") as log:
            registry = subprocess.Popen(
                [*self.pin, REGISTRY, "serve", "--data", "data", "--keys", "online", "--port", "0",
                 "--tls-cert", "cert.pem", "--tls-key", "key.pem", "--controller-interval", "1"],
                cwd=self.folder, stdout=subprocess.PIPE, stderr=log, text=True)
        self.processes.append(registry)
        self.registry = registry.pid
        self.port = json.loads(registry.stdout.readline())["port"]
        self.url = f"https://127.0.0.1:{self.port}"
        self.env["FIELDFARE_SERVER"] = self.url
        self.cli("repo", "push", "--dir", "repo")
        time.sleep(3)
        self.registry_idle = resident(registry.pid)

    def publish(self, payload: int) -> None:
        bundle = self.folder / "bundle"
        shutil.copytree(SPEECH / "utterances", bundle / "utterances")
        for source in (SPEECH / "models/good/model.onnx", SPEECH / "models/tokens.txt", SPEECH / "model-card.json",
                       ROOT / "manifests/io.schema.json", ROOT / "manifests/telemetry.schema.json"):
            shutil.copy(source, bundle)
        text = (ROOT / "manifests/bundle.yaml").read_text(encoding="utf-8")
        if payload:
            text = text.replace("# files: [NOTICE]", "files: [payload.bin]").replace(
                "min_disk: 64 MiB", f"min_disk: {(payload >> 20) + 64} MiB")
            digest = hashlib.sha256()
            with open(bundle / "payload.bin", "wb") as file:
                for _ in range(payload >> 20):
                    block = os.urandom(1 << 20)
                    digest.update(block)
                    file.write(block)
            self.payload = digest.hexdigest()
        (bundle / "bundle.yaml").write_text(text, encoding="utf-8")
        (self.folder / "rollout.yaml").write_text(
            f"schema: fieldfare.policy/1\nmodel: {MODEL}\ncandidate: 1.0.0\nreplaces: []\n"
            f"stages:\n  - name: stable\n{self.terms}", encoding="utf-8")
        self.cli("bundle", "build", "bundle", "--out", "build")
        self.cli("publish", "build", "--policy", "standard=rollout.yaml", "--key", "keys/release.json")
        self.cli("rollout", "create", MODEL, "1.0.0", "--initial", "--acknowledge-warnings")
        self.cli("rollout", "start", MODEL)

    def start_nginx(self) -> int:
        """Serves a copy of the static files with one worker on core 0; returns the port."""
        copy = self.folder / "copy"
        (copy / "targets").mkdir(parents=True)
        (copy / "tuf").mkdir()
        self.copy_static(copy)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        configuration = self.folder / "nginx.conf"
        configuration.write_text(f"""
daemon off; worker_processes 1; pid {self.folder}/nginx.pid; error_log {self.folder}/nginx.log;
events {{ worker_connections 512; }}
http {{
    access_log off; sendfile on; keepalive_requests 1000000;
    client_body_temp_path {self.folder}/t1; proxy_temp_path {self.folder}/t2; fastcgi_temp_path {self.folder}/t3;
    uwsgi_temp_path {self.folder}/t4; scgi_temp_path {self.folder}/t5;
    server {{
        listen 127.0.0.1:{port} ssl; root {copy};
        ssl_certificate {self.folder}/cert.pem; ssl_certificate_key {self.folder}/key.pem;
    }}
}}
""", encoding="utf-8")
        copy.chmod(0o755)
        self.folder.chmod(0o755)
        nginx = subprocess.Popen(["taskset", "-c", "0", "nginx", "-c", configuration, "-p", self.folder],
                                 stderr=subprocess.DEVNULL)
        self.processes.append(nginx)
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return port
            except OSError:
                time.sleep(0.05)
        raise SystemExit(f"bench: nginx does not listen: {(self.folder / 'nginx.log').read_text()}")

    def copy_static(self, copy: Path) -> None:
        """Fetches what a device would, by the names in the metadata."""
        def fetch(path: str) -> bytes:
            target = copy / path
            target.parent.mkdir(parents=True, exist_ok=True)
            run("curl", "-sf", "--cacert", self.folder / "cert.pem", "-o", target, f"{self.url}/{path}",
                cwd=self.folder)
            return target.read_bytes()

        fetch("tuf/1.root.json")
        timestamp = json.loads(fetch("tuf/timestamp.json"))["signed"]
        snapshot = json.loads(fetch(f"tuf/{timestamp['meta']['snapshot.json']['version']}.snapshot.json"))["signed"]
        for name, meta in snapshot["meta"].items():
            role = json.loads(fetch(f"tuf/{meta['version']}.{name}"))["signed"]
            for path, target in role.get("targets", {}).items():
                folder, _, leaf = path.rpartition("/")
                body = fetch(f"targets/{folder}/{target['hashes']['sha256']}.{leaf}")
                if path.startswith("bundles/"):
                    for entry in json.loads(body)["files"]:
                        fetch(f"blobs/sha256/{entry['sha256']}")

    def configure_agent(self, name: str, port: int, **more) -> Path:
        """A device's folder with its configuration, in which `more` counts; returns the configuration's path."""
        device = self.folder / name
        device.mkdir()
        settings = {
            "registry": f"https://127.0.0.1:{port}", "ca_file": str(self.folder / "cert.pem"),
            "trusted_root": str(self.folder / "repo/root.json"), "state_directory": str(device / "state"),
            "socket": str(device / "socket"), "model": MODEL, "region": "eu", "device_class": "hub",
            "locale": "en-GB", "poll_interval_s": 3600, "smoke_program": str(SMOKE), "speech_runtime": str(RUNTIME),
            **more,
        }
        path = device / "agent.json"
        path.write_text(json.dumps(settings), encoding="utf-8")
        return path

    def stop(self) -> None:
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextlib.contextmanager
def site(payload: int, **more):
    """A site on a real disk (a file system in memory would make every sync free), stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="fieldfare-bench-", dir="/var/tmp") as folder:
        place = Site(Path(folder), payload, **more)
        try:
            yield place
        finally:
            place.stop()


def start_agent(configuration: Path, until: str, **environment: str) -> tuple[subprocess.Popen, dict[str, float], int]:
    """Starts an agent; returns it, when each line of its log came, and its largest resident size, once `until` came."""
    agent = subprocess.Popen([AGENT, "run", "--config", configuration], stderr=subprocess.PIPE, text=True, env={**os.environ, **environment})
    seen: dict[str, float] = {}
    for line in agent.stderr:
        seen[line[3:].strip()] = time.monotonic()
        if until in line:
            return agent, seen, status(agent.pid, "VmHWM")
    raise SystemExit(f"bench: the agent ended before '{until}': {list(seen)[-3:]}")


def measure_size() -> None:
    with tempfile.NamedTemporaryFile() as stripped:
        subprocess.run(["strip", "-o", stripped.name, AGENT], check=True)
        size = os.stat(stripped.name).st_size
    say("agent, stripped", f"{size / 1e6:.2f} MB", "at most 9.5 MB", size <= 9_500_000)


def measure_idle(site: Site) -> None:
    """An agent between two polls, as systemd runs it, with an application that waits for events and says nothing."""
    configuration = site.configure_agent("idle", site.port)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notes, socket.socket(socket.AF_UNIX) as application:
        notes.bind(str(site.folder / "notify"))
        watched = {"NOTIFY_SOCKET": str(site.folder / "notify"), "WATCHDOG_USEC": str(2_000_000 * BEAT_SECONDS)}
        agent, _, _ = start_agent(configuration, "-> probation", **watched)
        application.connect(str(configuration.parent / "socket"))
        application.sendall(b'{"op":"events"}\n')
        # A minute after its start it looks at its slot again.
        beats_until(notes, time.monotonic() + 75)
        # A poll or a report may fall into a minute, and not into each of three.
        for _ in range(3):
            others, due = count_wakes(agent, notes)
            if others == 0:
                break
        size, own = resident(agent.pid), status(agent.pid, "RssAnon")
        agent.terminate()
        agent.wait()
    say("agent idle, resident (its own memory)", f"{mib(size)} ({mib(own)})", "at most 16 MiB", size <= 16 << 20)
    say(f"agent idle, wake-ups in {IDLE_SECONDS} s, less the watchdog's {due}", str(others), "0", others == 0 and due > 0)
    say("registry idle, resident", mib(site.registry_idle), "at most 48 MiB", site.registry_idle <= 48 << 20)


def count_wakes(agent: subprocess.Popen, notes: socket.socket) -> tuple[int, int]:
    """From one beat of the watchdog on: the wake-ups that are not its own, and those that are.

    Each turn of the agent's loop is told to systemd; the watchdog's are those that come when they are due.
    """
    beats = beats_until(notes, time.monotonic() + 2 * BEAT_SECONDS, count=1)
    switches = sum_switches(agent.pid)
    beats += beats_until(notes, time.monotonic() + IDLE_SECONDS)
    wakes = sum_switches(agent.pid) - switches
    due = sum(later - earlier > 0.9 * BEAT_SECONDS for earlier, later in zip(beats, beats[1:]))
    return wakes - due, due


def beats_until(notes: socket.socket, end: float, count: int | None = None) -> list[float]:
    """When what was told to systemd came, until then, or until so many came."""
    times = []
    while len(times) != count and (left := end - time.monotonic()) > 0:
        notes.settimeout(left)
        with contextlib.suppress(TimeoutError):
            notes.recv(4_096)
            times.append(time.monotonic())
    return times


def sum_switches(process: int) -> int:
    """Voluntary context switches of all threads: how often any of them has gone to sleep."""
    return sum(int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", status.read_text(), re.M).group(1))
               for status in Path(f"/proc/{process}/task").glob("*/status"))


def measure_polls(site: Site, port: int) -> None:
    """Conditional polls of the timestamp over TLS keep-alive: server on core 0, wrk on core 1."""
    def polls(port: int) -> float:
        url = f"https://127.0.0.1:{port}/tuf/timestamp.json"
        headers = run("curl", "-sfI", "--cacert", site.folder / "cert.pem", url, cwd=site.folder)
        tag = re.search(r"^etag: (.*)\r?$", headers, re.M | re.I).group(1).strip()
        output = run("taskset", "-c", "1", "wrk", "-t1", "-c16", "-d6s", "-H", f"If-None-Match: {tag}", url,
                     cwd=site.folder)
        if "Socket errors" in output:
            raise SystemExit(f"bench: wrk had errors: {output}")
        return float(re.search(r"Requests/sec:\s+([\d.]+)", output).group(1))

    pairs = [(polls(site.port), polls(port)) for _ in range(ROUNDS)]
    ratio = statistics.median(ours / theirs for ours, theirs in pairs)
    ours, theirs = (statistics.median(side) for side in zip(*pairs))
    say("polls a second over TLS keep-alive / nginx", f"{ratio:.2f} ({ours:.0f} / {theirs:.0f})", "at least 0.60",
        ratio >= 0.6)


def measure_slow_clients(site: Site) -> None:
    """Clients that ask for the largest blob and read a few bytes of it a second."""
    context = ssl.create_default_context(cafile=site.folder / "cert.pem")
    time.sleep(2)
    before = resident(site.registry)
    clients = []
    for _ in range(SLOW_CLIENTS):
        client = context.wrap_socket(socket.create_connection(("127.0.0.1", site.port)), server_hostname="localhost")
        client.sendall(f"GET /blobs/sha256/{site.payload} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        clients.append(client)
    most = 0
    for _ in range(10):
        for client in clients:
            client.recv(512)
        time.sleep(1)
        most = max(most, resident(site.registry))
    for client in clients:
        client.close()
    each = max(0, most - before) / SLOW_CLIENTS
    say(f"registry, for each of {SLOW_CLIENTS} slow clients", mib(each), "at most 2 MiB", each <= 2 << 20)


def measure_refresh() -> None:
    """Following one model's plan and newest manifest from nothing but the root, in repositories of several sizes."""
    for models, releases, limits in REPOSITORIES:
        with tempfile.TemporaryDirectory(prefix="fieldfare-bench-") as folder:
            ours = json.loads(run(REFRESH, models, releases, REFRESH_ROUNDS, folder, cwd=ROOT))
            theirs = json.loads(run(PYTHON_TUF, "Benchmarks/Refresh/python_tuf.py", folder, "model-1", releases,
                                    REFRESH_ROUNDS, cwd=ROOT))
        if (ours["bytes"], ours["files"]) != (theirs["bytes"], theirs["files"]):
            raise SystemExit(f"bench: the two clients fetched different files: {ours} and {theirs}")
        where = f"refresh, {models} model{'s' * (models > 1)} of {releases} releases"
        figure = f"{ours['cpu_us'] / theirs['cpu_us']:.2f} ({ours['cpu_us'] / 1e3:.1f} ms / {theirs['cpu_us'] / 1e3:.1f} ms)"
        if models == 1:
            say(f"{where}: CPU / python-tuf", figure, "at most 5 ms", ours["cpu_us"] <= 5_000)
        else:
            tell(f"{where}: CPU / python-tuf", figure)
        for what, key in (("from nothing", "bytes"), ("after another model's plan", "bytes_after_change")):
            size = f"{ours[key] / 1e3:.1f} kB"
            if limits:
                limit = limits[key != "bytes"]
                say(f"{where}: {what}", size, f"at most {limit // 1000} kB", ours[key] <= limit)
            else:
                tell(f"{where}: {what}", size)


def measure_gate() -> None:
    """One look of the gate at so many sampled devices, half of them treated."""
    cost = json.loads(run(GATE, GATE_DEVICES, 15, cwd=ROOT))
    where = f"gate, {GATE_DEVICES:,} sampled devices"
    say(f"{where}: 7 tests", f"{cost['tests_us'] / 1e3:.1f} ms", "at most 50 ms", cost["tests_us"] <= 50_000)
    for what, key in (("the whole decision, 30 cohorts", "judge_us"), ("the same, one region failing", "failing_us")):
        tell(f"{where}: {what}", f"{cost[key] / 1e3:.1f} ms")


def measure_plan() -> None:
    """What a device downloads for a decision, and what the decision costs it."""
    plan = json.loads(run(PLAN, PLAN_ROUNDS, cwd=ROOT))
    both = plan["policy_bytes"] + plan["plan_bytes"]
    say("policy and plan, 30 cohorts, without pins",
        f"{both / 1e3:.1f} kB ({plan['policy_bytes'] / 1e3:.1f} + {plan['plan_bytes'] / 1e3:.1f})", "under 8 kB",
        both < 8_000)
    each = plan["bytes_per_pin_thousandths"] / 1e3
    say("plan, for each of 1,000 pins", f"{each:.1f} bytes", "at most 12", each <= 12)
    ratio = plan["large_ns"] / plan["small_ns"]
    say("decision, 1,000,000 devices and 1,000 pins / 100 devices",
        f"{ratio:.2f} ({plan['large_ns'] / 1e3:.1f} us / {plan['small_ns'] / 1e3:.1f} us)", "at most 1.25",
        ratio <= 1.25)


def measure_drive(site: Site) -> None:
    """Many devices over HTTPS, each with its key, connection and trusted metadata: registry on core 0, devices on core 1."""
    # It ends with 1 where something failed, and that is a figure here.
    drive = subprocess.run(["taskset", "-c", "1", FLEET, "drive", "--model", MODEL, "--devices", str(DRIVEN),
                            "--rounds", str(DRIVE_ROUNDS), "--json"],
                           cwd=site.folder, env={**os.environ, **site.env}, capture_output=True, text=True)
    if not drive.stdout:
        raise SystemExit(f"bench: drive: exit {drive.returncode}: {drive.stderr.strip()}")
    result = json.loads(drive.stdout.splitlines()[-1])
    where = f"{DRIVEN:,} devices over HTTPS, {DRIVE_ROUNDS} rounds"
    wrong = result["failed"] + len(result["problems"])
    say(f"{where}: failures", f"{wrong} of {result['requests']:,} requests", "0", wrong == 0)
    for phase in result["phases"]:
        tell(f"{where}: {phase['name']}, requests a second", f"{phase['requests_per_s']:,} ({phase['requests']:,})")
    for kind in result["kinds"]:
        times = " / ".join(f"{kind[name] / 1e3:.1f}" for name in ("p50_us", "p95_us", "p99_us"))
        tell(f"{where}: {kind['kind']}, p50 / p95 / p99", f"{times} ms ({kind['requests']:,})")
    tell(f"{where}: registry, resident", mib(resident(site.registry)))


def main() -> int:
    parts = set(sys.argv[1:] or ["size", "refresh", "gate", "plan", "drive", "idle", "polls", "slow-clients"])
    if "size" in parts:
        measure_size()
    if "refresh" in parts:
        measure_refresh()
    if "gate" in parts:
        measure_gate()
    if "plan" in parts:
        measure_plan()
    if "drive" in parts:
        with site(0) as place:
            measure_drive(place)
    if not parts - {"size", "refresh", "gate", "plan", "drive"}:
        return 0
    with site(PAYLOAD) as place:
        port = place.start_nginx()
        if "idle" in parts:
            measure_idle(place)
        if "polls" in parts:
            measure_polls(place, port)
        if "slow-clients" in parts:
            measure_slow_clients(place)
    return 0


if __name__ == "__main__":
    sys.exit(main())
