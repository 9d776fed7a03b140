#!/usr/bin/env python3
"""The table of docs/security.md against running agents: what a thief of each key can do to them, and what he cannot.

Six devices take a first release from a running registry. Then a mirror in front of two of them is the thief's: it serves
what he has truly signed with the keys that he stole, one theft after the other, and each device must say by which rule it
refuses. At last he does his worst with all of the registry's own keys, the key holders rotate them as the runbook says,
and the devices must follow the registry again.

  scripts/demo/thefts.py [--folder DIR]
"""

import argparse
import base64
import hashlib
import json
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from fleet import Device, count
from main import ENDINGS, SMOKE_TIMEOUT_MS, Demonstration, interrupt
from registry import MODEL, CommandFailed
from thief import HIGHEST, YEAR_2099, Thief, unsealed


class Thefts(Demonstration):
    releases = 4

    def __init__(self, folder: Path):
        super().__init__(folder, "thefts")

    # The scene: 1.0.0 everywhere, 1.1.0 signed by the release keys and not begun

    def set_scene(self) -> None:
        self.found()
        self.publish_first()
        self.enrol_fleet()
        self.take_first()
        self.victims = [device for device in self.fleet.devices if device.cohort == "ap/edge-a"]
        self.until("the news", lambda: all(self.metadata(d)["versions"].get(f"model.{MODEL}") == 2 for d in self.victims), 20)
        self.thief = Thief(self.registry)

    def publish_rest(self) -> None:
        """The release that a thief would hurry."""
        self.publish("1.1.0", "patient.yaml")

    def publish(self, version: str, template: str, replaces: str = "1.0.0") -> None:
        self.registry.write_bundle(version, "better", "tokens.txt", SMOKE_TIMEOUT_MS, may_loop=False)
        policy = self.registry.write_policy(template, version, replaces, self.beta)
        self.registry.publish(version, policy, self.pipeline)

    # Thefts

    def replace_what_is_listed(self) -> None:
        """The registry goes on; what it lists next, the thief has signed before it, otherwise."""
        self.timeline.chapter("Other content, under the version that the registry lists")
        key = self.folder / "keys/targets.json"
        self.mirror.forged = self.thief.forge_next_targets(key)
        self.registry.cli("repo", "add-model", "more", "--release-key", "keys/anna.json", "--key", key)
        said = self.collect("the targets key", self.victims, lambda device: self.complaint_of(device, "targets"))
        self.expect.add("the targets key alone, for the next targets", "refused: their digest is listed", self.one(said),
                        all("cannot accept targets: expected " in reason for reason in said))
        self.mirror.forged = {}
        self.until("the true targets", lambda: self.complaints() == "none", 20)

        self.thief.look()
        self.mirror.forged = self.thief.forge_next_plan(self.skip_to_stable)
        version = self.thief.plans["version"] + 1
        self.registry.cli("rollout", "freeze", MODEL)
        answers = self.collect("the plans key", self.victims, lambda device: self.refusals_of(device, version))
        self.expect.add("a plans key alone, for the next plan", "is heard, and held to its policy: stage-too-early",
                        self.one(answers), all("stage-too-early" in answer.split(", ") for answer in answers))
        self.mirror.forged = {}
        self.registry.cli("rollout", "unfreeze", MODEL)
        self.until("the true plan", lambda: all(
            held.get(f"plans.{MODEL}") == version + 1 for held in self.versions()), 20)
        self.expect.equal("what the devices complain of", "none", self.complaints())
        self.expect.equal("what the devices serve", f"{len(self.victims)} 1.0.0", self.served())
        self.thief.look()

    def steal_without_snapshot(self) -> None:
        self.timeline.chapter("Keys of roles that no snapshot of the thief's lists")
        keys = self.folder / "keys"
        self.serve_unseen("both release keys", self.thief.forge_unlisted_release([keys / "ci.json", keys / "anna.json"]))
        self.serve_unseen("the targets key", self.thief.forge_next_targets(keys / "targets.json"))

    def steal_metadata_keys(self) -> None:
        self.timeline.chapter("The registry's keys, one and two at a time")
        thief = self.thief
        everything = thief.forge(self.hurry)
        plans = f"/tuf/{thief.plans['version']}.plans.{MODEL}.json"
        snapshot = f"/tuf/{thief.snapshot['version']}.snapshot.json"

        self.serve_unseen("a plans key alone", {
            path: everything[path] for path in everything if path not in (snapshot, "/tuf/timestamp.json")})

        self.serve("a timestamp key alone, naming a snapshot that nobody signed",
                   {**everything, snapshot: unsealed(thief.snapshot)}, "snapshot")
        self.serve("timestamp and snapshot keys, listing a plan that nobody signed",
                   thief.forge(self.hurry, signs_plan=False), f"plans.{MODEL}")
        self.serve("timestamp and snapshot keys, dropping a role", thief.forge_without_role(), "snapshot")
        self.expect.equal("what the devices serve", f"{len(self.victims)} 1.0.0", self.served())

    def steal_offline_keys(self) -> None:
        self.timeline.chapter("One key of several that must sign")
        keys = self.folder / "keys"
        held = self.versions()
        self.serve("one root key of three", self.thief.forge_root(keys / "root-c.json"), "root")
        self.expect_unmoved("one root key of three", held)
        self.serve("one release key of two, with all of the registry's own",
                   self.thief.forge_release(keys / "ci.json"), f"model.{MODEL}")
        self.expect.equal("what the devices serve", f"{len(self.victims)} 1.0.0", self.served())
        # The next version of the role, truly signed, is there instead of the thief's.
        self.publish("1.2.0", "quick.yaml")
        self.registry.sign_release()
        self.thief.files = {path: body for path, body in self.thief.files.items() if f".model.{MODEL}." not in path}

    def steal_online_keys(self) -> None:
        self.timeline.chapter("All of the registry's own keys, field by field of the plan")
        for what, change, reason in (
                ("stages", self.skip_to_stable, "stage-too-early"),
                ("state: completed", lambda plan: self.hurry(plan, state="completed"), "completed-too-early"),
                ("baseline", lambda plan: self.hurry(plan, baseline=self.candidate), "candidate-named-as-baseline"),
                ("candidate", lambda plan: self.hurry(plan, candidate={**self.candidate, "version": "9.9.9"}),
                 "manifest-not-listed"),
                ("policy", lambda plan: self.hurry(plan, policy={**self.policy, "sha256": "0" * 64}), "policy-not-listed"),
                ("shares", lambda plan: self.hurry(plan, stages=[self.stage({"ap/edge-a": 5_501})]), "share-above-cap"),
                ("hold-back", lambda plan: self.hurry(plan, hold_back={"ap/edge-a": 1}), "hold-back-not-as-signed"),
                ("a salt", lambda plan: self.hurry(plan, salt="f" * 32), "plan-unreadable"),
                ("pins", self.pin_victims, "pin-not-yet-allowed"),
                ("state: paused", lambda plan: self.hurry(plan, state="paused"), "paused"),
                ("state: frozen", lambda plan: self.hurry(plan, state="frozen"), "frozen"),
                ("freeze windows", lambda plan: self.hurry(plan, freeze_windows=[{"from": 0, "until": 10_079}]),
                 "in-freeze-window"),
                ("excluded segments", lambda plan: self.hurry(plan, excluded=[{"region": "ap"}]), "segment-excluded")):
            self.mirror.forged = self.thief.forge(change)
            version = self.thief.plans["version"]
            answers = self.collect(what, self.victims, lambda device: self.refusals_of(device, version))
            words = sorted({word for answer in answers for word in answer.split(", ")})
            self.expect.add(f"plan, {what}", reason, ", ".join(words),
                            all(reason in answer.split(", ") for answer in answers))
        self.expect.equal("what the devices serve", f"{len(self.victims)} 1.0.0", self.served())

    def hide_the_present(self) -> None:
        """The registry goes on; the thief shows his devices the day before, fresh as long as he signs."""
        self.timeline.chapter("Old metadata, shown as new")
        self.mirror.forged = self.thief.forge(lambda plan: None)
        self.until("the thief's timestamp", self.all_hold_his_timestamp, 20)
        self.registry.cli("rollout", "create", MODEL, "1.2.0")
        self.registry.cli("rollout", "start", MODEL)
        others = [device for device in self.fleet.devices if device not in self.victims]
        self.until("the others", lambda: all(self.has_taken(device, "1.2.0") for device in others), 90)
        self.expect.equal("others that have followed the registry to 1.2.0", len(others),
                          sum(self.has_taken(device, "1.2.0") for device in others))
        self.expect.equal("hidden from the rollout, the devices serve", f"{len(self.victims)} 1.0.0", self.served())

    # Recovery

    def do_the_worst(self) -> None:
        self.timeline.chapter("The worst: highest versions, the year 2099, everything withdrawn")
        self.thief.is_boundless = True
        self.mirror.forged = self.thief.forge(self.withdraw_all)
        self.until("the worst", self.all_hold_his_timestamp, 30)
        self.expect.equal("timestamp version that the devices hold", f"{len(self.victims)} {HIGHEST}",
                          count(self.metadata(device)["versions"].get("timestamp") for device in self.victims))
        self.expect.equal("what the devices still serve, with all withdrawn", f"{len(self.victims)} 1.0.0", self.served())

        self.mirror.forged = {}
        self.rest()
        self.expect.add("before the rotation the honest registry", "is refused, as the devices believe in 2099",
                        self.complaints(), "good at 2098-12-31" in self.complaints())

    def recover(self) -> None:
        self.timeline.chapter("The key holders rotate the registry's keys, as docs/runbooks/stolen-online-key.md says")
        registry = self.registry
        online = registry.run("fieldfare-registry", "keys", "generate", "--keys", "new-keys")
        (self.folder / "new-online.json").write_text(online, encoding="utf-8")
        registry.restart_with(self.folder / "new-keys")
        registry.cli("keys", "rotate", "--online", "new-online.json", "--dir", "ceremony", "--root", "repo/root.json")
        for role, key in (("root", "root-a"), ("root", "root-b"), ("targets", "targets")):
            registry.cli("repo", "sign", role, "--dir", "ceremony", "--key", f"keys/{key}.json", "--yes")
        registry.cli("repo", "rotate", "--simulate", "--dir", "ceremony")
        registry.cli("repo", "push", "--dir", "ceremony")
        self.until("the new root", lambda: all(
            self.metadata(device)["versions"].get("root") == 2 and not self.complaint(device) for device in self.victims), 40)
        self.expect.equal("devices that follow the registry again, by root 2", len(self.victims),
                          sum(self.metadata(device)["versions"].get("root") == 2 for device in self.victims))
        self.expect.equal("what they complain of", "none", self.complaints())
        # Whose devices have seen 1.2.0 withdrawn never take it; the fleet meets again on another release.
        registry.cli("rollout", "rollback", MODEL, "--reason", "the thief has withdrawn it in ap")
        self.publish("1.3.0", "quick.yaml")
        registry.sign_release()
        registry.cli("rollout", "create", MODEL, "1.3.0")
        registry.cli("rollout", "start", MODEL)
        devices = self.fleet.devices
        self.until("1.3.0", lambda: all(self.has_taken(device, "1.3.0") for device in devices), 90)
        self.expect.equal("devices that follow the registry to 1.3.0", len(devices),
                          sum(self.has_taken(device, "1.3.0") for device in devices))

    # What the thief writes

    @property
    def candidate(self) -> dict:
        return self.thing(f"bundles/{MODEL}/1.1.0.json", version="1.1.0")

    @property
    def policy(self) -> dict:
        path = f"policies/{MODEL}/1.1.0.standard.json"
        return {"path": path, "sha256": self.thing(path)["sha256"]}

    def thing(self, path: str, **more) -> dict:
        """A target of the model's role as a plan names it."""
        listed = self.thief.role(f"model.{MODEL}")["targets"][path]
        return {"sha256": listed["hashes"]["sha256"], "length": listed["length"], **more}

    def stage(self, shares: dict) -> dict:
        return {"began": int(time.time()) - 1, "shares": shares}

    def hurry(self, plan: dict, **fields) -> None:
        """The plan that the policy of 1.1.0 would allow at its first moment, but for these fields."""
        plan.update({"state": "running", "baseline": plan["candidate"], "candidate": self.candidate, "policy": self.policy,
                     "stages": [self.stage({})], "hold_back": {}})
        plan.update(fields)

    def skip_to_stable(self, plan: dict) -> None:
        self.hurry(plan, stages=[self.stage({}) for _ in range(3)])

    def pin_victims(self, plan: dict) -> None:
        names = [bytes.fromhex(device.status().answer["device"]) for device in self.victims]
        ids = [hashlib.sha256(b"fieldfare.pin\0" + MODEL.encode() + b"\0" + name).digest()[:8] for name in names]
        packed = base64.urlsafe_b64encode(b"".join(sorted(ids))).decode().rstrip("=")
        self.hurry(plan, pins=[{"bundle": self.candidate, "expires": YEAR_2099, "devices": packed}])

    def withdraw_all(self, plan: dict) -> None:
        now = int(time.time())
        plan["withdrawn"] = [
            {"version": version, "sha256": self.thing(f"bundles/{MODEL}/{version}.json")["sha256"], "at": now}
            for version in ("1.0.0", "1.1.0", "1.2.0")]

    # Looking

    def serve(self, what: str, files: dict[str, bytes], role: str) -> None:
        """Serves forged files until every victim has polled, and complains of this role."""
        self.mirror.forged = files
        self.rest()
        said = self.collect(what, self.victims, lambda device: self.complaint_of(device, role))
        self.expect.add(what, f"refused: {role}", self.one(said), all(role in reason for reason in said))

    def all_hold_his_timestamp(self) -> bool:
        return all(self.metadata(device)["versions"].get("timestamp") == self.thief.timestamp["version"]
                   for device in self.victims)

    def has_taken(self, device: Device, version: str) -> bool:
        """Whether it serves the version, or stays behind for comparison."""
        return device.status().serving == version or "held-back" in (
            (device.ask("explain").get("decision") or {}).get("refusals", []))

    def serve_unseen(self, what: str, files: dict[str, bytes]) -> None:
        """Serves forged files that nothing leads to."""
        held = self.versions()
        self.mirror.forged = files
        self.rest()
        self.expect_unmoved(what, held)
        self.expect.equal(f"{what}: what the devices complain of", "none", self.complaints())

    def expect_unmoved(self, what: str, held: list[dict]) -> None:
        moved = [f"{old} -> {new}" for old, new in zip(held, self.versions()) if old != new]
        self.expect.equal(f"{what}: metadata that the devices hold", "as before", "; ".join(moved) or "as before")

    def metadata(self, device: Device) -> dict:
        return {"versions": {}, **device.status().answer.get("metadata", {})}

    def complaint(self, device: Device) -> str:
        return self.metadata(device).get("poll_error") or ""

    def complaint_of(self, device: Device, role: str) -> str:
        said = self.complaint(device)
        return said if role in said else ""

    def complaints(self) -> str:
        return self.one([said for device in self.victims if (said := self.complaint(device))]) or "none"

    def versions(self) -> list[dict]:
        return [self.metadata(device)["versions"] for device in self.victims]

    def served(self) -> str:
        return count(device.status().serving for device in self.victims)

    def rest(self) -> None:
        """Three polls' time."""
        time.sleep(8)


def main() -> int:
    parser = argparse.ArgumentParser(description="Runs the table of stolen keys against running agents.")
    parser.add_argument("--folder", type=Path, help="work here, and leave everything there")
    options = parser.parse_args()
    for number in ENDINGS:
        signal.signal(number, interrupt)
    folder = options.folder or Path(tempfile.mkdtemp(prefix="fieldfare-"))
    folder.mkdir(exist_ok=True)
    thefts = Thefts(folder)
    steps: list[Callable[[], None]] = [
        thefts.set_scene, thefts.replace_what_is_listed, thefts.steal_without_snapshot, thefts.steal_metadata_keys,
        thefts.steal_offline_keys, thefts.steal_online_keys, thefts.hide_the_present, thefts.do_the_worst, thefts.recover, thefts.finish,
    ]
    try:
        for step in steps:
            step()
        thefts.expect.table()
        return 1 if thefts.expect.failed else 0
    except CommandFailed as failure:
        thefts.timeline.say(f"FAILED: {failure}")
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        for number in ENDINGS:
            signal.signal(number, signal.SIG_IGN)
        try:
            thefts.stop()
        finally:
            if not options.folder:
                shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
