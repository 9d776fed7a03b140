#!/usr/bin/env python3
"""Removes one named check at a time and expects a test to turn red.

Each mutant stands in scripts/mutants.json: its name, the file, the text to replace (which must occur exactly
once), what to put there, and the tests that must notice. The work happens in a copy of the tree.

    scripts/mutants.py                all of them
    scripts/mutants.py NAME...        some
    scripts/mutants.py --list         names only
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LEAST = 30


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


def run_tests(tree: Path, mutant: dict) -> subprocess.CompletedProcess:
    """Builds the tree and runs the tests that should notice the mutant."""
    environment = dict(os.environ)
    arguments = ["swift", "test", "--filter", mutant["tests"]]
    if not mutant.get("server", False):
        environment["FIELDFARE_DEVICE_ONLY"] = "1"
        arguments += ["--scratch-path", ".build-device"]
    return subprocess.run(arguments, cwd=tree, env=environment, capture_output=True, text=True, timeout=1800)


def verdict(result: subprocess.CompletedProcess) -> str:
    """killed: a test failed. survived: all passed. broken: it did not build, which proves nothing."""
    output = result.stdout + result.stderr
    if result.returncode == 0:
        return "survived" if "with 0 tests" not in output else "broken (no test ran)"
    ran = "recorded an issue" in output or "failed after" in output or "unexpected signal" in output
    return "killed" if ran else "broken (does not build)"


def main() -> int:
    """Runs the mutants and prints one line each; 1 unless every one was killed."""
    mutants = load()
    wanted = sys.argv[1:]
    if wanted == ["--list"]:
        print("\n".join(mutant["name"] for mutant in mutants))
        return 0
    unknown = set(wanted) - {mutant["name"] for mutant in mutants}
    if unknown:
        print(f"mutants: unknown: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    chosen = [mutant for mutant in mutants if not wanted or mutant["name"] in wanted]
    bad = 0
    with tempfile.TemporaryDirectory(prefix="fieldfare-mutants-") as folder:
        tree = Path(folder) / "tree"
        ignore = shutil.ignore_patterns(".git", ".build*")
        shutil.copytree(ROOT, tree, symlinks=True, ignore=ignore)
        for mutant in chosen:
            path = tree / mutant["file"]
            original = path.read_text(encoding="utf-8")
            path.write_text(original.replace(mutant["find"], mutant["replace"]), encoding="utf-8")
            result = run_tests(tree, mutant)
            path.write_text(original, encoding="utf-8")
            outcome = verdict(result)
            bad += outcome != "killed"
            print(f"{outcome:25} {mutant['name']}", flush=True)
            if outcome.startswith("broken"):
                print((result.stdout + result.stderr)[-2000:], file=sys.stderr)
    print(f"mutants: {len(chosen) - bad} of {len(chosen)} killed")
    return 1 if bad else 0


sys.exit(main())
