"""Identity records: the page holds their bytes, every other encoding is refused, and no bytes get past a bound."""

import base64
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.identity.rules.organisations.approvals import operation_digest
from hutong.relay.services.identity.rules.organisations.key_form import account_of, thumbprint
from hutong.relay.services.identity.rules.records import keys
from hutong.relay.services.identity.rules.records.accreditation_record import Grant
from hutong.relay.services.identity.rules.records.did_record import Counts, Document, Moment
from hutong.relay.services.identity.rules.records.key_record import (
    KeyAlgorithm,
    KeyEnd,
    KeyPurpose,
    KeyRecord,
    KeyState,
    KeyUse,
    PublicKey,
)
from hutong.relay.services.identity.rules.records.list_record import ListBinding
from hutong.relay.services.identity.rules.records.log_record import Issuance, LogEntry
from hutong.relay.services.identity.rules.records.policy_record import Controllers, Guardians
from hutong.relay.services.identity.rules.status.chunk_tree import TreeShape
from tests.relay.services.identity.rules.records.sample_records import (
    AT,
    COMMITMENT,
    DID,
    ED25519,
    GENERATOR_ACCOUNT,
    KEYS,
    OPERATION,
    P256,
    RECORDS,
    SECP256K1,
    SM2,
    X25519,
    filled,
)

PAGE = Path(__file__).resolve().parents[6] / "docs" / "spec" / "identity-records.md"
DECODERS = {decode for _, _, decode in RECORDS.values()}


