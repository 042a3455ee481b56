"""Documents: what is signed is what eth-account and the light clients compute, and its bytes are read back to it alone."""

import json
from base64 import urlsafe_b64encode

import pytest
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.attestation import AttestationKind, attestation_digest
from hutong.light_clients.crypto import secp256k1
from hutong.light_clients.feeds import report_digest
from hutong.relay.keys import ForeignDocument
from hutong.relay.keys.documents import (
    AttestationDocument,
    EvmTransaction,
    FeedReport,
    TypedData,
    parse_consensus,
    parse_cosmos_transaction,
    parse_jws_input,
    parse_transaction,
    parse_typed_data,
    transaction_of_fields,
)
from tests.relay.keys.documents import SCOPE, cosmos_transaction, documents, legacy, transaction

SECRET = bytes(range(1, 33))
PUBLIC = secp256k1.public_key_of(SECRET)
NUMBERS = st.integers(0, 2**256 - 1)


def fields_of(document: EvmTransaction) -> dict[str, object]:
    fields = {
        "chainId": document.chain_id,
        "nonce": document.nonce,
        "gas": document.gas,
        "value": document.value_wei,
        "data": document.data,
    }
    if document.to is not None:
        fields["to"] = "0x" + document.to.hex()
    if document.gas_price_wei is not None:
        return fields | {"gasPrice": document.gas_price_wei}
    return fields | {
        "type": 2,
        "maxFeePerGas": document.max_fee_per_gas_wei,
        "maxPriorityFeePerGas": document.max_priority_fee_per_gas_wei,
    }


@pytest.mark.parametrize(
    "document",
    [
        transaction(),
        legacy(),
        transaction(to=None, data=b"\x60" * 300),
        legacy(0, value_wei=0, data=b"", chain_id=1),
        transaction(0, gas=0, max_fee_per_gas_wei=0, max_priority_fee_per_gas_wei=0, chain_id=2**60),
    ],
)
def test_signed_transactions_are_those_of_eth_account(document):
    theirs = bytes(Account.from_key(SECRET).sign_transaction(fields_of(document)).raw_transaction)
    ours = transaction_of_fields(fields_of(document))
    assert ours == document and ours.signed(secp256k1.sign_recoverable(SECRET, ours.digest)) == theirs
    assert parse_transaction(ours.preimage) == document


@given(st.integers(1, 2**64), NUMBERS, NUMBERS, NUMBERS, st.none() | st.binary(min_size=20, max_size=20), st.binary(max_size=70), st.booleans())  # fmt: skip
def test_transactions_are_read_back_from_what_is_signed(chain_id, nonce, gas, value, to, data, is_legacy):
    fees = {"gas_price_wei": gas} if is_legacy else {"max_fee_per_gas_wei": gas, "max_priority_fee_per_gas_wei": nonce}
    document = EvmTransaction(chain_id, nonce, gas, to, value, data, **fees)
    assert parse_transaction(document.preimage) == document


@given(st.binary(max_size=300), st.booleans())
def test_attack_G14_random_bytes_are_a_document_in_full_or_none(data, is_dynamic):
    data = b"\x02" + data if is_dynamic else data
    for parse in (parse_transaction, parse_typed_data, parse_cosmos_transaction, parse_jws_input):
        try:
            assert parse(data).preimage == data
        except ForeignDocument:
            continue


@given(st.integers(0, 10_000), st.integers(0, 7), st.booleans())
def test_attack_G14_a_changed_bit_is_another_document_or_none(position, bit, is_legacy):
    document = legacy() if is_legacy else transaction()
    twisted = bytearray(document.preimage)
    twisted[position % len(twisted)] ^= 1 << bit
    try:
        found = parse_transaction(bytes(twisted))
    except ForeignDocument:
        return
    assert found != document and found.preimage == bytes(twisted)


@pytest.mark.parametrize(
    "changes",
    [
        {"chain_id": 0},
        {"to": b"\x11" * 19},
        {"value_wei": 2**256},
        {"nonce": -1},
        {"max_fee_per_gas_wei": None},
        {"gas_price_wei": 1},
    ],
)
def test_unfit_transactions_are_no_document(changes):
    with pytest.raises(ForeignDocument):
        transaction(**changes)
    assert transaction().chain_id == 31337


