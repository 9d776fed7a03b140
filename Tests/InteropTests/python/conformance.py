"""Drives tuf-conformance through repositories that python-tuf writes, over loopback HTTP.

    conformance.py CLIENT

CLIENT is the built program. Each scenario has a repository and a client of its own; the server is this process's, and
ends with it. The scenarios are ours, after what the public conformance suite for TUF clients asks of one. What is looked
at is what that suite looks at: the exit code, the trusted metadata on disk, the downloaded files, and the requests made.

It prints one JSON line: `{"passed": [name...], "failed": {name: why}, "skipped": [name...]}`, and exits 0.
"""

import copy
import hashlib
import http.server
import json
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from datetime import datetime, timedelta, timezone
from itertools import permutations, product
from pathlib import Path
from urllib.parse import quote, unquote

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import (
    DelegatedRole, Delegations, Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp,
)
from tuf.api.serialization.json import JSONSerializer

CLIENT = os.path.abspath(sys.argv[1])
FAKETIME = shutil.which("faketime")
NOW = datetime.now(timezone.utc).replace(microsecond=0)
TOP = ["root", "timestamp", "snapshot", "targets"]
ROLES = [*TOP, "A"]
# In this order a client takes the newest files, down to a delegated role and a target.
ORDER = [*ROLES, "file"]


def in_days(days: int) -> datetime:
    return NOW + timedelta(days=days)


class Keys:
    """Signers of every kind, made once each; RSA keys are slow to make."""

    MAKERS = {
        "ed25519": CryptoSigner.generate_ed25519,
        "ecdsa": CryptoSigner.generate_ecdsa,
        "rsa": lambda: CryptoSigner.generate_rsa(size=2048),
    }
    made: dict = {}

    @classmethod
    def get(cls, kind: str, number: int) -> CryptoSigner:
        if (kind, number) not in cls.made:
            cls.made[kind, number] = cls.MAKERS[kind]()
        signer = cls.made[kind, number]
        return CryptoSigner(signer._private_key, copy.deepcopy(signer.public_key))


class Repository:
    """A repository being edited, and the files that it has published."""

    def __init__(self, kind: str = "ed25519", consistent: bool = True) -> None:
        self.files: dict[str, bytes] = {}
        self.newest: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.flood: Flood | None = None
        self.signers: dict[str, list[CryptoSigner]] = {}
        self.kind, self.keys_used, self.digests = kind, 0, False
        self.root = Root(expires=in_days(30), consistent_snapshot=consistent)
        self.timestamp = Timestamp(expires=in_days(30))
        self.snapshot = Snapshot(expires=in_days(30))
        self.roles = {"targets": Targets(expires=in_days(30))}
        for role in TOP:
            self.add_key(role)
        self.publish_root()
        self.publish("targets")

    def new_key(self, kind: str | None = None) -> CryptoSigner:
        self.keys_used += 1
        return Keys.get(kind or self.kind, self.keys_used)

    def add_key(self, role: str, signer: CryptoSigner | None = None) -> CryptoSigner:
        signer = signer or self.new_key()
        self.root.add_key(signer.public_key, role)
        self.signers.setdefault(role, []).append(signer)
        return signer

    def rotate(self, role: str, kind: str | None = None) -> None:
        old = self.signers.pop(role)
        self.root.roles[role].keyids.clear()
        for _ in old:
            self.add_key(role, self.new_key(kind))
        if role == "root":
            self.signers[role] += old
            self.publish_next_root()
            self.signers[role] = self.signers[role][: len(old)]

    def sign(self, role: str, signed) -> bytes:
        metadata = Metadata(signed)
        for signer in self.signers.get(role, []):
            metadata.sign(signer, append=True)
        return metadata.to_bytes(JSONSerializer())

    def put(self, role: str, version: int, data: bytes) -> None:
        self.files[self.place(role, version)] = data
        self.newest[role] = data

    def place(self, role: str, version: int) -> str:
        name = quote(role, "") + ".json"
        if role == "root" or (self.root.consistent_snapshot and role != "timestamp"):
            name = f"{version}.{name}"
        return "metadata/" + name

    def metadata(self, role: str):
        top = {"root": self.root, "timestamp": self.timestamp, "snapshot": self.snapshot}
        return top[role] if role in top else self.roles[role]

    def publish_root(self) -> None:
        self.put("root", self.root.version, self.sign("root", self.root))

    def publish_next_root(self) -> None:
        self.root.version += 1
        self.publish_root()

    def publish(self, *roles: str) -> None:
        """Publishes these roles as they are, then snapshot and timestamp as they are."""
        for role in roles:
            data = self.sign(role, self.roles[role])
            self.put(role, self.roles[role].version, data)
            self.snapshot.meta[role + ".json"] = self.meta(self.roles[role].version, data)
        data = self.sign("snapshot", self.snapshot)
        self.put("snapshot", self.snapshot.version, data)
        self.timestamp.snapshot_meta = self.meta(self.snapshot.version, data)
        self.publish_timestamp()

    def publish_timestamp(self) -> None:
        self.put("timestamp", self.timestamp.version, self.sign("timestamp", self.timestamp))

    def meta(self, version: int, data: bytes) -> MetaFile:
        if not self.digests:
            return MetaFile(version)
        return MetaFile(version, len(data), {"sha256": hashlib.sha256(data).hexdigest()})

    def update(self, *roles: str) -> None:
        """Publishes the next version of these roles, of snapshot and of timestamp."""
        for role in roles:
            self.roles[role].version += 1
        self.snapshot.version += 1
        self.timestamp.version += 1
        self.publish(*roles)

    def update_all(self) -> None:
        """Publishes the next version of every role."""
        self.publish_next_root()
        self.update(*self.roles)

    def add_target(self, role: str, path: str, data: bytes, algorithms=("sha256",)) -> TargetFile:
        target = TargetFile.from_data(path, data, list(algorithms))
        self.roles[role].targets[path] = target
        self.serve_target(target, data)
        return target

    def serve_target(self, target: TargetFile, data: bytes) -> None:
        for algorithm in target.hashes:
            self.files[self.target_place(target, algorithm)] = data

    def target_place(self, target: TargetFile, algorithm: str = "sha256") -> str:
        folder, slash, name = target.path.rpartition("/")
        digest = target.hashes[algorithm] + "." if self.root.consistent_snapshot else ""
        return f"targets/{folder}{slash}{digest}{name}"

    def delegate(self, delegator: str, role: str, paths=("*",), prefixes=None, terminating=False,
                 threshold=1, keys=1, kind=None, expires=None) -> None:
        parent = self.roles[delegator]
        if parent.delegations is None:
            parent.delegations = Delegations({}, {})
        parent.delegations.roles[role] = DelegatedRole(
            role, [], threshold, terminating, None if prefixes else list(paths), prefixes)
        if role not in self.roles:
            self.roles[role] = Targets(expires=expires or in_days(30))
            self.signers[role] = [self.new_key(kind) for _ in range(keys)]
        for signer in self.signers[role]:
            parent.add_key(signer.public_key, role)


