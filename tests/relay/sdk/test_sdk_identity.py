"""The SDK reads identity records as the hub writes them: keys and values of docs/spec/identity-records.md."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.relay.sdk import identity
from hutong.relay.sdk.errors import InvalidArgument
from tests.relay.services.identity.rules.records.sample_records import DID, KEYS, RECORDS, SCHEMA, THUMBPRINT


def written(name: str):
    record, encode, _ = RECORDS[name]
    return record, encode(record)


def test_keys_are_those_of_the_page():
    made = {
        "did": identity.did_key(DID),
        "key 55…55": identity.key_key(DID, THUMBPRINT),
        "accreditation for schema 44…44": identity.accreditation_key(DID, SCHEMA),
        "accreditation for all schemas": identity.accreditation_key(DID, identity.ANY_SCHEMA),
        "list 3": identity.list_key(DID, 3),
        "log": identity.log_key(DID),
        "epoch": identity.epoch_key(DID),
        "shard 1": identity.shard_key(DID, 1),
    }
    assert made == {name: f"0x{KEYS[name].hex()}" for name in made}
    assert identity.parse_did(f"did:hutong:a-b:{DID.hex()}") == ("a-b", DID)
    for wrong in (
        f"did:hutong:{DID.hex()}",
        f"did:web:hub:{DID.hex()}",
        "did:hutong:hub:12",
        f"did:hutong:h:{'AB' * 32}",
    ):
        with pytest.raises(InvalidArgument):
            identity.parse_did(wrong)
    for make in (
        lambda: identity.did_key(b"\x01"),
        lambda: identity.list_key(DID, -1),
        lambda: identity.shard_key(DID, -1),
    ):
        with pytest.raises(InvalidArgument):
            make()


def test_values_say_what_the_hub_wrote():
    record, value = written("did, active, two keys")
    read = identity.decode_did(f"0x{value.hex()}")
    assert (read.is_active, read.sequence, read.keys, read.active_keys) == (True, record.sequence, 2, 1)
    assert (read.lists, read.registered_s, read.changed_s) == (4, record.registered.time_s, record.changed.time_s)
    assert not identity.decode_did(written("did, deactivated, of a did:webvh")[1]).is_active
    record, value = written("key, ES256K, contract, compromised")
    key = identity.decode_key(value)
    assert (key.algorithm, key.x, key.y) == (2, record.key.x, record.key.y)
    assert (key.state, key.purposes) == (identity.KeyState.COMPROMISED, identity.Purpose.CONTRACT)
    assert (key.end_log_size, key.end_log_root, key.account) == (12, record.end.log_root, f"0x{record.account.hex()}")
    record, value = written("accreditation, revoked")
    read = identity.decode_accreditation(value)
    assert (read.accreditor, read.depth, read.is_revoked) == (record.grant.accreditor, 0, True)
    record, value = written("list, 1 bit, 1048576 entries, sealed")
    read = identity.decode_list(value)
    assert (read.root, read.bits, read.size, read.sealed_s) == (record.root, 1, 2**20, record.sealed_s)
    assert (read.opened_s, read.token_hash) == (record.opened_s, record.token_hash)
    assert (read.key_thumbprint, read.seal_thumbprint, read.schema) == (
        record.bound.key_thumbprint,
        record.bound.seal_thumbprint,
        record.bound.schema,
    )
    assert identity.decode_log(written("log, 3 entries")[1]).size == 3
    record, value = written("shard, 1000 leaves")
    assert identity.decode_shard(value) == identity.Shard(record.root, 1_000, record.version)
    assert identity.decode_epoch(written("epoch 2")[1]) == 2


DECODERS = [value for name, value in vars(identity).items() if name.startswith("decode_")]


@settings(max_examples=40)
@given(st.one_of(st.binary(max_size=600), st.text(max_size=40)), st.sampled_from(DECODERS))
def test_junk_is_an_invalid_argument(junk, decode):
    """Bytes that are no whole number of words, and text that ends in no hexadecimal digit."""
    if isinstance(junk, bytes):
        whole = len(junk) % 32 == 0
        value: bytes | str = b"\x01" + junk + (b"\x00" if whole else b"")
    else:
        value = junk + "x"
    with pytest.raises(InvalidArgument):
        decode(value)
