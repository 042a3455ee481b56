"""What must not become an identity record, each beside what does: one typed refusal, and nothing is stored."""

import pytest

from hutong.light_clients.ibc.abi import encode_abi
from hutong.light_clients.proofs.merkle.tree import leaf_hash, root_of_leaves
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.admin import set_identity_action
from hutong.relay.hub.application.identity import interface
from hutong.relay.hub.application.identity.approving import call_hash
from hutong.relay.hub.application.identity.issuing import MAX_OPEN_LISTS
from hutong.relay.hub.application.identity.registering import MAX_STRANGER_KEYS
from hutong.relay.hub.application.module import IDENTITY_ADDRESS
from hutong.relay.services.identity.rules.organisations.approvals import Operation, operation_digest
from hutong.relay.services.identity.rules.organisations.key_form import thumbprint
from hutong.relay.services.identity.rules.records import keys
from hutong.relay.services.identity.rules.records.key_record import KeyAlgorithm, KeyPurpose, KeyState, PublicKey
from hutong.relay.services.identity.rules.records.policy_record import policy_commitment
from hutong.relay.services.identity.rules.status.chunk_update import (
    ChunkChange,
    ListUpdate,
    encode_update,
    prove_update,
)
from tests.relay.hub.application.identity.organisations import (
    GAS,
    HUB,
    OTHER_SCHEMA,
    OUTSIDER,
    SCHEMA,
    Organisation,
    accredit_root,
    accredited_by,
    held,
    key_struct,
    named,
    policy,
    public_key,
    refused_by_rule,
    root_of,
    signature_of,
)
from tests.relay.hub.simulated_hub import SimulatedHub, address_of

ISSUING = KeyPurpose.SIGNING | KeyPurpose.CONTRACT
NEW = named("new key")
NEW_KEY = key_struct(public_key(NEW), ISSUING)
DAY_S = 86_400


@pytest.fixture
def hub():
    return SimulatedHub()


@pytest.fixture
def root(hub):
    return root_of(hub)


@pytest.fixture
def issuer(root):
    return accredited_by(root, "issuer")


def refuses(outcome, error: abi.Error, before: dict[bytes, bytes], hub) -> tuple:
    """The arguments of the custom error; and nothing was stored."""
    found = outcome.reverted_with(error)
    assert found is not None, (outcome.code, outcome.log, outcome.data)
    assert held(hub) == before
    return found


def test_attack_N40_a_registration_taken_from_the_pool_names_another_did(hub):
    victim = Organisation(hub, "victim")
    stolen = victim.send(victim.registration(), OUTSIDER)
    assert stolen.ok and hub.view().get(keys.did_key(victim.did)) is None
    assert hub.view().get(keys.did_key(keys.did_id(HUB, address_of(OUTSIDER), victim.salt))) is not None
    assert victim.register().ok
    refuses(victim.register(), interface.DID_EXISTS, held(hub), hub)


def test_attack_N41_an_operation_needs_its_quorum_once_for_its_did_call_and_sequence(hub, root):
    people = [named(f"controller {number}") for number in range(3)]
    issuer = accredited_by(root, "issuer", controllers=people, threshold=2)
    other = accredited_by(root, "other", controllers=people, threshold=2)
    print_of, before = thumbprint(public_key(issuer.issuing)), held(hub)
    retire = (interface.RETIRE_KEY, print_of)

    def sent(*signers, **said):
        return issuer.send(issuer.approved(*retire, signers=signers, **said), people[0])

    assert refuses(sent(), interface.NOT_APPROVED, before, hub)[1:] == (1, 2)
    assert refuses(sent(people[0]), interface.NOT_APPROVED, before, hub)[1:] == (1, 2)
    assert refuses(sent(OUTSIDER), interface.NOT_APPROVED, before, hub)[1:] == (1, 2)
    assert refuses(sent(people[1], sequence=1), interface.WRONG_SEQUENCE, before, hub)[1:] == (1, 0)
    for_other_call = issuer.approved(interface.RETIRE_KEY, bytes(32), signers=people[1:2])
    of_other_did = other.approved(*retire, signers=people[1:2])
    for taken in (for_other_call, of_other_did):
        ((_, _, signatures), _) = interface.RETIRE_KEY.decode(taken)
        moved = interface.RETIRE_KEY.call((issuer.did, 0, list(signatures)), print_of)
        refuses(issuer.send(moved, people[0]), interface.NOT_APPROVED, before, hub)
    hashed = call_hash(interface.RETIRE_KEY.selector, encode_abi(("bytes32",), [print_of]))
    digest = operation_digest("other-hub", Operation(issuer.did, issuer.record().registered.height, 0, hashed))
    of_other_hub = interface.RETIRE_KEY.call((issuer.did, 0, [signature_of(people[1], digest)]), print_of)
    refuses(issuer.send(of_other_hub, people[0]), interface.NOT_APPROVED, before, hub)
    good = issuer.approved(*retire, signers=people[1:2])
    ((_, _, (signature,)), _) = interface.RETIRE_KEY.decode(good)
    twice = interface.RETIRE_KEY.call((issuer.did, 0, [signature, signature]), print_of)
    assert refused_by_rule(issuer.send(twice, people[0])) == "signers_ascend"
    high_v = interface.RETIRE_KEY.call((issuer.did, 0, [signature[:64] + b"\x00"]), print_of)
    assert refused_by_rule(issuer.send(high_v, people[0])) == "approval.signatures"
    assert held(hub) == before
    assert issuer.send(good, people[0]).ok
    assert refuses(issuer.send(good, people[0]), interface.WRONG_SEQUENCE, held(hub), hub)[1:] == (0, 1)


