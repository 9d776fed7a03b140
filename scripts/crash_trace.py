#!/usr/bin/env python3
"""Counts what the kernel is asked for while the story of docs/crash-tests.md is told, against what its port has seen.

A call that changes the disk, or makes a change durable, and does not go through the port, is a point at which no device is
ever killed. So the story is told once under strace, and every such call below its state directory must be one of the points,
by name and as often.

  scripts/crash_trace.py CRASH_AGENT
"""

import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

# System calls by the port's word. Those that only look are not traced; neither is `sync_file_range`, which makes nothing durable.
WORDS = {
    "open": "open", "openat": "open", "creat": "open",
    "write": "write", "writev": "write", "pwrite64": "write", "pwritev": "write", "pwritev2": "write",
    "fsync": "sync", "fdatasync": "sync",
    "truncate": "truncate", "ftruncate": "truncate", "fallocate": "reserve",
    "chmod": "chmod", "fchmod": "chmod", "fchmodat": "chmod",
    "rename": "rename", "renameat": "rename", "renameat2": "rename", "link": "link", "linkat": "link",
    "unlink": "unlink", "unlinkat": "unlink", "rmdir": "unlink", "mkdir": "mkdir", "mkdirat": "mkdir",
    "symlink": "symlink", "symlinkat": "symlink", "ioctl": "clone", "copy_file_range": "copy", "sendfile": "copy",
    "utimensat": "time", "chown": "owner", "fchown": "owner", "fchownat": "owner", "setxattr": "attribute",
    "fsetxattr": "attribute",
}
CALL = re.compile(r"^\d+\s+(\w+)\((.*)\)\s+= (-?\d+)")
# A name in a folder's descriptor, or a name alone: `4</folder>, "name"`, `"/name"`.
NAME = re.compile(r'(?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"([^"]*)"')
DESCRIPTOR = re.compile(r"\d+<([^>]*)>")
# What nobody has to survive: the story's own rot, and SQLite as root, which gives its files the database's owner.
NOT_THE_AGENT = {
    "chmod state/slots/b/model.onnx", "write state/slots/b/model.onnx", "owner state/journal.db-journal",
    "owner state/journal.db-wal",
}


def name_of(path: str, scratch: str) -> str:
    """The path below the scratch folder, as the points are named."""
    name = path.removeprefix(scratch + "/").removesuffix(" (deleted)") if path != scratch else "."
    name = re.sub(r"[0-9a-f]{64}", "<digest>", name)
    return re.sub(r"\.new-[0-9a-f]{16}", ".new-*", name)


def place(call: str, word: str, arguments: str) -> str:
    """The path that a call makes or changes: of two names or descriptors the second."""
    if word in ("write", "sync", "reserve", "punch", "clone", "copy") or call.startswith("f") and call not in ("fchmodat", "fchownat"):
        found = DESCRIPTOR.findall(arguments)
        return found[1] if call == "copy_file_range" else found[0]
    folder, name = NAME.findall(arguments)[-1 if word in ("rename", "link", "symlink") else 0]
    return name if name.startswith("/") or not folder else f"{folder}/{name}"


def traced(trace: str, scratch: str) -> Counter[str]:
    calls: list[tuple[str, str]] = []
    for line in trace.splitlines():
        match = CALL.match(line)
        if not match or int(match[3]) < 0:
            continue
        word, arguments = WORDS[match[1]], match[2]
        if word == "open" and "O_CREAT" not in arguments and match[1] != "creat":
            continue
        if "PUNCH_HOLE" in arguments:
            word = "punch"
        if word == "clone" and "FICLONE" not in arguments:
            continue
        path = place(match[1], word, arguments)
        if path.startswith(scratch + "/state") or (word == "sync" and path == scratch):
            calls.append((word, name_of(path, scratch)))
    # The scratch folder is taken away at the end; the story ends with the last call of another kind, and the journal's own.
    end = max(index for index, (word, _) in enumerate(calls) if word not in ("unlink", "sync"))
    closing = [call for call in calls[end + 1:] if call == ("sync", "state/journal.db") or call[1].startswith("state/journal.db-")]
    kept = calls[:end + 1] + closing
    return Counter(f"{word} {name}" for word, name in kept if f"{word} {name}" not in NOT_THE_AGENT)


def main() -> int:
    agent = Path(sys.argv[1]).resolve()
    with tempfile.NamedTemporaryFile("r") as trace:
        told = subprocess.run(
            ["strace", "-f", "-y", "-qq", "-s", "0", "-o", trace.name, "-e", "trace=" + ",".join(WORDS), agent, "points"],
            check=True, stdout=subprocess.PIPE, text=True).stdout
        text = trace.read()
    scratch = re.search(r'mkdir(?:at)?\([^"]*"([^"]*/fieldfare-crash-\w+)"', text)
    if not scratch:
        print("crash_trace: expected the story's folder in the trace, found none")
        return 1
    seen: Counter[str] = Counter()
    floating: set[str] = set()
    for line in told.splitlines():
        count, name = line.split(" ", 1)
        # A commit is a sync of SQLite's log.
        name = re.sub("^commit ", "sync ", name)
        if count == "+":
            floating.add(name)
        else:
            seen[name] += int(count)
    asked = traced(text, scratch[1])
    wrong = 0
    for name in sorted(set(seen) | set(asked)):
        if name not in floating and seen[name] != asked[name]:
            print(f"{name}: the port has seen {seen[name]}, the kernel {asked[name]}")
            wrong += 1
    print(f"trace: {sum(asked.values())} calls that change the disk, by {len(asked)} names, {wrong} of them counted otherwise")
    return 1 if wrong or not asked else 0


if __name__ == "__main__":
    sys.exit(main())
