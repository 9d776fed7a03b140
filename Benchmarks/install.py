#!/usr/bin/env python3
"""What an installation, a switch and an idle poll cost: the release agent, and four peers that bring the same bytes.

Server and client share the machine, the certificate and the disk, and each round ends with what it wrote durable. All take turns; a
ratio is the median of the rounds. FIELDFARE_INSTALL_MIB and FIELDFARE_INSTALL_ROUNDS make it quick.
"""

import contextlib
import hashlib
import json
import os
import re
import shutil
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import bench

MIB = int(os.environ.get("FIELDFARE_INSTALL_MIB", "1024"))
ROUNDS = int(os.environ.get("FIELDFARE_INSTALL_ROUNDS", "3"))
# One installation, for the agent's largest resident size.
MEMORY_MIB = int(os.environ.get("FIELDFARE_INSTALL_MEMORY_MIB", "1536"))
SWITCHES = 2_000
BACKWARD = 30
# From ten seconds on, an agent gives its memory back before it waits.
POLL_SECONDS = 12
POLLS = 20
# A release whose one stage ends by itself in less than a minute, where its device was heard by then.
SHORT = """    ramp: 1s
    least_soak: 40s
    most_soak: 45s
    required_blind_spot: {}
burn_in: { seconds: 1, turns: 5 }
report_interval: 3s
gate_interval: 1s
check_in_deadline: 40s
on_insufficient_evidence: promote_unproven
min_dwell: 0s
"""
SWITCH = bench.ROOT / ".build-release-server/release/switch-benchmark"
TICK = os.sysconf("SC_CLK_TCK")


def processor(process: int) -> float:
    """Seconds of processor time that a process has used, its dead threads included."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def wait_for(port: int) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        time.sleep(0.05)
    raise SystemExit(f"bench: nothing listens on port {port}")


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def timed(*words, cwd: Path) -> tuple[float, float]:
    """Wall and processor seconds of a program that is run to its end."""
    before, began = os.times(), time.monotonic()
    bench.run(*words, cwd=cwd)
    took, after = time.monotonic() - began, os.times()
    return took, after.children_user + after.children_system - before.children_user - before.children_system


def sync_tree(folder: Path) -> None:
    """Makes a folder durable, with all below it."""
    names = [folder, *folder.rglob("*")]
    subprocess.run(["xargs", "-0", "sync"], input="\0".join(map(str, names)).encode(), check=True)


class Peers:
    """The same payload, offered by what each peer downloads from."""

    def __init__(self, site: bench.Site, payload: Path):
        self.site, self.folder, self.payload = site, site.folder, payload
        self.start_docker_registry()
        self.make_trees()

    def start(self, *words) -> None:
        with open(self.folder / "peers.log", "ab") as log:
            self.site.processes.append(
                subprocess.Popen([str(word) for word in words], cwd=self.folder, stdout=log, stderr=log))

    def start_docker_registry(self) -> None:
        """An image of one layer, which is a tar archive of the payload."""
        folder, port = self.folder, free_port()
        layout = folder / "layout/blobs/sha256"
        layout.mkdir(parents=True)

        def blob(data: bytes) -> dict:
            name = hashlib.sha256(data).hexdigest()
            (layout / name).write_bytes(data)
            return {"digest": f"sha256:{name}", "size": len(data)}

        layer = folder / "layer.tar"
        bench.run("tar", "-C", self.payload.parent, "-cf", layer, self.payload.name, cwd=folder)
        digest = bench.run("openssl", "dgst", "-sha256", "-r", layer, cwd=folder).split()[0]
        size = layer.stat().st_size
        layer.rename(layout / digest)
        config = blob(json.dumps({"architecture": "amd64", "os": "linux", "config": {},
                                  "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]}}).encode())
        kind = "application/vnd.oci.image"
        manifest = blob(json.dumps({
            "schemaVersion": 2, "mediaType": f"{kind}.manifest.v1+json",
            "config": {"mediaType": f"{kind}.config.v1+json", **config},
            "layers": [{"mediaType": f"{kind}.layer.v1.tar", "digest": f"sha256:{digest}", "size": size}]}).encode())
        (folder / "layout/oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}', encoding="utf-8")
        (folder / "layout/index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [
            {"mediaType": f"{kind}.manifest.v1+json", **manifest}]}), encoding="utf-8")
        (folder / "docker.yml").write_text(f"""
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {folder}/docker}}, delete: {{enabled: false}}}}
http: {{addr: "127.0.0.1:{port}", tls: {{certificate: {folder}/cert.pem, key: {folder}/key.pem}}}}
""", encoding="utf-8")
        (folder / "trust").mkdir()
        shutil.copy(folder / "cert.pem", folder / "trust/ca.crt")
        self.start("docker-registry", "serve", folder / "docker.yml")
        wait_for(port)
        self.image = f"docker://127.0.0.1:{port}/model:1"
        bench.run("skopeo", "--insecure-policy", "copy", "--preserve-digests", "--dest-cert-dir", folder / "trust",
                  f"oci:{folder}/layout", self.image, cwd=folder)
        shutil.rmtree(folder / "layout")

    def make_trees(self) -> None:
        """What nginx serves: a repository of OSTree and a store of casync."""
        folder, port, plain = self.folder, free_port(), free_port()
        tree = folder / "tree"
        tree.mkdir()
        os.link(self.payload, tree / "payload.bin")
        www = folder / "www"
        www.mkdir()
        bench.run("ostree", f"--repo={www}/ostree", "init", "--mode=archive", cwd=folder)
        bench.run("ostree", f"--repo={www}/ostree", "commit", "-b", "model", f"--tree=dir={tree}", cwd=folder)
        bench.run("casync", "make", "--compression=zstd", f"--store={www}/store.castr", www / "model.caidx", tree, cwd=folder)
        folder.chmod(0o755)
        (folder / "peers.conf").write_text(f"""
