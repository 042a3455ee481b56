"""Who may register, change and recover a person: each rule with what it takes and what it refuses."""

from dataclasses import replace

from hutong.light_clients.crypto import sha256
from hutong.light_clients.interface import VERIFY
from hutong.relay.services.identity.rules.persons.changing import OWN_INTERVAL_S, changed, judge_changes
from hutong.relay.services.identity.rules.persons.person import Place, leaf_of
from hutong.relay.services.identity.rules.persons.person_recovery_record import encode_person_recovery_record
from hutong.relay.services.identity.rules.persons.recovering import (
    KEPT_S,
    MAX_APPROVAL_LIFE_S,
    Demand,
    Shown,
    judge_cancel,
    judge_completion,
    judge_start,
    recovery_is_over,
)
from hutong.relay.services.identity.rules.persons.recovery_policy import encode_person_policy
from hutong.relay.services.identity.rules.persons.registering import (
    encode_registrations,
    judge_registrations,
    shard_has_room,
)
from hutong.relay.services.identity.rules.persons.signed import cancel_digest, recovery_digest
from hutong.relay.services.identity.rules.records.did_record import Moment
from hutong.relay.services.identity.rules.records.encoding import MAX_UINT32
from hutong.relay.services.identity.rules.records.shard_record import MAX_LEAVES, ShardRecord
from tests.relay.services.identity.rules.persons.people import (
    DID,
    HUB,
    SHARD,
    account,
    change,
    control,
    guardians_sign,
    person,
    policy,
    refused_by,
    registration,
    registrations,
    signed,
    tree_of,
)
from tests.relay.services.identity.rules.persons.sample_persons import EMPTY

NOW = Moment(12, 1_700_000_500)
GUARDED = policy(["guardian 1", "guardian 2", "guardian 3"], 2, delay_s=7_200)
DORA = person("dora", "dora next", GUARDED)
ERIN = person("erin", policy=policy(registrar_may=True))
FRED = person("fred")
PEOPLE = [DORA, ERIN, FRED]
TREE = tree_of(PEOPLE)
STANDING = ShardRecord(TREE.root(), 3, 1, NOW)
PLACE = Place(*SHARD, 0)
NEW = control("dora new", "dora newer", GUARDED)
EXPIRES_S = NOW.time_s + 600


def register_refusal(entries, shard=SHARD, hub=HUB) -> str:
    return refused_by(judge_registrations, VERIFY, hub, shard, EMPTY, ([], encode_registrations(entries)))


def change_refusal(entries, *, own_s=None, shard=SHARD, hub=HUB, people=PEOPLE, record=STANDING) -> str:
    siblings = tree_of(people).siblings([entry.index for entry in entries])
    return refused_by(judge_changes, VERIFY, hub, shard, record, (siblings, entries), own_s)


def test_attack_N91_a_registration_is_signed_by_the_key_that_it_registers():
    gail, hank = registrations(["gail", "hank"])
    record = judge_registrations(VERIFY, HUB, SHARD, EMPTY, ([], encode_registrations([gail, hank])))
    assert (record.count, record.version, record.root) == (2, 1, tree_of([gail.person, hank.person]).root())
    lies = [
        replace(gail, control=replace(gail.control, next_key=b"\x09" * 32)),
        replace(gail, control=replace(gail.control, recovery=b"\x09" * 32)),
        replace(gail, control=replace(gail.control, account=account("thief"))),
        replace(gail, salt=b"\x09" * 16),
        replace(gail, signature=hank.signature),
        replace(gail, signature=bytes(64)),
        registration(gail.person, "thief"),
        registration(gail.person, "gail", (DID, 1)),
        registration(gail.person, "gail", (b"\x12" * 32, 0)),
    ]
    for number, lie in enumerate(lies):
        assert register_refusal([hank, lie]) == "people_hold_their_keys", number
    assert register_refusal([gail, hank], hub="hutong-2") == "people_hold_their_keys"


