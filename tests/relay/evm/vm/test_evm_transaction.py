"""Decoding of signed transactions: canonical or refused, whatever comes."""

import pytest
import rlp
from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.relay.evm.errors import InvalidReason, InvalidTransaction
from hutong.relay.evm.vm.transaction import MAX_TRANSACTION_BYTES, SECP256K1_N, decode_transaction
from tests.relay.evm.evm_transactions import CHAIN_ID, FUNDED, KEY, raw_transaction

LEGACY = {"gasPrice": 7}
ACCESS_LIST = {
    "type": 1,
    "gasPrice": 7,
    "accessList": [{"address": "0x" + "00" * 19 + "05", "storageKeys": ["0x" + "00" * 31 + "09"]}],
}
DYNAMIC = {"maxFeePerGas": 9, "maxPriorityFeePerGas": 3}
TYPES = [LEGACY, ACCESS_LIST, DYNAMIC]


def refused(raw, reason, chain_id=CHAIN_ID):
    with pytest.raises(InvalidTransaction) as caught:
        decode_transaction(raw, chain_id)
    assert caught.value.reason is reason
    return caught.value


@pytest.mark.parametrize("fields", TYPES)
@pytest.mark.parametrize("to", [None, b"\x01" * 20])
def test_decodes_what_a_wallet_signs(fields, to):
    raw = raw_transaction(nonce=4, gas=90_000, value=11, data=b"\x00\x01", to=to, **fields)
    found = decode_transaction(raw, CHAIN_ID)
    assert (found.raw, found.sender, found.chain_id, found.nonce) == (raw, FUNDED, CHAIN_ID, 4)
    assert (found.gas_limit, found.value_wei, found.data, found.to) == (90_000, 11, b"\x00\x01", to)
    assert found.type == fields.get("type", 2 if "maxFeePerGas" in fields else 0)
    assert (found.max_fee_per_gas_wei, found.max_priority_fee_per_gas_wei) == ((9, 3) if fields is DYNAMIC else (7, 7))
    assert found.access_list == (((bytes(19) + b"\x05", (9,)),) if fields is ACCESS_LIST else ())
    assert found.hash.hex() == Account.from_key(KEY.key).sign_transaction(
        {"nonce": 4, "gas": 90_000, "value": 11, "data": b"\x00\x01", "chainId": CHAIN_ID, **fields,
         **({} if to is None else {"to": "0x" + to.hex()})}
    ).hash.hex()  # fmt: skip


@pytest.mark.parametrize("fields", TYPES)
def test_attack_D1_replay_on_another_chain_is_refused(fields):
    raw = raw_transaction(**fields)
    assert decode_transaction(raw, CHAIN_ID).chain_id == CHAIN_ID
    error = refused(raw, InvalidReason.WRONG_CHAIN_ID, CHAIN_ID + 1)
    assert (error.got, error.expected) == (CHAIN_ID, CHAIN_ID + 1)


def test_unprotected_legacy_signature_is_refused():
    unsigned = {"nonce": 0, "gas": 21_000, "gasPrice": 0, "to": "0x" + "11" * 20, "value": 0, "data": b""}
    raw = bytes(KEY.sign_transaction(unsigned).raw_transaction)
    assert rlp.decode(raw)[6] in (b"\x1b", b"\x1c")
    refused(raw, InvalidReason.WRONG_CHAIN_ID)


@pytest.mark.parametrize("fields", TYPES)
def test_high_s_is_refused_and_its_low_twin_is_not(fields):
    """The same signature again under another hash: a pool would take it twice."""
    raw = raw_transaction(to=b"\x01" * 20, **fields)
    prefix, payload = (raw[:1], raw[1:]) if raw[0] < 0xC0 else (b"", raw)
    items = rlp.decode(payload)
    s = int.from_bytes(items[-1], "big")
    v = int.from_bytes(items[-3], "big")
    flipped = (v - 1 if (v - 35) % 2 else v + 1) if not prefix else 1 - v
    twin = [*items[:-3], flipped, items[-2], SECP256K1_N - s]
    decode_transaction(raw, CHAIN_ID)
    refused(prefix + rlp.encode(twin), InvalidReason.BAD_SIGNATURE)
    for r, s in ((0, s), (SECP256K1_N, s), (1, 0), (2**256 - 1, s)):
        refused(prefix + rlp.encode([*items[:-3], items[-3], r, s]), InvalidReason.BAD_SIGNATURE)


