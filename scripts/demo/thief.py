"""A thief of the registry's online keys, with tools of his own: Python's JSON and OpenSSL's Ed25519.

What he signs is truly signed. Devices refuse it for what it says.
"""

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


def canonical(value) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


class Thief:
    def __init__(self, registry: Registry):
        self.registry = registry
        self.keys = {role: json.loads((registry.folder / f"online/{role}.key").read_text(encoding="utf-8"))
                     for role in ("timestamp", "snapshot", "plans")}
        self.timestamp = json.loads(registry.get("/tuf/timestamp.json"))["signed"]
        version = self.timestamp["meta"]["snapshot.json"]["version"]
        self.snapshot = json.loads(registry.get(f"/tuf/{version}.snapshot.json"))["signed"]
        version = self.snapshot["meta"][f"plans.{MODEL}.json"]["version"]
        self.plans = json.loads(registry.get(f"/tuf/{version}.plans.{MODEL}.json"))["signed"]
        digest = self.plans["targets"][PLAN]["hashes"]["sha256"]
        self.plan = json.loads(registry.get(f"/targets/rollouts/{MODEL}/{digest}.main.json"))

    def forge(self, change: Callable[[dict], None], signs_plan: bool = True) -> dict[str, bytes]:
        """The files of a repository in which the plan says something else, by their paths."""
        plan = json.loads(json.dumps(self.plan))
        change(plan)
        body = canonical(plan)
        digest = hashlib.sha256(body).hexdigest()
        self.plans["targets"][PLAN] = {"hashes": {"sha256": digest}, "length": len(body)}
        self.plans["version"] += 1
        plans = self.sealed("plans", self.plans) if signs_plan else canonical({"signatures": [], "signed": self.plans})
        self.snapshot["meta"][f"plans.{MODEL}.json"] = {"version": self.plans["version"]}
        self.snapshot["version"] += 1
        snapshot = self.sealed("snapshot", self.snapshot)
        self.timestamp["meta"]["snapshot.json"] = {
            "version": self.snapshot["version"], "length": len(snapshot),
            "hashes": {"sha256": hashlib.sha256(snapshot).hexdigest()}}
        # Ahead of what the honest registry signs meanwhile.
        self.timestamp["version"] += 1_000
        self.timestamp["x-fieldfare-signed-at"] = moment(time.time())
        self.timestamp["expires"] = moment(time.time() + 86_400)
        return {
            f"/targets/rollouts/{MODEL}/{digest}.main.json": body,
            f"/tuf/{self.plans['version']}.plans.{MODEL}.json": plans,
            f"/tuf/{self.snapshot['version']}.snapshot.json": snapshot,
            "/tuf/timestamp.json": self.sealed("timestamp", self.timestamp),
        }

    def sealed(self, role: str, signed: dict) -> bytes:
        key = self.keys[role]
        with tempfile.TemporaryDirectory() as folder:
            seed, message = Path(folder, "seed"), Path(folder, "message")
            seed.write_bytes(PKCS8 + bytes.fromhex(key["private"]["seed"]))
            message.write_bytes(canonical(signed))
            signature = subprocess.run(
                ["openssl", "pkeyutl", "-sign", "-rawin", "-keyform", "DER", "-inkey", seed, "-in", message],
                check=True, capture_output=True).stdout
        return canonical({"signatures": [{"keyid": key["keyid"], "sig": signature.hex()}], "signed": signed})
