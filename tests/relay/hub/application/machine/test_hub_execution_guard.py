"""The limit of a block's execution, and the marker that outlives the process."""

import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.relay.evm.store.lmdb_store import StoreFull
from hutong.relay.hub.application.governance.coming import UnknownRulesVersion
from hutong.relay.hub.chain.execution_guard import ExecutionFailed, ExecutionGuard, ExecutionLimits, resident_bytes
from hutong.relay.hub.skipping.marker import (
    MARKER_BYTES,
    MARKER_FILE,
    ExecutionMarker,
    MarkerFile,
    Stage,
    decode_marker,
    encode_marker,
    load_marker,
)

BLOCK = (7, b"\x07" * 32, b"\x06" * 32)


def spin():
    while True:
        pass


def test_an_execution_within_its_limits_gives_its_result_and_is_marked_executed(tmp_path):
    guard = ExecutionGuard(tmp_path)
    assert guard.run(*BLOCK, lambda: load_marker(tmp_path).stage) is Stage.BEGUN
    assert load_marker(tmp_path) == ExecutionMarker(*BLOCK, Stage.EXECUTED)
    assert load_marker(tmp_path).why_failed() is None


def test_a_runaway_is_stopped_at_its_time_and_the_reason_is_on_disk(tmp_path):
    guard = ExecutionGuard(tmp_path, ExecutionLimits(time_s=0.2))
    started_s = time.monotonic()
    with pytest.raises(ExecutionFailed, match=r"longer than 0.2 s .*hutong hub skip status"):
        guard.run(*BLOCK, spin)
    assert time.monotonic() - started_s < 5
    assert load_marker(tmp_path).why_failed() == "it took longer than 0.2 s"
    assert guard.run(*BLOCK, lambda: 5) == 5, "a later try may succeed, and nothing is left of the stop"


def test_a_runaway_that_catches_every_error_is_stopped_too(tmp_path):
    def stubborn():
        while True:
            try:
                sum(range(1_000))
            except Exception:
                continue

    with pytest.raises(ExecutionFailed):
        ExecutionGuard(tmp_path, ExecutionLimits(time_s=0.2)).run(*BLOCK, stubborn)


class Swallows:
    """Its destructor runs for long in whatever thread drops it, and lets no exception out."""

    def __del__(self) -> None:
        until_s = time.monotonic() + 0.3
        while time.monotonic() < until_s:
            pass


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_stop_that_a_destructor_swallows_is_sent_again(tmp_path):
    def drops():
        while True:
            Swallows()
            until_s = time.monotonic() + 0.3
            while time.monotonic() < until_s:
                pass

    with pytest.raises(ExecutionFailed):
        ExecutionGuard(tmp_path, ExecutionLimits(time_s=0.2), grace_s=60).run(*BLOCK, drops)


def test_memory_above_the_limit_stops_the_execution(tmp_path):
    held = []

    def hoard():
        while True:
            held.append(bytearray(2**20))
            held[-1][::4096] = b"x" * 256
            time.sleep(0.001)

    with pytest.raises(ExecutionFailed, match="more than 64 MiB"):
        ExecutionGuard(tmp_path, ExecutionLimits(memory_mib=64)).run(*BLOCK, hoard)
    assert len(held) < 1_024
    assert resident_bytes() > 64 * 2**20


@pytest.mark.parametrize("error", [ValueError("odd"), MemoryError(), RecursionError("deep")])
def test_any_other_error_of_an_execution_counts_as_failed(tmp_path, error):
    def fails():
        raise error

    with pytest.raises(ExecutionFailed, match=type(error).__name__):
        ExecutionGuard(tmp_path).run(*BLOCK, fails)
    assert load_marker(tmp_path).failed == 1


@pytest.mark.parametrize("error", [OSError("no space"), StoreFull(1, 1), UnknownRulesVersion("4")])
def test_a_full_disk_or_missing_rules_are_no_reason_to_skip(tmp_path, error):
    def fails():
        raise error

    for _ in range(3):
        with pytest.raises(type(error)):
            ExecutionGuard(tmp_path).run(*BLOCK, fails)
    assert load_marker(tmp_path).why_failed() is None
    assert load_marker(tmp_path).stage is Stage.PUT_OFF