def test_attack_N41_signatures_of_all_let_anybody_send(hub, root):
    people = [named(f"controller {number}") for number in range(2)]
    issuer = accredited_by(root, "issuer", controllers=people, threshold=2)
    call = issuer.approved(interface.SET_DOCUMENT, b"\x07" * 32, signers=people)
    assert issuer.send(call, OUTSIDER).ok and issuer.record().document.document_hash == b"\x07" * 32
    digest = hub.read(IDENTITY_ADDRESS, interface.OPERATION_DIGEST, issuer.did, b"\x09" * 32)
    record = issuer.record()
    assert digest == operation_digest(HUB, Operation(issuer.did, record.registered.height, 1, b"\x09" * 32))


def test_attack_N42_a_thief_of_the_controllers_keys_meets_the_next_policy(hub):
    owner, thief = named("next owner"), named("thief")
    salt = b"\x0a" * 32
    commitment = policy_commitment(1, (address_of(owner),), salt)
    mine = Organisation(hub, "mine")
    assert mine.register(next_policy=commitment, guardians=(1, [thief], DAY_S)).ok
    before = held(hub)
    for name, said in (("other controllers", policy([thief])), ("a known one", policy([owner], 1, commitment))):
        salted = bytes(32) if name == "other controllers" else b"\x0b" * 32
        outcome = mine.decide(interface.CHANGE_CONTROLLERS, said, salted)
        assert refused_by_rule(outcome) == "policy_was_committed_to", name
    guess = mine.approved(interface.CHANGE_CONTROLLERS, policy([owner]), salt)
    refuses(mine.send(guess, mine.registrar), interface.NOT_APPROVED, before, hub)
    assert mine.send(mine.approved(interface.CHANGE_CONTROLLERS, policy([owner]), salt), owner).ok
    refuses(mine.decide(interface.SET_DOCUMENT, bytes(32)), interface.NOT_APPROVED, held(hub), hub)
    assert mine.policy().controllers.accounts == (address_of(owner),)