daemon off; worker_processes 2; pid {folder}/peers.pid; error_log {folder}/peers.log; user root;
events {{ worker_connections 512; }}
http {{
    access_log off; sendfile on; keepalive_requests 1000000;
    client_body_temp_path {folder}/p1; proxy_temp_path {folder}/p2; fastcgi_temp_path {folder}/p3;
    uwsgi_temp_path {folder}/p4; scgi_temp_path {folder}/p5;
    server {{
        listen 127.0.0.1:{port} ssl; listen 127.0.0.1:{plain}; root {www};
        ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;
    }}
}}
""", encoding="utf-8")
        self.start("nginx", "-c", folder / "peers.conf", "-p", folder)
        wait_for(port)
        self.url, self.plain = f"https://127.0.0.1:{port}", f"http://127.0.0.1:{plain}"

    # One installation each; returns the seconds that it took.

    def curl(self) -> float:
        site, copy = self.site, self.folder / "curl.out"
        began = time.monotonic()
        output = bench.run("bash", "-c", f"set -o pipefail; curl -s --cacert {self.folder}/cert.pem "
                           f"{site.url}/blobs/sha256/{site.payload} | tee {copy} | sha256sum; "
                           f"sync {copy} {self.folder}", cwd=self.folder)
        took = time.monotonic() - began
        if not output.startswith(site.payload):
            raise SystemExit("bench: curl got other bytes")
        copy.unlink()
        return took

    def skopeo(self) -> float:
        target = self.folder / "image"
        began = time.monotonic()
        bench.run("skopeo", "--insecure-policy", "copy", "--preserve-digests", "--src-cert-dir", self.folder / "trust",
                  self.image, f"dir:{target}", cwd=self.folder)
        sync_tree(target)
        took = time.monotonic() - began
        shutil.rmtree(target)
        return took

    def ostree(self) -> float:
        repository, target = self.folder / "repository", self.folder / "checkout"
        began = time.monotonic()
        bench.run("ostree", f"--repo={repository}", "init", "--mode=bare-user", cwd=self.folder)
        bench.run("ostree", f"--repo={repository}", "remote", "add", f"--set=tls-ca-path={self.folder}/cert.pem",
                  "--no-gpg-verify", "origin", f"{self.url}/ostree", cwd=self.folder)
        bench.run("ostree", f"--repo={repository}", "pull", "origin", "model", cwd=self.folder)
        bench.run("ostree", f"--repo={repository}", "checkout", "-U", "-H", "origin:model", target, cwd=self.folder)
        sync_tree(target)
        took = time.monotonic() - began
        shutil.rmtree(repository)
        shutil.rmtree(target)
        return took

    def casync(self) -> float:
        """Without TLS: it cannot be told of an authority of its own."""
        target = self.folder / "extracted"
        target.mkdir()
        began = time.monotonic()
        bench.run("casync", "extract", f"--store={self.plain}/store.castr", f"{self.plain}/model.caidx", target,
                  cwd=self.folder)
        sync_tree(target)
        took = time.monotonic() - began
        shutil.rmtree(target)
        return took


def install(site: bench.Site, name: str, **more) -> tuple[float, float, int]:
    """Wall and processor seconds of the agent's download, and its largest resident size; the smoke test is left out."""
    agent, seen, peak = bench.start_agent(site.configure_agent(name, site.port, **more), "downloaded and verified")
    used = processor(agent.pid)
    agent.kill()
    agent.wait()
    begin = next(moment for line, moment in seen.items() if "-> downloading" in line)
    shutil.rmtree(site.folder / name)
    return list(seen.values())[-1] - begin, used, peak


