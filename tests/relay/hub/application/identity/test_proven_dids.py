"""A resolver that lies about a DID: every record that it leaves out, changes or invents is missed by the reader's rules.

What it shows is proven under one root, so it can only choose what to show; a changed value is caught by the proof, which
`tests/relay/cli/identity` and the audit's own tests judge.
"""

import pytest

from hutong.light_clients.interface import VERIFY, PredicateFailed
from hutong.relay.hub.application.identity import interface
from hutong.relay.services.identity.rules.organisations.key_form import thumbprint
from hutong.relay.services.identity.rules.organisations.resolving import judge_accreditation, judge_did
from hutong.relay.services.identity.rules.records import keys
from tests.relay.hub.application.identity.organisations import (
    SCHEMA,
    Organisation,
    accredited_by,
    held,
    public_key,
    root_of,
)
from tests.relay.hub.simulated_hub import SimulatedHub


@pytest.fixture(scope="module")
def world():
    """An issuer two levels below its root, one of whose keys has ended; and what a node proves of it."""
    hub = SimulatedHub()
    root = root_of(hub)
    middle = accredited_by(root, "middle", depth=1)
    issuer = accredited_by(middle, "issuer")
    assert issuer.decide(interface.RETIRE_KEY, thumbprint(public_key(issuer.issuing))).ok
    names = (keys.did_key, keys.policy_key, keys.epoch_key)
    places = {name(issuer.did) for name in names} | {key for key in held(hub) if key.startswith(keys.KEY_PREFIX)}
    places |= {keys.did_key(one.did) for one in (root, middle)}
    places |= {keys.accreditation_key(one.did, SCHEMA) for one in (root, middle, issuer)}
    written = held(hub)
    return issuer, middle, {key: written[key] for key in sorted(places)}


def refused(judge) -> str:
    with pytest.raises(PredicateFailed) as caught:
        judge()
    return caught.value.predicate


def test_all_of_a_did_is_shown_with_its_ended_key_and_its_chain(world):
    issuer, _, proven = world
    found = judge_did(VERIFY, issuer.did, proven)
    assert found is not None and len(found.keys) == 2
    now_s = issuer.hub.time_s
    assert list(found.counting_at(now_s)) == [thumbprint(public_key(issuer.logging))]
    chain = judge_accreditation(VERIFY, issuer.did, SCHEMA, now_s, proven)
    assert [one.grant.depth for one in chain] == [0, 1, 4]


def test_attack_N53_a_resolver_that_keeps_a_key_back_is_caught_by_the_count(world):
    issuer, _, proven = world
    for key in (one for one in proven if one.startswith(keys.key_prefix(issuer.did))):
        shown = {place: value for place, value in proven.items() if place != key}
        assert refused(lambda shown=shown: judge_did(VERIFY, issuer.did, shown)) == "every_key_is_shown"


def test_attack_N53_a_resolver_cannot_add_another_dids_key_or_move_one(world):
    issuer, middle, proven = world
    others = {one: value for one, value in proven.items() if one.startswith(keys.key_prefix(middle.did))}
    ours = {one: value for one, value in proven.items() if not one.startswith(keys.key_prefix(issuer.did))}
    assert others and refused(lambda: judge_did(VERIFY, issuer.did, ours)) == "every_key_is_shown"
    first, second = (one for one in proven if one.startswith(keys.key_prefix(issuer.did)))
    moved = proven | {first: proven[second], second: proven[first]}
    assert refused(lambda: judge_did(VERIFY, issuer.did, moved)) == "key_is_under_its_thumbprint"


def test_attack_N53_a_resolver_that_says_less_or_nothing_is_refused(world):
    issuer, _, proven = world
    for left_out in (keys.did_key, keys.policy_key, keys.epoch_key):
        shown = {one: value for one, value in proven.items() if one != left_out(issuer.did)}
        assert refused(lambda shown=shown: judge_did(VERIFY, issuer.did, shown)) == "record_is_shown"
    without = proven | {keys.epoch_key(issuer.did): None}
    assert refused(lambda: judge_did(VERIFY, issuer.did, without)) == "record_is_present"
    nobody = Organisation(issuer.hub, "nobody")
    assert refused(lambda: judge_did(VERIFY, nobody.did, proven)) == "record_is_shown"
    assert judge_did(VERIFY, nobody.did, {keys.did_key(nobody.did): None}) is None


def test_attack_N53_a_resolver_that_prunes_the_chain_is_refused(world):
    issuer, middle, proven = world
    now_s = issuer.hub.time_s
    for key, rule in (
        (keys.accreditation_key(middle.did, SCHEMA), "accreditation_exists"),
        (keys.did_key(middle.did), "accreditor_is_active"),
    ):
        shown = {one: value for one, value in proven.items() if one != key}
        pruned = proven | {key: None}
        judge = judge_accreditation
        assert refused(lambda s=shown: judge(VERIFY, issuer.did, SCHEMA, now_s, s)) == "record_is_shown"
        assert refused(lambda p=pruned: judge(VERIFY, issuer.did, SCHEMA, now_s, p)) == rule
    late = 2**40
    assert refused(lambda: judge_accreditation(VERIFY, issuer.did, SCHEMA, late, proven)) == "accreditation_counts"
