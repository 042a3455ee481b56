"""Evidence of cases as bytes: one encoding, and a named field for everything else."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.interface import Height, MalformedInput
from hutong.light_clients.records import AccountField, FieldPlace, SlotPlace, StorePlace
from hutong.relay.archive.record_bundle import RecordKey
from hutong.relay.audit.cases import Evidence, decode_evidence, decode_trust, encode_evidence
from hutong.relay.audit.cases.conclusion import MAX_DEPTH
from hutong.relay.audit.cases.document import MAX_CONTAINERS, MAX_EVIDENCE_BYTES, MAX_STATEMENTS
from hutong.relay.audit.cases.statements import EntryStatement, Fate, MessageStatement, StateStatement

SPECIFICATION = Path(__file__).parents[4] / "docs" / "spec" / "case-evidence.md"
ACCOUNT = bytes([0x11]) * 20
STATEMENTS = (
    EntryStatement("a-leaf", b"leaf", 0, 2, (bytes(31) + b"\x01",), "b-root", 0),
    StateStatement(
        "b-root", "r1", "hutong-1", "bft-evm-0", SlotPlace(ACCOUNT, bytes(32)), bytes(32), Height(0, 7), 1_700_000_000
    ),
    MessageStatement("c-sale", "m1", "7101/client-0/3", Fate.DELIVERED),
)
EVIDENCE = Evidence(
    "food-lots", STATEMENTS, {"m1": b"message", "r1": b"record"}, {"recalled": ["lot-3"], "total": "12", "clean": True}
)


def canonical(document) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def changed(**fields) -> bytes:
    return canonical(json.loads(encode_evidence(EVIDENCE)) | fields)


def with_statement(index: int, /, **fields) -> bytes:
    document = json.loads(encode_evidence(EVIDENCE))
    document["statements"][index] |= fields
    return canonical(document)


def without(index: int, field: str, /) -> bytes:
    document = json.loads(encode_evidence(EVIDENCE))
    del document["statements"][index][field]
    return canonical(document)


def test_vector_of_the_specification():
    assert encode_evidence(EVIDENCE).decode().strip() in SPECIFICATION.read_text()


def test_trust_of_the_specification():
    text = SPECIFICATION.read_text()
    blocks = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    trust = decode_trust(next(block for block in blocks if "hutong-case-trust" in block).encode())
    assert trust.chain("e1").contract("swap") == ACCOUNT
    assert trust.person("maker") == bytes([0x22]) * 20


def test_what_is_encoded_is_read():
    assert decode_evidence(encode_evidence(EVIDENCE)) == EVIDENCE


@pytest.mark.parametrize(
    "what",
    [
        FieldPlace(ACCOUNT, AccountField.CODE_HASH),
        StorePlace(b"bank", b"\x02"),
        SlotPlace(ACCOUNT, bytes(31) + b"\x05"),
    ],
)
def test_every_place_has_a_form(what):
    for client, value in (("bft-evm-0", b"value"), (None, None)):
        state = replace(STATEMENTS[1], what=what, client=client, value=value)
        evidence = replace(EVIDENCE, statements=(STATEMENTS[0], state, STATEMENTS[2]))
        assert decode_evidence(encode_evidence(evidence)) == evidence


def test_a_key_of_the_hubs_own_state_has_no_client():
    state = replace(STATEMENTS[1], what=RecordKey(b"identity/issuer"), client=None)
    evidence = replace(EVIDENCE, statements=(STATEMENTS[0], state, STATEMENTS[2]))
    assert decode_evidence(encode_evidence(evidence)) == evidence
    with pytest.raises(MalformedInput, match="hub's own state"):
        decode_evidence(with_statement(1, what={"record": "YQ=="}))


def deep(levels: int):
    value = "x"
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (changed(version=2), "evidence.version"),
        (changed(format="hutong-bundle"), "evidence.format"),
        (changed(case="Food"), "evidence.case"),
        (changed(case=""), "evidence.case"),
        (changed(case="x" * 65), "evidence.case"),
        (changed(statements=[]), "evidence.statements"),
        (changed(note=1), "evidence.note"),
        (changed(bundles={"m1": "bWVzc2FnZQ=="}), "evidence.bundles"),
        (changed(bundles={"m1": "", "r1": "", "s1": ""}), "evidence.bundles"),
        (changed(bundles={"m1": "!", "r1": ""}), "evidence.bundles.m1"),
        (changed(bundles=[]), "evidence.bundles"),
        (changed(conclusion=[]), "evidence.conclusion"),
        (changed(conclusion={"a": 1.5}), "evidence.conclusion.a"),
        (changed(conclusion={"a": 2**53}), "evidence.conclusion.a"),
        (changed(conclusion={"a": "é"}), "evidence.conclusion.a"),
        (changed(conclusion={"a": "x" * 1025}), "evidence.conclusion.a"),
        (changed(conclusion={"a": deep(MAX_DEPTH)}), "evidence.conclusion.a"),
        (with_statement(0, kind="state"), "evidence.statements[0]"),
        (with_statement(0, kind="rumour"), "evidence.statements[0].kind"),
        (with_statement(0, id="B"), "evidence.statements[0].id"),
        (with_statement(0, id="b-root"), "evidence.statements[1].id"),
        (with_statement(0, index=-1), "evidence.statements[0].index"),
        (with_statement(0, size=0), "evidence.statements[0].size"),
        (with_statement(0, size=2**63), "evidence.statements[0].size"),
        (with_statement(0, siblings=["AA==" * 64]), "evidence.statements[0].siblings[0]"),
        (with_statement(0, siblings=[""] * 64), "evidence.statements[0].siblings"),
        (with_statement(0, offset=True), "evidence.statements[0].offset"),
        (with_statement(0, leaf="A" * 100_000), "evidence.statements[0].leaf"),
        (without(0, "under"), "evidence.statements[0].under"),
        (with_statement(1, height="7"), "height"),
        (with_statement(1, time_s=2**64), "evidence.statements[1].time_s"),
        (with_statement(1, chain_id="../x"), "evidence.statements[1].chain_id"),
        (with_statement(1, client="x"), "client"),
        (with_statement(1, bundle="m2"), "evidence.bundles"),
        (with_statement(1, more=1), "evidence.statements[1].more"),
        (with_statement(2, fate="lost"), "evidence.statements[2].fate"),
        (with_statement(2, packet=""), "evidence.statements[2].packet"),
        (with_statement(2, packet="x" * 201), "evidence.statements[2].packet"),
    ],
)
def test_refused_with_its_field(data, field):
    with pytest.raises(MalformedInput) as caught:
        decode_evidence(data)
    assert field in caught.value.field


def test_attack_J20_other_orders_repetitions_and_spaces_are_another_file():
    data = encode_evidence(EVIDENCE)
    document = json.loads(data)
    spaced = json.dumps(document, sort_keys=True).encode() + b"\n"
    unsorted = json.dumps(dict(reversed(document.items())), separators=(",", ":")).encode() + b"\n"
    backwards = canonical(document | {"statements": document["statements"][::-1]})
    twice = data.replace(b'"case":', b'"case":"food-lots","case":')
    loose = data.replace(b"bWVzc2FnZQ==", b"bWVzc2FnZR==")
    for other in (spaced, unsorted, backwards, twice, loose, data[:-1], data + b" "):
        assert other != data
        with pytest.raises(MalformedInput):
            decode_evidence(other)


def test_attack_J20_counts_depth_and_size_are_bounded_before_anything_is_made():
    many = canonical(json.loads(encode_evidence(EVIDENCE)) | {"conclusion": {"a": [[]] * (MAX_CONTAINERS + 1)}})
    with pytest.raises(MalformedInput, match="objects and lists"):
        decode_evidence(many)
    with pytest.raises(MalformedInput):
        decode_evidence(b'{"format":' + b"[" * 100_000)
    with pytest.raises(MalformedInput):
        decode_evidence(b" " * (MAX_EVIDENCE_BYTES + 1))
    statement = json.loads(encode_evidence(EVIDENCE))["statements"][2]
    with pytest.raises(MalformedInput) as caught:
        decode_evidence(changed(statements=[statement] * (MAX_STATEMENTS + 1)))
    assert caught.value.field == "evidence.statements"


NAMES = st.text("az09._-", min_size=1, max_size=8).map(lambda text: f"n{text}")
TEXTS = st.text('aZ0 "\\\x00[{', max_size=8)
PLAIN = st.one_of(st.none(), st.booleans(), st.integers(-(2**53) + 1, 2**53 - 1), TEXTS)
CONCLUSIONS = st.dictionaries(TEXTS, st.one_of(PLAIN, st.lists(PLAIN, max_size=3)), max_size=4)
ENTRIES = st.builds(
    EntryStatement,
    NAMES,
    st.binary(max_size=40),
    st.integers(0, 2**63 - 2),
    st.integers(1, 2**63 - 1),
    st.lists(st.binary(max_size=32), max_size=4).map(tuple),
    NAMES,
    st.integers(0, 1024),
)
MESSAGES = st.builds(MessageStatement, NAMES, NAMES, TEXTS.filter(bool), st.sampled_from(Fate))
STATES = st.builds(
    StateStatement,
    NAMES,
    NAMES,
    st.sampled_from(("hutong-1", "7101")),
    st.sampled_from((None, "bft-evm-0", "07-tendermint-12")),
    st.one_of(
        st.builds(SlotPlace, st.binary(min_size=20, max_size=20), st.binary(min_size=32, max_size=32)),
        st.builds(StorePlace, st.sampled_from((b"bank", b"wasm")), st.binary(min_size=1, max_size=40)),
    ),
    st.one_of(st.none(), st.binary(max_size=64)),
    st.builds(Height, st.integers(0, 9), st.integers(1, 2**32)),
    st.integers(0, 2**33),
)


@st.composite
def evidences(draw) -> Evidence:
    statements = draw(
        st.lists(st.one_of(ENTRIES, MESSAGES, STATES), min_size=1, max_size=3, unique_by=lambda one: one.id)
    )
    named = {one.bundle for one in statements if not isinstance(one, EntryStatement)}
    bundles = {name: draw(st.binary(max_size=40)) for name in named}
    return Evidence(draw(NAMES), tuple(sorted(statements, key=lambda one: one.id)), bundles, draw(CONCLUSIONS))


@given(evidences())
def test_every_evidence_has_one_encoding(evidence):
    assert decode_evidence(encode_evidence(evidence)) == evidence


@given(st.binary(max_size=400))
def test_any_bytes_are_evidence_or_refused(data):
    try:
        assert encode_evidence(decode_evidence(data)) == data
    except MalformedInput:
        pass


@given(st.data())
def test_any_change_is_evidence_or_refused(data):
    encoded = bytearray(encode_evidence(EVIDENCE))
    for _ in range(data.draw(st.integers(1, 4))):
        encoded[data.draw(st.integers(0, len(encoded) - 1))] = data.draw(st.integers(0, 255))
    try:
        assert encode_evidence(decode_evidence(bytes(encoded))) == bytes(encoded)
    except MalformedInput:
        pass


TRUST = {
    "format": "hutong-case-trust",
    "version": 1,
    "hub_chain_id": "hutong-1",
    "chains": [{"name": "e1", "chain_id": "7101", "hub_client": "bft-evm-0", "contracts": {"swap": "0x" + "11" * 20}}],
    "people": {"maker": "0x" + "22" * 20},
    "values": {"feed": "0x01"},
}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"version": 2}, "trust.version"),
        ({"hub_chain_id": "a/b"}, "trust.hub_chain_id"),
        ({"chains": [TRUST["chains"][0]] * 2}, "trust.chains[1]"),
        ({"chains": [{"name": "e1"}]}, "trust.chains[0]"),
        ({"people": {"maker": "0x22"}}, "trust.people.maker"),
        ({"people": {"Maker": "0x" + "22" * 20}}, "trust.people"),
        ({"values": {"feed": 1}}, "trust.values.feed"),
        ({"more": 1}, "trust.more"),
    ],
)
def test_trust_is_refused_with_its_field(change, field):
    decode_trust(json.dumps(TRUST).encode())
    with pytest.raises(MalformedInput) as caught:
        decode_trust(json.dumps(TRUST | change).encode())
    assert field in caught.value.field
