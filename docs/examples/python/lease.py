#!/usr/bin/env python3
"""A voice application in short, as docs/examples/c/lease.c, by ctypes alone.

    lease.py libfieldfare.so.0 /run/fieldfare-agent/agent.sock /var/lib/fieldfare-agent/slots
"""

import ctypes
import sys
from ctypes import POINTER, Structure, byref, c_char_p, c_int, c_int32, c_int64, c_size_t, c_uint32, c_void_p, sizeof
from pathlib import Path

OK, CLOUD_ONLY, NOTHING = 0, 20, 21
MODEL = 1


class Turn(Structure):
    """fieldfare_turn"""
    _fields_ = [("size", c_uint32), ("flags", c_uint32), ("latency_us", c_int64), ("cpu_us", c_int64),
                ("memory_kib", c_int64), ("confidence", c_int32), ("words", c_int32), ("word_errors", c_int32),
                ("reserved", c_int32), ("locale", c_char_p)]


class Event(Structure):
    """fieldfare_event"""
    _fields_ = [("size", c_uint32), ("kind", c_uint32), ("within_s", c_int64), ("version", c_char_p),
                ("state", c_char_p), ("slot", c_char_p)]


class Fieldfare:
    """The functions of fieldfare.h; a handle is a c_void_p."""

    FUNCTIONS = {
        "last_error": (c_char_p, []),
        "connect": (c_int, [c_char_p, c_int, POINTER(c_void_p)]),
        "disconnect": (None, [c_void_p]),
        "lease_model": (c_int, [c_void_p, c_char_p, POINTER(c_void_p)]),
        "lease_direct": (c_int, [c_char_p, POINTER(c_void_p)]),
        "lease_end": (None, [c_void_p]),
        "lease_path": (c_char_p, [c_void_p]),
        "lease_version": (c_char_p, [c_void_p]),
        "lease_slot": (c_char_p, [c_void_p]),
        "acknowledge": (c_int, [c_void_p, c_void_p]),
        "record": (c_int, [c_void_p, c_char_p, POINTER(Turn), c_size_t]),
        "watch": (c_int, [c_void_p]),
        "next_event": (c_int, [c_void_p, c_int, POINTER(Event)]),
    }

    def __init__(self, library: str):
        loaded = ctypes.CDLL(library)
        for name, (result, arguments) in self.FUNCTIONS.items():
            function = getattr(loaded, f"fieldfare_{name}")
            function.restype, function.argtypes = result, arguments
            setattr(self, name, function)

    def check(self, code: int) -> None:
        """Raises what the library says of a code that is a failure."""
        if code != OK:
            raise OSError(code, self.last_error().decode())


def load(library: Fieldfare, lease: c_void_p) -> None:
    """Where a real application loads its recogniser."""
    (Path(library.lease_path(lease).decode()) / "tokens.txt").read_bytes()
    print("loaded", library.lease_version(lease).decode(), "from slot", library.lease_slot(lease).decode(), flush=True)


def main(library: Fieldfare, socket: str, slots: str) -> int:
    """Follows the agent until it has nothing new for a minute."""
    agent, held = c_void_p(), c_void_p()
    if library.connect(socket.encode(), 10_000, byref(agent)) != OK:
        print("connect:", library.last_error().decode(), file=sys.stderr)
        code = library.lease_direct(slots.encode(), byref(held))
        if code == CLOUD_ONLY:
            print("no model: the cloud is asked")
            return code
        library.check(code)
        load(library, held)
        library.lease_end(held)
        return 0
    library.check(library.watch(agent))
    while True:
        event = Event(size=sizeof(Event))
        code = library.next_event(agent, 60_000, byref(event))
        if code == NOTHING:
            break
        library.check(code)
        if event.kind == MODEL and event.version is None:
            print("no model: the cloud is asked")
            break
        if event.kind != MODEL or event.version == library.lease_version(held):
            continue
        lease = c_void_p()
        library.check(library.lease_model(agent, b"example", byref(lease)))
        load(library, lease)
        library.check(library.acknowledge(agent, lease))
        library.lease_end(held)
        held = lease
        turn = Turn(size=sizeof(Turn), latency_us=412_000, cpu_us=15_300, memory_kib=-1, confidence=921, words=-1)
        library.check(library.record(agent, library.lease_version(held), byref(turn), 1))
    library.lease_end(held)
    library.disconnect(agent)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(Fieldfare(sys.argv[1]), *sys.argv[2:]))
    except OSError as error:
        sys.exit(f"agent: {error.strerror}")