def test_attack_N42_recovery_takes_its_quorum_and_its_delay_and_is_cancelled_within(hub):
    guardians = [named(f"guardian {number}") for number in range(3)]
    heir, mine = named("heir"), Organisation(hub, "mine")
    assert mine.register(guardians=(2, guardians, DAY_S)).ok
    start = (interface.START_RECOVERY, policy([heir]))

    def started(*signers):
        return mine.send(mine.approved(*start, signers=signers), guardians[0])

    refuses(started(), interface.NOT_APPROVED, held(hub), hub)
    refuses(mine.decide(*start), interface.NOT_APPROVED, held(hub), hub)
    refuses(mine.send(interface.COMPLETE_RECOVERY.call(mine.did), OUTSIDER), interface.NO_RECOVERY, held(hub), hub)
    assert started(guardians[1]).ok
    refuses(started(guardians[1]), interface.RECOVERY_PENDING, held(hub), hub)
    early = mine.send(interface.COMPLETE_RECOVERY.call(mine.did), OUTSIDER)
    assert refused_by_rule(early) == "recovery_is_due"
    assert mine.decide(interface.CANCEL_RECOVERY).ok
    refuses(mine.decide(interface.CANCEL_RECOVERY), interface.NO_RECOVERY, held(hub), hub)
    assert started(guardians[1]).ok
    hub.advance(time_s=hub.time_s + DAY_S)
    assert mine.send(interface.COMPLETE_RECOVERY.call(mine.did), OUTSIDER).ok
    assert mine.policy().controllers.accounts == (address_of(heir),)
    refuses(mine.decide(interface.SET_DOCUMENT, bytes(32)), interface.NOT_APPROVED, held(hub), hub)
    unguarded = Organisation(hub, "unguarded")
    assert unguarded.register().ok
    refuses(unguarded.decide(*start), interface.NO_GUARDIANS, held(hub), hub)


def test_attack_N43_what_an_ended_key_signs_later_is_in_no_log_that_counts(issuer):
    hub, print_of = issuer.hub, thumbprint(public_key(issuer.issuing))
    assert issuer.open_list().ok and issuer.open_list().ok
    assert issuer.append(b"early").ok
    early = issuer.log()
    hub.advance(time_s=hub.time_s + 100)
    stolen_at_s = hub.time_s
    hub.advance(time_s=hub.time_s + 100)
    assert issuer.append(b"late").ok
    assert issuer.decide(interface.RETIRE_KEY, print_of).ok
    ended = issuer.key(issuer.issuing)
    assert (ended.end.state, ended.end.log_size, ended.end.log_root) == (KeyState.RETIRED, 2, issuer.log().root)
    assert issuer.append(b"forged, and dated back").ok
    assert issuer.key(issuer.issuing).end == ended.end
    assert issuer.list(0).is_sealed and issuer.list(1).is_sealed and ended.open_lists == 0
    refuses(issuer.open_list(), interface.KEY_DOES_NOT_COUNT, held(hub), hub)
    for wrong in (hub.time_s + 10, ended.added.time_s - 1):
        outcome = issuer.decide(interface.COMPROMISE_KEY, print_of, wrong)
        assert refused_by_rule(outcome) == "compromise_may_be_declared"
    assert issuer.decide(interface.COMPROMISE_KEY, print_of, stolen_at_s).ok
    compromised = issuer.key(issuer.issuing).end
    assert (compromised.state, compromised.ended_s) == (KeyState.COMPROMISED, stolen_at_s)
    assert (compromised.log_size, compromised.log_root) == (early.size, early.root)
    again = issuer.decide(interface.COMPROMISE_KEY, print_of, stolen_at_s + 50)
    assert refused_by_rule(again) == "compromise_may_be_declared"
    assert refused_by_rule(issuer.decide(interface.RETIRE_KEY, print_of)) == "key_is_active"
    assert issuer.decide(interface.COMPROMISE_KEY, print_of, ended.added.time_s).ok
    assert issuer.key(issuer.issuing).end.log_size == 0
    assert issuer.revoke(0, 5).ok


def test_attack_N44_keys_are_points_new_not_dated_back_and_follow_as_committed(issuer):
    hub, now_s = issuer.hub, issuer.hub.time_s
    expected, decoy = named("expected key"), named("decoy key")

    def add(key: tuple):
        return issuer.decide(interface.ADD_KEY, key)

    point = public_key(NEW)
    off_curve = PublicKey(KeyAlgorithm.ES256K, point.x, point.x)
    assert refused_by_rule(add(key_struct(off_curve, ISSUING))) == "key_is_on_its_curve"
    assert refused_by_rule(add(key_struct(point, ISSUING, start_s=now_s - 50))) == "key_is_not_backdated"
    assert refused_by_rule(add(key_struct(point, ISSUING | KeyPurpose.LOG))) == "key.purposes"
    assert refused_by_rule(add(key_struct(point, KeyPurpose.SEAL))) == "key.purposes"
    refuses(add(key_struct(public_key(issuer.issuing), ISSUING)), interface.KEY_EXISTS, held(hub), hub)
    committed = thumbprint(public_key(expected))
    assert add(key_struct(point, ISSUING, next_thumbprint=committed)).ok

    def rotate(following, purposes=ISSUING):
        return issuer.decide(interface.ROTATE_KEY, thumbprint(point), key_struct(public_key(following), purposes))

    before = held(hub)
    assert refused_by_rule(rotate(decoy)) == "key_may_follow"
    assert refused_by_rule(rotate(expected, KeyPurpose.SIGNING)) == "key_may_follow"
    assert held(hub) == before
    assert rotate(expected).ok
    assert issuer.key(NEW).end.state is KeyState.RETIRED and issuer.key(expected).end.state is KeyState.ACTIVE
    refuses(issuer.decide(interface.RETIRE_KEY, bytes(32)), interface.UNKNOWN_KEY, held(hub), hub)
    assert issuer.record().counts.keys == 4 and issuer.record().counts.active_keys == 3


