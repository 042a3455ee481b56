import json
import threading
from dataclasses import replace

import pytest

from hutong.light_clients.crypto.engines import ALGORITHMS, Runs
from hutong.relay.acceleration.batches import Batches
from hutong.relay.acceleration.evidence import EvidenceFolder
from hutong.relay.acceleration.random_questions import question
from tests.light_clients.crypto.engines.wrong_engines import refuses_one_in, wrong

ECDSA, EDWARDS = ALGORITHMS["secp256k1 verify"], ALGORITHMS["ed25519 verify"]


def told(found):
    raise found


def smaller(algorithm, pays_from):
    return replace(algorithm, engines=(replace(algorithm.engines[0], pays_from=pays_from),))


def test_few_questions_start_nothing():
    questions = [question(ECDSA.name, 0, number) for number in range(10)]
    before = threading.active_count()
    with Batches(2, told) as batches:
        assert batches.runs(ECDSA.engines[0], 10) is Runs.INLINE
        assert batches.answer(ECDSA, questions) == ECDSA.engines[0].answering()(questions)
        assert threading.active_count() == before
    with Batches(1, told) as alone:
        assert alone.runs(ECDSA.engines[0], 10**6) is Runs.INLINE


def test_threads_answer_in_order():
    algorithm = smaller(ECDSA, 8)
    questions = [question(ECDSA.name, 0, number) for number in range(101)]
    expected = ECDSA.engines[0].answering()(questions)
    with Batches(2, told) as batches:
        assert batches.runs(algorithm.engines[0], 101) is Runs.THREAD
        assert batches.answer(algorithm, questions) == expected
        assert batches.answer(algorithm, questions[:1]) == expected[:1]
    assert {True, False} == set(expected)


@pytest.mark.long
def test_processes_answer_in_order():
    algorithm = smaller(EDWARDS, 8)
    questions = [question(EDWARDS.name, 0, number) for number in range(50)]
    with Batches(2, told) as batches:
        assert batches.runs(algorithm.engines[0], 50) is Runs.PROCESS
        for _ in range(2):
            assert batches.answer(algorithm, questions) == EDWARDS.engines[0].answering()(questions)


def test_in_bulk_an_engine_that_refuses_what_is_good_is_turned_off(tmp_path):
    sm2 = ALGORITHMS["sm2 verify"]
    right = sm2.engines[0]
    good, bad = (next(one.question for one in sm2.known if one.answer is answer) for answer in (True, False))
    refusals = tuple(one for one in sm2.known if one.answer is False)  # with these alone it stands its self-test
    wrong_one = wrong(right, refuses_one_in(1))
    algorithm = replace(sm2, engines=(wrong_one,), judges=(replace(right, name="another"),), known=refusals)
    folder = EvidenceFolder(tmp_path / "kept")
    kept = []
    with Batches(2, lambda found: kept.append(folder.keep(found, "2.1.0", "here"))) as batches:
        assert batches.answer(algorithm, [good, bad, good]) == [True, False, True]
        assert batches.answer(algorithm, [good]) == [True]
    (path,) = kept
    document = json.loads(path.read_text())
    assert (document["engine"], document["got"], document["expected"]) == ("GmSSL", False, True)
    assert list(map(bytes.fromhex, document["question"])) == list(good)