def measure_install() -> None:
    with bench.site(MIB << 20, is_pinned=False) as site:
        payload = site.folder / "bundle/payload.bin"
        peers = Peers(site, payload)
        ways = {"curl | tee | sha256sum": peers.curl, "skopeo copy": peers.skopeo, "ostree pull, checkout": peers.ostree,
                "casync extract, no TLS": peers.casync}
        ours: list[tuple[float, float, int]] = []
        served: list[float] = []
        theirs: dict[str, list[float]] = {name: [] for name in ways}
        for number in range(ROUNDS):
            os.sync()
            before = processor(site.registry)
            ours.append(install(site, f"install-{number}"))
            served.append(processor(site.registry) - before)
            for name, way in ways.items():
                os.sync()
                theirs[name].append(way())
        wall = statistics.median(took for took, _, _ in ours)
        for name, times in theirs.items():
            bench.tell(f"{name}, {MIB} MiB", f"{statistics.median(times):.2f} s")
        best = min(theirs, key=lambda name: statistics.median(theirs[name]))
        ratio = statistics.median(took / other for (took, _, _), other in zip(ours, theirs[best]))
        bench.say(f"install of {MIB} MiB / {best}", f"{ratio:.2f} ({wall:.2f} s)", "at most 0.50", ratio <= 0.5)
        measure_parts(site, payload, wall, statistics.median(used for _, used, _ in ours), statistics.median(served))
        bench.say(f"agent's largest resident size, {MIB} MiB", bench.mib(max(peak for _, _, peak in ours)),
                  "under 48 MiB", max(peak for _, _, peak in ours) < 48 << 20)
        for count in (1, 2, 4, 8):
            times = []
            for number in range(ROUNDS):
                os.sync()
                times.append(install(site, f"connections-{count}-{number}", connections=count)[0])
            bench.tell(f"install of {MIB} MiB on {count} connection{'s' * (count > 1)}", f"{statistics.median(times):.2f} s")


def measure_parts(site: bench.Site, payload: Path, wall: float, used: float, served: float) -> None:
    """What the parts of an installation cost alone, on the same bytes."""
    folder, copy = site.folder, site.folder / "copy.out"
    hashes, writes, receives, sends = [], [], [], []
    for _ in range(ROUNDS):
        hashes.append(timed("openssl", "dgst", "-sha256", payload, cwd=folder))
        os.sync()
        writes.append(timed("dd", f"if={payload}", f"of={copy}", "bs=1M", "conv=fsync", cwd=folder))
        copy.unlink()
        before = processor(site.registry)
        receives.append(timed("curl", "-s", "--cacert", folder / "cert.pem", "-o", "/dev/null",
                              f"{site.url}/blobs/sha256/{site.payload}", cwd=folder))
        sends.append(processor(site.registry) - before)

    def middle(pairs: list[tuple[float, float]], index: int) -> float:
        return statistics.median(pair[index] for pair in pairs)

    bound = max(middle(hashes, 0), middle(writes, 0))
    ratio = wall / bound
    bench.say("install / the slower of hash on one core and synced write",
              f"{ratio:.2f} ({wall:.2f} s / {middle(hashes, 0):.2f} s, {middle(writes, 0):.2f} s)", "at most 1.50", ratio <= 1.5)
    bench.tell("processor time of an installation", f"{used:.2f} s agent, {served:.2f} s registry")
    bench.tell("of it alone: send with TLS, receive with TLS", f"{statistics.median(sends):.2f} s, {middle(receives, 1):.2f} s")
    bench.tell("of it alone: hash once (done twice), copy and write", f"{middle(hashes, 1):.2f} s, {middle(writes, 1):.2f} s")


def measure_memory() -> None:
    with bench.site(MEMORY_MIB << 20, is_pinned=False) as site:
        took, _, peak = install(site, "memory")
        bench.say(f"agent's largest resident size, {MEMORY_MIB} MiB in {took:.1f} s", bench.mib(peak), "under 48 MiB",
                  peak < 48 << 20)


