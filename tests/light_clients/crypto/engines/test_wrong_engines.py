from dataclasses import replace

import pytest

from hutong.light_clients.crypto import ed25519, secp256k1
from hutong.light_clients.crypto.engines import (
    ALGORITHMS,
    GM_ALGORITHMS,
    EngineContradicted,
    NotInstalled,
    one_by_one,
    try_engine,
    try_engines_of_consensus,
)
from tests.light_clients.crypto.engines.wrong_engines import accepts_zero_s, by_other_edge_rules, with_wrong, wrong


def absent():
    raise ModuleNotFoundError("no")


@pytest.mark.parametrize(
    ("name", "change", "edge"),
    [
        ("secp256k1 verify", accepts_zero_s, "s = 0"),
        ("sm2 verify", accepts_zero_s, "s = 0"),
        ("ed25519 verify", by_other_edge_rules, "ZIP-215 key 0 and R 1, s = 0"),
        ("secp256k1 verify", lambda question, answer: int(answer), "a digest"),
        ("keccak256", lambda question, answer: answer[::-1] if len(question[0]) > 4_096 else answer, "70000 bytes"),
    ],
    ids=["accepts s = 0", "SM2 accepts s = 0", "another rule at the edge", "a number for a verdict", "long input"],
)
def test_a_wrong_engine_fails_its_self_test(name, change, edge):
    right = ALGORITHMS[name]
    assert try_engine(right, right.engines[0]) == len(right.known)
    algorithm = with_wrong(name, change)
    with pytest.raises(EngineContradicted, match=f"known answer '{edge}'"):
        try_engine(algorithm, algorithm.engines[0])


def test_a_wrong_engine_of_consensus_stops_the_start():
    with pytest.raises(EngineContradicted, match="this machine or its library computes wrongly"):
        try_engines_of_consensus([with_wrong("secp256k1 verify", accepts_zero_s)])


def test_sm2_is_tried_where_a_genesis_makes_it_of_consensus():
    algorithms = [with_wrong("sm2 verify", accepts_zero_s)]
    assert try_engines_of_consensus(algorithms) == 0
    with pytest.raises(EngineContradicted, match="for sm2 verify"):
        try_engines_of_consensus(algorithms, GM_ALGORITHMS)


@pytest.mark.parametrize(("name", "chosen"), [("ed25519 verify", ()), ("sm2 verify", GM_ALGORITHMS)])
def test_attack_G18_hub_a_missing_engine_of_consensus_stops_the_start(name, chosen):
    """Passed over, a node would judge nothing by it, or fail at the first block that needs it."""
    algorithm = ALGORITHMS[name]
    missing = replace(algorithm, engines=(replace(algorithm.engines[0], load=absent),))
    assert try_engines_of_consensus([algorithm], chosen) == len(algorithm.known)
    with pytest.raises(NotInstalled, match=r"not supported: .* is not installed; pip install"):
        try_engines_of_consensus([missing], chosen)


def test_an_engine_that_is_wrong_in_a_batch_alone_is_found():
    algorithm = ALGORITHMS["sha256"]
    right = one_by_one(lambda data: algorithm.engines[0].answering()([(data,)])[0])
    in_batch = replace(
        algorithm.engines[0], load=lambda: lambda questions: right(questions)[:: -1 if len(questions) > 1 else 1]
    )
    with pytest.raises(EngineContradicted, match="known answer '0 bytes'"):
        try_engine(algorithm, in_batch)
    short = replace(algorithm.engines[0], load=lambda: lambda questions: right(questions)[1:])
    with pytest.raises(EngineContradicted, match="the number of questions"):
        try_engine(algorithm, short)


def test_the_doors_functions_are_what_is_tried(monkeypatch):
    monkeypatch.setattr(secp256k1, "_scalars_in_range", lambda signature, low_s: True)
    with pytest.raises(EngineContradicted, match="known answer 'high s'|known answer 's one above half the order'"):
        try_engines_of_consensus(ALGORITHMS.values())
    monkeypatch.undo()
    monkeypatch.setattr(ed25519, "ed_verify", lambda signature, message, key: True)
    with pytest.raises(EngineContradicted, match="ed25519-zebra"):
        try_engines_of_consensus(ALGORITHMS.values())


def test_a_missing_library_is_said_with_its_remedy():
    algorithm = ALGORITHMS["sm3"]
    missing = replace(algorithm.engines[0], load=absent)
    with pytest.raises(NotInstalled, match=r"not supported: GmSSL is not installed; pip install .*\[gm\]"):
        try_engine(algorithm, missing)
    right = wrong(algorithm.engines[0], lambda question, answer: answer)
    assert try_engine(algorithm, right) == len(algorithm.known)