def test_attack_N90_no_salt_or_key_is_twice_in_a_batch():
    gail, hank = registrations(["gail", "hank"])
    assert register_refusal([gail, gail]) == "people_are_distinct"
    same_salt = replace(hank.person, salt=gail.salt)
    assert register_refusal([gail, registration(same_salt, "hank")]) == "people_are_distinct"
    same_key = replace(gail.person, salt=hank.salt)
    assert register_refusal([gail, registration(same_key, "gail")]) == "people_are_distinct"


def test_attack_N92_a_shard_ends():
    shard_has_room(MAX_LEAVES - 2, 2)
    assert refused_by(shard_has_room, MAX_LEAVES - 2, 3) == "shard_has_room"


def test_attack_N94_a_stolen_present_key_changes_nothing_beside_a_next_one():
    """Whoever lost the present key changes without it; and a person without a next key decides by the present one."""
    taken = control("dora next", "dora third", GUARDED)
    record = judge_changes(VERIFY, HUB, SHARD, STANDING, (TREE.path(0), [change(0, DORA, taken, "dora next")]))
    assert record.root == tree_of([changed(DORA, taken), ERIN, FRED]).root() and record.version == 2
    for following, key, name in (
        (control("thief"), "thief", "following_key_was_committed_to"),
        (control("thief"), "dora", "following_key_was_committed_to"),
        (control("dora", "thief"), "dora", "following_key_was_committed_to"),
        (taken, "dora", "signed_by"),
        (control("dora next", "thief"), "dora", "signed_by"),
        (control("dora next", "dora third"), "thief", "signed_by"),
    ):
        assert change_refusal([change(0, DORA, following, key)]) == name
    moved = control("fred 2", "fred 3")
    assert judge_changes(VERIFY, HUB, SHARD, STANDING, (TREE.path(2), [change(2, FRED, moved, "fred")]))
    assert change_refusal([change(2, FRED, moved, "fred 2")]) == "signed_by"


def test_attack_N95_a_change_counts_once_at_its_place_for_its_values():
    moved = control("fred 2")
    entry = change(2, FRED, moved, "fred")
    after = changed(FRED, moved)
    people = [DORA, ERIN, after]
    record = judge_changes(VERIFY, HUB, SHARD, STANDING, (TREE.path(2), [entry]))
    assert change_refusal([entry], people=people, record=record) == "changes_lead_from_root"
    assert change_refusal([replace(entry, before=after)], people=people, record=record) == "signed_by"
    back = change(2, after, FRED.control, "fred 2")
    third = judge_changes(VERIFY, HUB, SHARD, record, (tree_of(people).path(2), [back]))
    again = [DORA, ERIN, changed(after, FRED.control)]
    assert again[2].control == FRED.control and third.root == tree_of(again).root()
    assert change_refusal([entry], people=again, record=third) == "changes_lead_from_root"
    assert change_refusal([replace(entry, before=again[2])], people=again, record=third) == "signed_by"
    assert change_refusal([replace(entry, index=1)]) == "signed_by"
    assert change_refusal([replace(entry, following=control("thief"))]) == "signed_by"
    assert change_refusal([entry], shard=(DID, 1)) == "signed_by"
    assert change_refusal([entry], shard=(b"\x12" * 32, 0)) == "signed_by"
    assert change_refusal([entry], hub="hutong-2") == "signed_by"
    spent = replace(FRED, sequence=MAX_UINT32)
    assert change_refusal([change(2, spent, moved, "fred")]) == "sequence_is_left"


def test_attack_N97_a_person_alone_changes_once_a_day():
    now_s, moved = NOW.time_s, control("fred 2")
    once = changed(FRED, moved, now_s)
    record = judge_changes(VERIFY, HUB, SHARD, STANDING, (TREE.path(2), [change(2, FRED, moved, "fred")]), now_s)
    assert record.root == tree_of([DORA, ERIN, once]).root()
    again = change(2, once, control("fred 3"), "fred 2")
    said = {"people": [DORA, ERIN, once], "record": record}
    assert change_refusal([again], own_s=now_s + OWN_INTERVAL_S - 1, **said) == "own_change_is_due"
    for own_s in (None, now_s + OWN_INTERVAL_S):
        assert judge_changes(VERIFY, HUB, SHARD, record, (tree_of(said["people"]).path(2), [again]), own_s)


# --- recovery


