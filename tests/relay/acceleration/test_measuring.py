from dataclasses import replace

import pytest

from hutong.light_clients.crypto import hashes
from hutong.light_clients.crypto.engines import ALGORITHMS
from hutong.relay.acceleration import measuring
from hutong.relay.acceleration.machine import this_machine, usable_cores
from hutong.relay.acceleration.measuring import measure
from hutong.relay.acceleration.workloads import MEASURED

SLOW = {"bls12-381 verify"}


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(measuring, "ROUND_S", 0)
    monkeypatch.setattr(measuring, "ROUNDS", 1)


def test_every_algorithm_has_its_work():
    assert set(MEASURED) == set(ALGORITHMS)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.long if name in SLOW else ()) for name in ALGORITHMS]
)
def test_a_row_has_engine_self_test_and_plain_path(name):
    row = measure(ALGORITHMS[name])
    if row.ours.rate is None:
        pytest.skip(row.ours.reason)
    assert (row.self_test, row.reason) == (len(ALGORITHMS[name].known), "")
    assert row.ours.rate > 0
    for other in row.others:
        assert other.rate or other.reason.startswith("not supported: pip install")
    assert row.two_threads is None


def test_what_is_missing_has_its_remedy(monkeypatch):
    def prepare():
        raise ImportError

    missing = replace(MEASURED["sm3"].others[0], prepare=prepare)
    monkeypatch.setattr(measuring, "MEASURED", {"ripemd160": replace(MEASURED["ripemd160"], others=(missing,))})
    row = measure(ALGORITHMS["ripemd160"])
    assert (row.others[0].rate, row.gain) == (None, None)
    assert row.others[0].reason == "not supported: pip install -c constraints.txt '.[accel]'"


def test_a_wrong_engine_is_said_in_its_row(monkeypatch):
    monkeypatch.setattr(hashes, "ripemd160", lambda data: bytes(20))
    row = measure(ALGORITHMS["ripemd160"])
    assert row.self_test is None
    assert "computes wrongly" in row.reason


def test_the_machine_is_named():
    machine = this_machine()
    assert machine.cpu
    assert machine.cores == usable_cores() >= 1
    assert machine.name == f"{machine.cpu}, {machine.cores} cores"
    assert str(machine).startswith(f"{machine.name}, load ")
