#!/usr/bin/env python3
"""The table of docs/security.md against running agents: what a thief of each key can do to them, and what he cannot.

Six devices take a first release from a running registry. Then a mirror in front of two of them is the thief's: it serves
what he has truly signed with the keys that he stole, one theft after the other. Each device must say by which rule it
refuses what the table says he cannot do, and must do what the table says he can. A seventh, new device is shown the past.
At last he does his worst with all of the registry's own keys, the key holders rotate them as the runbook says, and the
devices must follow the registry again.

  scripts/demo/thefts.py [--folder DIR]
"""

import argparse
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
from mirror import Mirror
from plans import Plans
from registry import MODEL, CommandFailed
from thief import HIGHEST, Thief, described, moment

YEAR = 365 * 86_400
# A model beside the one of the devices, with a release key of its own.
OTHER = "commands-de"


class Thefts(Demonstration):
    releases = 8

    def __init__(self, folder: Path):
        super().__init__(folder, "thefts")
        # Short, and by errors alone: here nothing is judged but who may go where.
        self.registry.watch = "turns: 10, least_turns: 10, reference_turns: 1000000"
        # A second mirror, that goes back in time; and whether the registry has frozen its plan.
        self.past: Mirror | None = None
        self.is_frozen = False

    # The scene: 1.0.0 everywhere; further releases signed by the release keys and not begun

    def set_scene(self) -> None:
        self.found()
        self.publish_first()
        self.enrol_fleet()
        self.take_first()
        self.victims = [device for device in self.fleet.devices if device.cohort == "ap/edge-a"]
        self.others = [device for device in self.fleet.devices if device not in self.victims]
        self.until("the news", lambda: all(self.metadata(d)["versions"].get(f"model.{MODEL}") == 2 for d in self.victims), 20)
        self.thief = Thief(self.registry)
        self.plans = Plans(self.thief)
        self.past = Mirror(self.folder, self.mirror.registry_port)
        self.past.forged = {"/tuf/timestamp.json": self.registry.get("/tuf/timestamp.json")}

    def publish_rest(self) -> None:
        """One older than a device that has had 1.0.1 may go back to, one that is soon ripe, and one that a thief would hurry."""
        self.publish("0.9.0", "quick.yaml")
        self.publish("1.0.1", "quick.yaml", replaces="1.0.0", floor="1.0.0", elsewhere="[eu, us]")
        self.publish("1.1.0", "patient.yaml")

    def publish(self, version: str, template: str, replaces: str = "1.0.0...1.0.1", floor: str = "", elsewhere: str = "") -> None:
        """Publishes a release; `elsewhere`: with a second policy, for these regions."""
        self.registry.write_bundle(version, "better", "tokens.txt", SMOKE_TIMEOUT_MS, may_loop=False, floor=floor)
        policy = self.registry.write_policy(template, version, replaces, self.beta, self.control)
        more = {}
        if elsewhere:
            more["elsewhere"] = policy.with_name(f"elsewhere-{version}.yaml")
            text = policy.read_text(encoding="utf-8")
            more["elsewhere"].write_text(
                text.replace("- name: stable", f"- name: stable\n    where: {{ regions: {elsewhere} }}"), encoding="utf-8")
        self.registry.publish(version, policy, self.pipeline, **more)

    def stop(self) -> None:
        super().stop()
        if self.past:
            self.past.stop()

    # Thefts

    def replace_what_is_listed(self) -> None:
        """The registry goes on; what it lists next, the thief has signed before it, otherwise."""
        self.timeline.chapter("Other content, under the version that the registry lists")
        key = self.folder / "keys/targets.json"
        self.mirror.forged = self.thief.forge_next_targets(key)
        self.registry.cli("keys", "generate", OTHER, "--out", "keys")
        self.registry.cli("repo", "add-model", OTHER, "--release-key", f"keys/{OTHER}.json", "--key", key)
        said = self.collect("the targets key", self.victims, lambda device: self.complaint_of(device, "targets"))
        self.expect.add("the targets key alone, for the next targets", "refused: their digest is listed", self.one(said),
                        all("targets: expected " in reason for reason in said))
        self.mirror.forged = {}
        self.until("the true targets", lambda: self.complaints() == "none", 20)

        keys = [self.folder / "keys/ci.json", self.folder / "keys/anna.json"]
        version = self.thief.newest(f"model.{MODEL}")["version"] + 1
        self.mirror.forged = self.thief.forge_unlisted_release(keys)
        self.publish("1.2.0", "quick.yaml")
        self.registry.sign_release()
        self.until("the release", lambda: all(held[f"model.{MODEL}"] == version for held in self.versions()), 20)
        self.expect.equal("both release keys, for the next of their role", f"{len(self.victims)} 6.6.6 is listed",
                          count(self.newest_listed(device) for device in self.victims))
        self.expect_served("1.0.0")
        self.mirror.forged = {}

        plans = self.plans
        self.hold_to_policy("a plans key alone: ", self.forge_next, [
            ("stages", plans.skip_to_stable, "stage-too-early"),
            ("a policy for elsewhere", lambda plan: plans.ripen(plan, policy=plans.policy("1.0.1", "elsewhere")), "outside-where"),
            ("a paused segment", lambda plan: plans.ripen(plan, paused=[{"region": "ap"}]), "segment-paused"),
        ])
        self.expect_served("1.0.0")
        self.obey("a plans key alone: the same, with no segment paused", plans.ripen, "1.0.1")

    def steal_without_snapshot(self) -> None:
        self.timeline.chapter("Keys of roles that no snapshot of the thief's lists")
        keys = self.folder / "keys"
        version = self.thief.plans["version"] + 7
        held = self.versions()
        self.mirror.forged = {
            **self.thief.forge_unlisted_release([keys / "ci.json", keys / "anna.json"]),
            **self.thief.forge_next_targets(keys / "targets.json"),
            f"/tuf/{version}.plans.{MODEL}.json": self.thief.sealed("plans", {**self.thief.plans, "version": version})}
        self.rest()
        for who, role in (
                ("both release keys", f"model.{MODEL}"), ("the targets key", "targets"), ("a plans key", f"plans.{MODEL}")):
            self.expect_unmoved(who, held, role)
        self.expect.equal("what the devices complain of", "none", self.complaints())

    def steal_plans_key(self) -> None:
        """Back to where each device has been, and nowhere else."""
        self.timeline.chapter("A plans key alone: the ways back")
        self.until("the end of the watch", lambda: all(d.status().state == "committed" for d in self.victims), 40)
        plans = self.plans
        self.hold_to_policy("a plans key alone: ", self.forge_next, [
            ("back below the rollback floor", lambda plan: plans.hurry(plan, baseline=plans.bundle("0.9.0")),
             "below-rollback-floor"),
            ("rolled_back, to a version never committed", lambda plan: plans.roll_back(plan, "1.1.0"),
             "baseline-not-yet-allowed"),
        ])
        self.expect_served("1.0.1")
        self.obey("a plans key alone: rolled_back, to a version committed here",
                  lambda plan: plans.roll_back(plan, "1.0.0"), "1.0.0")
        self.obey("a plans key alone: one withdrawal, of what runs",
                  lambda plan: plan.update(withdrawn=[plans.withdrawal("1.0.0")]), "1.0.1")
        self.hold_to_policy("a plans key alone: ", self.forge_next, [
            ("a version once withdrawn", lambda plan: plans.hurry(plan, baseline=plans.bundle("1.0.0")), "withdrawn"),
        ])
        self.mirror.forged = {}
        if self.is_frozen:
            self.go_on()
        self.thief.look()
        self.until("the true plan", lambda: all(
            held.get(f"plans.{MODEL}") == self.thief.plans["version"] for held in self.versions()), 20)
        self.expect.equal("what the devices complain of", "none", self.complaints())
        self.expect_served("1.0.1")
        self.expect.equal("what the devices serve that hear the registry", f"{len(self.others)} 1.0.0",
                          count(device.status().serving for device in self.others))

    def steal_timestamp_key(self) -> None:
        self.timeline.chapter("The timestamp key, alone and with the snapshot key")
        thief = self.thief
        held = self.versions()
        self.mirror.forged = thief.stamp(YEAR)
        self.until("the thief's timestamp", self.all_hold_his_timestamp, 20)
        self.publish("1.2.1", "quick.yaml")
        self.registry.sign_release()
        self.go_on()
        self.rest()
        ends = {self.metadata(device).get("timestamp_expires") for device in self.victims}
        self.expect.equal("a timestamp key alone: the present, good for a year", thief.timestamp["expires"], ", ".join(ends))
        self.expect_unmoved("what the registry says meanwhile", [
            {**versions, "timestamp": thief.timestamp["version"]} for versions in held])

        version, snapshot = thief.timestamp["version"], thief.snapshot["version"]
        older = self.registry.get(f"/tuf/{snapshot - 1}.snapshot.json")
        self.serve("a timestamp key alone, for an older timestamp", thief.forge_timestamp(thief.timestamp, version=version - 1),
                   f"timestamp: version {version - 1} is older than version {version}")
        self.serve("a timestamp key alone, naming an older snapshot", thief.forge_timestamp(
            thief.timestamp, version=version + 1, meta={"snapshot.json": {"version": snapshot - 1, **described(older)}}),
            f"snapshot: version {snapshot - 1} is older than version {snapshot}")
        self.serve("a timestamp key alone, naming a snapshot that nobody signed",
                   thief.forge_snapshot(lambda meta: None, is_signed=False),
                   "snapshot: expected valid signatures of 1 keys of root, got 0")

        release = thief.newest(f"model.{MODEL}")["version"]
        self.serve("timestamp and snapshot keys, listing an older role",
                   thief.forge_snapshot(lambda meta: meta[f"model.{MODEL}.json"].update(version=release - 2)),
                   f"model.{MODEL}: version {release - 2} is older than version {release - 1}")
        self.serve("timestamp and snapshot keys, dropping a role",
                   thief.forge_snapshot(lambda meta: meta.pop(f"model.{MODEL}.json")), f"snapshot: expected role model.{MODEL}")
        self.mirror.forged = thief.forge_mixture(f"model.{MODEL}")
        self.until("the mixture", self.all_hold_his_timestamp, 20)
        plan = thief.newest(f"plans.{MODEL}")["version"]
        self.expect.equal(
            "timestamp and snapshot keys: the newest release, the plan before", f"release {release}, plan {plan - 1}", self.one(
                [f"release {held[f'model.{MODEL}']}, plan {held[f'plans.{MODEL}']}" for held in self.versions()]))
        self.serve("timestamp and snapshot keys, listing a plan that nobody signed", thief.forge(self.plans.hurry, signers=[]),
                   f"plans.{MODEL}: expected valid signatures of 1 keys of targets, got 0")
        self.expect_served("1.0.1")

    def show_the_past(self) -> None:
        """A device that has seen nothing; its mirror shows it the day before."""
        self.timeline.chapter("A new device, and a mirror that remembers")
        past = dict(self.past.forged)
        timestamp = json.loads(past["/tuf/timestamp.json"])["signed"]
        self.past.forged = self.thief.forge_timestamp(timestamp, expires=moment(time.time() - 60))
        self.newcomer = self.enrol_one(self.past)
        said = self.collect("a past that is over", [self.newcomer], lambda device: self.complaint_of(device, "timestamp"))
        self.expect.add("to a new device, a past that is over", "refused: timestamp", self.one(said),
                        all("timestamp: expected metadata that is good at" in reason for reason in said))
        self.expect.equal("what the new device serves", "none", self.newcomer.status().serving)
        self.past.forged = past
        self.until("the past", lambda: self.newcomer.status().serving == "1.0.0", 60)
        self.expect.equal("without any key: what a new device takes of the past", "1.0.0", self.newcomer.status().serving)
        newest = self.thief.signed("timestamp")["version"]
        self.expect.equal("the timestamp that it holds", f"{timestamp['version']}, of {newest}",
                          f"{self.metadata(self.newcomer)['versions'].get('timestamp')}, of {newest}")

    def enrol_one(self, mirror: Mirror) -> Device:
        number = len(self.fleet.devices) + 1
        device = Device(self.folder / f"d{number}", number, "ap", "edge-a", "en-GB")
        device.configure(mirror.url, self.folder)
        device.enrol(self.registry.cli("devices", "enrol-tokens", "--count", 1)["tokens"][0])
        self.fleet.devices.append(device)
        device.start()
        return device

    def steal_offline_keys(self) -> None:
        self.timeline.chapter("Keys that people hold, with all of the registry's own")
        keys = self.folder / "keys"
        held = self.versions()
        self.serve("one root key of three", self.thief.forge_root(keys / "root-c.json"),
                   "root: expected valid signatures of 2 keys of root, got 1")
        self.expect_unmoved("one root key of three", held)
        self.serve("one release key of two", self.thief.forge_release([keys / "ci.json"]),
                   f"model.{MODEL}: expected valid signatures of 2 keys of targets, got 1")
        self.serve("the release key of another model, for this one", self.thief.forge_release([keys / f"{OTHER}.json"]),
                   f"model.{MODEL}: expected valid signatures of 2 keys of targets, got 0")
        self.serve("the release key of another model, for a plan of this one",
                   self.thief.forge(self.plans.hurry, signers=[self.thief.opened(keys / f"{OTHER}.json")]),
                   f"plans.{MODEL}: expected valid signatures of 1 keys of targets, got 0")
        # The next version of the role, truly signed, is there instead of the thief's.
        self.publish("1.2.2", "quick.yaml")
        self.registry.sign_release()
        self.thief.forget_releases()
        self.hold_to_policy("the release key of another model, ", self.forge_all, [
            ("for a policy of this one", lambda plan: self.plans.hurry_by(plan, OTHER, keys / f"{OTHER}.json"),
             "policy-not-listed"),
        ])
        self.expect_served("1.0.1")

    def steal_online_keys(self) -> None:
        self.timeline.chapter("All of the registry's own keys, field by field of the plan")
        plans = self.plans
        self.hold_to_policy("plan, ", self.forge_all, [
            ("stages", plans.skip_to_stable, "stage-too-early"),
            ("state: completed", lambda plan: plans.hurry(plan, state="completed"), "completed-too-early"),
            ("baseline", lambda plan: plans.hurry(plan, baseline=plans.bundle("1.1.0")), "candidate-named-as-baseline"),
            ("candidate", lambda plan: plans.hurry(plan, candidate={**plans.bundle("1.1.0"), "version": "9.9.9"}),
             "manifest-not-listed"),
            ("policy", lambda plan: plans.hurry(plan, policy={**plans.policy("1.1.0"), "sha256": "0" * 64}), "policy-not-listed"),
            ("shares", lambda plan: plans.hurry(plan, stages=[plans.stage({"ap/edge-a": 5_501})]), "share-above-cap"),
            ("hold-back", lambda plan: plans.hurry(plan, hold_back={"ap/edge-a": 1}), "hold-back-not-as-signed"),
            ("a salt", lambda plan: plans.hurry(plan, salt="f" * 32), "plan-unreadable"),
            ("pins", lambda plan: plans.pin(plan, self.victims), "pin-not-yet-allowed"),
            ("state: paused", lambda plan: plans.hurry(plan, state="paused"), "paused"),
            ("state: frozen", lambda plan: plans.hurry(plan, state="frozen"), "frozen"),
            ("freeze windows", lambda plan: plans.hurry(plan, freeze_windows=[{"from": 0, "until": 10_079}]),
             "in-freeze-window"),
            ("excluded segments", lambda plan: plans.hurry(plan, excluded=[{"region": "ap"}]), "segment-excluded"),
        ])
        self.expect_served("1.0.1")

    def hide_the_present(self) -> None:
        """The registry goes on; the thief shows his devices the day before, fresh as long as he signs."""
        self.timeline.chapter("Old metadata, shown as new")
        self.mirror.forged = self.thief.forge(lambda plan: None)
        self.until("the thief's timestamp", self.all_hold_his_timestamp, 20)
        self.go_on()
        self.registry.create("1.2.0")
        self.registry.cli("rollout", "start", MODEL)
        self.until("the others", lambda: all(self.has_taken(device, "1.2.0") for device in self.others), 90)
        self.expect.equal("others that have followed the registry to 1.2.0", len(self.others),
                          sum(self.has_taken(device, "1.2.0") for device in self.others))
        self.expect_served("1.0.1", "hidden from the rollout, the devices serve")

    # Recovery

    def do_the_worst(self) -> None:
        self.timeline.chapter("The worst: highest versions, the year 2099, everything withdrawn")
        self.thief.is_boundless = True
        everything = ("0.9.0", "1.0.0", "1.0.1", "1.1.0", "1.2.0", "1.2.1", "1.2.2")
        self.mirror.forged = self.thief.forge(
            lambda plan: plan.update(withdrawn=[self.plans.withdrawal(version) for version in everything]))
        self.until("the worst", self.all_hold_his_timestamp, 30)
        self.expect.equal("timestamp version that the devices hold", f"{len(self.victims)} {HIGHEST}",
                          count(self.metadata(device)["versions"].get("timestamp") for device in self.victims))
        self.expect_served("1.0.1", "what the devices still serve, with all withdrawn")
        self.expect.equal("what they say of it", f"{len(self.victims)} stranded", count(
            (device.ask("explain").get("decision") or {}).get("action") for device in self.victims))

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
        self.past.forged = {}
        registry.create("1.3.0")
        registry.cli("rollout", "start", MODEL)
        devices = self.fleet.devices
        self.until("1.3.0", lambda: all(self.has_taken(device, "1.3.0") for device in devices), 90)
        self.expect.equal("devices that follow the registry to 1.3.0", len(devices),
                          sum(self.has_taken(device, "1.3.0") for device in devices))

    # What becomes of it

    def forge_all(self, change: Callable[[dict], None]) -> int:
        """Serves a plan, with all of the registry's keys; gives its version."""
        self.mirror.forged = self.thief.forge(change)
        return self.thief.plans["version"]

    def forge_next(self, change: Callable[[dict], None]) -> int:
        """Serves a plan in the place of the registry's next, with the plans key alone."""
        self.thief.look()
        self.mirror.forged = self.thief.forge_next_plan(change)
        self.go_on()
        return self.thief.plans["version"] + 1

    def go_on(self) -> None:
        """The registry has something to say: it freezes its plan, or lets it go."""
        self.registry.cli("rollout", "unfreeze" if self.is_frozen else "freeze", MODEL)
        self.is_frozen = not self.is_frozen

    def hold_to_policy(self, who: str, forge: Callable[[Callable], int], cases: list[tuple[str, Callable, str]]) -> None:
        """Each plan is heard by every victim, and refused for its own reason."""
        for what, change, reason in cases:
            version = forge(change)
            answers = self.collect(what, self.victims, lambda device: self.refusals_of(device, version))
            words = sorted({word for answer in answers for word in answer.split(", ")})
            self.expect.add(who + what, reason, ", ".join(words),
                            all(reason in answer.split(", ") for answer in answers))

    def obey(self, what: str, change: Callable[[dict], None], version: str) -> None:
        """A plan that the thief of a plans key can have obeyed: every victim takes the version."""
        self.forge_next(change)
        self.until(version, lambda: all(device.status().serving == version for device in self.victims), 60)
        self.expect_served(version, what)
        self.plans.present = version

    def serve(self, what: str, files: dict[str, bytes], reason: str) -> None:
        """Serves forged files until every victim complains in these words."""
        self.mirror.forged = files
        said = self.collect(what, self.victims, lambda device: self.complaint_of(device, reason))
        self.expect.add(what, reason, self.one(said), all(reason in given for given in said))

    # Looking

    def expect_served(self, version: str, what: str = "what the devices serve") -> None:
        self.expect.equal(what, f"{len(self.victims)} {version}", self.served())

    def all_hold_his_timestamp(self) -> bool:
        return all(self.metadata(device)["versions"].get("timestamp") == self.thief.timestamp["version"]
                   for device in self.victims)

    def has_taken(self, device: Device, version: str) -> bool:
        """Whether it serves the version, or stays behind for comparison."""
        return device.status().serving == version or "held-back" in (
            (device.ask("explain").get("decision") or {}).get("refusals", []))

    def expect_unmoved(self, what: str, held: list[dict], *roles: str) -> None:
        """No victim holds other versions than before, of these roles or of all."""
        moved = [f"{role} {before[role]} -> {now[role]}" for before, now in zip(held, self.versions())
                 for role in roles or before if before[role] != now[role]]
        self.expect.equal(f"{what}: metadata that the devices hold", "as before", "; ".join(moved) or "as before")

    def newest_listed(self, device: Device) -> str:
        """The last bundle of the release role that a device has stored."""
        role = json.loads((device.folder / f"state/metadata/model.{MODEL}.json").read_text(encoding="utf-8"))["signed"]
        return f"{max(path for path in role['targets'] if path.startswith('bundles/')).split('/')[-1][:-5]} is listed"

    def metadata(self, device: Device) -> dict:
        return {"versions": {}, **device.status().answer.get("metadata", {})}

    def complaint(self, device: Device) -> str:
        said = self.metadata(device).get("poll_error") or ""
        return said.removeprefix("cannot trust the registry's metadata: ").removeprefix("cannot accept ")

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
        thefts.set_scene, thefts.replace_what_is_listed, thefts.steal_without_snapshot, thefts.steal_plans_key,
        thefts.steal_timestamp_key, thefts.show_the_past, thefts.steal_offline_keys, thefts.steal_online_keys,
        thefts.hide_the_present, thefts.do_the_worst, thefts.recover, thefts.finish,
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