def test_attack_N45_a_chain_breaks_with_any_of_its_levels(hub):
    root = root_of(hub)
    middle = accredited_by(root, "middle", depth=1)
    issuer = accredited_by(middle, "issuer")
    assert issuer.is_accredited() and not issuer.is_accredited(OTHER_SCHEMA)
    deep = Organisation(hub, "deep")
    assert refused_by_rule(issuer.grant(deep.did)) == "depth_is_left"
    assert refused_by_rule(middle.grant(deep.did, depth=1)) == "depth_is_left"
    assert refused_by_rule(middle.grant(deep.did, schema=OTHER_SCHEMA)) == "schema_is_covered"
    assert refuses(middle.grant(deep.did, OTHER_SCHEMA, OTHER_SCHEMA), interface.NOT_ACCREDITED, held(hub), hub) == (
        middle.did,
        OTHER_SCHEMA,
        "accreditation_exists",
    )
    assert refused_by_rule(middle.grant(deep.did, window=(0, hub.time_s - 10))) == "window_is_ahead"
    assert refused_by_rule(middle.grant(root.did)) == "place_is_free"
    epoch = middle.epoch()
    assert root.decide(interface.REVOKE_ACCREDITATION, middle.did, SCHEMA).ok
    assert not issuer.is_accredited() and not middle.is_accredited() and middle.epoch() == epoch + 1
    refuses(issuer.open_list(), interface.NOT_ACCREDITED, held(hub), hub)
    assert root.grant(middle.did, depth=1, window=(0, hub.time_s + 50)).ok and issuer.is_accredited()
    hub.advance(time_s=hub.time_s + 60)
    hub.advance()
    assert not issuer.is_accredited()
    assert root.grant(middle.did, depth=0).ok and not issuer.is_accredited()
    assert root.grant(middle.did, depth=1).ok and issuer.is_accredited()
    for name in (middle.issuing, middle.logging):
        assert middle.decide(interface.RETIRE_KEY, thumbprint(public_key(name))).ok
    assert middle.decide(interface.DEACTIVATE).ok and not issuer.is_accredited()
    refuses(middle.decide(interface.SET_DOCUMENT, bytes(32)), interface.DID_DEACTIVATED, held(hub), hub)


def test_attack_N45_governance_replaces_a_root_and_its_whole_tree_ends(hub, root, issuer):
    assert issuer.is_accredited()
    assert accredit_root(hub, root.did, window=(0, 0)).ok
    assert not issuer.is_accredited() and not root.is_accredited()
    everything = root_of(hub, "everything", schema=keys.ANY_SCHEMA)
    assert everything.grant(issuer.did, SCHEMA, keys.ANY_SCHEMA).ok and issuer.is_accredited()
    assert everything.grant(issuer.did, OTHER_SCHEMA, keys.ANY_SCHEMA).ok and issuer.is_accredited(OTHER_SCHEMA)
    assert everything.decide(interface.REVOKE_ACCREDITATION, issuer.did, SCHEMA).ok
    assert not issuer.is_accredited() and issuer.is_accredited(OTHER_SCHEMA)


