"""The limit of one block's execution: time and memory, watched from beside, since what runs away does not look at a clock.

The executing thread is stopped by an exception that it does not expect. Where it does not end, being inside a library, the process
does: nothing of a block is on disk before the whole of it is.
"""

import ctypes
import os
import random
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import lmdb

from hutong.relay.evm.store.lmdb_store import StoreFull
from hutong.relay.hub.application.application import OutOfOrder, SnapshotLied
from hutong.relay.hub.application.governance.coming import RevisionEnded, UnknownRulesVersion
from hutong.relay.hub.application.skipped_blocks import SkipBroken
from hutong.relay.hub.halting import NodeMustHalt
from hutong.relay.hub.skipping.marker import ExecutionMarker, MarkerFile
from hutong.relay.hub.state import StateDamaged

T = TypeVar("T")
POLL_S = 0.05
GRACE_S = 5.0
AGAIN_S = 0.5
EXIT_HALTED = 1
_STATM = Path("/proc/self/statm")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


NOT_THE_BLOCKS_FAULT = (
    OSError,
    lmdb.Error,
    OutOfOrder,
    RevisionEnded,
    SkipBroken,
    SnapshotLied,
    StateDamaged,
    StoreFull,
    UnknownRulesVersion,
)
"""A disk, a wrong home or an old version: nobody signs a skip for these."""


@dataclass(frozen=True, slots=True)
class ExecutionLimits:
    """Of one block on this node. An honest full block stays far below both; a node may be given more, never the chain."""

    time_s: float = 120.0
    memory_mib: int = 2_048
    """Resident memory above what the process had at the block's start."""


DEFAULT_LIMITS = ExecutionLimits()


class ExecutionFailed(NodeMustHalt):
    """This node cannot execute a decided block, and must halt."""

    def __init__(self, marker: ExecutionMarker, reason: str, home: Path) -> None:
        self.marker, self.reason, self.home = marker, reason, home
        super().__init__(marker, reason, home)

    def __str__(self) -> str:
        return (
            f"block {self.marker.height} ({self.marker.block_hash.hex()[:16]}) was decided and cannot be executed here:"
            f" {self.reason} (attempt {self.marker.attempts}). Start again to try again, with more if this machine has it; if other"
            f" members fail too: `hutong hub skip status --home {self.home}` says what to do"
        )


class _Stopped(BaseException):
    """No handler of errors takes it for its own."""


class ExecutionGuard:
    """Of one home. `run` is called by the one thread that executes blocks."""

    def __init__(self, home: Path, limits: ExecutionLimits = DEFAULT_LIMITS, grace_s: float = GRACE_S) -> None:
        self._home = home
        self._limits = limits
        self._grace_s = grace_s
        self._file = MarkerFile(home)

    @property
    def marker(self) -> ExecutionMarker | None:
        """What is known of the newest execution here; None where no block was executed under a guard."""
        return self._file.marker

    def run(self, height: int, block_hash: bytes, prior_app_hash: bytes, execute: Callable[[], T]) -> T:
        """Run `execute` within the limits, with the marker of the block on disk before, and return what it returns.

        Where the executing thread does not end within the grace after a limit, the process exits with EXIT_HALTED.

        Raises:
            ExecutionFailed: `execute` raised, or was stopped at a limit; the marker says so.
            OSError: the marker cannot be written, and then nothing is executed; or `execute` raised it.
            Exception: what is not the block's fault (NOT_THE_BLOCKS_FAULT) comes through as it is.
        """
        self._file.begin(height, block_hash, prior_app_hash)
        watch = _Watch(self._limits, self._grace_s, self._given_up)
        try:
            try:
                watch.start()
                result = execute()
            finally:
                watch.stop()
        except _Stopped:
            raise self._failed(watch.reason) from None
        except NOT_THE_BLOCKS_FAULT as error:
            self._file.put_off(str(error))
            raise
        except Exception as error:
            raise self._failed(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__) from error
        finally:
            watch.stop()
        self._file.executed()
        return result

    def _failed(self, reason: str) -> ExecutionFailed:
        self._file.failed(reason)
        assert self._file.marker is not None
        return ExecutionFailed(self._file.marker, reason, self._home)

    def _given_up(self, reason: str) -> None:
        """The executing thread does not end. Called in the watching one."""
        sys.stderr.write(f"hub halted: {self._failed(f'{reason}, and did not end when told')}\n")
        sys.stderr.flush()
        os._exit(EXIT_HALTED)


class _Watch:
    """One execution, seen by a thread of its own."""

    def __init__(self, limits: ExecutionLimits, grace_s: float, given_up: Callable[[str], None]) -> None:
        self._limits = limits
        self._grace_s = grace_s
        self._given_up = given_up
        self._over = threading.Event()
        self._deciding = threading.Lock()
        self._thread_id = threading.get_ident()
        self.reason = ""

    def start(self) -> None:
        threading.Thread(target=self._watch, name="execution watch", daemon=True).start()

    def stop(self) -> None:
        """An exception that is under way arrives in here, and none comes after it."""
        self._over.set()
        with self._deciding:
            pass
        if self.reason:
            # The interpreter looks for such exceptions where a loop goes back.
            for _ in range(1_000):
                pass

    def _watch(self) -> None:
        began_s, before_bytes = time.monotonic(), resident_bytes()
        while not self._over.wait(POLL_S):
            reason = self._exceeded(time.monotonic() - began_s, resident_bytes() - before_bytes)
            if reason is not None:
                self._end(reason)
                return

    def _end(self, reason: str) -> None:
        """The exception is sent again for as long as the thread does not end: a destructor that runs in it swallows any. The times
        between are uneven, or they could fall in step with a loop that drops such objects."""
        until_s = time.monotonic() + self._grace_s
        while time.monotonic() < until_s:
            with self._deciding:
                if self._over.is_set():
                    return
                self.reason = reason
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._thread_id), ctypes.py_object(_Stopped))
            uneven_s = AGAIN_S * (0.5 + random.random())  # noqa: S311  no secret
            if self._over.wait(min(uneven_s, self._grace_s)):
                return
        self._given_up(reason)

    def _exceeded(self, took_s: float, grown_bytes: int) -> str | None:
        if took_s > self._limits.time_s:
            return f"it took longer than {self._limits.time_s:g} s"
        if grown_bytes > self._limits.memory_mib * 2**20:
            return f"it took more than {self._limits.memory_mib} MiB"
        return None


def resident_bytes() -> int:
    """Resident memory of this process now; 0 on a system without /proc."""
    try:
        return int(_STATM.read_bytes().split()[1]) * _PAGE_BYTES
    except (OSError, IndexError, ValueError):
        return 0  # no such file on this system: time alone limits
