"""Concurrent relayers never undo each other, and a proof can always be made to fit a stored height."""

import pytest

from tests.models.concurrent_updates import ConcurrentUpdates, planned, verdict
from tests.models.explorer import Violation, expect_progress, explore


def test_attack_I2_concurrent_updates_are_all_taken_and_a_proof_always_fits_some_stored_height():
    for served in (1, 2, 6):
        model = ConcurrentUpdates(served=served)
        explored = explore(model)
        assert explored.taken["submit"] > 100
        assert explored.taken["crash"]
        expect_progress(explored, model.provable, "a stored height with a proof")


def test_attack_I2_the_model_asks_the_light_client_and_the_planner():
    assert planned(1, 3) == (3,)
    assert len(planned(1, 6)) > 1, "too few of block 1's validators sealed block 6"
    assert verdict(frozenset({1}), 1, 3) == "updated"
    assert verdict(frozenset({1, 3}), 1, 3) == "no-op"
    assert verdict(frozenset({1, 6}), 1, 3) == "updated", "between two stored heights"
    assert "overlap" in verdict(frozenset({1}), 1, 6) or verdict(frozenset({1}), 1, 6) == "NotEnoughTrust"


@pytest.mark.parametrize(
    ("without", "found"),
    [
        ({"bisects": False}, "is refused: NotEnoughTrust"),
        ({"keeps": False}, "is refused: .*height"),
        ({"follows": False}, "can never be proven"),
    ],
)
def test_attack_I2_without_a_rule_the_model_finds_the_refusal(without, found):
    with pytest.raises(Violation, match=found):
        explore(ConcurrentUpdates(**without))