def test_attack_N46_a_place_is_nobodys_to_take_and_its_subjects_to_give_up(hub, root):
    """A deeper accreditor that replaced another's could revoke it at once; one that squats is renounced."""
    shallow, other = accredited_by(root, "shallow", depth=1), accredited_by(root, "other", depth=1)
    third = accredited_by(shallow, "third")
    before = held(hub)
    for taker, depth in ((other, 0), (root, 0), (root, 3)):
        assert refused_by_rule(taker.grant(third.did, depth=depth)) == "place_is_free"
    outcome = other.decide(interface.REVOKE_ACCREDITATION, third.did, SCHEMA)
    assert refused_by_rule(outcome) == "revoked_by_accreditor_or_subject"
    nothing = other.decide(interface.REVOKE_ACCREDITATION, third.did, OTHER_SCHEMA)
    refuses(nothing, interface.UNKNOWN_ACCREDITATION, before, hub)
    assert shallow.record().counts.accreditations == 1 and third.is_accredited()
    assert third.decide(interface.REVOKE_ACCREDITATION, third.did, SCHEMA).ok and not third.is_accredited()
    assert root.grant(third.did, depth=2).ok
    assert third.accreditation().grant.accreditor == root.did
    assert shallow.record().counts.accreditations == 0 and root.record().counts.accreditations == 3
    assert root.decide(interface.REVOKE_ACCREDITATION, third.did, SCHEMA).ok
    assert other.grant(third.did).ok and other.record().counts.accreditations == 1
    assert accredit_root(hub, third.did, depth=1).ok and other.record().counts.accreditations == 0
    assert refused_by_rule(root.grant(third.did, depth=3)) == "place_is_free"
    assert third.decide(interface.REVOKE_ACCREDITATION, third.did, SCHEMA).ok and other.grant(third.did).ok
    for _ in range(2):
        assert other.decide(interface.REVOKE_ACCREDITATION, third.did, SCHEMA).ok
    assert hub.view().get(keys.accreditation_key(third.did, SCHEMA)) is None
    assert other.record().counts.accreditations == 0


def test_attack_N47_bits_never_fall_and_chunks_are_the_lists_own(issuer):
    hub = issuer.hub
    assert issuer.open_list().ok and issuer.open_list().ok
    assert issuer.revoke(0, 300).ok and issuer.epoch() == 2
    before = held(hub)
    fallen = ListUpdate((ChunkChange(1, issuer.octets[0][32:64], bytes(32)),), prove_siblings(issuer, 0, 1))
    outcome = issuer.write(interface.UPDATE_LIST, 0, encode_update(fallen), bytes(32))
    assert refused_by_rule(outcome) == "bits_only_rise"
    of_other_list = issuer.update_of(1, b"\x01" + bytes(127))
    outcome = issuer.write(interface.UPDATE_LIST, 0, of_other_list, bytes(32))
    assert refused_by_rule(outcome) == "update_leads_from_root"
    refuses(issuer.write(interface.UPDATE_LIST, 2, of_other_list, bytes(32)), interface.UNKNOWN_LIST, before, hub)
    assert refused_by_rule(issuer.write(interface.UPDATE_LIST, 0, b"\x01", bytes(32))) == "list_update"
    assert held(hub) == before
    assert issuer.write(interface.UPDATE_LIST, 0, b"", b"\x0c" * 32).ok
    assert issuer.list(0).token_hash == b"\x0c" * 32 and issuer.epoch() == 2
    assert issuer.write(interface.SEAL_LIST, 0).ok and issuer.epoch() == 3
    refuses(issuer.write(interface.SEAL_LIST, 0), interface.LIST_SEALED, held(hub), hub)
    assert issuer.revoke(0, 301).ok and issuer.list(0).is_sealed
    assert issuer.key(issuer.issuing).open_lists == 1


def prove_siblings(issuer, number: int, chunk: int) -> tuple[bytes, ...]:
    octets = issuer.octets[number]
    return prove_update(issuer.list(number).shape, octets, {chunk: b"\xff" * 32}).siblings