class Application:
    """A voice application on the agent's socket."""

    def __init__(self, path: Path):
        for _ in range(500):
            self.socket = socket.socket(socket.AF_UNIX)
            try:
                self.socket.connect(str(path))
                return
            except OSError:
                self.socket.close()
                time.sleep(0.01)
        raise SystemExit(f"bench: nobody listens at {path}")

    def ask(self, **fields) -> dict:
        """Sends one line and returns the answer; a descriptor that comes along is closed."""
        self.socket.settimeout(60)
        self.socket.sendall(json.dumps(fields).encode() + b"\n")
        line = b""
        while not line.endswith(b"\n"):
            part, descriptors, _, _ = socket.recv_fds(self.socket, 65_536, 4)
            for descriptor in descriptors:
                os.close(descriptor)
            if not part:
                raise SystemExit("bench: the agent closed its socket")
            line += part
        return json.loads(line)

    def until(self, what: str, seconds: int = 60, polls: bool = False) -> None:
        """Waits for a state or a version of the agent, which may have to ask for it."""
        for turn in range(seconds * 20):
            status = self.ask(op="status")
            if what in (status["state"], (status["active"] or {}).get("version")):
                return
            if polls and turn % 40 == 0:
                self.ask(op="check")
            time.sleep(0.05)
        raise SystemExit(f"bench: expected '{what}', got {status}; {self.ask(op='explain')['lines']}")


def release_again(site: bench.Site) -> None:
    """A second version, for the whole fleet at once."""
    folder = site.folder
    shutil.copytree(folder / "bundle", folder / "bundle-2")
    text = (folder / "bundle-2/bundle.yaml").read_text(encoding="utf-8")
    (folder / "bundle-2/bundle.yaml").write_text(text.replace("version: 1.0.0", "version: 1.1.0"), encoding="utf-8")
    text = (folder / "rollout.yaml").read_text(encoding="utf-8")
    text = text.replace("candidate: 1.0.0", "candidate: 1.1.0").replace("replaces: []", "replaces: [1.0.0]")
    # Only a first release may need to show nothing.
    text = text.replace("    required_blind_spot: {}\n", "")
    # Of a fleet of one device, who is held back is chance.
    text += "hold_back: { share: 1%, least_devices: 1, cap: 1% }\n"
    (folder / "rollout-2.yaml").write_text(text, encoding="utf-8")
    site.cli("bundle", "build", "bundle-2", "--out", "build-2")
    site.cli("publish", "build-2", "--policy", "standard=rollout-2.yaml", "--key", "keys/release.json")
    site.cli("rollout", "create", bench.MODEL, "1.1.0", "--acknowledge-warnings")
    site.cli("rollout", "start", bench.MODEL)


def start_quietly(site: bench.Site, configuration: Path) -> subprocess.Popen:
    """An agent that ends with the site at the latest."""
    agent = subprocess.Popen([bench.AGENT, "run", "--config", configuration], stderr=subprocess.DEVNULL)
    site.processes.append(agent)
    return agent


def measure_switch() -> None:
    """Between two whole slots on a disk; and back by itself, from the third failed turn to the lease of the version before."""
    with bench.site(0, terms=SHORT) as site:
        configuration = site.configure_agent("device", site.port)
        device = configuration.parent
        # The first release ends only where devices are heard.
        token = bench.field(site.cli("devices", "enrol-tokens", "--count", "1", "--json"), "tokens")[0]
        (device / "token").write_text(token, encoding="utf-8")
        bench.run(bench.AGENT, "enrol", "--config", configuration, "--token-file", device / "token", cwd=device)
        agent = start_quietly(site, configuration)
        application = Application(device / "socket")
        application.until("probation")
        # Turns of the burn-in count for nobody.
        time.sleep(2)
        for _ in range(240):
            application.ask(op="turn", version="1.0.0", latency_us=400_000)
        application.until("committed")
        for _ in range(90):
            status = site.cli("rollout", "status", bench.MODEL, "--json")
            if '"state":"completed"' in status:
                break
            time.sleep(1)
        else:
            raise SystemExit(f"bench: expected the first release to end, got {status}")
        release_again(site)
        application.until("1.1.0", polls=True)
        agent.terminate()
        agent.wait()
        state, kept = device / "state", device / "kept"
        state.rename(kept)
        times = []
        for _ in range(BACKWARD):
            subprocess.run(["cp", "-a", kept, state], check=True)
            os.sync()
            agent = start_quietly(site, configuration)
            application = Application(device / "socket")
            if application.ask(op="lease", application="bench")["version"] != "1.1.0":
                raise SystemExit("bench: expected a lease of 1.1.0")
            for _ in range(2):
                application.ask(op="turn", version="1.1.0", error=True)
            began = time.monotonic()
            application.ask(op="turn", version="1.1.0", error=True)
            lease = application.ask(op="lease", application="bench")
            times.append(time.monotonic() - began)
            if lease["version"] != "1.0.0":
                raise SystemExit(f"bench: expected a lease of 1.0.0, got {lease}")
            agent.kill()
            agent.wait()
            shutil.rmtree(state)
        cost = json.loads(bench.run(SWITCH, kept / "slots", SWITCHES, cwd=bench.ROOT))
    p50, p99, most = (cost[name] / 1e3 for name in ("p50_us", "p99_us", "most_us"))
    bench.say(f"switch between slots, {SWITCHES:,} times, synced: p99 (p50, most)", f"{p99:.2f} ms ({p50:.2f}, {most:.2f})",
              "under 2 ms", p99 < 2)
    bench.say(f"third failed turn to lease of the old, {BACKWARD} times: most (p50)",
              f"{max(times) * 1e3:.1f} ms ({statistics.median(times) * 1e3:.1f})", "under 100 ms", max(times) < 0.1)