@pytest.mark.parametrize(
    "changes",
    [
        {"accessList": [{"address": "0x" + "11" * 20, "storageKeys": []}]},
        {"type": 3},
        {"blobVersionedHashes": []},
        {"authorizationList": []},
        {"chainId": None},
        {"to": "0x12"},
        {"nonce": "x"},
    ],
)
def test_attack_G14_fields_that_would_not_be_signed_are_refused(changes):
    with pytest.raises(ForeignDocument):
        transaction_of_fields(fields_of(transaction()) | changes)


def test_typed_documents_have_the_digests_that_are_verified():
    data = b"data"
    for kind in AttestationKind:
        document = AttestationDocument(SCOPE, kind, data)
        assert document.digest == attestation_digest(SCOPE, kind, data)
        assert parse_typed_data(document.preimage).digest == document.digest
    report = FeedReport(b"\x11" * 32, 1_700_000_000, -5)
    assert report.digest == report_digest(b"\x11" * 32, 1_700_000_000, -5)
    assert parse_typed_data(report.preimage).digest == report.digest


def test_attack_G14_no_kind_of_document_passes_for_another():
    """A signature for one is one for nothing else: no two kinds have a preimage in common."""
    every = documents(secp256k1.public_key_of(SECRET))
    parsers = {
        "evm": parse_transaction,
        "typed": parse_typed_data,
        "cosmos": parse_cosmos_transaction,
        "jws": parse_jws_input,
        "consensus": parse_consensus,
    }
    takes = {
        kind: [name for name, parse in parsers.items() if _takes(parse, document.preimage)]
        for kind, document in every.items()
    }
    assert takes == {
        "evm-transaction": ["evm"],
        "cosmos-transaction": ["cosmos"],
        "attestation": ["typed"],
        "feed-report": ["typed"],
        "typed-data": ["typed"],
        "consensus-vote": ["consensus"],
        "consensus-proposal": ["consensus"],
        "consensus-skip": [],
        "consensus-vote-extension": [],
        "jws": ["jws"],
    }
    assert all(document.summary for document in every.values())


def _takes(parse, preimage: bytes) -> bool:
    try:
        parse(preimage)
    except ForeignDocument:
        return False
    return True


def test_a_cosmos_document_says_what_a_policy_asks():
    document = cosmos_transaction(secp256k1.public_key_of(SECRET))
    assert (document.chain_id, document.sequence, document.account_number) == ("simd-1", 3, 7)
    assert document.messages == ("/cosmos.bank.v1beta1.MsgSend",) and document.fee == (("stake", 2_000),)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"abc",
        b"!.e30",
        b"e30.e30",
        b"bm90IGpzb24.e30",
        b"eyJhbGciOiJub25lIn0.e30",
        b"eyJhbGciOjF9.e30",
        b"W10.e30",
    ],
)
def test_what_is_no_jws_is_refused(data):
    with pytest.raises(ForeignDocument):
        parse_jws_input(data)
    assert parse_jws_input(b"eyJhbGciOiJFUzI1NiJ9.e30").algorithm == "ES256"


def test_parts_of_typed_data_have_32_bytes():
    for parts in ((bytes(31), bytes(32)), (bytes(32), bytes(33))):
        with pytest.raises(ForeignDocument):
            TypedData(*parts)


def test_attack_G2_names_that_would_break_a_line_are_no_document():
    whole = cosmos_transaction(PUBLIC)
    for part in (b"MsgSend", b"stake", b"simd-1"):
        for other in (b"\n", b"\x1b", b"\x7f"):
            with pytest.raises(ForeignDocument, match="not printable"):
                parse_cosmos_transaction(whole.preimage.replace(part, other + part[1:]))
    assert parse_cosmos_transaction(whole.preimage.replace(b"MsgSend", b"NsgSend")) != whole
    for said, is_taken in (("a+b", True), ("a\nb", False)):
        head = urlsafe_b64encode(json.dumps({"alg": "ES256", "typ": said}).encode()).rstrip(b"=")
        if is_taken:
            assert parse_jws_input(head + b".e30").media_type == said
        else:
            with pytest.raises(ForeignDocument, match="not printable"):
                parse_jws_input(head + b".e30")
