"""What people see of the demonstration: a live timeline, progress bars on a terminal, and the table at the end."""

import json
import shutil
import sys
import time
from pathlib import Path

IS_TERMINAL = sys.stdout.isatty()
BAR = 24


class Timeline:
    """Lines with the seconds since the start; below them, on a terminal, one line that is redrawn in place."""

    def __init__(self):
        self.start = time.monotonic()
        # What the live line shows, and what was last shown of it.
        self.live = ""
        self.shown = ""

    def chapter(self, title: str) -> None:
        self.line("")
        self.line(f"== {title}")

    def say(self, text: str) -> None:
        self.line(f"{time.monotonic() - self.start:6.1f} s  {text}")

    def line(self, text: str) -> None:
        self.clear()
        print(text, flush=True)

    def progress(self, label: str, done: int, whole: int, more: str = "") -> None:
        """Redraws the bar; where there is no terminal, a plain line each time that the figures change."""
        if not IS_TERMINAL:
            text = f"{label}: {done} of {whole}{', ' + more if more else ''}"
            if text != self.shown:
                self.shown = text
                self.say(text)
            return
        full = BAR * done // max(1, whole)
        text = f"          [{'#' * full}{'.' * (BAR - full)}] {done}/{whole} {label}  {more}"
        text = text[:shutil.get_terminal_size().columns - 1]
        print("\r\033[K" + text, end="", flush=True)
        self.live = text

    def clear(self) -> None:
        if IS_TERMINAL and self.live:
            print("\r\033[K", end="")
        self.live = ""


class Expectations:
    """What was expected, and what was seen."""

    def __init__(self, timeline: Timeline):
        self.timeline = timeline
        self.rows: list[tuple[bool, str, str, str]] = []

    def equal(self, what: str, expected, seen) -> None:
        self.add(what, expected, seen, expected == seen)

    def add(self, what: str, expected, seen, is_met: bool) -> None:
        self.rows.append((bool(is_met), what, str(expected), str(seen)))
        self.timeline.say(f"{'ok' if is_met else 'FAILED'}: {what}: {seen}" + ("" if is_met else f" (expected {expected})"))

    @property
    def failed(self) -> int:
        return sum(not is_met for is_met, *_ in self.rows)

    def table(self) -> None:
        widths = [max(len(row[column]) for row in self.rows) for column in (1, 2)]
        room = shutil.get_terminal_size((200, 24)).columns - sum(widths) - 12
        self.timeline.line("")
        self.timeline.line(f"{'':8}{'what':{widths[0]}}  {'expected':{widths[1]}}  seen")
        for is_met, what, expected, seen in self.rows:
            self.timeline.line(f"{'ok' if is_met else 'FAILED':8}{what:{widths[0]}}  {expected:{widths[1]}}  {seen[:max(room, 20)]}")
        took = time.monotonic() - self.timeline.start
        self.timeline.line("")
        self.timeline.line(f"{len(self.rows) - self.failed} of {len(self.rows)} as expected, in {took:.0f} s")

    def write(self, path: Path) -> None:
        """The table as JSON, for programs."""
        path.write_text(
            json.dumps([dict(met=a, what=b, expected=c, seen=d) for a, b, c, d in self.rows], indent=1) + "\n",
            encoding="utf-8")
