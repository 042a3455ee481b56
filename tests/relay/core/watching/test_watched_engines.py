"""The relay's engines of cryptography: one that computes wrongly stops the start, or is told of while the relay goes on."""

import json

import pytest

from hutong.light_clients.crypto import secp256k1
from hutong.relay.base.threads import thread_runner
from hutong.relay.core.errors import StartRefused
from hutong.relay.core.readiness import Readiness
from hutong.relay.core.watching.engines import WatchedEngines, refuse_wrong_engines
from hutong.relay.telemetry import Metrics

ALGORITHM = "secp256k1 verify"


def refuses_everything(signatures):
    return [False for _ in signatures]


class Watched:
    def __init__(self, home):
        self.home, self.metrics = home, Metrics([], {})
        self.readiness = Readiness([], self.metrics, lambda: 0)
        self.engines = WatchedEngines(home, self.metrics, self.readiness, thread_runner(1))

    def sample(self, name, **labels):
        return self.metrics.registry.get_sample_value(name, labels)

    def in_use(self):
        """What `/metrics` says of each algorithm's engine."""
        return {
            sample.labels["algorithm"]: sample.value
            for family in self.metrics.registry.collect()
            for sample in family.samples
            if sample.name == "hutong_engine"
        }

    @property
    def missing(self):
        return {one.what: one.detail for one in self.readiness.missing() if one.what.startswith("engine")}


@pytest.fixture
def watched(tmp_path):
    return Watched(tmp_path)


async def test_engines_in_use_and_questions_are_told(watched):
    await watched.engines.tell()
    assert watched.in_use()[ALGORITHM] == 1 and set(watched.in_use().values()) == {1}
    assert watched.sample("hutong_engine_contradictions_total", algorithm=ALGORITHM, engine="libsecp256k1") == 0
    await watched.engines.look()
    assert watched.sample("hutong_engine_questions_total") >= 20 and watched.missing == {}


async def test_attack_G18_relay_an_engine_that_computes_wrongly_is_told_of_and_asked_no_more(watched, monkeypatch):
    await watched.engines.tell()
    monkeypatch.setattr(secp256k1, "verify_low_s_batch", refuses_everything)
    contradictions = "hutong_engine_contradictions_total"
    for _ in range(40):  # the questions of a round may all be refusals
        await watched.engines.look()
        if watched.sample(contradictions, algorithm=ALGORITHM, engine="libsecp256k1"):
            break
    await watched.engines.look()
    assert [name for name, value in watched.in_use().items() if not value] == [ALGORITHM]
    assert watched.sample(contradictions, algorithm=ALGORITHM, engine="libsecp256k1") == 1
    said = watched.missing[f"engine of {ALGORITHM}"]
    (kept,) = (watched.home / "engine-evidence").iterdir()
    assert str(kept) in said and "libsecp256k1 answers False" in said
    assert json.loads(kept.read_text())["algorithm"] == ALGORITHM
    await watched.engines.tell()  # as after a failure: it is not in use again
    assert watched.in_use()[ALGORITHM] == 0


def test_a_relay_does_not_start_with_an_engine_that_fails_its_known_answers(monkeypatch):
    refuse_wrong_engines()
    monkeypatch.setattr(secp256k1, "verify_low_s_batch", refuses_everything)
    with pytest.raises(StartRefused, match="libsecp256k1 answers False where the known answer .*hutong accel"):
        refuse_wrong_engines()