def started(signers=("guardian 1", "guardian 2"), *, standing=None, now=NOW, **changes):
    """Arguments of a start that guardians approve, with some changed."""
    said = {"person": DORA, "path": TREE.path(0), "following": NEW, "policy": GUARDED, "expires_s": EXPIRES_S} | changes
    digest = recovery_digest(HUB, PLACE, leaf_of(DORA), NEW, EXPIRES_S)
    signatures = None if signers is None else guardians_sign(signers, digest)
    demand = Demand(said["following"], encode_person_policy(said["policy"]), said["expires_s"])
    shown = Shown(said["person"], said["path"])
    return VERIFY, HUB, PLACE, (STANDING, standing), (shown, demand), (signatures, now)


def test_attack_N98_a_recovery_needs_its_quorum_of_the_persons_guardians():
    record = judge_start(*started())
    assert (record.leaf, record.account, record.following) == (leaf_of(DORA), account("dora"), NEW)
    assert record.effective_s == NOW.time_s + 7_200
    assert judge_start(*started(("guardian 1", "guardian 2", "guardian 3", "stranger")))
    for signers, name in (
        (("guardian 1",), "guardians_approve"),
        (("guardian 1", "stranger"), "guardians_approve"),
        (("guardian 1", "guardian 1"), "signers_ascend"),
        ((), "guardians_approve"),
        (None, "registrar_may_recover"),
    ):
        assert refused_by(judge_start, *started(signers)) == name, signers
    for changes, name in (
        ({"policy": policy(["guardian 1", "guardian 2"], 1)}, "policy_was_committed_to_by_leaf"),
        ({"person": replace(DORA, sequence=1)}, "leaf_stands_under_root"),
        ({"path": TREE.path(1)}, "leaf_stands_under_root"),
    ):
        assert refused_by(judge_start, *started(**changes)) == name, changes


def test_attack_N98_guardians_approve_who_is_to_follow_and_until_when():
    """A signature over anything else recovers to somebody else, before or after the other one."""
    for changes in ({"following": control("thief")}, {"expires_s": EXPIRES_S + 1}):
        assert refused_by(judge_start, *started(**changes)) in ("guardians_approve", "signers_ascend"), changes


def test_attack_N98_a_registrar_recovers_whom_lets_it_and_no_guardians_of_none():
    place, demand = (
        Place(*SHARD, 1),
        Demand(control("erin 2"), encode_person_policy(policy(registrar_may=True)), NOW.time_s),
    )
    shown = Shown(ERIN, TREE.path(1))
    record = judge_start(VERIFY, HUB, place, (STANDING, None), (shown, demand), (None, NOW))
    assert record.effective_s == NOW.time_s + 3_600
    digest = recovery_digest(HUB, place, leaf_of(ERIN), demand.following, demand.expires_s)
    for signers in ((), ("guardian 1",)):
        approval = (guardians_sign(signers, digest), NOW)
        refusal = refused_by(judge_start, VERIFY, HUB, place, (STANDING, None), (shown, demand), approval)
        assert refusal == "guardians_approve"
    nobody = Shown(FRED, TREE.path(2))
    refusal = refused_by(judge_start, VERIFY, HUB, Place(*SHARD, 2), (STANDING, None), (nobody, demand), (None, NOW))
    assert refusal == "policy_was_committed_to_by_leaf"


def cancelled(record, key="dora", place=PLACE):
    digest = cancel_digest(HUB, place, sha256(encode_person_recovery_record(record)))
    return VERIFY, HUB, PLACE, record, signed(key, digest)


