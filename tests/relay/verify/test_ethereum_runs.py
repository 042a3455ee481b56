"""Updates judged from the stores that those before them claim: the verdicts are those of one after the other."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import pytest

from hutong.light_clients.ethereum import MINIMAL_PRESET
from hutong.light_clients.interface import audit
from hutong.relay.verify import ethereum_runs
from hutong.relay.verify.ethereum import Served, Trust, judge_file
from hutong.relay.verify.ethereum_runs import RUN, verdicts_of
from hutong.relay.verify.inputs import UnusableInput
from tests.light_clients.ethereum.simulated_beacon import SimulatedBeacon

PERIODS = 2 * RUN + 3
SLOTS = MINIMAL_PRESET.period_slots


def followed():
    """A bootstrap and an update of each of `PERIODS` periods, each with the next committee."""
    chain = SimulatedBeacon(first_slot=2 * SLOTS + 10)
    first = chain.blocks[chain.slot]
    blocks = [chain.propose((2 + period) * SLOTS + 20, label="period") for period in range(PERIODS)]
    updates = [chain.update(block, with_committee=True) for block in blocks]
    served = [Served("bootstrap", chain.bootstrap(chain.slot))]
    served += [Served(f"update[{number}]", update) for number, update in enumerate(updates)]
    now_ns = chain.time_ns(blocks[-1].slot + 100)
    return served, Trust(chain.network, first.root, 10**9, 10), now_ns


SERVED, TRUST, NOW_NS = followed()


@pytest.fixture
def here(monkeypatch):
    """Runs are judged in a thread of this process, as a process would."""
    runs = []

    @contextmanager
    def pool(jobs, start, arguments):
        start(*arguments)
        with ThreadPoolExecutor(1) as executor:
            submit = executor.map
            executor.map = lambda function, given: submit(function, runs.extend(given) or given)
            yield executor

    monkeypatch.setattr(ethereum_runs, "worker_pool", pool)
    return runs


def in_order(served):
    return audit(judge_file, served, TRUST, NOW_NS)


def changed(number, **fields):
    served = list(SERVED)
    served[number] = replace(served[number], value=replace(served[number].value, **fields))
    return served


def test_good_updates_give_the_same_verdicts(here):
    verdicts = verdicts_of(SERVED, TRUST, NOW_NS, 2, few=1)
    assert verdicts == in_order(SERVED)
    assert all(verdict.held for verdict in verdicts)
    assert [len(run.updates) for run in here] == [RUN, RUN, 3]


@pytest.mark.parametrize("number", [1, RUN, RUN + 1, PERIODS])
def test_a_forged_update_ends_the_verdicts_where_it_stands(here, number):
    forged = changed(
        number,
        sync_aggregate=SERVED[number - 1 or 2].value.sync_aggregate if number > 1 else SERVED[2].value.sync_aggregate,
    )
    verdicts, expected = verdicts_of(forged, TRUST, NOW_NS, 2, few=1), in_order(forged)
    assert [(one.name, one.held, str(one.error)) for one in verdicts] == [
        (one.name, one.held, str(one.error)) for one in expected
    ]
    assert verdicts[-1].name == f"update[{number - 1}]: signed_by_committee"
    assert not verdicts[-1].held


def test_a_claimed_committee_is_believed_by_nobody(here):
    """The run after it is judged from the claim and holds; the update that makes the claim does not."""
    other = SERVED[3].value.next_sync_committee
    forged = changed(RUN, next_sync_committee=other)
    verdicts, expected = verdicts_of(forged, TRUST, NOW_NS, 2, few=1), in_order(forged)
    assert [one.name for one in verdicts] == [one.name for one in expected]
    assert verdicts[-1].name == f"update[{RUN - 1}]: next_committee_proven"


def test_what_cannot_be_followed_unjudged_is_named_when_it_is_judged(here):
    gap = [*SERVED[:4], *SERVED[6:]]
    verdicts, expected = verdicts_of(gap, TRUST, NOW_NS, 2, few=1), in_order(gap)
    assert [(one.name, one.held) for one in verdicts] == [(one.name, one.held) for one in expected]
    assert not verdicts[-1].held
    with pytest.raises(UnusableInput, match="more than one bootstrap"):
        verdicts_of([*SERVED, SERVED[0]], TRUST, NOW_NS, 2, few=1)


def test_few_updates_and_one_process_are_judged_here(here):
    assert verdicts_of(SERVED, TRUST, NOW_NS, 2) == verdicts_of(SERVED, TRUST, NOW_NS, 1, few=1) == in_order(SERVED)
    assert here == []
    wrong = replace(TRUST, block_root=bytes(32))
    assert [one.held for one in verdicts_of(SERVED, wrong, NOW_NS, 2, few=1)][-1] is False
    assert here == []


@pytest.mark.long
def test_two_processes_give_the_same_verdicts():
    assert verdicts_of(SERVED, TRUST, NOW_NS, 2, few=1) == in_order(SERVED)