def test_attack_N48_only_a_log_keys_account_writes_and_never_shorter(issuer):
    hub = issuer.hub
    refuses(issuer.append(b"before any list"), interface.UNKNOWN_LIST, held(hub), hub)
    assert issuer.open_list().ok
    assert issuer.append(b"one", b"two").ok
    before, standing = held(hub), issuer.log()
    writer = (issuer.did, thumbprint(public_key(issuer.logging)))
    honest = interface.APPEND_LOG.call(writer, 3, bytes(32), [])
    assert refuses(issuer.send(honest, OUTSIDER), interface.NOT_THE_ACCOUNT_OF_THE_KEY, before, hub)
    signing = (issuer.did, thumbprint(public_key(issuer.issuing)))
    by_issuing_key = interface.APPEND_LOG.call(signing, 3, bytes(32), [])
    refuses(issuer.send(by_issuing_key, issuer.issuing), interface.KEY_LACKS_PURPOSE, before, hub)
    assert refused_by_rule(issuer.write(interface.APPEND_LOG, 2, standing.root, [])) == "log_grows"
    assert refused_by_rule(issuer.write(interface.APPEND_LOG, 1, bytes(32), [])) == "log_grows"
    assert refused_by_rule(issuer.write(interface.APPEND_LOG, 3, bytes(32), [bytes(32)])) == "second_root_matches"
    assert refused_by_rule(issuer.write(interface.APPEND_LOG, 4, bytes(32), [])) == "proof_has_its_length"
    assert held(hub) == before
    assert issuer.append(b"three").ok and issuer.log().size == 3
    assert issuer.decide(interface.RETIRE_KEY, writer[1]).ok
    refuses(issuer.append(b"four"), interface.KEY_DOES_NOT_COUNT, held(hub), hub)


def test_attack_N48_a_thief_of_the_log_key_cannot_keep_the_issuer_from_its_log(issuer):
    """Only the thief knows the leaves that it appended, so that nobody else could prove a longer log."""
    hub, second = issuer.hub, named("second log key")
    assert issuer.open_list().ok and issuer.append(b"one").ok
    honest = issuer.log()
    hub.advance(time_s=hub.time_s + 10)
    stolen_at_s = hub.time_s
    hub.advance()
    leaves, kept = [*issuer.leaves, leaf_hash(b"unknown")], issuer.leaves
    assert issuer.append(b"unknown").ok
    issuer.leaves = kept
    assert refused_by_rule(issuer.append(b"two")) == "log_grows"
    assert refused_by_rule(issuer.append(b"two", b"three")) == "proof_has_its_length"
    assert len(leaves) == 2 and issuer.log().root == root_of_leaves(leaves)
    stolen = thumbprint(public_key(issuer.logging))
    assert issuer.decide(interface.COMPROMISE_KEY, stolen, stolen_at_s).ok
    assert (issuer.log().size, issuer.log().root) == (honest.size, honest.root)
    assert issuer.decide(interface.ADD_KEY, key_struct(public_key(second), KeyPurpose.LOG)).ok
    issuer.logging = second
    assert issuer.append(b"two").ok and issuer.log().size == 2
    assert issuer.decide(interface.COMPROMISE_KEY, stolen, issuer.key(named("issuer logging")).added.time_s).ok
    assert hub.view().get(keys.log_key(issuer.did)) is None, "nothing was logged so early"
    issuer.leaves = []
    assert issuer.append(b"one", b"two").ok


def test_attack_N48_what_was_taken_back_of_a_log_counts_for_no_later_word(issuer):
    """Else the next key that is compromised took the thief's log for its end, and the next log key brought it back."""
    hub, second = issuer.hub, named("second log key")
    assert issuer.open_list().ok and issuer.append(b"one").ok
    assert issuer.decide(interface.ADD_KEY, key_struct(public_key(second), KeyPurpose.LOG)).ok
    honest = issuer.log()
    hub.advance(time_s=hub.time_s + 10)
    stolen_at_s = hub.time_s
    hub.advance()
    assert issuer.append(b"unknown").ok
    while_it_stood_s = hub.time_s + 1
    hub.advance(time_s=while_it_stood_s + 9)
    assert issuer.decide(interface.COMPROMISE_KEY, thumbprint(public_key(issuer.logging)), stolen_at_s).ok
    hub.advance(time_s=hub.time_s + 10)
    assert issuer.decide(interface.COMPROMISE_KEY, thumbprint(public_key(second)), hub.time_s).ok
    assert (issuer.log().size, issuer.log().root) == (honest.size, honest.root)
    issuing = thumbprint(public_key(issuer.issuing))
    assert issuer.decide(interface.COMPROMISE_KEY, issuing, while_it_stood_s).ok
    end = issuer.key(issuer.issuing).end
    assert (end.log_size, end.log_root) == (honest.size, honest.root)


