#!/usr/bin/env python3
"""Feeds the readers of bytes from outside with what libFuzzer thinks of, each for a given time.

First each of three readers must show that a bug planted in it is found; then the sound ones run, from the seeds in
fixtures/fuzz and from what earlier runs have found (.build-fuzz/corpus). A finding is kept in .build-fuzz/findings,
and stays a finding until it is mended: it is tried again at every run.

    scripts/fuzz.py                          all parsers, 60 seconds each
    scripts/fuzz.py --seconds N PARSER...    some of them, for another time
    scripts/fuzz.py --runs N                 until each has had so many executions, instead of a time

Prints a line for each parser: executions, executions a second, and the lines of the readers that were covered.
Exit status: 0 without a finding, 1 with one, 2 for wrong usage or where nothing could be built.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / ".build-fuzz"
SEEDS = ROOT / "fixtures/fuzz"
MODULES = ["Primitives", "Cryptography", "TUF", "Speech", "ModelBundle"]
PARSERS = ["json", "root", "timestamp", "snapshot", "targets", "manifest"]
# The tools that come with the compiler; others read another format.
TOOLS = Path(shutil.which("swiftc") or "swiftc").resolve().parent
# Most bytes of an input: deep enough for every structure, short enough for many executions.
LENGTH = 4096
# What a planted bug may take to be found.
PLANTED_SECONDS = 120
# Parser, file, the check that is taken out (once in the file), and what stands there instead.
PLANTED = [
    ("json", "Sources/Primitives/JSON+Reading.swift",
     "guard (0xDC00..<0xE000).contains(second) else { throw .invalidEscape(offset: start) }", ""),
    ("root", "Sources/Primitives/UTCTime.swift", "guard bytes.count == 20 else { return nil }", ""),
    ("manifest", "Sources/ModelBundle/Manifest/ManifestFile.swift",
     'fields.integer("length", in: Self.lengthRange)', 'fields.integer("length", in: 0...Int64.max)'),
]


def run(command: list, **options) -> subprocess.CompletedProcess:
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, errors="replace", **options)


def compile_with(flags: list, words: list) -> None:
    """Runs the compiler; ends the program where it fails."""
    result = run(["swiftc", *flags, *words], cwd=ROOT)
    if result.returncode:
        print(result.stderr[-4000:], file=sys.stderr)
        print("fuzz: expected the readers to compile, got the above", file=sys.stderr)
        sys.exit(2)


def house_flags() -> list:
    """The upcoming features that Package.swift turns on, which the sources count on."""
    manifest = (ROOT / "Package.swift").read_text(encoding="utf-8")
    flags = ["-parse-as-library", "-swift-version", "6", "-package-name", "fieldfare"]
    for feature in re.findall(r'\.enableUpcomingFeature\("(\w+)"\)', manifest):
        flags += ["-enable-upcoming-feature", feature]
    for name in ("CSodium", "CLibcrypto"):
        flags += ["-Xcc", f"-fmodule-map-file={ROOT}/Sources/{name}/module.modulemap"]
    return flags


def build(name: str, kind: list, sources: dict[str, Path]) -> Path:
    """Compiles the readers and the harness with flags of one kind; `sources` replaces files."""
    folder = BUILD / name
    folder.mkdir(parents=True, exist_ok=True)
    flags = [*house_flags(), *kind, "-I", folder]
    objects = []
    for module in MODULES:
        files = [sources.get(str(path.relative_to(ROOT)), path) for path in sorted((ROOT / "Sources" / module).rglob("*.swift"))]
        objects.append(folder / f"{module}.o")
        compile_with(flags, ["-wmo", "-module-name", module, "-emit-module", "-emit-module-path",
                             folder / f"{module}.swiftmodule", "-c", *files, "-o", objects[-1]])
    compile_with(flags, ["-wmo", "-module-name", "Fuzz", ROOT / "Tests/Fuzz/Fuzz.swift", *objects, "-o", folder / "fuzz"])
    return folder / "fuzz"


def plant() -> dict[str, Path]:
    """Copies of the files with the planted bugs in them."""
    copies = {}
    for _, name, check, instead in PLANTED:
        text = (ROOT / name).read_text(encoding="utf-8")
        if text.count(check) != 1:
            print(f"fuzz: {name}: expected the check '{check}' once, got {text.count(check)} times", file=sys.stderr)
            sys.exit(2)
        copy = BUILD / "planted-sources" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(text.replace(check, instead), encoding="utf-8")
        copies[name] = copy
    return copies


def fuzz(program: Path, parser: str, corpus: Path, findings: Path, limits: list) -> subprocess.CompletedProcess:
    """One run of libFuzzer, which stops at the first finding."""
    corpus.mkdir(parents=True, exist_ok=True)
    findings.mkdir(parents=True, exist_ok=True)
    return run([program, corpus, SEEDS / parser, f"-dict={SEEDS}/tokens.dict", f"-max_len={LENGTH}", "-timeout=10",
                "-rss_limit_mb=1024", "-print_final_stats=1", "-seed=1", f"-artifact_prefix={findings}/", *limits],
               env={**os.environ, "FUZZ_PARSER": parser, "SWIFT_BACKTRACE": "enable=no"})


def stat(output: str, name: str) -> int:
    found = re.search(rf"stat::{name}:\s+(\d+)", output)
    return int(found.group(1)) if found else 0


def find_planted() -> None:
    """Every planted bug must be found, or the fuzzing proves nothing."""
    program = build("planted", ["-O", "-sanitize=fuzzer"], plant())
    for parser, name, _, _ in PLANTED:
        folder = BUILD / "planted-runs" / parser
        shutil.rmtree(folder, ignore_errors=True)
        result = fuzz(program, parser, folder / "corpus", folder / "findings", [f"-max_total_time={PLANTED_SECONDS}"])
        found = list((folder / "findings").glob("crash-*"))
        if result.returncode == 0 or not found:
            print(f"fuzz: {parser}: expected the bug planted in {name} to be found, got none", file=sys.stderr)
            sys.exit(1)
        print(f"planted  {parser:10} found after {stat(result.stderr, 'number_of_executed_units'):,} executions: {name}", flush=True)


def coverage(program: Path, parser: str) -> str:
    """Lines of the readers' sources that the corpus of one parser runs, of those that it could."""
    folder = BUILD / "coverage-runs" / parser
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    run([program, "-runs=0", BUILD / "corpus" / parser, SEEDS / parser],
        env={**os.environ, "FUZZ_PARSER": parser, "LLVM_PROFILE_FILE": str(folder / "raw")})
    run([TOOLS / "llvm-profdata", "merge", folder / "raw", "-o", folder / "profile"])
    report = run([TOOLS / "llvm-cov", "export", "-summary-only", program, f"-instr-profile={folder / 'profile'}"])
    covered = total = 0
    wanted = {"json": ["Primitives/JSON+Reading"], "manifest": ["ModelBundle/Manifest/"]}.get(parser, ["TUF/Metadata/"])
    for file in json.loads(report.stdout)["data"][0]["files"]:
        if any(f"/Sources/{part}" in file["filename"] for part in wanted):
            covered += file["summary"]["lines"]["covered"]
            total += file["summary"]["lines"]["count"]
    return f"{covered} of {total} lines of {', '.join(wanted)}"