def vectors() -> dict:
    return json.loads(re.search(r"```json\n(.*?)\n```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[1])


def made() -> dict:
    return {
        "did of hutong, account 22…22, salt 33…33": DID.hex(),
        "keys": {name: key.hex() for name, key in KEYS.items()},
        "records": {name: encode(record).hex() for name, (record, encode, _) in RECORDS.items()},
        "thumbprints": {
            f"{key.algorithm.name} {key.x.hex()}": thumbprint(key).hex()
            for key in (P256, SECP256K1, ED25519, X25519, SM2)
        },
        "commitment to 2 of the policy's controllers, salt 33…33": COMMITMENT.hex(),
        "digest on hutong of sequence 3, registered at 7, call fe…fe": operation_digest("hutong", OPERATION).hex(),
    }


def test_page_holds_the_vectors_that_the_code_makes_and_reads():
    stated = vectors()
    assert stated == made()
    for name, (record, _, decode) in RECORDS.items():
        assert decode(bytes.fromhex(stated["records"][name])) == record, name


def test_thumbprints_are_those_of_others():
    """RFC 8037, A.3 for the Ed25519 key; the hub knows the account of secp256k1's generator."""
    published = base64.urlsafe_b64decode("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k=")
    assert thumbprint(ED25519) == published
    assert account_of(SECP256K1) == GENERATOR_ACCOUNT
    assert account_of(P256) == bytes(20)


def test_each_byte_of_a_record_matters():
    """A byte added, cut or changed gives another record or a refusal, and never the same record again."""
    for name, (record, encode, decode) in RECORDS.items():
        data = encode(record)
        for other in (b"", data[:-1], data + b"\0", b"\x02" + data[1:], b"\x00" + data[1:]):
            with pytest.raises(MalformedInput):
                decode(other)
        for at in range(0, len(data), 31):
            changed = data[:at] + bytes([data[at] ^ 0x80]) + data[at + 1 :]
            try:
                found = decode(changed)
            except MalformedInput:
                continue
            assert found != record and encode(found) == changed, (name, at)


def test_numbers_of_a_list_share_two_words_and_nothing_stands_above_them():
    record, encode, decode = RECORDS["list, 1 bit, 1048576 entries, sealed"]
    said = replace(record, shape=TreeShape(8, 2**5), opened_s=3, sealed_s=4, updates=5, changed=Moment(6, 2**64 - 1))
    data = encode(said)
    assert len(data) == 1 + 7 * 32 and decode(data) == said
    numbers = [int.from_bytes(data[at : at + 8], "big") for at in range(1 + 5 * 32, len(data), 8)]
    assert numbers == [8, 2**5, 3, 4, 0, 5, 6, 2**64 - 1]
    with pytest.raises(MalformedInput):
        decode(data[: 1 + 6 * 32 + 7] + b"\x01" + data[1 + 6 * 32 + 8 :])
    for wrong in ([3, 2**5], [8, 33]):
        form = b"".join(number.to_bytes(8, "big") for number in wrong)
        with pytest.raises(MalformedInput):
            decode(data[: 1 + 5 * 32] + form + data[1 + 5 * 32 + 16 :])


@settings(max_examples=40)
@given(st.binary(max_size=700), st.sampled_from(sorted(DECODERS, key=lambda decode: decode.__name__)))
def test_junk_is_malformed_and_nothing_else(junk, decode):
    try:
        decode(b"\x01" + junk)
    except MalformedInput:
        return


def test_what_records_cannot_say():
    account, purposes = filled(0x01, 20), KeyPurpose.SIGNING
    for wrong in (
        lambda: Controllers(0, (account,)),
        lambda: Controllers(2, (account,)),
        lambda: Controllers(1, (account, account)),
        lambda: Controllers(1, (filled(2, 20), account)),
        lambda: Controllers(1, (bytes(20),)),
        lambda: Controllers(1, tuple(filled(n, 20) for n in range(1, 18))),
        lambda: Guardians(1, (account,), 3_599),
        lambda: Guardians(1, (account,), 2_592_001),
        lambda: Guardians(0, (), 3_600),
        lambda: Document(bytes(32), 1, bytes(32)),
        lambda: Counts(keys=1, active_keys=2),
        lambda: KeyUse(purposes, 5, 5),
        lambda: KeyUse(KeyPurpose(0), 1),
        lambda: KeyUse(KeyPurpose.LOG | KeyPurpose.SIGNING, 1),
        lambda: KeyUse(KeyPurpose.LOG | KeyPurpose.CONTRACT, 1),
        lambda: KeyEnd(KeyState.ACTIVE, 1),
        lambda: KeyEnd(KeyState.RETIRED, 1, 0, filled(1)),
        lambda: PublicKey(KeyAlgorithm.EDDSA, filled(1), filled(1)),
        lambda: KeyRecord(P256, account, KeyUse(purposes, 1), KeyEnd(), 0, AT),
        lambda: KeyRecord(SECP256K1, bytes(20), KeyUse(purposes, 1), KeyEnd(), 0, AT),
        lambda: KeyRecord(P256, bytes(20), KeyUse(KeyPurpose.LOG, 1), KeyEnd(), 0, AT),
        lambda: KeyRecord(X25519, bytes(20), KeyUse(purposes, 1), KeyEnd(), 0, AT),
        lambda: KeyRecord(SM2, account, KeyUse(purposes, 1), KeyEnd(), 0, AT),
        lambda: KeyRecord(SM2, bytes(20), KeyUse(KeyPurpose.PRESENTATION, 1), KeyEnd(), 0, AT),
        lambda: KeyRecord(SM2, bytes(20), KeyUse(KeyPurpose.SIGNING | KeyPurpose.SEAL, 1), KeyEnd(), 0, AT),
        lambda: Grant(DID, bytes(32), 5, 1, 2),
        lambda: Grant(DID, bytes(32), 0, 2, 2),
        lambda: Grant(bytes(32), filled(1), 0, 1, 2),
        lambda: LogEntry(0, 0),
        lambda: Issuance(filled(1), bytes(32)),
        lambda: Issuance(bytes(32), filled(1)),
        lambda: ListBinding(filled(1), filled(2), filled(1)),
        lambda: keys.did_key(filled(1, 31)),
        lambda: keys.list_key(DID, -1),
        lambda: keys.did_id("", account, filled(3)),
        lambda: keys.did_id("x" * 65, account, filled(3)),
    ):
        with pytest.raises(MalformedInput):
            wrong()


def test_attack_N40_a_did_is_its_registrars_alone():
    """Another account, salt or hub names another DID, and lengths cannot be shifted from one part to the next."""
    account, salt = filled(1, 20), filled(2)
    others = {
        keys.did_id("hutong", account, salt),
        keys.did_id("hutong", filled(3, 20), salt),
        keys.did_id("hutong", account, filled(3)),
        keys.did_id("hutong2", account, salt),
        keys.did_id("hutong\x01", account, salt),
    }
    assert len(others) == 5
    assert (keys.hub_name("hutong-1"), keys.hub_name("a-b-12"), keys.hub_name("hutong")) == ("hutong", "a-b", "hutong")