def test_attack_N48_a_key_for_issuing_opens_no_more_lists_than_its_end_can_seal(issuer, monkeypatch):
    monkeypatch.setattr("hutong.relay.hub.application.identity.issuing.MAX_OPEN_LISTS", 2)
    assert MAX_OPEN_LISTS == 64
    assert issuer.open_list().ok and issuer.open_list().ok
    refuses(issuer.open_list(), interface.TOO_MANY_RECORDS, held(issuer.hub), issuer.hub)
    assert issuer.write(interface.SEAL_LIST, 0).ok and issuer.open_list().ok
    refuses(issuer.open_list(key=issuer.logging), interface.KEY_LACKS_PURPOSE, held(issuer.hub), issuer.hub)
    print_of, sealed_s = thumbprint(public_key(issuer.issuing)), issuer.list(0).sealed_s
    row = keys.bound_key(issuer.did, print_of)
    assert issuer.raw(row) == b"".join(number.to_bytes(8, "big") for number in (1, 2))
    issuer.hub.advance(time_s=issuer.hub.time_s + 100)
    assert issuer.decide(interface.RETIRE_KEY, print_of).ok and issuer.raw(row) is None
    assert [issuer.list(number).sealed_s > sealed_s for number in range(3)] == [False, True, True]


def test_attack_N49_strangers_fill_their_lane_and_nobody_elses(hub, root):
    assert hub.execute(set_identity_action(hub.next_salt(), False, 2, 3_600)).ok
    first, second, third = (Organisation(hub, f"stranger {number}") for number in range(3))
    assert first.register().ok and second.register().ok
    refuses(third.register(), interface.STRANGERS_LANE_FULL, held(hub), hub)
    invited = Organisation(hub, "invited")
    refuses(invited.register(schema=SCHEMA), interface.NOT_ACCREDITED, held(hub), hub)
    assert root.grant(invited.did).ok and invited.register(schema=SCHEMA).ok
    assert root.grant(first.did).ok and third.register().ok
    fourth = Organisation(hub, "stranger 4")
    refuses(fourth.register(), interface.STRANGERS_LANE_FULL, held(hub), hub)
    replayed = second.approved(interface.SET_DOCUMENT, b"\x01" * 32)
    hub.advance(time_s=hub.time_s + 3_600)
    hub.advance()
    assert fourth.register().ok
    assert hub.view().get(keys.did_key(second.did)) is None
    assert not any(second.did in key for key in held(hub))
    assert first.record().is_active and root.record().is_active and third.record().is_active
    hub.advance(time_s=hub.time_s + 3_600)
    hub.advance()
    assert second.register().ok
    signed = second.approved(interface.SET_DOCUMENT, b"\x01" * 32, signers=second.controllers)
    assert replayed != signed and second.send(signed, OUTSIDER).ok


def test_attack_N49_a_signature_of_an_evicted_life_is_worth_nothing_in_the_next(hub):
    assert hub.execute(set_identity_action(hub.next_salt(), False, 1, 3_600)).ok
    mine, other = Organisation(hub, "mine"), Organisation(hub, "other")
    assert mine.register().ok
    old = mine.approved(interface.SET_DOCUMENT, b"\x01" * 32, signers=mine.controllers)
    for newcomer in (other, mine):
        hub.advance(time_s=hub.time_s + 3_600)
        hub.advance()
        assert newcomer.register().ok
    refuses(mine.send(old, OUTSIDER), interface.NOT_APPROVED, held(hub), hub)
    again = mine.approved(interface.SET_DOCUMENT, b"\x01" * 32, signers=mine.controllers)
    assert mine.send(again, OUTSIDER).ok


def test_attack_N49_who_was_accredited_first_has_no_place_to_be_evicted_from(hub):
    """Else its lists began again with no bit set, and keys that were compromised came back as new ones."""
    assert hub.execute(set_identity_action(hub.next_salt(), False, 1, 3_600)).ok
    early, stranger, next_one = (Organisation(hub, name) for name in ("early", "stranger", "next"))
    assert accredit_root(hub, early.did).ok and early.register().ok
    assert early.open_list().ok and early.revoke(0, 9).ok
    assert stranger.register().ok
    revoked = early.list(0).root
    for _ in range(2):
        hub.advance(time_s=hub.time_s + 3_600)
    assert next_one.register().ok
    assert hub.view().get(keys.did_key(stranger.did)) is None
    assert early.record().is_active and early.list(0).root == revoked
    refuses(early.register(schema=SCHEMA), interface.DID_EXISTS, held(hub), hub)