class CountingProxy:
    """Ends TLS before the registry, and counts what passes in both directions."""

    def __init__(self, site: bench.Site):
        self.bytes, self.requests = 0, 0
        self.server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.server.load_cert_chain(site.folder / "cert.pem", site.folder / "key.pem")
        self.client = ssl.create_default_context(cafile=site.folder / "cert.pem")
        self.registry = site.port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                plain, _ = self.listener.accept()
                threading.Thread(target=self.serve, args=(plain,), daemon=True).start()

    def serve(self, plain: socket.socket) -> None:
        """One connection: a request, its answer, and so on, each of which fits what is read at once."""
        with contextlib.suppress(OSError, ssl.SSLError):
            near = self.server.wrap_socket(plain, server_side=True)
            far = self.client.wrap_socket(socket.create_connection(("127.0.0.1", self.registry)), server_hostname="localhost")
            while request := near.recv(1 << 16):
                far.sendall(request)
                answer = far.recv(1 << 16)
                head, _, body = answer.partition(b"\r\n\r\n")
                found = re.search(rb"content-length: (\d+)", head, re.I)
                length = int(found.group(1)) if found and b" 304 " not in head else 0
                while len(body) < length:
                    part = far.recv(1 << 16)
                    answer, body = answer + part, body + part
                near.sendall(answer)
                self.bytes += len(request) + len(answer)
                self.requests += 1


def processor_nanoseconds(process: int) -> int:
    """Processor time of the threads that a process has now, to the nanosecond: `stat` has ticks of 10 ms."""
    return sum(int((task / "schedstat").read_text(encoding="utf-8").split()[0]) for task in Path(f"/proc/{process}/task").iterdir())


def measure_idle_poll() -> None:
    """Polls that come by themselves, of a device that has all there is, and that gives its memory back before it waits for the next."""
    with bench.site(0) as site:
        proxy = CountingProxy(site)
        configuration = site.configure_agent("device", proxy.port, poll_interval_s=POLL_SECONDS)
        agent = start_quietly(site, configuration)
        Application(configuration.parent / "socket").until("probation")

        def after(count: int) -> tuple[int, int, int]:
            """What has been used, once so many more requests were answered and the agent is at rest."""
            until = time.monotonic() + (count + 2) * POLL_SECONDS
            wanted = proxy.requests + count
            while proxy.requests < wanted:
                if time.monotonic() > until:
                    raise SystemExit("bench: no poll came")
                time.sleep(0.05)
            time.sleep(1)
            return proxy.requests, proxy.bytes, processor_nanoseconds(agent.pid)

        # The installation's reports go out meanwhile.
        before = after(2)
        requests, size, used = (now - then for now, then in zip(after(POLLS), before))
        resident = bench.resident(agent.pid)
        agent.terminate()
        agent.wait()
    bench.say("idle poll: requests", f"{requests / POLLS:.2f}", "1", requests == POLLS)
    bench.say("idle poll: bytes in both directions, before TLS", f"{size / POLLS:.0f}", "under 1,000", size < 1_000 * POLLS)
    bench.say(f"idle poll: agent's processor time, of {POLLS}", f"{used / POLLS / 1e6:.2f} ms", "under 2 ms", used < 2_000_000 * POLLS)
    bench.say("idle poll: agent's resident size after them", bench.mib(resident), "at most 16 MiB", resident <= 16 << 20)


PARTS = {"switch": measure_switch, "idle-poll": measure_idle_poll, "install": measure_install, "install-memory": measure_memory}


def main() -> int:
    for part in sys.argv[1:] or PARTS:
        PARTS[part]()
    return 0


if __name__ == "__main__":
    sys.exit(main())
