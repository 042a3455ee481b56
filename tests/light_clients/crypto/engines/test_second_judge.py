from dataclasses import replace

import pytest

from hutong.light_clients.crypto.engines import ALGORITHMS, BulkEngine, EngineContradicted, NotInstalled, one_by_one
from hutong.light_clients.crypto.engines.second_judge import ACCEPTED_FOR_ONE, MOST_SECOND_JUDGEMENTS
from tests.light_clients.crypto.engines.wrong_engines import accepts_zero_s, refuses_one_in, wrong

SM2 = ALGORITHMS["sm2 verify"]
GOOD = next(known.question for known in SM2.known if known.answer is True)
BAD = next(known.question for known in SM2.known if known.answer is False)
# A judge of another author's is a tenth of a second for each question; what is tested here is who is asked when.
JUDGE = replace(SM2.engines[0], name="another author's", load=SM2.engines[0].load)


def bulk(engine, judges=(JUDGE,), known=SM2.known):
    told = []
    return BulkEngine(replace(SM2, engines=(engine,), judges=judges, known=known), told.append), told


def test_a_refusal_stands_where_the_judge_refuses_too():
    engine, told = bulk(SM2.engines[0])
    assert engine.answer([GOOD, BAD, GOOD]) == [True, False, True]
    assert (told, engine.off, engine.unjudged) == ([], {}, 0)


def test_an_engine_that_refuses_what_is_good_is_turned_off_and_the_batch_is_answered_again():
    known = SM2.known[1:]  # refusals alone: the engine stands its self-test
    engine, told = bulk(wrong(SM2.engines[0], refuses_one_in(1)), known=known)
    assert engine.answer([BAD, GOOD, GOOD]) == [False, True, True]
    (found,) = told
    assert isinstance(found, EngineContradicted)
    assert (found.engine, found.question, found.got, found.expected) == ("GmSSL", GOOD, False, True)
    assert engine.engine() is JUDGE
    assert engine.answer([GOOD]) == [True]
    assert len(told) == 1


def test_an_engine_that_fails_its_self_test_is_never_asked():
    engine, told = bulk(wrong(SM2.engines[0], accepts_zero_s))
    assert engine.answer([GOOD]) == [True]
    assert [one.engine for one in told] == ["GmSSL"]
    assert engine.engine() is JUDGE


def test_strangers_cannot_ask_for_more_second_judgements_than_are_owed():
    asked = []
    right = SM2.engines[0].answering()
    judge = replace(JUDGE, load=lambda: lambda questions: asked.extend(questions) or right(questions))
    engine, told = bulk(SM2.engines[0], (judge,))
    engine.answer([BAD] * (MOST_SECOND_JUDGEMENTS + 5))
    assert (len(asked), engine.unjudged) == (MOST_SECOND_JUDGEMENTS, 5)
    engine.answer([GOOD] * ACCEPTED_FOR_ONE + [BAD, BAD])
    assert (len(asked), engine.unjudged, told) == (MOST_SECOND_JUDGEMENTS + 1, 6, [])


def test_without_a_judge_refusals_stand_and_are_counted():
    def load():
        raise ImportError

    engine, told = bulk(SM2.engines[0], (replace(JUDGE, load=load),))
    assert engine.answer([BAD, GOOD]) == [False, True]
    assert (engine.unjudged, told) == (1, [])


def test_where_every_engine_is_off_it_says_so():
    refusing = replace(SM2.engines[0], load=lambda: one_by_one(lambda *question: None))
    engine, told = bulk(refusing, ())
    with pytest.raises(NotInstalled, match="every engine of it was turned off"):
        engine.answer([GOOD])
    assert [one.engine for one in told] == ["GmSSL"]


def test_no_node_chooses_an_engine_of_consensus():
    with pytest.raises(ValueError, match="is of consensus"):
        BulkEngine(ALGORITHMS["secp256k1 verify"], print)
    with pytest.raises(ValueError, match="it has one engine, not 2"):
        replace(ALGORITHMS["keccak256"], engines=(*ALGORITHMS["keccak256"].engines, *ALGORITHMS["keccak256"].judges))
    assert BulkEngine(ALGORITHMS["sm3"], print).answer([(b"",)]) == [
        bytes.fromhex("1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b")
    ]
