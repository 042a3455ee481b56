import pytest

from hutong.light_clients.crypto.engines import ALGORITHMS, EngineContradicted, NotInstalled, Use, try_engine
from hutong.light_clients.crypto.engines import try_engines_of_consensus as try_all

OTHER_RULES = {
    ("secp256k1 verify", "eth-keys native"): "x of R above the order",
    ("ed25519 verify", "OpenSSL"): "ZIP-215 key 0 and R 1, s = 0",
}
"""Judges that differ at an edge which no random signature meets: the first known answer at which each does."""
PAIRS = [(one, engine) for one in ALGORITHMS.values() for engine in (*one.engines, *one.judges)]
SLOW = {"py_ecc", "gmalg"}


@pytest.mark.parametrize(
    ("algorithm", "engine"),
    [pytest.param(*pair, marks=pytest.mark.long if pair[1].name in SLOW else ()) for pair in PAIRS],
    ids=lambda value: value.name,
)
def test_every_engine_and_judge_gives_the_known_answers(algorithm, engine):
    try:
        engine.answering()
    except NotInstalled as missing:
        pytest.skip(str(missing))
    edge = OTHER_RULES.get((algorithm.name, engine.name))
    if edge is None:
        assert try_engine(algorithm, engine) == len(algorithm.known)
        return
    with pytest.raises(EngineContradicted, match=edge):
        try_engine(algorithm, engine)


def test_all_of_consensus_is_tried_at_once():
    asked = sum(len(one.known) for one in ALGORITHMS.values() if one.use is Use.CONSENSUS)
    assert try_all(ALGORITHMS.values()) == asked > 300


def test_signatures_have_good_answers_and_refusals():
    for algorithm in ALGORITHMS.values():
        answers = {known.answer for known in algorithm.known}
        assert len(answers) > 1, algorithm.name
        if "verify" in algorithm.name:
            assert answers == {True, False}
