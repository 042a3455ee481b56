"""What a demo says of the hub's validators, in either report, and when that is enough."""

import pytest

from hutong.relay.demo.cosmos.checker import Findings as CosmosFindings
from hutong.relay.demo.cosmos.report import as_json
from hutong.relay.demo.report import validator_rows
from hutong.relay.local.validators import Crash, Joined, Validators

CRASH, JOINED = Crash("hub-4", 29, 34), Joined("hub-5", 40, 61)
NOTHING = CosmosFindings(*(0, {}, 0, 0, 0, 0, 0, 0, 0, 0, 0), {}, {}, {}, {}, {"simd": 0}, {})


@pytest.mark.parametrize(
    ("validators", "good"),
    [
        (Validators(4, (CRASH,), None, 90), True),
        (Validators(4, (CRASH,), JOINED, 90), True),
        (Validators(4, (), None, 90), False),
        (Validators(4, (CRASH,), JOINED, None), False),
    ],
)
def test_one_was_killed_and_all_agree_or_the_run_is_not_good(validators, good):
    assert validators.good is good


def test_the_cosmos_report_says_what_became_of_validators_where_something_did():
    validators = Validators(4, (CRASH,), None, 90)
    report = as_json(NOTHING, [], {}, "Frozen", validators, 1.0)
    assert report["validators"] == {
        "count": 4,
        "crashes": ({"validator": "hub-4", "height": 29, "back_at_height": 34},),
        "joined": None,
        "agreed_height": 90,
    }
    assert "validators" not in as_json(NOTHING, [], {}, "Frozen", None, 1.0)


def test_the_table_says_the_same():
    assert validator_rows(Validators(4, (CRASH,), JOINED, 90)) == [
        ("hub-4 killed", "at height 29, level again at 34"),
        ("hub-5 joined by state sync", "from the snapshot of height 40, level at 61"),
        ("state of all hub nodes", "the same at height 90"),
    ]
    assert validator_rows(Validators(4, (), None, None)) == [("state of all hub nodes", "NOT the same")]
