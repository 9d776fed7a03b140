"""Plans as a thief of the plans key writes them: what a policy would allow, but for some fields.

Each method changes the plan that it is given, as `Thief.forge` and `Thief.forge_next_plan` ask for.
"""

import base64
import hashlib
import json
import time
from pathlib import Path

from fleet import Device
from registry import MODEL
from thief import YEAR_2099, Thief, canonical


class Plans:
    def __init__(self, thief: Thief):
        self.thief = thief
        # The version that the devices run, which a plan has to name as baseline.
        self.present = "1.0.0"

    def offer(self, plan: dict, version: str, **fields) -> None:
        """A release whose first stage has just begun."""
        plan.update({"state": "running", "baseline": self.bundle(self.present), "candidate": self.bundle(version),
                     "policy": self.policy(version), "stages": [self.stage({})], "hold_back": {}})
        plan.update(fields)

    def hurry(self, plan: dict, **fields) -> None:
        """The release that has to take its time."""
        self.offer(plan, "1.1.0", **fields)

    def skip_to_stable(self, plan: dict, **fields) -> None:
        self.hurry(plan, **{"stages": [self.stage({}) for _ in range(3)], **fields})

    def ripen(self, plan: dict, **fields) -> None:
        """The release that its policy lets every device have by now."""
        self.offer(plan, "1.0.1", **{"state": "completed", **fields})

    def roll_back(self, plan: dict, to: str) -> None:
        """A rollout of a version that nobody has, which is rolled back to another."""
        self.offer(plan, "0.9.0", state="rolled_back", withdrawn=[self.withdrawal("0.9.0")], baseline=self.bundle(to))

    def pin(self, plan: dict, devices: list[Device]) -> None:
        names = [bytes.fromhex(device.status().answer["device"]) for device in devices]
        ids = [hashlib.sha256(b"fieldfare.pin\0" + MODEL.encode() + b"\0" + name).digest()[:8] for name in names]
        packed = base64.urlsafe_b64encode(b"".join(sorted(ids))).decode().rstrip("=")
        self.hurry(plan, pins=[{"bundle": self.bundle("1.1.0"), "expires": YEAR_2099, "devices": packed}])

    def hurry_by(self, plan: dict, model: str, key: Path) -> None:
        """A policy by which the release has no time to take, listed by the role of another model and signed with its key."""
        path = f"policies/{MODEL}/1.1.0.standard.json"
        policy = json.loads(self.thief.target(path, self.thief.newest(f"model.{MODEL}")))
        for stage in policy["stages"]:
            stage["least_soak_s"] = 1
        path = path.replace("standard", "fast")
        digest = self.thief.release_as(model, key, path, canonical(policy))
        self.skip_to_stable(plan, state="completed", policy={"path": path, "sha256": digest})

    # What plans are made of

    def bundle(self, version: str) -> dict:
        return self.target(f"bundles/{MODEL}/{version}.json", version=version)

    def policy(self, version: str, name: str = "standard") -> dict:
        path = f"policies/{MODEL}/{version}.{name}.json"
        return {"path": path, "sha256": self.target(path)["sha256"]}

    def withdrawal(self, version: str) -> dict:
        return {"version": version, "sha256": self.bundle(version)["sha256"], "at": int(time.time())}

    def target(self, path: str, **more) -> dict:
        """A target of the model's role as a plan names it."""
        listed = self.thief.newest(f"model.{MODEL}")["targets"][path]
        return {"sha256": listed["hashes"]["sha256"], "length": listed["length"], **more}

    @staticmethod
    def stage(shares: dict) -> dict:
        return {"began": int(time.time()) - 1, "shares": shares}