def test_types_that_are_not_offered_are_refused():
    for type_ in (0, 3, 4, 5, 0x7F, 0xBF):
        assert refused(bytes([type_]) + rlp.encode([b""] * 14), InvalidReason.UNSUPPORTED_TYPE).got == type_


def test_size_bound():
    refused(bytes(MAX_TRANSACTION_BYTES + 1), InvalidReason.TOO_LARGE)
    decode_transaction(raw_transaction(data=bytes(MAX_TRANSACTION_BYTES - 200), gas=10_000_000), CHAIN_ID)


def test_nonce_at_its_limit_is_refused():
    decode_transaction(raw_transaction(nonce=2**64 - 2), CHAIN_ID)
    refused(raw_transaction(nonce=2**64 - 1), InvalidReason.NONCE_LIMIT)


def test_tip_above_fee_cap_is_refused():
    decode_transaction(raw_transaction(maxFeePerGas=1, maxPriorityFeePerGas=1), CHAIN_ID)
    refused(raw_transaction(maxFeePerGas=1, maxPriorityFeePerGas=2), InvalidReason.TIP_ABOVE_FEE_CAP)


def mutated(index, value, fields=LEGACY):
    raw = raw_transaction(to=b"\x01" * 20, **fields)
    prefix, payload = (raw[:1], raw[1:]) if raw[0] < 0xC0 else (b"", raw)
    items = rlp.decode(payload)
    items[index] = value
    return prefix + rlp.encode(items)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xc0",
        b"\x02",
        b"\x02\xc0",
        b"\xff" * 9,
        raw_transaction() + b"\x00",
        raw_transaction()[:-1],
        mutated(0, b"\x00\x01"),
        mutated(0, b"\x01" * 9),
        mutated(0, [b"\x01"]),
        mutated(3, b"\x01" * 19),
        mutated(4, b"\x01" * 33),
        mutated(5, [[]]),
        mutated(6, b"\x05"),
        mutated(7, b"\x01" * 33),
        mutated(8, [[b""]], ACCESS_LIST),
        mutated(7, [[b"\x01" * 20]], ACCESS_LIST),
        mutated(7, [[b"\x01" * 19, []]], ACCESS_LIST),
        mutated(7, [[b"\x01" * 20, [b"\x01" * 31]]], ACCESS_LIST),
        mutated(7, b"list", ACCESS_LIST),
        mutated(9, b"\x02", DYNAMIC),
    ],
)
def test_anything_but_the_canonical_encoding_is_malformed(raw):
    refused(raw, InvalidReason.MALFORMED)


def test_deep_nesting_does_not_recurse():
    deep = b"\xc0"
    for _ in range(40_000):
        if len(deep) > 100_000:
            break
        deep = rlp.codec.length_prefix(len(deep), 0xC0) + deep
    raw = raw_transaction(to=b"\x01" * 20)
    items = [rlp.encode(item) for item in rlp.decode(raw)]
    items[5] = deep
    payload = b"".join(items)
    refused(rlp.codec.length_prefix(len(payload), 0xC0) + payload, InvalidReason.MALFORMED)
    refused(deep, InvalidReason.MALFORMED)


RAWS = [raw_transaction(to=b"\x01" * 20, data=b"abc", **fields) for fields in TYPES]


@given(st.binary(max_size=300) | st.builds(lambda head, tail: bytes([head]) + tail, st.integers(0, 3), st.binary()))
@settings(max_examples=300, deadline=None)
def test_fuzz_bytes_decode_or_are_refused(raw):
    try:
        decode_transaction(raw, CHAIN_ID)
    except InvalidTransaction as error:
        assert str(error)


@given(st.sampled_from(RAWS), st.data())
@settings(max_examples=300, deadline=None)
def test_fuzz_a_changed_byte_never_keeps_sender_and_hash(raw, data):
    place = data.draw(st.integers(0, len(raw) - 1))
    changed = bytearray(raw)
    changed[place] ^= data.draw(st.integers(1, 255))
    try:
        found = decode_transaction(bytes(changed), CHAIN_ID)
    except InvalidTransaction:
        return
    assert found.raw == bytes(changed) and found.sender != FUNDED