def main() -> int:
    parser = argparse.ArgumentParser(description="Fuzzes the readers of bytes from outside.")
    parser.add_argument("parsers", nargs="*", metavar="PARSER", help=f"one of: {', '.join(PARSERS)}")
    parser.add_argument("--seconds", type=int, default=60, help="for each parser (60)")
    parser.add_argument("--runs", type=int, help="executions for each parser, instead of a time")
    arguments = parser.parse_args()
    unknown = set(arguments.parsers) - set(PARSERS)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    find_planted()
    program = build("sound", ["-O", "-sanitize=fuzzer"], {})
    measured = build("covered", ["-Onone", "-sanitize=fuzzer", "-profile-generate", "-profile-coverage-mapping"], {})
    limits = [f"-runs={arguments.runs}"] if arguments.runs else [f"-max_total_time={arguments.seconds}"]
    findings = 0
    for name in arguments.parsers or PARSERS:
        kept = BUILD / "findings" / name
        for old in sorted(kept.glob("*")):
            again = run([program, old], env={**os.environ, "FUZZ_PARSER": name, "SWIFT_BACKTRACE": "enable=no"})
            if again.returncode:
                findings += 1
                print(f"FINDING  {name:10} still there: {old.relative_to(ROOT)}", flush=True)
        result = fuzz(program, name, BUILD / "corpus" / name, kept, limits)
        executed, rate = (stat(result.stderr, key) for key in ("number_of_executed_units", "average_exec_per_sec"))
        verdict = "sound" if result.returncode == 0 else "FINDING"
        findings += result.returncode != 0
        print(f"{verdict:8} {name:10} {executed:,} executions, {rate:,} a second; {coverage(measured, name)}", flush=True)
        if result.returncode:
            print(result.stderr[-3000:], file=sys.stderr)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
