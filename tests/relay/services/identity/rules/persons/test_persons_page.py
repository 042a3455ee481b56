"""docs/spec/identity-persons.md holds the bytes that the code makes, and every other encoding is refused."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import VERIFY, MalformedInput, PredicateFailed
from hutong.relay.services.identity.rules.persons import calls
from hutong.relay.services.identity.rules.persons.changing import CHANGE_BYTES, decode_change, decode_changes
from hutong.relay.services.identity.rules.persons.person import (
    Control,
    Person,
    decode_opening,
    encode_opening,
    person_id,
)
from hutong.relay.services.identity.rules.persons.person_proof import (
    decode_person_proof,
    encode_person_proof,
    judge_person,
)
from hutong.relay.services.identity.rules.persons.person_recovery_record import (
    decode_person_recovery_record,
    encode_person_recovery_record,
)
from hutong.relay.services.identity.rules.persons.recovery_policy import (
    PersonPolicy,
    decode_person_policy,
    encode_person_policy,
)
from hutong.relay.services.identity.rules.persons.registering import decode_registrations
from hutong.relay.services.identity.rules.records.shard_record import ShardRecord
from tests.relay.services.identity.rules.persons.people import HUB
from tests.relay.services.identity.rules.persons.sample_persons import (
    ALICE,
    AT,
    BATCH,
    CHANGE,
    PEOPLE,
    PLACE,
    POLICY,
    RECOVERY,
    vectors,
)

PAGE = Path(__file__).resolve().parents[6] / "docs" / "spec" / "identity-persons.md"


def stated() -> dict:
    return json.loads(re.search(r"```json\n(.*?)\n```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[1])


def test_persons_page_holds_the_vectors_that_the_code_makes():
    found = stated()
    assert found == vectors()
    assert decode_opening(bytes.fromhex(found["opening of alice"])) == ALICE
    assert [one.person for one in decode_registrations(bytes.fromhex(found["registrations"]))] == PEOPLE
    assert decode_changes(bytes.fromhex(found["change of alice"])) == (CHANGE,)
    assert decode_person_policy(bytes.fromhex(found["policy of recovery"])) == POLICY
    assert decode_person_recovery_record(bytes.fromhex(found["record: recovery of alice"])) == RECOVERY


def test_persons_page_names_the_calls_and_errors_of_the_module():
    from hutong.relay.hub.application.identity import interface

    text = PAGE.read_text(encoding="utf-8")
    functions = [one for one in vars(calls).values() if isinstance(one, calls.Call)]
    assert len(functions) == 8
    for call in functions:
        assert f"| `{call.name}({','.join(call.arguments)})` | `{call.selector.hex()}` |" in text
    for error in (
        interface.PERSONS_ARE_OFF,
        interface.UNKNOWN_SHARD,
        interface.SHARD_HAS_ROOM,
        interface.NO_PERSON_RECOVERY,
        interface.NOT_A_TRANSACTION,
    ):
        assert f"| `{error.signature}` | `{error.selector.hex()}` |" in text


def test_proof_of_a_person_is_judged_with_the_shards_record():
    found = stated()
    data = bytes.fromhex(found["proof of bob"])
    proof = decode_person_proof(data)
    assert encode_person_proof(proof) == data and len(data) == 797
    record = ShardRecord(bytes.fromhex(found["root with three"]), 3, 1, AT)
    did = person_id(HUB, proof.place, PEOPLE[1].salt)
    assert judge_person(VERIFY, HUB, did, record, proof) == PEOPLE[1]
    changed = [replace(record, root=bytes.fromhex(found["root after it"])), record]
    for shard, asked in zip(changed, [did, person_id(HUB, PLACE, PEOPLE[1].salt)], strict=True):
        with pytest.raises(PredicateFailed):
            judge_person(VERIFY, HUB, asked, shard, proof)


def test_attack_N90_an_identifier_is_of_its_hub_registrar_place_and_salt():
    """So no two persons have one, whatever a registrar appends twice."""
    made = {
        person_id(hub, replace(PLACE, **moved), salt)
        for hub in (HUB, "hutong-2")
        for moved in ({}, {"registrar": b"\x12" * 32}, {"shard": 1}, {"index": 1})
        for salt in (ALICE.salt, PEOPLE[1].salt)
    }
    assert len(made) == 16


def test_attack_N90_bytes_that_are_not_of_the_form_are_refused():
    opening, policy = encode_opening(ALICE), encode_person_policy(POLICY)
    refused = [
        lambda: decode_opening(opening[:-1]),
        lambda: decode_opening(opening + b"\0"),
        lambda: decode_opening(bytes(20) + opening[20:]),
        lambda: decode_registrations(b""),
        lambda: decode_registrations(BATCH[:-1]),
        lambda: decode_registrations(BATCH + b"\0"),
        lambda: decode_registrations(BATCH[:164] * 1_025),
        lambda: decode_registrations(bytes(164)),
        lambda: decode_changes(b""),
        lambda: decode_changes(bytes(CHANGE_BYTES)),
        lambda: decode_changes(bytes.fromhex(stated()["change of alice"]) * 513),
        lambda: decode_change(b"\xff" * CHANGE_BYTES),
        lambda: decode_person_policy(policy[:-1]),
        lambda: decode_person_policy(policy[:17] + b"\x02" + policy[18:]),
        lambda: decode_person_policy(b""),
        lambda: decode_person_policy(policy[:23] + policy[43:63] + policy[23:43] + policy[63:]),
        lambda: PersonPolicy(bytes(16), 0, (), registrar_may=False, delay_s=3_600),
        lambda: PersonPolicy(bytes(16), 0, (b"\x01" * 20,), registrar_may=True, delay_s=3_600),
        lambda: PersonPolicy(bytes(16), 2, (b"\x01" * 20,), registrar_may=True, delay_s=3_600),
        lambda: PersonPolicy(bytes(16), 0, (), registrar_may=True, delay_s=3_599),
        lambda: PersonPolicy(bytes(16), 0, (), registrar_may=True, delay_s=2_592_001),
        lambda: Person(Control(b"\x01" * 20), bytes(15)),
        lambda: Person(Control(b"\x01" * 20), bytes(16), 2**32),
        lambda: replace(PLACE, index=2**20),
        lambda: replace(RECOVERY, expires_s=0),
        lambda: decode_person_proof(b"\x02" + bytes.fromhex(stated()["proof of bob"])[1:]),
    ]
    for number, read in enumerate(refused):
        with pytest.raises(MalformedInput):
            read()
            pytest.fail(f"number {number} was read")


@settings(max_examples=60)
@given(st.binary(max_size=400), st.sampled_from([*range(8)]))
def test_persons_readers_answer_or_refuse_any_bytes(data, which):
    """What is read is written again as it was."""
    readers = [
        (decode_opening, encode_opening),
        (decode_person_policy, encode_person_policy),
        (decode_person_proof, encode_person_proof),
        (decode_person_recovery_record, encode_person_recovery_record),
        (decode_registrations, None),
        (decode_changes, None),
        (calls.REGISTER_PERSONS.decode, None),
        (calls.START_RECOVERY.decode, None),
    ]
    read, write = readers[which]
    try:
        value = read(data)
    except MalformedInput:
        return
    assert write is None or write(value) == data
