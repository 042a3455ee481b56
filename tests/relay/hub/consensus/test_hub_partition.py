"""Partitions that heal, by hand: neither side of a 4/3 split decides, and who was away catches up."""

import pytest

from tests.relay.hub.simulation.keys import cheap_signatures
from tests.relay.hub.simulation.network import Network
from tests.relay.hub.simulation.schedule import MS, SECOND, Crash, Partition, Schedule

pytestmark = pytest.mark.safety


@pytest.fixture(autouse=True)
def _cheap():
    with cheap_signatures():
        yield


def schedule(groups: tuple[int, ...], calm_s: int, start_s: int = 2, crashes: tuple[Crash, ...] = ()) -> Schedule:
    members = len(groups)
    return Schedule(
        seed=1,
        powers=(1,) * members,
        liars={},
        sides=(0,) * members,
        calm_ns=calm_s * SECOND,
        max_delay_ns=50 * MS,
        loss=0.01,
        skews_ns=(0,) * members,
        partitions=(Partition(start_s * SECOND, calm_s * SECOND, groups),),
        crashes=crashes,
        mutes_one=False,
        liars_reach_all=False,
    )


def heights_over_time(network: Network) -> list[tuple[int, list[int]]]:
    """At each whole second, while the network runs to its end."""
    seen: list[tuple[int, list[int]]] = []
    step = network.next_event

    def watched() -> None:
        step()
        if network.now // SECOND >= len(seen):
            seen.append((network.now, [endpoint.height for endpoint in network.endpoints]))

    network.next_event = watched
    network.run()
    return seen


def test_attack_C46_hub_no_side_of_a_four_to_three_split_decides_and_all_go_on_after_it():
    network = Network(schedule((0, 0, 0, 0, 1, 1, 1), calm_s=12))
    seen = heights_over_time(network)
    before = max(seen[2][1])
    during = [heights for at, heights in seen if 3 * SECOND <= at < 12 * SECOND]
    assert before >= 2
    assert len(during) > 5
    # What was decided when the split came may still be learnt by who was not there; nothing is decided beyond it.
    assert max(map(max, during)) <= before + 1
    assert min(endpoint.height for endpoint in network.endpoints) > before + 1


def test_attack_C46_hub_one_that_was_away_catches_up_with_every_block():
    network = Network(schedule((0, 0, 0, 1), calm_s=15))
    seen = heights_over_time(network)
    last = [heights for at, heights in seen if at < 15 * SECOND][-1]
    assert max(last) - last[3] > 8
    chains = [[decided.block_id for decided in endpoint.chain] for endpoint in network.endpoints]
    shortest = min(map(len, chains))
    assert shortest > max(last)
    assert len({tuple(chain[:shortest]) for chain in chains}) == 1


def test_attack_C46_hub_two_of_seven_that_stay_dead_stop_nobody():
    dead = tuple(Crash(SECOND, number, 14 * SECOND, 0, log_lost=False) for number in (2, 5))
    network = Network(schedule((0,) * 7, calm_s=15, crashes=dead))
    seen = heights_over_time(network)
    alive = [[height for number, height in enumerate(heights) if number not in (2, 5)] for _, heights in seen]
    assert alive[14][0] - alive[2][0] > 5
    assert min(endpoint.height for endpoint in network.endpoints) > max(alive[14])
