"""The values of docs/spec/identity-persons.md's vectors, made by the code."""

from hutong.light_clients.crypto import sha256
from hutong.light_clients.interface import VERIFY
from hutong.relay.services.identity.rules.persons import calls
from hutong.relay.services.identity.rules.persons.changing import encode_changes, judge_changes
from hutong.relay.services.identity.rules.persons.person import Place, encode_opening, leaf_of, person_id
from hutong.relay.services.identity.rules.persons.person_proof import PersonProof, encode_person_proof
from hutong.relay.services.identity.rules.persons.person_recovery_record import (
    PersonRecoveryRecord,
    RecoveredBy,
    encode_person_recovery_record,
)
from hutong.relay.services.identity.rules.persons.recovery_policy import encode_person_policy, policy_commitment_of
from hutong.relay.services.identity.rules.persons.registering import encode_registrations, judge_registrations
from hutong.relay.services.identity.rules.persons.registrar import PERSONS_SCHEMA
from hutong.relay.services.identity.rules.persons.shard_tree import EMPTY_ROOT
from hutong.relay.services.identity.rules.persons.signed import (
    cancel_digest,
    change_digest,
    proof_request_digest,
    recovery_digest,
    registration_digests,
)
from hutong.relay.services.identity.rules.records import keys
from hutong.relay.services.identity.rules.records.did_record import Moment
from hutong.relay.services.identity.rules.records.shard_record import ShardRecord
from tests.relay.services.identity.rules.persons.people import (
    DID,
    HUB,
    SHARD,
    account,
    change,
    control,
    person,
    policy,
    registration,
    tree_of,
)

AT = Moment(9, 1_700_000_002)
POLICY = policy(["guardian 1", "guardian 2", "guardian 3"], 2, registrar_may=True, delay_s=86_400)
ALICE = person("alice", "alice next", POLICY)
PEOPLE = [ALICE, person("bob"), person("carol")]
NAMES = ["alice", "bob", "carol"]
PLACE = Place(*SHARD, 0)
FOLLOWING = control("alice next", "alice third", POLICY)
CHANGE = change(0, ALICE, FOLLOWING, "alice next")
RECOVERY = PersonRecoveryRecord(
    leaf_of(ALICE), ALICE.control.account, FOLLOWING, RecoveredBy.GUARDIANS, 1_700_086_402, 1_700_100_000, AT
)
BATCH = encode_registrations([registration(one, name) for one, name in zip(PEOPLE, NAMES, strict=True)])
EMPTY = ShardRecord(EMPTY_ROOT, 0, 0, AT)


def vectors() -> dict:
    registered = judge_registrations(VERIFY, HUB, SHARD, EMPTY, ([], BATCH))
    tree = tree_of(PEOPLE)
    changed = judge_changes(VERIFY, HUB, SHARD, registered, (tree.path(0), [CHANGE]))
    (registering,) = registration_digests(HUB, SHARD, [(ALICE.control, ALICE.salt)])
    recovery = encode_person_recovery_record(RECOVERY)
    return {
        "schema of registrars": PERSONS_SCHEMA.hex(),
        "accounts": {name: account(name).hex() for name in [*NAMES, "alice next", "alice third"]},
        "commitment to alice next": ALICE.control.next_key.hex(),
        "policy of recovery": encode_person_policy(POLICY).hex(),
        "commitment to it": policy_commitment_of(POLICY).hex(),
        "opening of alice": encode_opening(ALICE).hex(),
        "leaf of alice": leaf_of(ALICE).hex(),
        "id of alice, shard 0 of 11…11, index 0": person_id(HUB, PLACE, ALICE.salt).hex(),
        "digest: registration of alice": registering.hex(),
        "digest: change of alice": change_digest(HUB, PLACE, leaf_of(ALICE), FOLLOWING).hex(),
        "digest: recovery of alice": recovery_digest(HUB, PLACE, leaf_of(ALICE), FOLLOWING, RECOVERY.expires_s).hex(),
        "digest: cancelling it": cancel_digest(HUB, PLACE, sha256(recovery)).hex(),
        "digest: asking for the proof of alice": proof_request_digest(HUB, PLACE, RECOVERY.expires_s).hex(),
        "empty root": EMPTY_ROOT.hex(),
        "registrations": BATCH.hex(),
        "root with three": registered.root.hex(),
        "edge with three": [node.hex() for node in tree.edge()],
        "change of alice": encode_changes([CHANGE]).hex(),
        "root after it": changed.root.hex(),
        "proof of bob": encode_person_proof(PersonProof(Place(*SHARD, 1), PEOPLE[1], tree.path(1))).hex(),
        "keys": {
            "recovery of alice": keys.person_recovery_key(DID, 0, 0).hex(),
            "recoveries by guardians": keys.person_recoveries_key(DID, RecoveredBy.GUARDIANS).hex(),
        },
        "record: recovery of alice": recovery.hex(),
        "selectors": {one.name: one.selector.hex() for one in vars(calls).values() if isinstance(one, calls.Call)},
    }