def test_a_process_that_was_killed_twice_in_one_block_could_not_execute_it(tmp_path):
    assert MarkerFile(tmp_path).begin(*BLOCK).why_failed() is None, "once may be a power cut"
    assert MarkerFile(tmp_path).begin(*BLOCK).why_failed() == "the process ended 2 times while executing it"
    other = MarkerFile(tmp_path).begin(7, b"\x01" * 32, BLOCK[2])
    assert other.attempts == 1, "another block of the height begins anew"


@pytest.mark.long
def test_a_kill_in_the_middle_of_an_execution_leaves_word(tmp_path):
    code = (
        "import os, pathlib, sys\n"
        "from hutong.relay.hub.chain.execution_guard import ExecutionGuard\n"
        f"ExecutionGuard(pathlib.Path({str(tmp_path)!r})).run({BLOCK[0]}, {BLOCK[1]!r}, {BLOCK[2]!r}, lambda: os.kill(os.getpid(), 9))\n"
    )
    for attempts in (1, 2):
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
        assert load_marker(tmp_path).attempts == attempts
    assert "ended 2 times" in load_marker(tmp_path).why_failed()


@pytest.mark.long
def test_an_execution_inside_a_library_ends_with_its_process(tmp_path):
    """Which does not look at exceptions meanwhile."""
    code = (
        "import pathlib, time\n"
        "from hutong.relay.hub.chain.execution_guard import ExecutionGuard, ExecutionLimits\n"
        f"guard = ExecutionGuard(pathlib.Path({str(tmp_path)!r}), ExecutionLimits(time_s=0.1), grace_s=0.2)\n"
        f"guard.run({BLOCK[0]}, {BLOCK[1]!r}, {BLOCK[2]!r}, lambda: time.sleep(60))\n"
    )
    started_s = time.monotonic()
    ended = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert ended.returncode == 1
    assert time.monotonic() - started_s < 30
    assert "hub halted: block 7" in ended.stderr and "did not end when told" in ended.stderr
    assert load_marker(tmp_path).failed == 1


def test_a_stop_never_leaks_into_what_follows(tmp_path):
    """The limit and the end of the execution meet."""
    guard = ExecutionGuard(tmp_path, ExecutionLimits(time_s=0.05))
    outcomes = set()
    for wait_s in [0.095, 0.1, 0.102, 0.105, 0.11] * 4:
        try:
            outcomes.add(
                guard.run(
                    *BLOCK, lambda wait_s=wait_s: [time.sleep(0.001) for _ in range(int(wait_s * 1_000))] and "ended"
                )
            )
        except ExecutionFailed:
            outcomes.add("stopped")
        total = sum(range(20_000))
        assert total == 199_990_000
    assert outcomes <= {"ended", "stopped"}
    assert not [thread for thread in threading.enumerate() if thread.name == "execution watch" and not thread.daemon]


def test_a_marker_returns_as_it_was_written_and_a_torn_one_says_nothing(tmp_path):
    marker = ExecutionMarker(*BLOCK, Stage.FAILED, 1, 2, "x" * 300)
    data = encode_marker(marker)
    assert len(data) == MARKER_BYTES and decode_marker(data) == marker
    (tmp_path / MARKER_FILE).write_bytes(data[:500] + bytes(524))
    assert load_marker(tmp_path) is None
    assert marker.why_failed() == "x" * 300
    assert replace(marker, stage=Stage.EXECUTED).why_failed() is None


@given(st.binary(max_size=MARKER_BYTES + 5))
def test_any_bytes_are_a_marker_or_none(data):
    assert decode_marker(data) is None
    padded = data.ljust(MARKER_BYTES)[:MARKER_BYTES]
    assert decode_marker(padded) is None or encode_marker(decode_marker(padded)) == padded
