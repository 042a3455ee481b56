from dataclasses import replace

import pytest

from hutong.light_clients.crypto import hashes
from hutong.light_clients.crypto.engines import ALGORITHMS, NotInstalled
from hutong.relay.acceleration import differential
from hutong.relay.acceleration.differential import compare, judge_of, run_differential
from hutong.relay.acceleration.random_questions import MADE, question
from tests.light_clients.crypto.engines.wrong_engines import accepts_zero_s, refuses_one_in, with_wrong, wrong

QUICK = [name for name in MADE if name not in ("bls12-381 verify", "sm2 verify")]
ECDSA = ALGORITHMS["secp256k1 verify"]


@pytest.mark.parametrize("name", QUICK)
def test_engine_and_judge_agree_about_random_questions(name):
    try:
        found = run_differential(name, 40, 1, 1, lambda count: None)
    except NotInstalled as missing:
        pytest.skip(str(missing))
    assert (found.asked, found.contradictions, found.first) == (40, 0, None)
    if "256k1" in name or "25519" in name:
        assert 0 < found.refused < 30


@pytest.mark.long
@pytest.mark.parametrize(("name", "count"), [("bls12-381 verify", 3), ("sm2 verify", 20)])
def test_engines_with_slow_judges_agree_with_them(name, count):
    assert run_differential(name, count, 1, 1, lambda count: None).contradictions == 0


@pytest.mark.parametrize(
    ("change", "some"),
    [(refuses_one_in(60), False), (accepts_zero_s, True)],
    ids=["refuses one in 60", "accepts s = 0"],
)
def test_a_wrong_engine_is_found_and_its_question_can_be_asked_again(change, some):
    judge = judge_of(ECDSA)
    engine = wrong(ECDSA.engines[0], change)
    assert compare(ECDSA, ECDSA.engines[0], judge, 7, range(200)).found == ()
    number, found = compare(ECDSA, engine, judge, 7, range(200)).found[0]
    assert (found.got, found.expected, found.by) == (some, not some, f"the engine {judge.name}")
    assert found.question == question("secp256k1 verify", 7, number)


def test_contradictions_are_counted_and_the_first_is_kept(monkeypatch):
    monkeypatch.setattr(
        differential, "ALGORITHMS", {"secp256k1 verify": with_wrong("secp256k1 verify", refuses_one_in(20))}
    )
    monkeypatch.setattr(differential, "CHUNK", 50)
    seen = []
    found = run_differential("secp256k1 verify", 120, 7, 1, seen.append)
    assert found.contradictions > 1
    assert found.first is not None
    assert found.first.question == question("secp256k1 verify", 7, found.first_number)
    assert seen == [50, 50, 20]


@pytest.mark.long
def test_two_processes_find_the_same_as_one(monkeypatch):
    one = run_differential("keccak256", 600, 3, 1, lambda count: None)
    assert run_differential("keccak256", 600, 3, 2, lambda count: None) == one


def test_without_a_judge_nothing_is_compared():
    def load():
        raise ImportError

    missing = replace(ECDSA, judges=tuple(replace(judge, load=load) for judge in ECDSA.judges))
    with pytest.raises(NotInstalled, match="eth-keys native is not installed"):
        judge_of(missing)
    assert judge_of(replace(ECDSA, judges=(ECDSA.judges[0], missing.judges[1]))) is ECDSA.judges[0]


def test_questions_are_of_their_seed_and_number():
    assert question("sha256", 1, 2) == question("sha256", 1, 2)
    assert len({question("sha256", seed, number) for seed in range(5) for number in range(5)}) == 25
    assert (
        hashes.sha256(*question("sha256", 0, 0))
        == ALGORITHMS["sha256"].judges[0].answering()([question("sha256", 0, 0)])[0]
    )