def test_attack_N49_a_stranger_has_few_keys_and_neither_lists_nor_schemas(hub):
    stranger = Organisation(hub, "stranger")
    assert stranger.register().ok
    for number in range(MAX_STRANGER_KEYS - 2):
        key = key_struct(public_key(named(f"key {number}")), KeyPurpose.SIGNING)
        assert stranger.decide(interface.ADD_KEY, key).ok
    refuses(stranger.decide(interface.ADD_KEY, NEW_KEY), interface.TOO_MANY_RECORDS, held(hub), hub)
    refuses(stranger.open_list(), interface.NOT_ACCREDITED, held(hub), hub)
    schema = stranger.decide(interface.REGISTER_SCHEMA, SCHEMA, SCHEMA)
    refuses(schema, interface.NOT_ACCREDITED, held(hub), hub)
    refuses(stranger.grant(OTHER_SCHEMA), interface.NOT_ACCREDITED, held(hub), hub)


def test_attack_N50_gas_that_ends_inside_a_call_leaves_nothing(issuer):
    """Whatever gas a call is given, it happens as a whole or not at all."""
    assert issuer.open_list().ok
    hub, print_of = issuer.hub, thumbprint(public_key(issuer.issuing))
    needed = hub.call(
        IDENTITY_ADDRESS, issuer.approved(interface.RETIRE_KEY, print_of), address_of(issuer.registrar), GAS
    )
    assert needed.success
    for gas in (30_000, 60_000, 90_000, 120_000, 140_000):
        before = held(hub)
        outcome = issuer.send(issuer.approved(interface.RETIRE_KEY, print_of), issuer.registrar, gas)
        assert not outcome.ok and held(hub) == before
    assert issuer.decide(interface.RETIRE_KEY, print_of).ok


def test_attack_N51_a_schema_is_registered_once_by_who_is_accredited_for_it(issuer, root):
    hub = issuer.hub
    assert refused_by_rule(issuer.decide(interface.REGISTER_SCHEMA, OTHER_SCHEMA, SCHEMA)) == "schema_is_covered"
    zero = issuer.decide(interface.REGISTER_SCHEMA, bytes(32), bytes(32))
    assert refused_by_rule(zero) == "schema"
    assert issuer.decide(interface.REGISTER_SCHEMA, SCHEMA, SCHEMA).ok
    refuses(root.decide(interface.REGISTER_SCHEMA, SCHEMA, SCHEMA), interface.SCHEMA_EXISTS, held(hub), hub)
    assert issuer.record().counts.schemas == 1


def test_attack_N51_an_anchored_webvh_log_is_not_rolled_back_and_a_did_ends_after_its_keys(issuer):
    hub = issuer.hub
    assert issuer.decide(interface.ANCHOR_WEBVH, 3, b"\x03" * 32).ok
    for version in (2, 3):
        outcome = issuer.decide(interface.ANCHOR_WEBVH, version, b"\x04" * 32)
        assert refused_by_rule(outcome) == "webvh_version_rises"
    assert issuer.decide(interface.ANCHOR_WEBVH, 4, b"\x04" * 32).ok
    refuses(issuer.decide(interface.DEACTIVATE), interface.KEYS_ARE_ACTIVE, held(hub), hub)
    unknown = interface.DEACTIVATE.call((bytes(32), 0, []))
    refuses(issuer.send(unknown, OUTSIDER), interface.UNKNOWN_DID, held(hub), hub)


def test_attack_N52_two_operations_of_one_sequence_in_one_block(issuer):
    """One counts, the other is refused, whichever comes first; replaying the block gives the same state."""
    hub = issuer.hub
    calls = [issuer.approved(interface.SET_DOCUMENT, bytes([n]) * 32, signers=issuer.controllers) for n in (1, 2)]
    first, second = hub.advance(
        hub.raw(IDENTITY_ADDRESS, calls[0], OUTSIDER), hub.raw(IDENTITY_ADDRESS, calls[1], named("another"))
    )
    assert sorted((first.ok, second.ok)) == [False, True]
    refused = second if first.ok else first
    assert refused.reverted_with(interface.WRONG_SEQUENCE) is not None
    assert issuer.record().sequence == 1
