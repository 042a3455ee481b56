"""The handbook's list of log events is what the code says, and a thing has one name in all of them."""

import re
from pathlib import Path

import pytest

from hutong.adapters.evm.attested.attestors import CONTRADICTED, DISAGREEMENT, STRANGER
from tests.docs.log_calls import log_calls

ROOT = Path(__file__).parents[2]
PARTS = ("acceleration", "core", "dispatch", "ledger", "attestor", "signer", "hub", "evm")
MADE_AT_RUN_TIME = {
    "core/topology/chains.py": {DISAGREEMENT, STRANGER, CONTRADICTED},
    "core/route/progress.py": {"delivered", "acknowledged", "timed out"},
    "core/observing/rounds.py": {"observations wait", "observations go on", "issuers wait", "issuers go on"},
}
"""An alert of attestors is named in `adapters`, which log nothing themselves; a job's end by its kind; rounds by what waits."""
OTHER_NAMES = {"hash", "job", "tx", "packet_id", "error"}


@pytest.fixture(scope="module")
def calls():
    return [call for part in PARTS for call in log_calls(ROOT / "relay" / part)]


@pytest.mark.long
def test_every_event_is_in_the_handbook_and_the_reverse(calls):
    page = (ROOT / "docs/handbook/log-events.md").read_text().partition("## Of packets")[2]
    listed = re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE)
    assert len(listed) == len(set(listed)), "an event has one row"
    said = {call.event for call in calls if call.event is not None}
    for call in calls:
        if call.event is None:
            said |= MADE_AT_RUN_TIME[call.where.partition(":")[0]]
    missing, surplus = said - set(listed), set(listed) - said
    assert not missing, f"not in docs/handbook/log-events.md: {sorted(missing)}"
    assert not surplus, f"nothing logs these any more: {sorted(surplus)}"


def test_fields_have_one_name(calls):
    wrong = [(call.where, call.fields & OTHER_NAMES) for call in calls if call.fields & OTHER_NAMES]
    assert not wrong, "packet, transaction, chain and reason are the names"


def test_what_goes_wrong_says_why(calls):
    told_by_themselves = {
        "the chain is shorter than it was; watching from its head",
        "a route is full; the clearer will bring the rest",
        "the queue is full; the rest waits for a later pass",
        "event names another counterparty",
        "event contradicts the state",
        "queue was lost; the clearer will fill it again",
        "embedded Valkey ended; starting it again",
        "ending the Valkey that an earlier relay left",
        "the client is near its expiry and was not refreshed: look at the endpoints and the wallet",
        "the client has expired: packets wait until the chain's admins recover it",
        "the client is frozen: packets wait until the chain's admins recover it",
        "the client is frozen: its chain's validators signed two histories",
        "reloading is not supported: restart the relay to use another configuration; what is under way goes on",
        "two blocks for one height",
    }
    silent = {
        call.event
        for call in calls
        if call.event and call.level in ("warning", "error") and "reason" not in call.fields
    }
    assert silent <= told_by_themselves
