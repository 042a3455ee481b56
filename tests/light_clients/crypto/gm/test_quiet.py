"""GmSSL prints for each thing that it refuses; nothing of it reaches standard error, and nothing of others is lost."""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from threading import Thread

import gmssl_pyx
import pytest

from hutong.light_clients.crypto import gm
from hutong.light_clients.crypto.gm.quiet import SINK, Sink, quiet
from tests.light_clients.crypto.gm.test_sm2 import KEY, MESSAGE, PAIR, SIGNATURE

SEALED = gm.encrypt(KEY, b"text")


def refuse_everything() -> None:
    assert not gm.verify(KEY, MESSAGE + b"\0", SIGNATURE)
    assert not gm.verify_digest(KEY, bytes(32), SIGNATURE)
    for call in (
        lambda: gm.decrypt(PAIR.private_key, SEALED[:-1] + bytes((SEALED[-1] ^ 1,))),
        lambda: gm.sign(gm.KeyPair(PAIR.private_key, gm.new_key_pair().public_key), MESSAGE),
    ):
        with pytest.raises(gm.GmNotAuthentic):
            call()


def test_refusals_print_nothing(capfd):
    gmssl_pyx.sm2_verify(KEY, MESSAGE + b"\0", gm.signature_to_der(SIGNATURE))
    assert "sm2_sign.c" in capfd.readouterr().err, "the engine is silent of itself: quiet.py can go"
    refuse_everything()
    assert capfd.readouterr().err == ""


def test_refusals_of_sm4_print_nothing_where_gmssl_opens(capfd, without):
    without("cryptography")
    sealed = gm.gcm_seal(bytes(16), bytes(12), b"", b"text")
    with pytest.raises(gm.GmNotAuthentic):
        gm.gcm_open(bytes(16), bytes(12), b"other", sealed)
    assert capfd.readouterr().err == ""


def test_what_others_write_meanwhile_is_passed_on(capfd):
    with quiet():
        os.write(2, b"/project/GmSSL/src/sm2_sign.c:265:sm2_fast_verify():\n")
        os.write(2, b"a warning of another thread\n")
        os.write(2, b"/project/GmSSL/src/sm2_sign.c:671:sm2_verify_finish():\n")
        os.write(2, b"its end")
    assert capfd.readouterr().err == "a warning of another thread\nits end"
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


def test_the_file_does_not_grow_without_end(capfd):
    for _ in range(3):
        with quiet():
            os.write(2, b"x" * (1 << 19) + b"\n")
            os.write(2, b"/project/GmSSL/src/sm2_sign.c:265:sm2_fast_verify():\n")
        assert capfd.readouterr().err == "x" * (1 << 19) + "\n"
    assert os.fstat(SINK.file).st_size < 1 << 20


def refuse_and_tell() -> None:
    refuse_everything()
    os.write(2, b"child\n")


def test_a_child_has_a_file_of_its_own(capfd):
    assert gm.verify(KEY, MESSAGE, SIGNATURE)
    child = get_context("fork").Process(target=refuse_and_tell)
    child.start()
    child.join()
    assert child.exitcode == 0
    refuse_everything()
    assert capfd.readouterr().err == "child\n"


def test_an_exception_gives_standard_error_back(capfd):
    with pytest.raises(ZeroDivisionError), quiet():
        1 / 0  # noqa: B018
    os.write(2, b"seen\n")
    assert capfd.readouterr().err == "seen\n"


def test_threads_judge_rightly_at_once(capfd):
    verdicts: list[tuple[bool, bool]] = []

    def judge() -> None:
        for _ in range(10):
            verdicts.append((gm.verify(KEY, MESSAGE, SIGNATURE), gm.verify(KEY, b"other", SIGNATURE)))
            os.write(2, b"x")

    threads = [Thread(target=judge) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert verdicts == [(True, False)] * 40
    assert gm.verify(KEY, MESSAGE, SIGNATURE), "passes on what was under way as the last descriptor was turned back"
    assert capfd.readouterr().err == "x" * 40


@contextmanager
def no_descriptor_left() -> Iterator[None]:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.dup(2)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_where_no_descriptor_is_left_standard_error_is_not_lost(capfd):
    assert gm.verify(KEY, MESSAGE, SIGNATURE)
    with no_descriptor_left():
        verdicts = gm.verify(KEY, MESSAGE, SIGNATURE), gm.verify(KEY, b"other", SIGNATURE)
    assert verdicts == (True, False)
    os.write(2, b"still there\n")
    assert capfd.readouterr().err.endswith("still there\n")


def test_where_no_descriptor_is_left_for_the_file_verdicts_are_the_same(capfd, monkeypatch):
    monkeypatch.setattr("hutong.light_clients.crypto.gm.quiet.SINK", Sink())
    with no_descriptor_left():
        verdicts = gm.verify(KEY, MESSAGE, SIGNATURE), gm.verify(KEY, b"other", SIGNATURE)
    assert verdicts == (True, False)
    os.write(2, b"still there\n")
    assert capfd.readouterr().err.endswith("still there\n")


def test_where_nobody_reads_standard_error_verdicts_are_the_same(capfd):
    kept = os.dup(2)
    reading, writing = os.pipe()
    os.dup2(writing, 2)
    for end in (reading, writing):
        os.close(end)
    try:
        with quiet():
            os.write(2, b"of another thread\n")
        with pytest.raises(BrokenPipeError):
            os.write(2, b"nobody reads\n")
    finally:
        os.dup2(kept, 2)
        os.close(kept)


CLOSED = """
import os, sys
os.close(2)
from tests.light_clients.crypto.gm.test_quiet import KEY, MESSAGE, SIGNATURE, gm
print(gm.verify(KEY, MESSAGE, SIGNATURE), gm.verify(KEY, b"", SIGNATURE))
try:
    os.fstat(2)
except OSError:
    print("closed")
"""


@pytest.mark.long
def test_a_process_without_standard_error_judges_too_and_keeps_it_closed():
    done = subprocess.run([sys.executable, "-c", CLOSED], stdout=subprocess.PIPE, check=True, timeout=60)
    assert done.stdout.split() == [b"True", b"False", b"closed"]
