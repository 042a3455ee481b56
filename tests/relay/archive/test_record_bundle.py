"""Record bundles as bytes: one encoding, and a named field for everything else."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.interface import Height, MalformedInput
from hutong.light_clients.records import AccountField, FieldPlace, SlotPlace, StorePlace
from hutong.light_clients.records.multiproof import Multiproof
from hutong.relay.archive.bundle import ChainHeaders, ChainKind, HeaderEntry
from hutong.relay.archive.record_bundle import (
    MAX_RECORD_BUNDLE_BYTES,
    RecordBundle,
    RecordKey,
    Statement,
    check_record_bundle,
    decode_record_bundle,
    encode_record_bundle,
    in_order,
)

SPECIFICATION = Path(__file__).parents[3] / "docs" / "spec" / "records.md"
ACCOUNT = bytes([0x11]) * 20
HUB = RecordBundle(
    ChainHeaders("hutong-1", ChainKind.TENDERMINT, (HeaderEntry(b"header", b"commit"),), (b"validators",)),
    Height(1, 9),
    in_order(
        [
            Statement(RecordKey(b"observation/client/bft-evm-0"), b"epoch", b"proof"),
            Statement(RecordKey(b"observation/open"), None, b"absence"),
        ]
    ),
)
EVM = RecordBundle(
    ChainHeaders("1001", ChainKind.BFT_EVM, (HeaderEntry(b"header"),)),
    Height(0, 7),
    in_order(
        [
            Statement(SlotPlace(ACCOUNT, bytes(32)), None, None),
            Statement(FieldPlace(ACCOUNT, AccountField.BALANCE), bytes(31) + b"\x05", None),
        ]
    ),
    (b"node",),
)
COSMOS = replace(
    HUB, statements=(Statement(StorePlace(b"bank", b"\x02\xaa"), b"5", b"proof"),), chain=replace(HUB.chain, headers=())
)
SHARED = replace(
    HUB,
    statements=tuple(replace(one, proof=None) for one in HUB.statements),
    multiproof=Multiproof(b"ends", (bytes(31) + b"\x07", bytes(31) + b"\x08")),
)
BUNDLES = {"hub": HUB, "shared": SHARED, "evm": EVM, "cosmos": COSMOS}


@pytest.mark.parametrize("bundle", (HUB, SHARED, EVM), ids=("hub", "shared", "evm"))
def test_vectors_of_the_specification(bundle):
    assert encode_record_bundle(bundle).decode() in SPECIFICATION.read_text()


@pytest.mark.parametrize("bundle", BUNDLES.values(), ids=BUNDLES)
def test_what_is_encoded_is_read(bundle):
    assert decode_record_bundle(encode_record_bundle(bundle)) == bundle


def canonical(document) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def changed(bundle: RecordBundle, **fields) -> bytes:
    return canonical(json.loads(encode_record_bundle(bundle)) | fields)


def first_statement(bundle: RecordBundle, **fields) -> bytes:
    document = json.loads(encode_record_bundle(bundle))
    document["statements"][0] |= fields
    return canonical(document)


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (changed(HUB, version=3), "record.version"),
        (changed(HUB, version=2), "record.statements[0].proof"),
        (changed(SHARED, version=1), "record.statements[0].proof"),
        (changed(SHARED, nodes=[]), "record.nodes"),
        (changed(SHARED, multiproof=None), "record.multiproof"),
        (changed(SHARED, multiproof={"terminals": "", "siblings": "AAAA"}), "record.multiproof.siblings"),
        (changed(SHARED, chain=json.loads(encode_record_bundle(EVM))["chain"]), "record.statements[0].what"),
        (first_statement(SHARED, proof=None), "record.statements[0].proof"),
        (first_statement(SHARED, what={"store": "bank", "key": "YQ=="}), "record.multiproof"),
        (changed(HUB, version=True), "record.version"),
        (changed(HUB, format="hutong-bundle"), "record.format"),
        (changed(HUB, height="9"), "height"),
        (changed(HUB, height="1-09"), "height"),
        (changed(HUB, statements=[]), "record.statements"),
        (changed(HUB, nodes=["bm9kZQ=="]), "record.nodes"),
        (changed(HUB, note=""), "record.note"),
        (changed(EVM, nodes=["!"]), "record.nodes[0]"),
        (first_statement(HUB, value=""), "record.statements[0].value"),
        (first_statement(HUB, proof=None), "record.statements[0].proof"),
        (first_statement(HUB, what={"record": ""}), "record.key"),
        (first_statement(HUB, what={"record": "YQ==", "store": "bank"}), "record.statements[0].what.store"),
        (first_statement(HUB, what={"account": "0x" + "11" * 20, "slot": "0x" + "00" * 32}), "statements[0].what"),
        (first_statement(COSMOS, what={"store": "", "key": "YQ=="}), "record.statements[0].what.store"),
        (first_statement(COSMOS, what={"store": "é", "key": "YQ=="}), "record.statements[0].what.store"),
        (first_statement(EVM, what={"account": "0x" + "AA" * 20, "field": "nonce"}), "statements[0].what.account"),
        (first_statement(EVM, what={"account": "0x" + "11" * 20, "field": "code"}), "statements[0].what.field"),
        (first_statement(EVM, what={"account": "0x" + "11" * 20, "field": "nonce", "slot": "0x"}), "what.slot"),
        (first_statement(EVM, proof="cHJvb2Y="), "record.statements[0].proof"),
        (first_statement(EVM, value="BQ=="), "record.statements[0].value"),
    ],
)
def test_refused_with_its_field(data, field):
    with pytest.raises(MalformedInput) as caught:
        decode_record_bundle(data)
    assert field in caught.value.field


@pytest.mark.parametrize("bundle", (HUB, SHARED, EVM), ids=("hub", "shared", "evm"))
def test_attack_J3_other_orders_repetitions_and_spaces_are_another_file(bundle):
    data = encode_record_bundle(bundle)
    document = json.loads(data)
    spaced = json.dumps(document, sort_keys=True).encode() + b"\n"
    unsorted = json.dumps(dict(reversed(document.items())), separators=(",", ":")).encode() + b"\n"
    backwards = canonical(document | {"statements": document["statements"][::-1]})
    twice = canonical(document | {"statements": document["statements"][:1] * 2})
    for other in (
        spaced,
        unsorted,
        backwards,
        twice,
        data[:-1],
        data + b"\n",
        b" " + data,
        data.replace(b"c", b"\\u0063", 1),
    ):
        with pytest.raises(MalformedInput):
            decode_record_bundle(other)
    assert decode_record_bundle(data) == bundle


def test_refused_more_bytes_than_a_bundle_has():
    data = first_statement(HUB, proof="A" * MAX_RECORD_BUNDLE_BYTES)
    with pytest.raises(MalformedInput, match="record"):
        decode_record_bundle(data)


@pytest.mark.parametrize("chain_id", ("", "-", "a b", "x" * 51))
def test_refused_chain_ids_that_are_none(chain_id):
    with pytest.raises(MalformedInput, match="chain id"):
        check_record_bundle(replace(HUB, chain=replace(HUB.chain, chain_id=chain_id)))


@given(noise=st.binary(max_size=300))
def test_any_bytes_are_a_typed_refusal(noise):
    with pytest.raises(MalformedInput):
        decode_record_bundle(noise)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2**70) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.long
@given(
    bundle=st.sampled_from(list(BUNDLES.values())),
    field=st.sampled_from(["chain", "height", "statements", "nodes", "multiproof", "format", "version"]),
    value=JSON_VALUES,
)
def test_any_value_of_a_field_is_a_typed_refusal_or_the_same_bytes(bundle, field, value):
    data = changed(bundle, **{field: value})
    try:
        read = decode_record_bundle(data)
    except MalformedInput:
        return
    assert encode_record_bundle(read) == data


@given(
    bundle=st.sampled_from(list(BUNDLES.values())),
    field=st.sampled_from(["what", "value", "proof"]),
    value=JSON_VALUES,
)
def test_any_value_in_a_statement_is_a_typed_refusal_or_the_same_bytes(bundle, field, value):
    data = first_statement(bundle, **{field: value})
    try:
        read = decode_record_bundle(data)
    except MalformedInput:
        return
    assert encode_record_bundle(read) == data
