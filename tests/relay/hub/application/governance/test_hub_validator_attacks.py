"""Attack lines C7, C8, C12 and C43 for the hub's own sets, and a run of headers: our client and HubClient say the same."""

import pytest

from tests.oracle.judges import SolidityJudge, python_verdict
from tests.relay.hub.application.governance.validator_attacks import validator_change_cases
from tests.relay.hub.application.governance.validator_run import ValidatorRun
from tests.relay.hub.joining.header_follower import Follower, skipping_updates, update_of

CASES = validator_change_cases()
HEADERS = 500
SEED = 500


def cases_of(code: str):
    return pytest.mark.parametrize(
        "case", [case for case in CASES if case.name.startswith(code)], ids=lambda case: case.name
    )


@pytest.fixture(scope="module")
def solidity():
    return SolidityJudge()


def judge(case, solidity) -> None:
    by_python, reason = python_verdict(case)
    by_solidity, other_reason = solidity.verdict(case)
    assert (by_python, by_solidity) == (case.expected, case.expected), (reason, other_reason)


@cases_of("C7 ")
def test_attack_C7_hub_sets_are_those_of_their_hashes(case, solidity):
    judge(case, solidity)


@cases_of("C8 ")
def test_attack_C8_hub_a_set_is_believed_for_a_third_of_the_trusted_power_or_for_its_name(case, solidity):
    judge(case, solidity)


@cases_of("C12 ")
def test_attack_C12_hub_sets_have_positive_bounded_powers(case, solidity):
    judge(case, solidity)


@cases_of("C43 ")
def test_attack_C43_hub_headers_at_the_very_change(case, solidity):
    judge(case, solidity)


@pytest.mark.long
def test_every_header_of_a_run_with_validator_changes_is_accepted():
    run = ValidatorRun(SEED)
    every, skipping = Follower(run.hub), Follower(run.hub)
    verdicts = []
    for height in run.run(HEADERS):
        assert every.advance(update_of(run.hub, height, height - 1)) == "valid"
        if height % 100 == 0:
            verdicts += [verdict for _, verdict in skipping_updates(skipping, height)]
    assert (every.height, skipping.height) == (HEADERS, HEADERS)
    assert verdicts.count("valid") >= HEADERS // 100
    assert run.joined > 3 < run.left
    assert run.missed_votes > HEADERS // 4
    assert run.refused
