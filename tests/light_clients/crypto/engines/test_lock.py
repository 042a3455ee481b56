"""Which engines release the interpreter's lock, so that a second thread works while they do."""

import hashlib
import sys
import threading
import time
from functools import partial

import pytest

from hutong.light_clients.crypto import bls, ed25519, erasure, gm, secp256k1
from hutong.light_clients.crypto.engines import ALGORITHMS, NotInstalled, Runs, Use

SECRET = bytes(range(1, 33))
LONG = bytes(8_000_000)
DIGEST = bytes(32)
CALLS = {
    "secp256k1 verify": (secp256k1.public_key_of(SECRET), DIGEST, secp256k1.sign(SECRET, DIGEST)),
    "secp256k1 recover": (DIGEST, secp256k1.sign_recoverable(SECRET, DIGEST)),
    "ed25519 verify": (ed25519.public_key_of(SECRET), LONG, bytes(64)),
    "bls12-381 verify": (bls.public_key_of(SECRET), LONG, bls.sign(SECRET, b"")),
    "keccak256": (LONG,),
    "sha256": (LONG,),
    "ripemd160": (LONG,),
    "sm3": (LONG,),
    **{name: ALGORITHMS[name].known[0].question for name in ("hpke open", "hpke open, hybrid", "share verify")},
}
TRIES = 200
MANY = {"secp256k1 verify": 300, "secp256k1 recover": 300}


def steps_of_another_thread(work):
    """How often another thread had its turn while `work` ran, the interpreter taking the lock from nobody."""
    steps, ended, ready = 0, False, threading.Event()

    def turns():
        nonlocal steps
        ready.set()
        while not ended:
            steps += 1
            time.sleep(0)  # gives the lock away, which the interpreter does not make it do

    before = sys.getswitchinterval()
    sys.setswitchinterval(600)
    other = threading.Thread(target=turns)
    try:
        other.start()
        ready.wait()
        began = steps
        work()
        return steps - began
    finally:
        ended = True
        other.join()
        sys.setswitchinterval(before)


def work_of(name):
    """One use of the engine of an algorithm, long enough for another thread to have a turn."""
    if name == "sm2 verify":
        # The door gives the lock away itself, where it turns the engine's messages away: what the engine does is asked.
        library, key = pytest.importorskip("gmssl_pyx"), gm.new_key_pair()
        signature = gm.signature_to_der(gm.sign(key, LONG))
        return lambda: library.sm2_verify(key.public_key, LONG, signature)
    if name == "erasure code":
        # without the hash that the engine's answer is made of
        return partial(erasure.CauchyCode(4, 2).encode, [LONG] * 4)
    questions = [CALLS[name]] * MANY.get(name, 1)
    try:
        answering = ALGORITHMS[name].engines[0].answering()
    except NotInstalled as missing:
        pytest.skip(str(missing))
    return lambda: answering(questions)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_an_engine_runs_as_the_table_says(name):
    work = work_of(name)
    if ALGORITHMS[name].engines[0].runs is Runs.THREAD:
        # on a busy machine the other thread may have no core just then
        assert any(steps_of_another_thread(work) > 0 for _ in range(TRIES))
    else:
        assert steps_of_another_thread(work) == 0


def test_the_measure_sees_both_kinds():
    assert steps_of_another_thread(lambda: sum(range(2_000_000))) == 0
    assert any(steps_of_another_thread(lambda: hashlib.sha256(LONG)) > 0 for _ in range(TRIES))


def test_every_algorithm_of_consensus_has_one_engine():
    for algorithm in ALGORITHMS.values():
        assert algorithm.use is Use.BULK or len(algorithm.engines) == 1
