#!/usr/bin/env python3
"""Removes one named check at a time and expects a test to turn red.

Each mutant stands in scripts/mutants.json: its name, the file, the text to replace (which must occur exactly
once), what to put there, the tests that must notice, and whether they are the server side's. The work happens in
a copy of the tree, which is kept: a later run builds only what has changed. Before the mutants, the same tests
must pass without any. Name tests that harm nothing when the check is gone: who tests containment without it, as
root, writes outside.

    scripts/mutants.py                all of them
    scripts/mutants.py NAME...        some; also `device` and `server`, for all of a side
    scripts/mutants.py --tree DIR     in that copy, instead of .build-mutants
    scripts/mutants.py --list         names only

Exit status: 0 when all were killed, 1 otherwise, 2 for wrong usage.
"""

import argparse
import collections
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LEAST = 30
# For a build, and for all tests without a mutant; for the tests of one mutant.
BUILD_SECONDS = 3600
TEST_SECONDS = 600
HUNG = "hung"


def load() -> list[dict]:
    """All mutants, checked: unique names, and each text occurs exactly once in its file."""
    mutants = json.loads((ROOT / "scripts/mutants.json").read_text(encoding="utf-8"))
    names = [mutant["name"] for mutant in mutants]
    problems = [f"{name}: named twice" for name in set(names) if names.count(name) > 1]
    for mutant in mutants:
        count = (ROOT / mutant["file"]).read_text(encoding="utf-8").count(mutant["find"])
        if count != 1:
            problems.append(f"{mutant['name']}: expected its text once in {mutant['file']}, got {count} times")
    if len(mutants) < LEAST:
        problems.append(f"expected at least {LEAST} mutants, got {len(mutants)}")
    for problem in problems:
        print(f"mutants: {problem}", file=sys.stderr)
    if problems:
        sys.exit(1)
    return mutants


def copy(tree: Path) -> None:
    """Makes the copy equal to the working tree, and leaves alone what is equal, so that little is built anew."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True).stdout
    names = {name for name in listed.split("\0") if name and (ROOT / name).is_file()}
    for name in names:
        source, target = ROOT / name, tree / name
        bytes_ = source.read_bytes()
        if not target.is_file() or target.read_bytes() != bytes_:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(bytes_)
        target.chmod(source.stat().st_mode)
    for folder in ("Sources", "Tests"):
        for path in (tree / folder).rglob("*"):
            if path.is_file() and str(path.relative_to(tree)) not in names:
                path.unlink()
    runtime = tree / ".deps"
    if not runtime.is_symlink() and (ROOT / ".deps").exists():
        runtime.symlink_to(ROOT / ".deps")


def run(command: list[str], tree: Path, is_server: bool, seconds: int) -> tuple[int | str, str]:
    """Runs a command of SwiftPM; its exit status, or `HUNG` after the time limit, and what it printed."""
    environment = dict(os.environ)
    if not is_server:
        environment["FIELDFARE_DEVICE_ONLY"] = "1"
        command = command + ["--scratch-path", ".build-device"]
    with tempfile.TemporaryFile() as printed:
        process = subprocess.Popen(
            command, cwd=tree, env=environment, stdin=subprocess.DEVNULL, stdout=printed,
            stderr=subprocess.STDOUT, start_new_session=True)
        try:
            status: int | str = process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            status = HUNG
        finally:
            # All that it started goes with it.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        printed.seek(0)
        return status, printed.read().decode("utf-8", "replace")


def judge(
    tree: Path, is_server: bool, filters: list[str], seconds: int = TEST_SECONDS
) -> tuple[str, str]:
    """Builds the tree and runs tests: a verdict, and the output that explains it.

    killed: a test failed, or crashed, or never ended. survived: all passed. broken: it did not build, or no test
    ran, which proves nothing.
    """
    status, output = run(["swift", "build", "--build-tests"], tree, is_server, BUILD_SECONDS)
    if status != 0:
        return "broken (no build)", output
    command = ["swift", "test", "--skip-build"] + [word for each in filters for word in ("--filter", each)]
    status, output = run(command, tree, is_server, seconds)
    if status == HUNG:
        return "killed (hung)", output
    if "Test run with 0 tests" in output or "Test run started" not in output:
        return "broken (no test)", output
    return ("survived" if status == 0 else "killed"), output


def failed(output: str) -> str:
    """The first test that failed, and how many more did."""
    names = list(dict.fromkeys(re.findall(r"Test (?!run with )(.+?) (?:with .+ test cases? )?failed after", output)))
    more = f", and {len(names) - 1} more" if len(names) > 1 else ""
    return names[0].strip('"') + more if names else "the end of the test run"


def campaign(tree: Path, is_server: bool, mutants: list[dict]) -> list[str]:
    """Runs the mutants of one side, a line each; their verdicts."""
    side = "server" if is_server else "device"
    filters = sorted({mutant["tests"] for mutant in mutants})
    verdict, output = judge(tree, is_server, filters, BUILD_SECONDS)
    if verdict != "survived":
        print(output[-4000:], file=sys.stderr)
        sys.exit(f"mutants: the tests of the {side} side must pass without a mutant, got {verdict}")
    verdicts = []
    for mutant in mutants:
        start = time.monotonic()
        path = tree / mutant["file"]
        original = path.read_text(encoding="utf-8")
        path.write_text(original.replace(mutant["find"], mutant["replace"]), encoding="utf-8")
        try:
            verdict, output = judge(tree, is_server, [mutant["tests"]])
        finally:
            path.write_text(original, encoding="utf-8")
        verdicts.append(verdict)
        by = failed(output) if verdict == "killed" else ""
        print(f"{verdict:18} {mutant['name']:28} {time.monotonic() - start:4.0f} s  {by}", flush=True)
        if verdict.startswith("broken"):
            print(output[-2000:], file=sys.stderr)
    return verdicts


def main() -> int:
    """Runs the mutants that were asked for; 1 unless every one was killed."""
    parser = argparse.ArgumentParser(description="Removes one named check at a time; each must turn a test red.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="mutants, or 'device' or 'server' for a side")
    parser.add_argument("--tree", type=Path, default=ROOT / ".build-mutants", help="the copy to work in; kept")
    parser.add_argument("--list", action="store_true", help="print the names, and run nothing")
    arguments = parser.parse_args()
    mutants = load()
    if arguments.list:
        print("\n".join(mutant["name"] for mutant in mutants))
        return 0
    wanted = set(arguments.names)
    unknown = wanted - {mutant["name"] for mutant in mutants} - {"device", "server"}
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    chosen = {
        is_server: [
            mutant for mutant in mutants
            if mutant["server"] == is_server
            and (not wanted or mutant["name"] in wanted or ("server" if is_server else "device") in wanted)]
        for is_server in (False, True)}
    # What it started is ended, too.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    tree = arguments.tree.resolve()
    tree.mkdir(parents=True, exist_ok=True)
    copy(tree)
    verdicts = []
    for is_server, some in chosen.items():
        if some:
            verdicts += campaign(tree, is_server, some)
    counts = collections.Counter(verdicts)
    killed = sum(count for verdict, count in counts.items() if verdict.startswith("killed"))
    detail = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items()))
    print(f"mutants: {killed} of {len(verdicts)} killed ({detail})")
    return 0 if killed == len(verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
