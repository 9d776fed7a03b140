#!/usr/bin/env python3
"""Fails where a target depends on a layer above its own, a program reaches test code, nobody imports a dependency,
or the device changes its disk beside the one port.

The layers are those of Package.swift and docs/architecture.md. What a target may import beside its own
package's lower layers is listed here too, so that the agent never gains a web server by accident.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

SHIM, PURE, CORE, ADAPTER, FACADE, PROGRAM, TEST = range(7)

LAYERS = {
    "CSodium": SHIM, "CLibcrypto": SHIM, "CCurl": SHIM, "CCurlShims": SHIM, "CSQLite": SHIM,
    "CPosixShims": SHIM, "CSherpaOnnx": SHIM, "CFieldfare": SHIM,
    "Primitives": PURE, "Cryptography": PURE, "TUF": PURE, "ModelBundle": PURE, "Speech": PURE,
    "Rollouts": PURE, "Telemetry": PURE, "Health": PURE, "FleetSimulation": PURE,
    "AgentCore": CORE, "RegistryCore": CORE,
    "PosixFiles": ADAPTER, "CurlTransport": ADAPTER, "SlotHost": ADAPTER, "AgentJournal": ADAPTER,
    "SpeechRuntime": ADAPTER, "RegistryDatabase": ADAPTER, "BlobFiles": ADAPTER, "Console": ADAPTER, "HTTPAPI": ADAPTER,
    "FieldfareAgent": FACADE, "FieldfareC": FACADE, "RegistryAccess": FACADE,
    "fieldfare": PROGRAM, "fieldfare-registry": PROGRAM, "fieldfare-agent": PROGRAM,
    "fieldfare-smoke": PROGRAM, "fieldfare-fleet": PROGRAM, "tuf-conformance": PROGRAM, "refresh-benchmark": PROGRAM,
    "gate-benchmark": PROGRAM,
    "plan-benchmark": PROGRAM, "switch-benchmark": PROGRAM,
}

# Neighbours of one layer that a target may use all the same.
SIDEWAYS = {
    ("CCurlShims", "CCurl"), ("FieldfareC", "FieldfareAgent"),
    ("AgentJournal", "PosixFiles"), ("SlotHost", "PosixFiles"), ("BlobFiles", "PosixFiles"), ("Console", "PosixFiles"), ("CurlTransport", "PosixFiles"),
}

# C shims that are libraries of computation, not of I/O: what pure targets may use.
PURE_SHIMS = {"CSodium", "CLibcrypto"}

# The device side, which uses no external package at all.
DEVICE = {
    "Primitives", "Cryptography", "TUF", "ModelBundle", "Speech", "Rollouts", "Telemetry", "Health",
    "AgentCore", "PosixFiles", "CurlTransport", "SlotHost", "AgentJournal", "SpeechRuntime",
    "FieldfareAgent", "FieldfareC", "fieldfare-agent", "fieldfare-smoke", "tuf-conformance", "refresh-benchmark",
    "switch-benchmark",
}


# What of it may touch a disk, with its shims.
DEVICE_CHANGES = DEVICE | {"CPosixShims", "CCurlShims", "CSherpaOnnx", "CFieldfare"}


def layer(target: dict) -> int | None:
    """The layer of a target, or None where nobody has given it one."""
    if target["path"].startswith("Tests/"):
        return TEST
    return LAYERS.get(target["name"])


# System calls that change a disk, with or without a module's name before them. A method of our own with such a name
# comes after a point, a `func`, or a `try`, which no call of C's does.
CHANGE = re.compile(
    r"(?<![\w.\"'`])(?<!func )(?<!try )(?<!try\? )(?:Glibc\.)?("
    r"(?:rename|link|unlink|symlink|mkdir|mknod|fchmod|fchown|utimens)(?:at2?)?|rmdir|remove|mkfifo|chmod|f?truncate|"
    r"fsync|fdatasync|syncfs|sync_file_range|fallocate|posix_fallocate|copy_file_range|sendfile|pwritev?|fopen|freopen|"
    r"creat|mkstemp|mkdtemp|open(?:at)?(?=\([^;{]*?O_CREAT))\(")
# The doors to them in Swift: for PosixFiles alone, and there in the hands of its `SystemCalls`.
DOOR = re.compile(
    r"\bcposix_(?:pwrite|fsync|truncate|chmod|begin_writeback|mkdirat|renameat|rename_new|linkat|unlinkat|symlinkat|"
    r"openat|clone_file|copy_range|reserve|punch)\b")
# The socket is no file of the state directory, and lies in /run.
CHANGES_ALLOWED = {("Sources/FieldfareAgent/Socket/LocalServer.swift", "unlink")}

IMPORT = re.compile(r"^ *(?:@\w+ +)*(?:\w+ +)?import +(?:\w+ +)?(\w+)", re.MULTILINE)


def unused(target: dict) -> list[str]:
    """The dependencies that no Swift source of the target imports; products are modules of the same name here."""
    if target["module_type"] != "SwiftTarget":
        return []
    imported = set()
    for source in target["sources"]:
        imported.update(IMPORT.findall(Path(target["path"], source).read_text(encoding="utf-8")))
    declared = target.get("target_dependencies", []) + target.get("product_dependencies", [])
    return sorted(set(declared) - imported)


def changes(target: dict) -> list[str]:
    """Where a target of the device changes the disk so that no observer of PosixFiles sees it, one sentence each."""
    found = []
    for source in target["sources"]:
        path = Path(target["path"], source)
        text = re.sub(r"//.*", "", path.read_text(encoding="utf-8"))
        for match in CHANGE.finditer(text):
            if target["name"] != "CPosixShims" and (str(path), match[1]) not in CHANGES_ALLOWED:
                found.append(f"{path}: expected changes of the disk through PosixFiles, got {match[1]}")
        for match in DOOR.finditer(text):
            asked = re.search(r"calls\.(make|transfer)\([^{};]*\{[^{}]*$", text[:match.start()])
            if target["name"] != "CPosixShims" and not (target["name"] == "PosixFiles" and asked):
                found.append(f"{path}: expected a call that an observer sees, got {match[0]}")
    return found


def complaints(targets: list[dict]) -> list[str]:
    """Everything that breaks the layers, one sentence each."""
    found = []
    layers = {target["name"]: layer(target) for target in targets}
    for target in targets:
        name, own = target["name"], layers[target["name"]]
        if own is None:
            found.append(f"{name}: expected a layer in scripts/layers.py, got none")
            continue
        if name in DEVICE and target.get("product_dependencies"):
            found.append(f"{name}: expected no external package on the device side, "
                         f"got {', '.join(target['product_dependencies'])}")
        if name in DEVICE_CHANGES:
            found += changes(target)
        for other in unused(target):
            found.append(f"{name}: expected an import of every dependency, got none of {other}")
        for other in target.get("target_dependencies", []):
            theirs = layers.get(other)
            if theirs is None or own == TEST:
                continue
            if theirs == TEST:
                found.append(f"{name}: expected no test code, got {other}")
            elif own == PURE and theirs == SHIM and other not in PURE_SHIMS:
                found.append(f"{name}: expected no I/O in a pure target, got {other}")
            elif theirs > own or (theirs == own and own != PURE and (name, other) not in SIDEWAYS):
                found.append(f"{name}: expected a lower layer, got {other}")
    return found


def main() -> int:
    """Checks the package in the current folder."""
    text = subprocess.run(
        ["swift", "package", "describe", "--type", "json"], check=True, capture_output=True, text=True).stdout
    targets = json.loads(text[text.index("{"):])["targets"]
    if len(targets) < 40:
        print(f"layers: expected at least 40 targets, got {len(targets)}", file=sys.stderr)
        return 1
    found = complaints(targets)
    for line in found:
        print(f"layers: {line}", file=sys.stderr)
    print(f"layers: {len(targets)} targets, {len(found)} complaints")
    return 1 if found else 0


sys.exit(main())
