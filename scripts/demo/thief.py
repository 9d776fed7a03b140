"""A thief of keys, with tools of his own: Python's JSON, OpenSSL's Ed25519 and, for keys with a passphrase, libsodium.

What he signs is truly signed. Devices refuse it for what it says.
"""

import copy
import ctypes
import hashlib
import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from registry import MODEL, Registry

PLAN = f"rollouts/{MODEL}/main.json"
# What RFC 8410 puts before an Ed25519 seed.
PKCS8 = bytes.fromhex("302e020100300506032b657004220420")
# The largest integer that a device's JSON reader takes, and a time far away.
HIGHEST = 2**63 - 1
YEAR_2099 = 4_070_908_800


def canonical(value) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


class Thief:
    """Holds the registry's own keys, and what its repository said when he came.

    What he signs goes on from what he has signed before, ahead of the registry: his versions are new to each device.
    `is_boundless`: he signs the highest versions and the farthest times that there are.
    """

    def __init__(self, registry: Registry):
        self.registry = registry
        self.is_boundless = False
        # All that he has made, by path; and the key files that he has opened.
        self.files: dict[str, bytes] = {}
        self.open_keys: dict[Path, dict] = {}
        self.keys = {role: json.loads((registry.folder / f"online/{role}.key").read_text(encoding="utf-8"))
                     for role in ("timestamp", "snapshot", "plans")}
        self.look()

    def look(self) -> None:
        """Takes what the repository says now for the ground of what he signs."""
        self.timestamp = self.signed("timestamp")
        self.snapshot = self.listed("snapshot", self.timestamp)
        self.plans = self.listed(f"plans.{MODEL}", self.snapshot)
        self.plan = json.loads(self.target(PLAN, self.plans))

    def newest(self, role: str) -> dict:
        """What a role says now, whatever the thief makes devices believe."""
        return self.listed(role, self.listed("snapshot", self.signed("timestamp")))

    def listed(self, role: str, above: dict) -> dict:
        """What a role says, in the version that a snapshot lists, or a timestamp."""
        return self.signed(f"{above['meta'][f'{role}.json']['version']}.{role}")

    def target(self, path: str, role: dict) -> bytes:
        """A target's bytes, as a role lists it."""
        return self.registry.get(served_path(path, role["targets"][path]["hashes"]["sha256"]))

    def signed(self, file: str) -> dict:
        return json.loads(self.registry.get(f"/tuf/{file}.json"))["signed"]

    # Repositories in which something is not as the registry has it: files by their paths

    def forge(self, change: Callable[[dict], None], signers: list[dict] | None = None) -> dict[str, bytes]:
        """The plan says something else, by the registry's own key of plans, or by others."""
        plan = copy.deepcopy(self.plan)
        change(plan)
        self.plans["targets"][PLAN] = self.put(PLAN, canonical(plan))
        self.advance(self.plans)
        self.put_plans([self.keys["plans"]] if signers is None else signers)
        return self.listing(self.snapshot)

    def put_plans(self, signers: list[dict]) -> None:
        self.snapshot["meta"][f"plans.{MODEL}.json"] = {"version": self.plans["version"]}
        self.files[f"/tuf/{self.plans['version']}.plans.{MODEL}.json"] = sealed_with(signers, self.plans)

    def forge_snapshot(self, change: Callable[[dict], None], is_signed: bool = True) -> dict[str, bytes]:
        """The snapshot lists something else. Devices that take it hold it against what he lists next."""
        self.advance(self.snapshot)
        snapshot = copy.deepcopy(self.snapshot)
        change(snapshot["meta"])
        return self.listing(snapshot, is_signed)

    def forge_mixture(self, role: str) -> dict[str, bytes]:
        """The newest version of one role, beside the others as they were when he looked."""
        self.snapshot["meta"][f"{role}.json"] = {"version": self.newest(role)["version"]}
        return self.listing(self.snapshot)

    def forge_timestamp(self, timestamp: dict, **fields) -> dict[str, bytes]:
        """A timestamp, but for these fields."""
        return {"/tuf/timestamp.json": self.sealed("timestamp", {**timestamp, **fields})}

    def forge_release(self, keys: list[Path]) -> dict[str, bytes]:
        """The model's role lists one bundle more, by these keys."""
        release = self.next_release()
        self.snapshot["meta"][f"model.{MODEL}.json"] = {"version": release["version"]}
        self.files[f"/tuf/{release['version']}.model.{MODEL}.json"] = self.signed_by(keys, release)
        self.put_plans([self.keys["plans"]])
        return self.listing(self.snapshot)

    def forge_unlisted_release(self, keys: list[Path]) -> dict[str, bytes]:
        """The same by all release keys, and no snapshot that lists it."""
        release = self.next_release()
        return {f"/tuf/{release['version']}.model.{MODEL}.json": self.signed_by(keys, release)}

    def next_release(self) -> dict:
        release = self.newest(f"model.{MODEL}")
        release["targets"][f"bundles/{MODEL}/6.6.6.json"] = {"hashes": {"sha256": "6" * 64}, "length": 666}
        release["version"] += 1
        return release

    def release_as(self, model: str, key: Path, path: str, body: bytes) -> str:
        """The first metadata of another model's role lists a file, and the snapshot lists that role; gives the file's digest."""
        listed = self.put(path, body)
        release = {**self.newest(f"model.{MODEL}"), "x-fieldfare-role": f"model.{model}", "version": 1, "targets": {path: listed}}
        self.snapshot["meta"][f"model.{model}.json"] = {"version": 1}
        self.files[f"/tuf/1.model.{model}.json"] = self.signed_by([key], release)
        return listed["hashes"]["sha256"]

    def forget_releases(self) -> None:
        """What the release keys have signed is there again instead of his."""
        self.files = {path: body for path, body in self.files.items() if f".model.{MODEL}." not in path}

    def forge_next_plan(self, change: Callable[[dict], None]) -> dict[str, bytes]:
        """Another plan, under the version that the registry will list next."""
        plan, plans = copy.deepcopy(self.plan), copy.deepcopy(self.plans)
        change(plan)
        body = canonical(plan)
        plans["targets"][PLAN] = described(body)
        plans["version"] += 1
        return {served_path(PLAN, described(body)["hashes"]["sha256"]): body,
                f"/tuf/{plans['version']}.plans.{MODEL}.json": self.sealed("plans", plans)}

    def forge_next_targets(self, key: Path) -> dict[str, bytes]:
        """Targets in which one release key is enough, under the version that the registry will list next."""
        targets = self.newest("targets")
        targets["version"] += 1
        for role in targets["delegations"]["roles"]:
            role["threshold"] = 1
        return {f"/tuf/{targets['version']}.targets.json": self.signed_by([key], targets)}

    def forge_root(self, key: Path) -> dict[str, bytes]:
        """A next root in which one key is enough, by one root key."""
        root = self.signed("1.root")
        root["version"] = 2
        root["roles"]["root"]["threshold"] = 1
        return {**self.files, "/tuf/2.root.json": self.signed_by([key], root)}

    def listing(self, snapshot: dict, is_signed: bool = True) -> dict[str, bytes]:
        """A snapshot, and a timestamp over it."""
        self.advance(snapshot)
        signed = self.sealed("snapshot", snapshot) if is_signed else sealed_with([], snapshot)
        self.timestamp["meta"]["snapshot.json"] = {"version": snapshot["version"], **described(signed)}
        self.files[f"/tuf/{snapshot['version']}.snapshot.json"] = signed
        return self.stamp(86_400)

    def stamp(self, seconds: int) -> dict[str, bytes]:
        """A timestamp over the snapshot that the last one names, good for so long."""
        # Ahead of what the honest registry signs meanwhile.
        self.advance(self.timestamp, 1_000)
        now = YEAR_2099 - 86_400 if self.is_boundless else time.time()
        self.timestamp["x-fieldfare-signed-at"] = moment(now)
        self.timestamp["expires"] = moment(now + seconds)
        self.files["/tuf/timestamp.json"] = self.sealed("timestamp", self.timestamp)
        return dict(self.files)

    def put(self, path: str, body: bytes) -> dict:
        """Serves a target; gives what a role lists of it."""
        listed = described(body)
        self.files[served_path(path, listed["hashes"]["sha256"])] = body
        return listed

    def advance(self, signed: dict, by: int = 1) -> None:
        signed["version"] = HIGHEST if self.is_boundless else signed["version"] + by
        if self.is_boundless:
            signed["expires"] = moment(YEAR_2099)

    # Keys

    def opened(self, path: Path) -> dict:
        """The key in a file with a passphrase, which the thief has too."""
        if path not in self.open_keys:
            self.open_keys[path] = self.open(path)
        return self.open_keys[path]

    def open(self, path: Path) -> dict:
        """Opens a key file (docs/formats/key-file.md)."""
        file = json.loads(path.read_text(encoding="utf-8"))
        private = file["private"]
        salt, nonce, box = (bytes.fromhex(private[name]) for name in ("salt", "nonce", "secret"))
        passphrase = self.registry.environment["FIELDFARE_PASSPHRASE"].encode()
        sodium = ctypes.CDLL("libsodium.so.23")
        key, seed = ctypes.create_string_buffer(32), ctypes.create_string_buffer(32)
        argon2id = sodium.crypto_pwhash_alg_argon2id13()
        if sodium.crypto_pwhash(
                key, ctypes.c_ulonglong(32), passphrase, ctypes.c_ulonglong(len(passphrase)), salt,
                ctypes.c_ulonglong(private["passes"]), ctypes.c_size_t(private["memory_bytes"]), argon2id):
            raise MemoryError(f"{path}: argon2id")
        if sodium.crypto_secretbox_open_easy(seed, box, ctypes.c_ulonglong(len(box)), nonce, key):
            raise ValueError(f"{path}: expected the passphrase it was encrypted with, got another")
        return {"keyid": file["keyid"], "private": {"seed": seed.raw.hex()}}

    def sealed(self, role: str, signed: dict) -> bytes:
        """Metadata by the registry's own key of a role."""
        return sealed_with([self.keys[role]], signed)

    def signed_by(self, paths: list[Path], signed: dict) -> bytes:
        """Metadata by keys that people hold."""
        return sealed_with([self.opened(path) for path in paths], signed)


def sealed_with(keys: list[dict], signed: dict) -> bytes:
    signatures = [{"keyid": key["keyid"], "sig": signature(key, canonical(signed)).hex()} for key in keys]
    return canonical({"signatures": signatures, "signed": signed})


def signature(key: dict, message: bytes) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        seed, file = Path(folder, "seed"), Path(folder, "message")
        seed.write_bytes(PKCS8 + bytes.fromhex(key["private"]["seed"]))
        file.write_bytes(message)
        return subprocess.run(
            ["openssl", "pkeyutl", "-sign", "-rawin", "-keyform", "DER", "-inkey", seed, "-in", file],
            check=True, capture_output=True).stdout


def described(body: bytes) -> dict:
    """A file as metadata lists it."""
    return {"hashes": {"sha256": hashlib.sha256(body).hexdigest()}, "length": len(body)}


def served_path(path: str, sha256: str) -> str:
    """Where a target is served: its digest before its name."""
    folder, _, name = path.rpartition("/")
    return f"/targets/{folder}/{sha256}.{name}"
