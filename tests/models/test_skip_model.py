"""A block that some cannot execute: in no order of events a skip certificate and a commit over the executed state."""

import pytest

from tests.models.explorer import Violation, explore
from tests.models.skip_of_block import EXECUTED_BLOCK, SKIPPED_BLOCK, Outcome, SkipModel, committed


@pytest.mark.long
def test_attack_C48_no_order_has_a_certificate_beside_a_commit_over_the_executed_state():
    explored = explore(SkipModel())
    assert any(committed(state, EXECUTED_BLOCK) for state in explored.states)
    assert any(committed(state, SKIPPED_BLOCK) for state in explored.states)
    both = [state for state in explored.states if {one.outcome for one in state} >= {Outcome.EXECUTED, Outcome.SKIPPED}]
    assert both, "one had executed it and the others skip it"
    assert len(explored.states) > 1_000


@pytest.mark.parametrize("without", ["signs_after_votes", "executes_after_signing", "sees_precommits_only"])
def test_attack_C48_without_one_of_the_rules_there_is_a_way_to_both(without):
    with pytest.raises(Violation) as found:
        explore(SkipModel(**{without: True}))
    assert "executed state" in found.value.reason
    assert any("signs the skip" in step for step in found.value.trace)
    assert any("over the executed state" in step for step in found.value.trace)


@pytest.mark.long
def test_who_rolled_back_votes_again_and_completes_the_commit():
    """The liar falls silent after it signed: the one that had executed is needed, and may."""
    explored = explore(SkipModel())
    rejoined = [
        state
        for state in explored.states
        if committed(state, SKIPPED_BLOCK)
        and any(
            one.outcome is Outcome.SKIPPED and not one.signed_skip and one.record.round == 1 and len(one.votes) > 2
            for one in state
        )
    ]
    assert rejoined
