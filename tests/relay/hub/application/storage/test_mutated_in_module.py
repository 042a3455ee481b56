"""A few of the forged answers that `mutate_in_module` makes by the million."""

from tests.relay.hub.application.storage.mutate_in_module import run


def test_rules_and_module_agree_on_forged_answers():
    outcomes, wrong = run(300, 3)
    assert wrong == []
    assert outcomes["right"] > 20 and len(outcomes) > 6
