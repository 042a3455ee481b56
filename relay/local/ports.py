"""TCP ports of the loopback address for programs that are started, killed and started again at the same place.

A port that the kernel hands out is one that it may hand to the next outgoing connection before the program listens.
These are from below its range, and no two processes of this user get the same one: each holds a lock on the port's byte
of a file, until it ends.
"""

import fcntl
import os
import secrets
import socket
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from hutong.relay.local.processes import DemoFailed

LOWEST, HIGHEST = 19_000, 26_499
"""Below the kernel's own choices (Linux from 32 768, macOS from 49 152), and clear of the ports that our pages
print."""
TRIES = 1_000

CLAIMED: set[int] = set()
"""Ports that this process has claimed."""
_claims: list[int] = []
"""The one descriptor of the file of claims: closing any would give back every lock of this process."""


def free_port() -> int:
    """A port that nobody listens on, claimed for as long as this process lives.

    Raises:
        DemoFailed: as `free_base_port`.
    """
    return free_base_port((0,))


def free_ports(count: int) -> list[int]:
    """The same for `count` of them, all different; they need not be neighbours.

    Raises:
        DemoFailed: as `free_base_port`.
    """
    return [free_port() for _ in range(count)]


def free_base_port(offsets: Sequence[int]) -> int:
    """A port with which every `base + offset` is free and claimed.

    Args:
        offsets: of 0 and more, at least one.

    Raises:
        DemoFailed: none was found between LOWEST and HIGHEST in TRIES tries.
        OSError: the file of claims cannot be opened.
    """
    last = HIGHEST - max(offsets)
    for _ in range(TRIES):
        base = LOWEST + secrets.randbelow(last - LOWEST + 1)
        if _claim([base + offset for offset in offsets]):
            return base
    raise DemoFailed(f"no free ports between {LOWEST} and {last} in {TRIES} tries")


def claim_base_port(base: int, offsets: Sequence[int]) -> int:
    """The given base, when every `base + offset` is free; all are claimed then.

    Raises:
        DemoFailed: somebody listens on one, or another process of this user has claimed it.
        OSError: the file of claims cannot be opened.
    """
    if not _claim([base + offset for offset in offsets]):
        taken = [base + offset for offset in offsets if not _all_free([base + offset])]
        which = f"port {taken[0]}" if taken else "one of them"
        raise DemoFailed(f"the ports from {base} to {base + max(offsets)} are not all free: {which} is taken")
    return base


def _claim(ports: Sequence[int]) -> bool:
    if not CLAIMED.isdisjoint(ports):
        return False
    held = []
    for port in ports:
        try:
            fcntl.lockf(_file(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
        except OSError:
            break
        held.append(port)
    if len(held) == len(ports) and _all_free(ports):
        CLAIMED.update(ports)
        return True
    for port in held:
        fcntl.lockf(_file(), fcntl.LOCK_UN, 1, port)
    return False


def _file() -> int:
    if not _claims:
        path = Path(tempfile.gettempdir()) / f"hutong-ports-{os.getuid()}"
        _claims.append(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
    return _claims[0]


def _all_free(ports: Iterable[int]) -> bool:
    for port in ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True
