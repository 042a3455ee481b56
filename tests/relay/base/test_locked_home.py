"""A home and a file have one holder, among processes, threads and versions, and a dead one holds nothing."""

import ast
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.relay.base.file_lock import FileLock, is_locked
from hutong.relay.base.locked_home import HomeKind, HomeNotLocked, hold_home, lock_home

ROOT = Path(__file__).parents[3]
KIND = HomeKind("relay", "relay.lock", "give this one another relay.home")
HOLDER = """
import sys, time
from pathlib import Path
from hutong.relay.base.locked_home import HomeKind, HomeNotLocked, hold_home, lock_home
take, home, of_process_too = sys.argv[1:]
kind = HomeKind("relay", "relay.lock", of_process_too=bool(of_process_too))
try:
    lock = (lock_home if take == "lock" else hold_home)(Path(home), kind)
except HomeNotLocked as error:
    print(error, flush=True)
    sys.exit(2)
print("held", flush=True)
time.sleep(60)
"""
EARLIER = """
import os, sys, time
lock = os.open(sys.argv[1] + "/relay.lock", os.O_RDWR | os.O_CREAT, 0o600)
os.lockf(lock, os.F_TLOCK, 0)
print("held", flush=True)
time.sleep(60)
"""
"""How nodes locked their home before."""


@pytest.fixture
def process():
    started = []

    def start(program, *arguments):
        child = subprocess.Popen(
            [sys.executable, "-c", program, *map(str, arguments)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
        )  # fmt: skip
        started.append(child)
        return child, child.stdout.readline()

    yield start
    for child in started:
        child.kill()
        child.communicate()


@pytest.mark.parametrize("take", ["lock", "hold"])
def test_a_home_is_one_process_s_until_it_ends_however_it_ends(process, tmp_path, take):
    holder, said = process(HOLDER, take, tmp_path, "")
    assert said == "held\n"
    for other in ("lock", "hold"):
        refused, said = process(HOLDER, other, tmp_path, "")
        assert said == f"another relay runs in this home, {tmp_path}; stop it first\n"
        assert refused.wait(timeout=30) == 2
    with pytest.raises(HomeNotLocked, match="another relay runs in this home, .*; give this one another relay.home"):
        lock_home(tmp_path, KIND)
    holder.send_signal(signal.SIGKILL)
    holder.wait(timeout=30)
    assert (tmp_path / "relay.lock").exists(), "what says nothing about who holds it"
    lock_home(tmp_path, KIND).release()


def test_versions_exclude_each_other(process, tmp_path):
    earlier, said = process(EARLIER, tmp_path)
    assert said == "held\n"
    assert "another relay runs" in process(HOLDER, "hold", tmp_path, "yes")[1]
    earlier.kill()
    earlier.wait(timeout=30)
    assert process(HOLDER, "hold", tmp_path, "yes")[1] == "held\n"
    refused, said = process(EARLIER, tmp_path)
    assert (refused.wait(timeout=30), said) == (1, "")


def test_a_home_that_was_given_back_is_free_and_one_that_is_held_is_held_once(tmp_path):
    (tmp_path / "held").mkdir()
    for _ in range(3):
        lock_home(tmp_path / "home" / "deep", KIND).release()
        hold_home(tmp_path / "held", KIND)
    assert (tmp_path / "home" / "deep").stat().st_mode & 0o777 == 0o700
    with pytest.raises(HomeNotLocked, match="another relay runs"):
        lock_home(tmp_path / "held", KIND)


@pytest.mark.parametrize("take", [lock_home, hold_home])
def test_a_home_that_cannot_be_used_is_not_called_taken(tmp_path, take):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(HomeNotLocked) as caught:
        take(tmp_path / "file", KIND)
    assert str(caught.value).startswith(f"{tmp_path / 'file'} cannot be used as home: ")
    assert str(caught.value).endswith("; name a folder that this user can write")
    with pytest.raises(HomeNotLocked, match="absent/relay.lock: No such file"):
        hold_home(tmp_path / "absent", KIND)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=30))
def test_a_file_has_one_holder_at_every_moment(tmp_path_factory, steps):
    """Against a model: who holds which file."""
    folder, held = tmp_path_factory.mktemp("locks"), {}
    for name, takes in steps:
        if not takes:
            if name in held:
                held.pop(name).release()
        elif name in held:
            with pytest.raises(BlockingIOError):
                FileLock(folder / name, wait=False)
        else:
            held[name] = FileLock(folder / name, wait=False)
    for lock in held.values():
        lock.release()
        lock.release()
    for name in held:
        with FileLock(folder / name, wait=False):
            pass


def test_threads_wait_for_each_other(tmp_path):
    inside, most = 0, 0

    def work():
        nonlocal inside, most
        for _ in range(20):
            with FileLock(tmp_path / "lock", wait=True):
                inside += 1
                most = max(most, inside)
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_a_refused_lock_leaves_no_descriptor_open(tmp_path):
    with FileLock(tmp_path / "lock", wait=False):
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(5):
            with pytest.raises(BlockingIOError):
                FileLock(tmp_path / "lock", wait=False)
        assert len(os.listdir("/proc/self/fd")) == before


def test_a_lock_is_asked_for_and_not_taken(tmp_path):
    path = tmp_path / "lock"
    assert not is_locked(path) and not path.exists()
    assert not is_locked(tmp_path / "absent" / "lock")
    with FileLock(path, wait=False):
        assert is_locked(path)
    assert not is_locked(path)
    FileLock(path, wait=False).release()


def locks(source: str) -> bool:
    # most modules have neither word, and need not be parsed
    return ("flock" in source or "lockf" in source) and any(
        isinstance(node, ast.Attribute) and node.attr in ("flock", "lockf") for node in ast.walk(ast.parse(source))
    )


def test_files_are_locked_in_one_place():
    """Besides the demo's ports, each of which is a byte of one file."""
    found = {
        str(path.relative_to(ROOT))
        for folder in ("adapters", "light_clients", "relay")
        for path in (ROOT / folder).rglob("*.py")
        if locks(path.read_text())
    }
    assert found == {"relay/base/file_lock.py", "relay/local/ports.py"}