def test_attack_N99_the_present_key_cancels_until_the_delays_last_second():
    record = judge_start(*started())
    last_s, shown = record.effective_s - 1, Shown(DORA, TREE.path(0))
    assert judge_cancel(*cancelled(record), last_s) == replace(record, effective_s=0)
    completing = (VERIFY, PLACE, (STANDING, record), shown)
    assert refused_by(judge_completion, *completing, last_s) == "person_recovery_is_due"
    assert refused_by(judge_cancel, *cancelled(record), record.effective_s) == "recovery_can_be_cancelled"
    after = judge_completion(*completing, record.effective_s)
    assert after.root == tree_of([changed(DORA, NEW), ERIN, FRED]).root() and after.version == 2
    for key, place in (("dora next", PLACE), ("thief", PLACE), ("dora", Place(*SHARD, 1))):
        assert refused_by(judge_cancel, *cancelled(record, key, place), last_s) == "signed_by"
    other = cancelled(replace(record, expires_s=record.expires_s + 1))
    assert refused_by(judge_cancel, VERIFY, HUB, PLACE, record, other[-1], last_s) == "signed_by"
    gone = replace(record, effective_s=0)
    assert refused_by(judge_cancel, *cancelled(gone), last_s) == "recovery_can_be_cancelled"
    assert refused_by(judge_completion, VERIFY, PLACE, (STANDING, gone), shown, 2**40) == "person_recovery_is_due"


def test_attack_N100_what_was_cancelled_or_has_expired_begins_nothing():
    gone = replace(judge_start(*started()), effective_s=0)
    assert refused_by(judge_start, *started(standing=gone)) == "no_recovery_waits"
    assert refused_by(judge_start, *started(standing=replace(gone, effective_s=NOW.time_s + 1))) == "no_recovery_waits"
    assert judge_start(*started(standing=replace(gone, expires_s=EXPIRES_S - 1))).expires_s == EXPIRES_S
    assert judge_start(*started(standing=replace(gone, leaf=b"\x01" * 32)))
    for now_s in (EXPIRES_S + 1, EXPIRES_S - MAX_APPROVAL_LIFE_S - 1):
        assert refused_by(judge_start, *started(now=Moment(12, now_s))) == "approval_counts_now"
    for now_s in (EXPIRES_S, EXPIRES_S - MAX_APPROVAL_LIFE_S):
        assert judge_start(*started(now=Moment(12, now_s)))


def test_attack_N100_a_registrars_start_keeps_cancelled_approvals_cancelled():
    both = policy(["guardian 1"], 1, registrar_may=True)
    gwen = person("gwen", policy=both)
    tree, record = tree_of([gwen]), ShardRecord(tree_of([gwen]).root(), 1, 1, NOW)
    demand = Demand(NEW, encode_person_policy(both), EXPIRES_S)
    signatures = guardians_sign(["guardian 1"], recovery_digest(HUB, PLACE, leaf_of(gwen), NEW, EXPIRES_S))
    said = (Shown(gwen, tree.path(0)), demand)
    gone = replace(judge_start(VERIFY, HUB, PLACE, (record, None), said, (signatures, NOW)), effective_s=0)
    own = (said[0], replace(demand, expires_s=NOW.time_s))
    second = judge_start(VERIFY, HUB, PLACE, (record, gone), own, (None, NOW))
    assert second.expires_s == EXPIRES_S
    again = replace(second, effective_s=0)
    assert refused_by(judge_start, VERIFY, HUB, PLACE, (record, again), said, (signatures, NOW)) == "no_recovery_waits"


def test_attack_N101_a_recovery_of_what_a_person_was_takes_no_effect():
    record = judge_start(*started())
    taken = control("dora next", "dora third", GUARDED)
    after = judge_changes(VERIFY, HUB, SHARD, STANDING, (TREE.path(0), [change(0, DORA, taken, "dora next")]))
    now = changed(DORA, taken)
    tree = tree_of([now, ERIN, FRED])
    for shown, name in (
        (Shown(now, tree.path(0)), "recovery_is_of_leaf"),
        (Shown(DORA, TREE.path(0)), "changes_lead_from_root"),
    ):
        assert refused_by(judge_completion, VERIFY, PLACE, (after, record), shown, record.effective_s) == name


def test_attack_N102_a_recovery_is_cleared_when_it_counts_for_nothing():
    record = judge_start(*started())
    over_s = record.effective_s + KEPT_S
    assert refused_by(recovery_is_over, record, over_s) == "recovery_is_over"
    recovery_is_over(record, over_s + 1)
    gone = replace(record, effective_s=0)
    assert refused_by(recovery_is_over, gone, EXPIRES_S) == "recovery_is_over"
    recovery_is_over(gone, EXPIRES_S + 1)
