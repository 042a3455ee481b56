"""A block that some cannot execute, under drawn schedules: never a skip certificate beside a commit over the executed state.

`python -m tests.relay.hub.simulation --poisoned` runs more of them.
"""

from collections import Counter

import pytest

from tests.relay.hub.simulation.keys import cheap_signatures
from tests.relay.hub.simulation.network import Violated
from tests.relay.hub.simulation.poison import PoisonedNetwork, poison_of
from tests.relay.hub.simulation.rules import SIGNED_SKIP, VOTED_ABOVE, skips_without
from tests.relay.hub.simulation.schedule import Mode, schedule_of

SCHEDULES = 60


@pytest.fixture(scope="module", autouse=True)
def _cheap():
    with cheap_signatures():
        yield


@pytest.mark.long
def test_attack_C48_no_schedule_with_f_liars_reaches_a_skip_and_a_commit_over_the_executed_state():
    ended, modes, followed = Counter(), set(), 0
    for seed in range(SCHEDULES):
        network = PoisonedNetwork(schedule_of(seed))
        ended[network.run_poisoned()] += 1
        modes |= set(network.schedule.liars.values())
        failed = network.poison.fails | set(network.schedule.liars)
        followed += network.certificate is not None and any(one.number not in failed for one in network.honest)
    assert modes == set(Mode)
    assert ended["skipped"] > 10 and ended["executed"] > 10
    assert followed > 2, "some that executed it rolled back"


@pytest.mark.long
def test_a_block_that_all_honest_ones_fail_on_is_skipped_and_blocks_go_on():
    """As long as nobody recovers: nothing but the certificate can move them."""
    tried = 0
    for seed in range(200):
        schedule = schedule_of(seed)
        poison = poison_of(schedule)
        honest = set(range(len(schedule.powers))) - set(schedule.liars)
        if poison.fails != honest or poison.recovers:
            continue
        tried += 1
        network = PoisonedNetwork(schedule)
        assert network.run_poisoned() == "skipped", seed
        assert min(one.height for one in network.honest) > poison.height + 1, seed
        if tried == 8:
            break
    assert tried == 8


@pytest.mark.parametrize(("rule", "seed"), [(SIGNED_SKIP, 86), (VOTED_ABOVE, 281)])
def test_attack_C48_without_a_rule_of_skips_a_schedule_reaches_both_and_with_it_the_same_one_holds(rule, seed):
    PoisonedNetwork(schedule_of(seed)).run_poisoned()
    with skips_without(rule), pytest.raises(Violated, match="beside a commit over the executed state"):
        PoisonedNetwork(schedule_of(seed), signs_anyway=rule == VOTED_ABOVE).run_poisoned()
