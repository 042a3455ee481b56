"""Consensus of 4 and 7 validators under drawn schedules: one block a height, progress after calm, and every rule is needed.

`python -m tests.relay.hub.simulation` runs more of them.
"""

import pytest

from tests.relay.hub.simulation.__main__ import main
from tests.relay.hub.simulation.keys import cheap_signatures, public_key_of
from tests.relay.hub.simulation.network import Network, Violated
from tests.relay.hub.simulation.rules import LOCK, RECORD, TWO_THIRDS, turned_off
from tests.relay.hub.simulation.schedule import Mode, schedule_of

SCHEDULES = 48


@pytest.fixture(scope="module", autouse=True)
def _cheap():
    with cheap_signatures():
        yield


@pytest.mark.long
def test_attack_I4_no_schedule_splits_validators_or_stops_them_for_good():
    modes, crashes, partitions = set(), 0, 0
    for seed in range(SCHEDULES):
        schedule = schedule_of(seed)
        Network(schedule).run()
        modes |= set(schedule.liars.values())
        crashes += len(schedule.crashes)
        partitions += len(schedule.partitions)
    assert modes == set(Mode)
    assert crashes > SCHEDULES
    assert partitions > SCHEDULES


@pytest.mark.parametrize(
    ("rule", "seed", "noticed"),
    [
        (LOCK, 889, "two blocks of height 3 were decided"),
        (RECORD, 5, "validator 3 signed twice: height 1 round 0 PREVOTE"),
        (TWO_THIRDS, 525, "two blocks of height 3 were decided"),
    ],
)
def test_attack_I4_without_a_rule_a_schedule_breaks_and_with_it_the_same_one_holds(rule, seed, noticed):
    Network(schedule_of(seed)).run()
    with turned_off(rule), pytest.raises(Violated, match=noticed):
        Network(schedule_of(seed), forgets_records=rule == RECORD).run()


@pytest.mark.long
def test_attack_I4_one_liar_too_many_forks_the_chain_and_only_liars_are_named():
    forks = named = 0
    for seed in range(12):
        network = Network(schedule_of(seed, too_many=True))
        guilty = {public_key_of(number).address for number in network.schedule.liars}
        if network.run_with_too_many_liars():
            forks += 1
            accused = {item.first.validator_address for one in network.honest for item in one.accused}
            accused |= network.named_by_commits()
            assert accused <= guilty
            named += bool(accused)
    assert forks >= 3
    assert named >= forks // 2


def test_a_seed_replays_exactly():
    def history(seed):
        network = Network(schedule_of(seed))
        network.run()
        return network.steps, network.now, network.signatures, [list(blocks) for blocks in network.blocks.values()]

    assert history(7) == history(7)
    assert history(7) != history(8)


def test_a_failing_seed_prints_the_command_that_repeats_it(monkeypatch, capsys):
    monkeypatch.setattr("tests.relay.hub.simulation.network.PATIENCE_NS", -(10**12))
    monkeypatch.setattr("sys.argv", ["simulation", "--first", "7", "--schedules", "3"])
    assert main() == 1
    said = capsys.readouterr().out
    assert "seed 7: no progress" in said
    assert "python -m tests.relay.hub.simulation --first 7 --schedules 1\n" in said


@pytest.mark.long
@pytest.mark.parametrize("options", [[], ["--without", LOCK], ["--without", RECORD], ["--without", TWO_THIRDS]])
def test_two_thousand_schedules(monkeypatch, options):
    monkeypatch.setattr("sys.argv", ["simulation", "--schedules", "2000", *options])
    assert main() == 0
