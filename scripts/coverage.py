#!/usr/bin/env python3
"""Fails where a pure target has less than 90 % of its lines covered by the tests.

Reads the JSON that `swift test --show-codecov-path` names.
"""

import json
import sys
from collections import defaultdict

PURE = ["Primitives", "Cryptography", "TUF", "ModelBundle", "Speech", "Rollouts", "Telemetry", "Health"]
FLOOR = 90.0


def main() -> int:
    """Prints a line for each pure target; 1 where one lies below the floor or was not measured."""
    with open(sys.argv[1], encoding="utf-8") as file:
        report = json.load(file)
    lines = defaultdict(lambda: [0, 0])
    for entry in report["data"][0]["files"]:
        for target in PURE:
            if f"/Sources/{target}/" in entry["filename"]:
                lines[target][0] += entry["summary"]["lines"]["covered"]
                lines[target][1] += entry["summary"]["lines"]["count"]
    failed = 0
    for target in PURE:
        covered, count = lines[target]
        share = 100 * covered / count if count else 0.0
        verdict = "ok" if share >= FLOOR else f"below {FLOOR:.0f} %"
        failed += share < FLOOR
        print(f"coverage {target:13} {share:5.1f} % of {count:5} lines  {verdict}")
    return 1 if failed else 0


sys.exit(main())