PIECE = 65_536
FLOODS = {
    # how an answer goes on for ever: what follows its first line, and then what comes again and again
    "in chunks": (b"Transfer-Encoding: chunked\r\n\r\n", b"%x\r\n%s\r\n" % (PIECE, b" " * PIECE)),
    "without a length": (b"\r\n", b" " * PIECE),
    "of a declared length": (b"Content-Length: 1099511627776\r\n\r\n", b" " * PIECE),
    "of header fields": (b"", (b"x: " + b"y" * 1_019 + b"\r\n") * (PIECE // 1_024)),
}


class Flood:
    """An answer to the request for one file that never ends, and how many bytes were sent after its head."""

    def __init__(self, name: str, how: str, wanted: int, status: int = 200) -> None:
        self.name, self.how, self.wanted, self.status, self.sent = name, how, wanted, status, 0

    def send(self, connection: socket.socket) -> None:
        """Sends at full speed what a client may want; then it has a moment to go before each further piece."""
        head, piece = FLOODS[self.how]
        try:
            connection.sendall(b"HTTP/1.1 %d Endless\r\n" % self.status + head)
            while self.sent < self.wanted or not select.select([connection], [], [], 0.1)[0]:
                self.sent += len(piece)
                connection.sendall(piece)
        except OSError:
            pass  # The client has gone.


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body are two small packets; the second must not wait until the first is acknowledged.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        number, _, path = self.path.lstrip("/").partition("/")
        if not number.isdigit():
            # Outside of all repositories: scenarios run one after another, so the last one's client asks.
            number, path = "-1", self.path
        repository = self.server.repositories[int(number)]
        repository.requests.append(path)
        if repository.flood and path == repository.flood.name:
            self.close_connection = True
            return repository.flood.send(self.connection)
        # Metadata names are served as they are asked for; only target paths are decoded.
        data = repository.files.get(path if path.startswith("metadata/") else unquote(path))
        self.send_response(404 if data is None else 200)
        self.send_header("Content-Length", str(len(data or b"")))
        self.end_headers()
        self.wfile.write(data or b"")

    def log_message(self, *_) -> None:
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.repositories: list[Repository] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address) -> None:
        # A client may go at any moment, and does when it refuses an answer.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


SERVER = Server()


class Client:
    """One client's folders, and the runs of the program on them."""

    def __init__(self, repository: Repository, initialise: bool = True) -> None:
        SERVER.repositories.append(repository)
        self.repository = repository
        self.scratch = tempfile.TemporaryDirectory()
        # Some folders down, so that what climbs out of its own is seen.
        home = Path(self.scratch.name, "a", "b")
        home.mkdir(parents=True)
        self.metadata, self.targets, self.root = home / "metadata", home / "targets", home / "trusted root.json"
        self.base = f"http://127.0.0.1:{SERVER.server_address[1]}/{len(SERVER.repositories) - 1}/"
        self.errors = ""
        if initialise:
            expect(self.init(repository.files["metadata/1.root.json"]), 0)
            expect(repository.requests, [])

    def run(self, *words: str, day: int | None = None, folder: Path | None = None, seconds: int = 60) -> int:
        self.repository.requests.clear()
        command = [CLIENT, *words]
        if day is not None:
            command = [FAKETIME, in_days(day).strftime("%Y-%m-%d %H:%M:%S"), *command]
        outcome = subprocess.run(
            command, capture_output=True, text=True, timeout=seconds, cwd=folder,
            # A program built for coverage writes its profile into the working directory, unless it is told where.
            env={"PATH": "/usr/bin:/bin", "TZ": "UTC", "LLVM_PROFILE_FILE": os.devnull})
        self.errors = outcome.stderr
        if outcome.returncode not in (0, 1) or (outcome.returncode == 0) != (outcome.stderr == ""):
            raise AssertionError(f"exit {outcome.returncode}: {outcome.stderr}")
        return outcome.returncode

    def init(self, root: bytes) -> int:
        self.root.write_bytes(root)
        return self.run("--metadata-dir", str(self.metadata), "init", str(self.root))

    def refresh(self, day: int | None = None) -> int:
        return self.run(
            "--metadata-url", self.base + "metadata/", "--metadata-dir", str(self.metadata), "refresh", day=day)

    def download(self, *names: str, day: int | None = None, seconds: int = 60) -> int:
        words = [word for name in names for word in ("--target-name", name)]
        return self.run(
            "--metadata-dir", str(self.metadata), "--metadata-url", self.base + "metadata", *words,
            "--target-base-url", self.base + "targets", "--target-dir", str(self.targets), "download", day=day,
            seconds=seconds)

    def kept(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.metadata.iterdir()}

    def downloaded(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.targets.iterdir()} if self.targets.exists() else {}

    def strays(self) -> list[str]:
        """The files, but for the trusted root, that are in neither of the two folders."""
        folders = (self.metadata, self.targets)
        return sorted(
            str(path.relative_to(self.scratch.name)) for path in Path(self.scratch.name).rglob("*")
            if path.is_file() and path.parent not in folders and path != self.root)

    def version(self, role: str) -> int | None:
        data = self.kept().get(role + ".json")
        return None if data is None else json.loads(data)["signed"]["version"]

    def versions(self) -> dict[str, int]:
        return {name.removesuffix(".json"): json.loads(data)["signed"]["version"] for name, data in self.kept().items()}


def expect(found, expected, what: str = "") -> None:
    if found != expected:
        raise AssertionError(f"{what}: expected {expected!r}, got {found!r}")


def refused(client: Client, outcome: int, *words: str) -> None:
    """A refusal with exit code 1, and an error that has these words."""
    expect(outcome, 1, "exit code")
    for word in words:
        if word not in client.errors:
            raise AssertionError(f"expected '{word}' in the error, got {client.errors!r}")


def expect_requests(repository: Repository, *words: str) -> None:
    """All requests of the client's last run, in their order: targets as they are, metadata as `<version>.<role>`."""
    def spelt(word: str) -> str:
        role = word.partition(".")[2]
        return f"metadata/{word if repository.root.consistent_snapshot or role in ('', 'root') else role}.json"
    expect(repository.requests, [word if word.startswith("targets/") else spelt(word) for word in words], "requests")


def expect_stop(client: Client, where: str, before: dict[str, bytes]) -> None:
    """The newest files of the roles that come before this place are kept, and all others are as before."""
    taken = {f"{role}.json": client.repository.newest[role] for role in ORDER[:ORDER.index(where)]}
    expect(client.kept(), {**before, **taken}, f"kept before {where}")


SCENARIOS = {}


def scenario(*variants, needs_time=False):
    def register(function):
        for variant in variants or [()]:
            values = variant if isinstance(variant, tuple) else (variant,)
            name = " ".join([function.__name__, *map(str, values)]).replace("_", " ")
            SCENARIOS[name] = (lambda function=function, values=values: function(*values), needs_time)
        return function
    return register


# Basics


@scenario(("ed25519", True), ("ecdsa", True), ("rsa", True), ("ed25519", False), ("ecdsa", False))
def refreshes_and_downloads(kind, consistent):
    repository = Repository(kind, consistent)
    repository.delegate("targets", "releases", ["releases/*"], keys=2, threshold=2)
    target = repository.add_target("releases", "releases/a b%?.bin", b"content", ["sha256", "sha512"])
    repository.update("targets", "releases")
    client = Client(repository)
    expect(client.refresh(), 0, client.errors)
    expect_requests(repository, "2.root", "timestamp", "2.snapshot", "2.targets")
    expect(client.download("releases/a b%?.bin"), 0, client.errors)
    expect_requests(
        repository, "2.root", "timestamp", "2.releases", quote(repository.target_place(target)))
    expect(client.downloaded(), {quote("releases/a b%?.bin", ""): b"content"})
    expect(client.versions(), {"root": 1, "timestamp": 2, "snapshot": 2, "targets": 2, "releases": 2})
    for name, data in client.kept().items():
        served = [repository.files.get("metadata/" + prefix + name) for prefix in ("", "1.", "2.")]
        expect(data in served, True, f"{name} byte for byte")


@scenario("ed25519", "ecdsa", "rsa")
def refuses_every_file_with_one_byte_changed(kind):
    repository = Repository(kind)
    repository.digests = True
    repository.delegate("targets", "releases", ["releases/*"])
    repository.add_target("releases", "releases/a", b"content")
    repository.update("targets", "releases")
    repository.rotate("root", "ecdsa")
    honest = Client(repository)
    expect(honest.download("releases/a"), 0, honest.errors)
    asked = [name for name in repository.requests if name in repository.files]
    expect(len(asked), 6)
    for name in asked:
        good = repository.files[name]
        broken = bytearray(good)
        # Within the content, so that only a signature or a digest can tell.
        place = good.index(b"expires") + 13 if name.startswith("metadata") else len(good) // 2
        broken[place] ^= 1
        repository.files[name] = bytes(broken)
        client = Client(repository)
        before = client.kept()
        refused(client, client.download("releases/a"), "cannot accept", "expected", "got")
        expect(client.downloaded(), {}, name)
        role = name.rpartition("/")[2].removesuffix(".json").split(".")[-1] + ".json"
        expect(client.kept().get(role), before.get(role), f"{role} after {name} was changed")
        for kept, data in client.kept().items():
            expect(data, {**before, **honest.kept()}[kept] if kept != "root.json" else data, kept)
        repository.files[name] = good


@scenario(("rsa", "rsassa-pss-sha256"), ("ecdsa", "ecdsa-sha2-nistp256"), ("ed25519", "ed25519"))
def counts_a_key_of_kind(kind, scheme):
    repository = Repository()
    client = Client(repository)
    signer = repository.add_key("root", repository.new_key(kind))
    expect((signer.public_key.keytype, signer.public_key.scheme), (kind, scheme))
    repository.root.roles["root"].threshold = 2
    repository.publish_next_root()
    expect(client.refresh(), 0, client.errors)
    expect(client.version("root"), 2)
    repository.publish_next_root()
    metadata = json.loads(repository.files["metadata/3.root.json"])
    other = Repository.sign(repository, "root", repository.timestamp)
    wrong = {each["keyid"]: each["sig"] for each in json.loads(other)["signatures"]}
    for signature in metadata["signatures"]:
        if signature["keyid"] == signer.public_key.keyid:
            signature["sig"] = wrong[signature["keyid"]]
    repository.files["metadata/3.root.json"] = json.dumps(metadata).encode()
    refused(client, client.refresh(), "root", "valid signatures of 2 keys", "got 1")
    expect(client.version("root"), 2)


@scenario()
def reads_ecdsa_keys_of_the_older_key_type():
    repository = Repository("ecdsa")
    for key in repository.root.keys.values():
        key.keytype = "ecdsa-sha2-nistp256"
    repository.publish_root()
    client = Client(repository)
    expect(client.refresh(), 0, client.errors)


@scenario()
def refuses_rsa_below_2048_bits():
    repository = Repository()
    repository.rotate("timestamp")
    repository.root.roles["timestamp"].keyids.clear()
    repository.signers["timestamp"] = []
    repository.add_key("timestamp", CryptoSigner.generate_rsa(size=1024))
    repository.publish_root()
    repository.publish_timestamp()
    client = Client(repository)
    refused(client, client.refresh(), "timestamp", "got 0")
    expect(client.versions(), {"root": 1})


@scenario("ed25519", "ecdsa", "rsa")
def counts_one_key_under_two_ids_once(kind):
    repository = Repository()
    signer = repository.new_key(kind)
    twin = copy.deepcopy(signer.public_key)
    twin.keyid = "twin"
    twin.keyval["public"] = twin.keyval["public"].replace("\n", "\r\n")
    repository.root.roles["timestamp"].keyids.clear()
    repository.signers["timestamp"] = []
    repository.add_key("timestamp", signer)
    repository.add_key("timestamp", CryptoSigner(signer._private_key, twin))
    repository.root.roles["timestamp"].threshold = 2
    repository.publish_root()
    repository.publish_timestamp()
    client = Client(repository)
    refused(client, client.refresh(), "timestamp", "2 keys of root", "got 1")
    expect(client.versions(), {"root": 1})


@scenario()
def refuses_an_initial_root_without_version():
    repository = Repository()
    root = json.loads(repository.files["metadata/1.root.json"])
    del root["signed"]["version"]
    client = Client(repository, initialise=False)
    refused(client, client.init(json.dumps(root).encode()), "root", "version")
    refused(client, client.refresh(), "expected a trusted root")
    expect(repository.requests, [])


@scenario()
def refuses_an_initial_root_that_is_not_signed():
    repository = Repository("ecdsa")
    root = json.loads(repository.files["metadata/1.root.json"])
    root["signatures"][0]["sig"] = repository.new_key("ecdsa").sign(b"x").signature
    client = Client(repository, initialise=False)
    refused(client, client.init(json.dumps(root).encode()), "root", "got 0")
    refused(client, client.refresh())
    expect(repository.requests, [])


@scenario()
def refreshes_also_where_the_target_is_absent():
    repository = Repository()
    client = Client(repository)
    refused(client, client.download("nothing here"), "nothing here", "got none")
    expect(client.versions(), {"root": 1, "timestamp": 1, "snapshot": 1, "targets": 1})


@scenario()
def takes_unknown_fields():
    repository = Repository()
    client = Client(repository)
    repository.root.unrecognized_fields["field"] = {"a": [1, "\n\"\\\u00e9"]}
    key = repository.root.keys[repository.root.roles["snapshot"].keyids[0]]
    key.unrecognized_fields["keyid_hash_algorithms"] = ["md5"]
    repository.root.roles["root"].unrecognized_fields["field"] = "value"
    repository.publish_next_root()
    expect(client.refresh(), 0, client.errors)
    expect(client.version("root"), 2)


@scenario()
def is_not_harmed_by_an_invalid_signature():
    repository = Repository("ecdsa")
    first = repository.signers["timestamp"][0].public_key.keyid
    repository.add_key("timestamp")
    repository.publish_root()
    client = Client(repository)
    for signature in ("30" * 70, "", "not hex"):
        repository.update()
        metadata = json.loads(repository.files["metadata/timestamp.json"])
        for each in metadata["signatures"]:
            if each["keyid"] == first:
                each["sig"] = signature
        repository.files["metadata/timestamp.json"] = json.dumps(metadata).encode()
        expect(client.refresh(), 0, client.errors)
    expect(client.version("timestamp"), 4)


@scenario()
def refuses_two_signatures_of_one_key_id():
    repository = Repository()
    metadata = json.loads(repository.files["metadata/1.snapshot.json"])
    metadata["signatures"] *= 2
    repository.files["metadata/1.snapshot.json"] = json.dumps(metadata).encode()
    client = Client(repository)
    refused(client, client.refresh(), "snapshot", "two signatures")
    expect(client.versions(), {"root": 1, "timestamp": 1})


# Rotation


ROTATIONS = [
    # versions of root: keys, threshold, signers; and whether the last one is taken
    ([([1], 1, [1]), ([2], 1, [2, 1]), ([2], 1, [2])], True),
    ([([0, 1, 2, 3, 4], 3, [0, 2, 4]), ([0, 1, 3, 4, 5], 3, [0, 4, 1])], True),
    ([([0, 1, 2], 2, [0, 2]), ([5, 6, 7], 3, [0, 2, 5, 6, 7]), ([5, 6, 7], 3, [5, 6, 7])], True),
    ([([1, 2, 3], 1, [1]), ([1, 2, 3], 2, [1, 2])], True),
    ([([1, 2, 3], 2, [1, 2]), ([1, 2, 3], 1, [1, 2]), ([1, 2, 3], 1, [1])], True),
    ([([1], 1, [1]), ([2], 1, [2, 3])], False),
    ([([1], 1, [1]), ([2], 1, [1, 3])], False),
    ([([0, 1, 2, 3], 3, [0, 1, 2]), ([0, 1, 3, 5], 3, [0, 1, 2])], False),
    ([([1, 2, 3], 2, [1, 2]), ([1, 2, 3], 1, [1])], False),
]


@scenario(*[(index, kind) for index in range(len(ROTATIONS)) for kind in ("ed25519", "mixed")])
def follows_root_rotation(index, kind):
    versions, is_good = ROTATIONS[index]
    kinds = ["ed25519", "ecdsa", "rsa"] if kind == "mixed" else ["ed25519"]
    signers = [Keys.get(kinds[number % len(kinds)], 20 + number) for number in range(8)]
    repository = Repository()
    repository.root.version = 0
    for keys, threshold, signatures in versions:
        role = repository.root.roles["root"]
        role.keyids.clear()
        role.threshold = threshold
        for number in keys:
            repository.root.add_key(signers[number].public_key, "root")
        repository.signers["root"] = [signers[number] for number in signatures]
        repository.publish_next_root()
    client = Client(repository)
    outcome = client.refresh()
    last = len(versions) if is_good else len(versions) - 1
    expect(outcome, 0 if is_good else 1, client.errors)
    expect(client.kept()["root.json"], repository.files[f"metadata/{last}.root.json"])
    roots = [f"{version}.root" for version in range(2, last + 2)]
    expect_requests(repository, *roots, *(["timestamp", "1.snapshot", "1.targets"] if is_good else []))


@scenario("timestamp", "snapshot", "targets")
def follows_the_keys_of(role):
    repository = Repository()
    client = Client(repository)
    expect(client.refresh(), 0)
    for kind in ("ecdsa", "rsa", "ed25519"):
        repository.rotate(role, kind)
        repository.publish_next_root()
        refused(client, client.refresh(), role, "got 0")
        repository.update("targets")
        expect(client.refresh(), 0, client.errors)
    expect(client.version(role), 4)


@scenario("timestamp", "snapshot", "targets")
def refuses_below_the_threshold(role):
    repository = Repository()
    for kind in ("ecdsa", "rsa"):
        repository.add_key(role, repository.new_key(kind))
    repository.root.roles[role].threshold = 3
    repository.publish_root()
    repository.publish("targets")
    client = Client(repository)
    expect(client.refresh(), 0, client.errors)
    before = client.kept()[role + ".json"]
    repository.signers[role].pop()
    repository.update("targets")
    refused(client, client.refresh(), role, "3 keys", "got 2")
    expect(client.kept()[role + ".json"], before)


# Rollback, and recovery from it


@scenario()
def keeps_a_timestamp_of_the_same_version():
    repository = Repository()
    client = Client(repository)
    expect(client.refresh(), 0)
    before = client.kept()
    repository.timestamp.snapshot_meta.version = 100
    repository.publish_timestamp()
    expect(client.refresh(), 0, client.errors)
    expect(client.kept(), before)
    expect_requests(repository, "2.root", "timestamp")


@scenario()
def refuses_an_older_timestamp():
    repository = Repository()
    repository.update()
    client = Client(repository)
    expect(client.refresh(), 0)
    before = client.kept()
    repository.timestamp.version = 1
    repository.publish_timestamp()
    refused(client, client.refresh(), "timestamp: version 1 is older than version 2")
    expect(client.kept(), before)
    expect_requests(repository, "2.root", "timestamp")


@scenario(False, True)
def refuses_an_older_snapshot(digests):
    repository = Repository()
    repository.digests = digests
    repository.update()
    client = Client(repository)
    expect(client.refresh(), 0)
    before = client.kept()
    repository.snapshot.version = 1
    repository.timestamp.version = 3
    repository.publish()
    refused(client, client.refresh(), "snapshot: version 1 is older than version 2")
    expect(client.kept(), before)


@scenario(False, True)
def refuses_older_targets(digests):
    repository = Repository()
    repository.digests = digests
    repository.update("targets")
    client = Client(repository)
    expect(client.refresh(), 0)
    repository.roles["targets"].version = 0
    repository.update("targets")
    refused(client, client.refresh(), "targets: version 1 is older than version 2")
    expect((client.version("snapshot"), client.version("targets")), (2, 2))


@scenario("timestamp", "snapshot", "targets")
def recovers_from_the_highest_version_of(role):
    repository = Repository()
    client = Client(repository)
    metadata = repository.metadata(role)
    metadata.version = 99_999
    repository.publish("targets")
    expect(client.refresh(), 0, client.errors)
    expect(client.version(role), 99_999)
    repository.rotate("snapshot")
    repository.rotate("timestamp")
    repository.publish_next_root()
    metadata.version = 1
    repository.publish("targets")
    expect(client.refresh(), 0, client.errors)
    expect(client.version(role), 1)


@scenario()
def refuses_a_snapshot_of_another_version():
    repository = Repository()
    repository.snapshot.version = 7
    repository.files["metadata/1.snapshot.json"] = repository.sign("snapshot", repository.snapshot)
    client = Client(repository)
    refused(client, client.refresh(), "snapshot", "expected version 1, got 7")
    expect(client.versions(), {"root": 1, "timestamp": 1})


@scenario()
def refuses_a_snapshot_that_forgets_a_role():
    repository = Repository()
    repository.delegate("targets", "A")
    repository.publish("targets", "A")
    client = Client(repository)
    expect(client.refresh(), 0)
    before = client.kept()["snapshot.json"]
    del repository.snapshot.meta["A.json"]
    repository.update("targets")
    refused(client, client.refresh(), "snapshot", "role A")
    expect(client.kept()["snapshot.json"], before)


@scenario("length", "digest")
def refuses_targets_of_another(what):
    repository = Repository()
    repository.digests = True
    repository.update("targets")
    client = Client(repository)
    meta = repository.snapshot.meta["targets.json"]
    meta.length += 5 if what == "length" else 0
    meta.hashes = {"sha256": "0" * 64} if what == "digest" else meta.hashes
    repository.update()
    refused(client, client.refresh(), "targets", "expected")
    expect(client.version("targets"), None)


# Expiry


@scenario("root", "timestamp", "snapshot", "targets")
def refuses_expired(role):
    repository = Repository()
    client = Client(repository)
    expect(client.refresh(), 0)
    if role == "root":
        repository.root.expires = in_days(-1)
        repository.publish_next_root()
    else:
        repository.metadata(role).expires = in_days(-1)
    repository.update("targets")
    refused(client, client.refresh(), role, "expired")
    # Section 5.3.10: an expired root is kept, and nothing after it is.
    expect(client.version(role), 2 if role == "root" else 1)


@scenario()
def refuses_an_expired_delegated_role():
    repository = Repository()
    repository.delegate("targets", "old", ["old/*"], expires=in_days(-1))
    repository.add_target("old", "old/a", b"content")
    repository.publish("targets", "old")
    client = Client(repository)
    expect(client.refresh(), 0)
    refused(client, client.download("old/a"), "old", "expired")
    expect((client.downloaded(), client.version("old")), ({}, None))


@scenario(needs_time=True)
def refuses_held_delegated_metadata_once_it_expires():
    repository = Repository()
    repository.delegate("targets", "A", ["a/*"], expires=in_days(7))
    repository.add_target("A", "a/1", b"one")
    repository.add_target("A", "a/2", b"two")
    repository.publish("targets", "A")
    client = Client(repository)
    expect(client.download("a/1"), 0, client.errors)
    refused(client, client.download("a/2", day=18), "A", "expired")
    expect(list(client.downloaded()), ["a%2F1"])
    repository.roles["A"].expires = in_days(21)
    repository.update("A")
    expect(client.download("a/2", day=18), 0, client.errors)
    expect(list(sorted(client.downloaded())), ["a%2F1", "a%2F2"])


@scenario(needs_time=True)
def goes_on_from_held_metadata_that_has_expired():
    repository = Repository()
    repository.timestamp.expires = in_days(7)
    repository.publish()
    client = Client(repository)
    expect(client.refresh(), 0)
    refused(client, client.refresh(day=18), "timestamp", "expired")
    repository.timestamp.expires = in_days(21)
    repository.update("targets")
    expect(client.refresh(day=18), 0, client.errors)
    expect((client.version("timestamp"), client.version("targets")), (2, 2))
    repository.timestamp.version = 1
    repository.publish_timestamp()
    refused(client, client.refresh(day=20), "older than version 2")


# Delegations


GRAPHS = [
    # delegations: from, to, terminating, paths; and the roles visited for "missing"
    ([("targets", "A"), ("targets", "B"), ("B", "C")], "ABC"),
    ([("targets", "A"), ("targets", "B"), ("A", "C"), ("A", "D")], "ACDB"),
    ([("targets", "A"), ("targets", "B"), ("A", "C"), ("C", "D")], "ACDB"),
    ([("targets", "A"), ("targets", "B"), ("A", "C", True), ("A", "D")], "AC"),
    ([("targets", "A"), ("targets", "B"), ("A", "C", True), ("C", "D")], "ACD"),
    ([("targets", "A", False, ["*.py"]), ("targets", "B"), ("A", "C")], "B"),
    ([("targets", "A"), ("targets", "B"), ("B", "C"), ("C", "D"), ("D", "B")], "ABCD"),
    ([("targets", "A"), ("targets", "B"), ("B", "C"), ("A", "C")], "ACB"),
    ([("targets", "A"), ("targets", "B"), ("B", "C"), ("A", "C", False, ["*.py"])], "ABC"),
]


@scenario(*range(len(GRAPHS)))
def visits_delegations_in_order(index):
    delegations, visited = GRAPHS[index]
    repository = Repository()
    for delegator, role, *more in delegations:
        repository.delegate(
            delegator, role, terminating=bool(more and more[0]), paths=more[1] if len(more) > 1 else ["*"])
    repository.publish(*repository.roles)
    client = Client(repository)
    refused(client, client.download("missing"), "missing")
    expect_requests(
        repository, "2.root", "timestamp", "1.snapshot", "1.targets", *[f"1.{role}" for role in visited])


@scenario(
    ("target", []), ("README.md", ["A"]), ("releases/x/x_v1", ["B", "C"]), ("releases/y/y_v1.zip", ["B", "D"]),
    ("releases/z/z_v1.zip", None))
def finds_through_patterns(path, visited):
    repository, places = Repository(), {}
    repository.delegate("targets", "A", ["*.doc", "*.md"])
    repository.delegate("targets", "B", ["releases/*/*"])
    repository.delegate("B", "C", ["releases/x/*"])
    repository.delegate("B", "D", ["releases/y/*.zip"])
    for role, name in (("targets", "target"), ("A", "README.md"), ("C", "releases/x/x_v1"),
                       ("D", "releases/y/y_v1.zip"), ("D", "releases/z/z_v1.zip")):
        places[name] = repository.target_place(repository.add_target(role, name, name.encode()))
    repository.publish(*repository.roles)
    client = Client(repository)
    if visited is None:
        refused(client, client.download(path), path)
        expect(client.downloaded(), {})
        asked = ["1.B"]
    else:
        expect(client.download(path), 0, client.errors)
        expect(client.downloaded(), {quote(path, ""): path.encode()})
        asked = [*[f"1.{role}" for role in visited], places[path]]
    expect_requests(repository, "2.root", "timestamp", "1.snapshot", "1.targets", *asked)


@scenario("ed25519", "ecdsa", "rsa")
def finds_through_hash_prefixes(kind):
    repository = Repository()
    digest = hashlib.sha256(b"files/x").hexdigest()
    wrong = "0" if digest[0] != "0" else "1"
    repository.delegate("targets", "wrong", prefixes=[wrong, digest[:3] + wrong * 61], kind=kind)
    repository.delegate("targets", "right", prefixes=[wrong, digest[:2]], kind=kind)
    repository.add_target("wrong", "files/x", b"wrong")
    target = repository.add_target("right", "files/x", b"right")
    repository.publish(*repository.roles)
    client = Client(repository)
    expect(client.download("files/x"), 0, client.errors)
    expect(client.downloaded(), {"files%2Fx": b"right"})
    expect_requests(
        repository, "2.root", "timestamp", "1.snapshot", "1.targets", "1.right", repository.target_place(target))


@scenario()
def refuses_a_delegated_role_below_its_threshold():
    repository = Repository()
    repository.delegate("targets", "A", ["a/*"], keys=3, threshold=3, kind="ecdsa")
    repository.add_target("A", "a/x", b"content")
    repository.signers["A"].pop()
    repository.publish("targets", "A")
    client = Client(repository)
    refused(client, client.download("a/x"), "A", "3 keys of targets", "got 2")
    expect((client.downloaded(), client.version("A")), ({}, None))


# Targets


@scenario(True, False)
def downloads_several_and_none_twice(consistent):
    repository = Repository(consistent=consistent)
    places = [
        repository.target_place(repository.add_target("targets", f"files/{number}", b"content %d" % number))
        for number in range(3)]
    repository.publish("targets")
    client = Client(repository)
    expect(client.download("files/0", "files/1"), 0, client.errors)
    expect_requests(repository, "2.root", "timestamp", "1.snapshot", "1.targets", *places[:2])
    expect(client.download("files/1", "files/2", "files/0"), 0, client.errors)
    expect_requests(repository, "2.root", "timestamp", places[2])
    expect(client.downloaded(), {f"files%2F{number}": b"content %d" % number for number in range(3)})
    repository.add_target("targets", "files/1", b"changed")
    repository.update("targets")
    expect(client.download("files/1"), 0, client.errors)
    expect(client.downloaded()["files%2F1"], b"changed")


@scenario("other bytes", "longer", "shorter", "absent")
def refuses_a_target_that_is(what):
    repository = Repository()
    first = repository.add_target("targets", "a", b"first")
    second = repository.add_target("targets", "b", b"second")
    repository.publish("targets")
    client = Client(repository)
    expect(client.download("a"), 0)
    name = f"targets/{second.hashes['sha256']}.b"
    if what == "absent":
        del repository.files[name]
    else:
        repository.files[name] = {"other bytes": b"Second", "longer": b"second!", "shorter": b"secon"}[what]
    refused(client, client.download("a", "b"), "target", "'b'")
    expect(client.downloaded(), {"a": b"first"})
    repository.serve_target(second, b"second")
    (client.targets / "b").write_bytes(b"Second")
    expect(client.download("b"), 0, client.errors)
    expect(client.downloaded(), {"a": b"first", "b": b"second"})
    expect(first.length, 5)


@scenario()
def refuses_a_target_whose_sha_512_differs():
    repository = Repository()
    target = repository.add_target("targets", "a", b"content", ["sha256", "sha512"])
    repository.publish("targets")
    client = Client(repository)
    target.hashes["sha512"] = "0" * 128
    repository.update("targets")
    refused(client, client.download("a"), "SHA-512")
    expect(client.downloaded(), {})


@scenario()
def takes_the_first_targets_and_fails_at_the_next():
    repository = Repository()
    repository.add_target("targets", "a", b"")
    repository.publish("targets")
    client = Client(repository)
    refused(client, client.download("a", "b"), "'b'")
    expect(client.downloaded(), {"a": b""})


@scenario("timestamp", "1.snapshot", "1.targets")
def says_what_is_absent(name):
    repository = Repository()
    del repository.files[f"metadata/{name}.json"]
    client = Client(repository)
    refused(client, client.refresh(), "cannot get", f"{name}.json")


# Requests


REQUESTS = [
    # what the repository does, the target that is then downloaded, and all requests
    ("is new", [], None, "2.root timestamp 1.snapshot 1.targets"),
    ("has nothing new", [], None, "2.root timestamp"),
    ("has new targets", [("update", "targets")], None, "2.root timestamp 2.snapshot 2.targets"),
    ("has a new timestamp and snapshot", [("update",)], None, "2.root timestamp 3.snapshot"),
    ("rotates root twice", [("rotate", "root")] * 2, None, "2.root 3.root 4.root timestamp"),
    ("rotates snapshot", [("rotate", "snapshot"), ("publish_next_root",), ("update",)], None,
     "4.root 5.root timestamp 4.snapshot"),
    ("has a target three roles down", [], "file", "5.root timestamp 1.A 1.B 1.C targets/"),
    ("has it still", [], "file", "5.root timestamp"),
    ("has a new version of the middle role", [("update", "B")], "file", "5.root timestamp 5.snapshot 2.B"),
    ("has all of it new", [("update_all",)], "file", "5.root 6.root timestamp 6.snapshot 3.targets 2.A 3.B 2.C"),
]


@scenario(True, False)
def makes_these_requests_and_no_others_where_consistent_is(consistent):
    repository = Repository(consistent=consistent)
    for delegator, role in ("targets", "A"), ("A", "B"), ("B", "C"):
        repository.delegate(delegator, role)
    target = repository.add_target("C", "file", b"content")
    repository.publish(*repository.roles)
    client = Client(repository)
    for what, edits, path, words in REQUESTS:
        for name, *arguments in edits:
            getattr(repository, name)(*arguments)
        expect(client.download(path) if path else client.refresh(), 0, f"{what}: {client.errors}")
        expect_requests(
            repository, *[repository.target_place(target) if word == "targets/" else word for word in words.split()])


# Endless data


LIMITS = {"root": 512_000, "timestamp": 16_384, "snapshot": 2_000_000, "targets": 5_000_000, "A": 5_000_000}


def with_a_file(digests: bool = False) -> tuple[Repository, Client, TargetFile]:
    """A repository with a delegated role, a client that has its first version, and the second version published."""
    repository = Repository()
    repository.digests = digests
    repository.delegate("targets", "A")
    repository.add_target("A", "file", b"first")
    repository.publish("targets", "A")
    client = Client(repository)
    expect(client.download("file"), 0, client.errors)
    target = repository.add_target("A", "file", b"second")
    repository.update_all()
    return repository, client, target


def expect_bounded(flood: Flood) -> None:
    # Sixteen pieces are more than a second and a half: that long a busy machine may take to run the client.
    most = flood.wanted + 16 * PIECE
    expect(flood.wanted <= flood.sent <= most, True, f"{flood.wanted} to {most} bytes sent, and it was {flood.sent}")


@scenario(
    *product(ORDER, FLOODS),
    *product(["snapshot", "targets", "A"], FLOODS, ["with its length listed"]))
def leaves_an_endless(what, how, listed=""):
    repository, client, target = with_a_file(digests=bool(listed))
    before = client.kept()
    name = repository.target_place(target) if what == "file" else repository.place(what, 2)
    limit = len(repository.files[name]) if listed or what == "file" else LIMITS[what]
    limit = 65_536 if how == "of header fields" else limit
    repository.flood = Flood(name, how, wanted=0 if how == "of a declared length" else limit)
    refused(client, client.download("file", seconds=20), f"at most {limit} bytes")
    requests = ["2.root", "3.root", "timestamp", "2.snapshot", "2.targets", "2.A", repository.target_place(target)]
    # After a root that is taken comes the question for the next.
    expect_requests(repository, *requests[:1 if what == "root" else ORDER.index(what) + 2])
    expect_stop(client, what, before)
    expect((client.downloaded(), client.strays()), ({"file": b"first"}, []))
    expect_bounded(repository.flood)


@scenario(*product(["root", "timestamp", "file"], ["in chunks", "without a length", "of a declared length"]))
def leaves_an_endless_word_that_there_is_no(what, how):
    repository, client, target = with_a_file()
    before = client.kept()
    names = {"root": repository.place("root", 3), "timestamp": repository.place("timestamp", 2),
             "file": repository.target_place(target)}
    repository.flood = Flood(names[what], how, wanted=65_536, status=404)
    # Without a next root the refresh goes on.
    expect(client.download("file", seconds=20), 0 if what == "root" else 1, client.errors)
    expect_stop(client, "timestamp" if what == "timestamp" else "file", before)
    expect(client.downloaded(), {"file": b"second" if what == "root" else b"first"})
    expect_bounded(repository.flood)


@scenario(*ROLES)
def takes_as_many_bytes_as_its_limit_says_of(role):
    repository, client, _ = with_a_file()
    before = client.kept()
    name = repository.place(role, 2)
    repository.files[name] = repository.newest[role] = repository.newest[role].ljust(LIMITS[role])
    repository.files[name] += b" "
    refused(client, client.download("file"), f"at most {LIMITS[role]} bytes, got {LIMITS[role] + 1}")
    expect_stop(client, role, before)
    repository.files[name] = repository.newest[role]
    expect(client.download("file"), 0, client.errors)
    expect(client.kept(), {f"{role}.json": data for role, data in repository.newest.items()})


# Names


# A path or role name, and how it stands in a URL.
NAMES = {
    "d \u00e9 ..x?%41#": "d%20%C3%A9%20..x%3F%2541%23",
    " ": "%20",
    "?": "%3F",
    "#": "%23",
    "%2e%2e%2f": "%252e%252e%252f",
    "%": "%25",
    "...": "...",
    "..x": "..x",
    "~-._": "~-._",
    "a+b&c=d;e:@,!$'()*|\"": "a%2Bb%26c%3Dd%3Be%3A%40%2C%21%24%27%28%29%2A%7C%22",
    "a\nb\u007f": "a%0Ab%7F",
    "--help": "--help",
    "\u65e5\u672c": "%E6%97%A5%E6%9C%AC",
    "e\u0301": "e%CC%81",
    "\U0001f426": "%F0%9F%90%A6",
    "\u00e9" * 40: "%C3%A9" * 40,
}
TARGET_PATHS = {
    **NAMES,
    "d/\u00e9 ..x?%41#": "d/%C3%A9%20..x%3F%2541%23",
    "%2e%2e/%2e/x": "%252e%252e/%252e/x",
    "a/.../b c": "a/.../b%20c",
    "x" * 255: "x" * 255,
}
# Paths that could leave a folder or change in a URL, and such as are too long for the name of a file when encoded.
UNUSABLE_PATHS = [
    "../x", "../../x", "a/../../../x", "..", ".", "./x", "/x", "//x", "\u00e9" * 100, "x" * 256]
ROLE_NAMES = {
    **NAMES,
    "..": "..",
    ".": ".",
    "/delegatedrole": "%2Fdelegatedrole",
    "../delegatedrole": "..%2Fdelegatedrole",
    "\\": "%5C",
    "x" * 240: "x" * 240,
}


@scenario(*product(TARGET_PATHS, [True, False]))
def downloads_the_target(path, consistent):
    repository = Repository(consistent=consistent)
    target = repository.add_target("targets", path, b"content")
    repository.publish("targets")
    client = Client(repository)
    expect(client.download(path), 0, client.errors)
    folder, slash, name = TARGET_PATHS[path].rpartition("/")
    digest = target.hashes["sha256"] + "." if consistent else ""
    expect_requests(
        repository, "2.root", "timestamp", "1.snapshot", "1.targets", f"targets/{folder}{slash}{digest}{name}")
    expect(client.downloaded(), {TARGET_PATHS[path].replace("/", "%2F"): b"content"})
    expect((len(client.kept()), client.strays()), (4, []))


@scenario(*product(UNUSABLE_PATHS, [True, False]))
def never_writes_the_target(path, consistent):
    repository = Repository(consistent=consistent)
    repository.add_target("targets", path, b"content")
    other = repository.add_target("targets", "other", b"other")
    repository.publish("targets")
    client = Client(repository)
    refused(client, client.download(path))
    expect([name for name in repository.requests if not name.startswith("metadata/")], [])
    expect((client.downloaded(), client.strays()), ({}, []))
    # It does no harm to what stands beside it.
    expect(client.download("other"), 0, client.errors)
    expect(repository.requests[-1], repository.target_place(other))
    expect((client.downloaded(), client.strays()), ({"other": b"other"}, []))


@scenario(*product(ROLE_NAMES, [True, False]))
def follows_the_role(role, consistent):
    repository = Repository(consistent=consistent)
    repository.delegate("targets", role)
    target = repository.add_target(role, "file", b"content")
    repository.publish("targets", role)
    client = Client(repository)
    expect(client.download("file"), 0, client.errors)
    expect_requests(
        repository, "2.root", "timestamp", "1.snapshot", "1.targets", f"1.{ROLE_NAMES[role]}",
        repository.target_place(target))
    top = {f"{name}.json": repository.newest[name] for name in TOP}
    expect(client.kept(), {**top, f"{ROLE_NAMES[role]}.json": repository.newest[role]})
    expect((client.downloaded(), client.strays()), ({"file": b"content"}, []))


@scenario("\u00e9" * 41, "\u00e9" * 100, "x" * 241)
def never_writes_the_role(role):
    repository = Repository()
    repository.delegate("targets", role)
    repository.add_target(role, "file", b"content")
    repository.publish("targets", role)
    client = Client(repository)
    refused(client, client.download("file"), role)
    expect([name for name in repository.requests if quote(role) in name], [])
    expect(set(client.kept()) <= {f"{name}.json" for name in TOP}, True, "files of the top-level roles alone")
    expect((client.downloaded(), client.strays()), ({}, []))


@scenario(True, False)
def tells_two_spellings_of_a_name_apart(consistent):
    repository = Repository(consistent=consistent)
    names = ["\u00e9", "e\u0301"]
    for name in names:
        repository.delegate("targets", name, [name])
        repository.add_target(name, name, name.encode())
    repository.publish("targets", *names)
    client = Client(repository)
    expect(client.download(*names), 0, client.errors)
    expect(client.downloaded(), {"%C3%A9": names[0].encode(), "e%CC%81": names[1].encode()})
    for name, kept in zip(names, ("%C3%A9.json", "e%CC%81.json")):
        expect(client.kept()[kept], repository.newest[name])


# Keys that the client does not know


UNKNOWN_KEYS = [
    # what the key really is, and the key type and scheme that its object says
    ("ed25519", "mystery", "mystery"),
    ("ed25519", "mystery", "ed25519"),
    ("ed25519", "ed25519", "mystery"),
    ("ecdsa", "ecdsa", "ecdsa-sha2-nistp384"),
    ("rsa", "rsa", "rsa-pkcs1v15-sha256"),
]


def with_an_unknown_key(role: str, kind: str, keytype: str, scheme: str) -> Repository:
    """A repository where two known keys, which are the threshold, and one unknown key sign the role.

    The signature of the unknown one is good by what the key really is, so that only its object tells.
    """
    repository = Repository()
    repository.delegate("targets", "A", threshold=2 if role == "A" else 1, keys=2)
    repository.add_target("A", "file", b"content")
    unknown = repository.new_key(kind)
    unknown.public_key.keytype, unknown.public_key.scheme = keytype, scheme
    if role == "A":
        repository.roles["targets"].add_key(unknown.public_key, "A")
        repository.signers["A"].append(unknown)
    else:
        repository.add_key(role)
        repository.add_key(role, unknown)
        repository.root.roles[role].threshold = 2
    repository.publish_root()
    repository.publish("targets", "A")
    return repository


@scenario(*[(role, *key) for role in ROLES for key in UNKNOWN_KEYS])
def never_counts_for(role, kind, keytype, scheme):
    repository = with_an_unknown_key(role, kind, keytype, scheme)
    client = Client(repository)
    expect(client.download("file"), 0, client.errors)
    before = client.kept()
    known = repository.signers[role].pop(1)
    repository.update_all()
    refused(client, client.download("file"), f"cannot accept {role}", "valid signatures of 2 keys", "got 1")
    expect_stop(client, role, before)
    repository.signers[role].append(known)
    repository.publish_root()
    repository.publish("targets", "A")
    expect(client.download("file"), 0, client.errors)
    expect(client.kept(), {f"{role}.json": data for role, data in repository.newest.items()})


@scenario(*UNKNOWN_KEYS)
def refuses_an_initial_root_that_needs(kind, keytype, scheme):
    repository = with_an_unknown_key("root", kind, keytype, scheme)
    repository.signers["root"].pop(1)
    repository.publish_root()
    client = Client(repository, initialise=False)
    refused(client, client.init(repository.newest["root"]), "root", "valid signatures of 2 keys", "got 1")
    expect(client.kept(), {})


# One role's file in another's place


def with_one_key() -> tuple[Repository, Client]:
    """A repository where one key signs all roles, whose versions are the same, and a client that has the first ones."""
    repository = Repository()
    signer = repository.new_key()
    for role in TOP:
        repository.root.roles[role].keyids.clear()
        repository.signers[role] = []
        repository.add_key(role, signer)
    repository.signers["A"], repository.roles["A"] = [signer], Targets(expires=in_days(30))
    repository.delegate("targets", "A")
    repository.add_target("A", "file", b"content")
    for role in ("targets", "A"):
        repository.roles[role].unrecognized_fields["x-fieldfare-role"] = role
    repository.publish_root()
    repository.publish("targets", "A")
    client = Client(repository)
    expect(client.download("file"), 0, client.errors)
    return repository, client


@scenario(*permutations(ROLES, 2))
def refuses_in_place_of(role, other):
    repository, client = with_one_key()
    before = client.kept()
    repository.update_all()
    repository.files[repository.place(role, 2)] = repository.newest[other]
    words = ["_type'"] if {role, other} != {"targets", "A"} else ["metadata of that role", f"got that of {other}"]
    refused(client, client.download("file"), role, *words)
    expect_stop(client, role, before)


@scenario(("targets", "A"), ("A", "targets"))
def refuses_by_what_snapshot_lists_in_place_of(role, other):
    repository, client = with_one_key()
    before = client.kept()
    repository.digests = True
    for name in (role, other):
        del repository.roles[name].unrecognized_fields["x-fieldfare-role"]
    repository.update_all()
    repository.files[repository.place(role, 2)] = repository.newest[other]
    refused(client, client.download("file"), role, "expected")
    expect_stop(client, role, before)


@scenario(*[(role, kind) for role in ROLES for kind in TOP if kind != ("targets" if role == "A" else role)])
def refuses_where_only_the_type_differs(role, kind):
    repository, client = with_one_key()
    before = client.kept()
    repository.metadata(role).type = kind
    repository.update_all()
    refused(client, client.download("file"), f"cannot read {role}", "_type'")
    expect_stop(client, role, before)
    del repository.metadata(role).type
    repository.publish_root()
    repository.publish("targets", "A")
    expect(client.download("file"), 0, client.errors)


# The command line


@scenario()
def takes_the_root_into_the_working_directory():
    repository = Repository()
    client = Client(repository, initialise=False)
    client.metadata.mkdir()
    client.root.write_bytes(repository.newest["root"])
    expect(client.run("init", str(client.root), folder=client.metadata), 0, client.errors)
    expect((client.kept(), client.strays()), ({"root.json": repository.newest["root"]}, []))
    expect(client.refresh(), 0, client.errors)


@scenario()
def asks_no_network_for_the_root():
    repository = Repository()
    client = Client(repository, initialise=False)
    client.root.write_bytes(repository.newest["root"])
    words = ["--metadata-dir", str(client.metadata), "--metadata-url", client.base + "metadata/"]
    expect(client.run(*words, "init", str(client.root)), 0, client.errors)
    expect_requests(repository)
    expect((client.kept(), client.strays()), ({"root.json": repository.newest["root"]}, []))


@scenario(
    (), ("refresh",), ("--metadata-dir", "x", "refresh"), ("init",), ("init", "a", "b"), ("--what", "x", "refresh"),
    ("--metadata-url", "http://127.0.0.1:9/", "refresh"),
    ("--metadata-dir", "x", "--metadata-url", "http://127.0.0.1:9/", "download"),
    ("refresh", "--metadata-dir", "x", "--metadata-url", "http://127.0.0.1:9/"))
def refuses_arguments(*words):
    client = Client(Repository(), initialise=False)
    refused(client, client.run(*words), "usage:")


def main() -> int:
    passed, failed, skipped = [], {}, []
    for name, (run, needs_time) in SCENARIOS.items():
        if needs_time and not FAKETIME:
            skipped.append(name)
            continue
        try:
            run()
            passed.append(name)
        except Exception as error:  # noqa: BLE001
            line = traceback.extract_tb(error.__traceback__)[1].lineno if error.__traceback__.tb_next else 0
            failed[name] = f"line {line}: {error}"
    print(json.dumps({"passed": passed, "failed": failed, "skipped": skipped}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
