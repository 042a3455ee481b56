"""Bundles as bytes: one encoding, whole claims, and a named field for everything else."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.ibc.packet import ERROR, Acknowledgement
from hutong.light_clients.interface import Height, MalformedInput
from hutong.relay.archive.bundle import (
    MAX_CONTAINERS,
    Bundle,
    ChainHeaders,
    ChainKind,
    Claim,
    HeaderEntry,
    Leg,
    StateProof,
    check_bundle,
    decode_bundle,
    encode_bundle,
)
from tests.relay.relay_values import packet

SPECIFICATION = Path(__file__).parents[3] / "docs" / "spec" / "bundle.md"
LEG = Leg(
    "1001",
    "hutong-1",
    packet(),
    Acknowledgement((b"done",)),
    (
        StateProof(Claim.SENT, Height(0, 7), b"sent"),
        StateProof(Claim.ACKNOWLEDGED, Height(1, 9), b"acknowledged"),
        StateProof(Claim.SETTLED, Height(0, 12), b"settled"),
    ),
)
BUNDLE = Bundle(
    (LEG,),
    (
        ChainHeaders("1001", ChainKind.BFT_EVM, (HeaderEntry(b"header", None, (b"node",)),)),
        ChainHeaders("hutong-1", ChainKind.TENDERMINT, (HeaderEntry(b"header", b"commit"),), (b"validators",)),
    ),
)


def test_vector_of_the_specification():
    assert encode_bundle(BUNDLE).decode() in SPECIFICATION.read_text()


def rewritten(**changes) -> bytes:
    document = json.loads(encode_bundle(BUNDLE)) | changes
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode() + b"\n"


LEG_FIELDS = json.loads(encode_bundle(BUNDLE))["legs"][0]
CHAINS = json.loads(encode_bundle(BUNDLE))["chains"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"version": 2}, "bundle.version"),
        ({"version": True}, "bundle.version"),
        ({"format": "x"}, "bundle.format"),
        ({"more": 1}, "bundle.more"),
        ({"legs": []}, "bundle.legs"),
        ({"legs": [LEG_FIELDS] * 3}, "bundle.legs"),
        ({"legs": [LEG_FIELDS | {"destination_chain_id": "1001"}]}, "bundle.legs[0].destination_chain_id"),
        ({"legs": [LEG_FIELDS | {"source_chain_id": "../x"}]}, "bundle.legs[0].source_chain_id"),
        ({"legs": [LEG_FIELDS | {"acknowledgement": None}]}, "bundle.legs[0].acknowledgement"),
        ({"legs": [LEG_FIELDS | {"packet": "*"}]}, "bundle.legs[0].packet"),
        ({"legs": [LEG_FIELDS | {"packet": ""}]}, "packet.source_client"),
        ({"legs": [LEG_FIELDS | {"proofs": LEG_FIELDS["proofs"][::-1]}]}, "bundle.legs[0].proofs"),
        ({"legs": [LEG_FIELDS | {"proofs": LEG_FIELDS["proofs"][1:]}]}, "bundle.legs[0].proofs"),
        ({"legs": [LEG_FIELDS | {"proofs": [{"claim": "lost"}]}]}, "bundle.legs[0].proofs[0].claim"),
        (
            {"legs": [LEG_FIELDS | {"proofs": [{"claim": "lost", "height": "0-1", "proof": ""}]}]},
            "bundle.legs[0].proofs[0].claim",
        ),
        ({"chains": CHAINS[::-1]}, "bundle.chains"),
        ({"chains": CHAINS[:1]}, "bundle.chains"),
        ({"chains": [CHAINS[0] | {"kind": "bitcoin"}, CHAINS[1]]}, "bundle.chains[0].kind"),
        ({"chains": [CHAINS[0] | {"headers": []}, CHAINS[1]]}, "bundle.chains[0].headers"),
        ({"chains": [CHAINS[0] | {"validator_sets": {}}, CHAINS[1]]}, "bundle.chains[0].validator_sets"),
    ],
)
def test_damage_names_its_field(changes, field):
    with pytest.raises(MalformedInput) as caught:
        decode_bundle(rewritten(**changes))
    assert caught.value.field == field


def test_attack_H_millions_of_lists_and_objects_are_refused_before_one_is_made():
    """Each takes 30 times its two bytes in memory: 64 MiB of them took 2 GB and half a minute."""
    honest = rewritten(chains=[])  # refused later, by name
    for unit in (b"{}", b"[]"):
        bomb = honest.replace(b'"chains":[]', b'"chains":[' + b",".join([unit] * (MAX_CONTAINERS + 1)) + b"]")
        with pytest.raises(MalformedInput, match="objects and lists"):
            decode_bundle(bomb)
    with pytest.raises(MalformedInput) as caught:
        decode_bundle(honest)
    assert caught.value.field == "bundle.chains"


def test_only_the_canonical_bytes_are_a_bundle():
    data = encode_bundle(BUNDLE)
    assert decode_bundle(data) == BUNDLE
    for other in (data[:-1], data + b"\n", data.replace(b",", b", ", 1), json.dumps(json.loads(data)).encode()):
        with pytest.raises(MalformedInput):
            decode_bundle(other)


@pytest.mark.parametrize(
    "claims",
    [
        (Claim.ACKNOWLEDGED,),
        (Claim.SENT,),
        (Claim.SENT, Claim.SETTLED),
        (Claim.SENT, Claim.RECEIVED, Claim.ACKNOWLEDGED),
        (Claim.SENT, Claim.ACKNOWLEDGED, Claim.TIMED_OUT),
        (Claim.SENT, Claim.RECEIVED, Claim.SETTLED),
        (Claim.SENT, Claim.SENT, Claim.RECEIVED),
    ],
)
def test_half_a_story_is_no_bundle(claims):
    proofs = tuple(StateProof(claim, Height(0, 1), b"p") for claim in claims)
    acknowledgement = ERROR if Claim.ACKNOWLEDGED in claims else None
    with pytest.raises(MalformedInput) as caught:
        check_bundle(replace(BUNDLE, legs=(replace(LEG, proofs=proofs, acknowledgement=acknowledgement),)))
    assert caught.value.field == "bundle.legs[0].proofs"


HEIGHTS = st.builds(Height, st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
BYTES = st.binary(max_size=40)
OUTCOMES = st.sampled_from(
    [
        (Claim.SENT, Claim.RECEIVED),
        (Claim.SENT, Claim.ACKNOWLEDGED),
        (Claim.SENT, Claim.ACKNOWLEDGED, Claim.SETTLED),
        (Claim.SENT, Claim.TIMED_OUT),
        (Claim.SENT, Claim.TIMED_OUT, Claim.SETTLED),
    ]
)


@st.composite
def legs(draw, source: str, destination: str) -> Leg:
    claims = draw(OUTCOMES)
    acknowledgement = (
        Acknowledgement((draw(st.binary(min_size=1, max_size=9)),)) if claims[1] == "acknowledged" else None
    )
    proofs = tuple(StateProof(claim, draw(HEIGHTS), draw(BYTES)) for claim in claims)
    return Leg(source, destination, packet(draw(st.integers(1, 2**64 - 1))), acknowledgement, proofs)


HEADERS = st.builds(HeaderEntry, BYTES, st.none() | BYTES, st.lists(BYTES, max_size=3).map(tuple))
CHAIN_PARTS = st.tuples(
    st.sampled_from(ChainKind),
    st.lists(HEADERS, min_size=1, max_size=3).map(tuple),
    st.lists(BYTES, max_size=2).map(tuple),
)


@given(legs("1001", "hutong-1"), st.none() | legs("hutong-1", "1002"), st.tuples(CHAIN_PARTS, CHAIN_PARTS, CHAIN_PARTS))
def test_decoding_gives_back_what_was_encoded(first, second, parts):
    both = (first,) if second is None else (first, second)
    ids = ["1001", "hutong-1"] if second is None else ["1001", "1002", "hutong-1"]
    bundle = Bundle(both, tuple(ChainHeaders(name, *part) for name, part in zip(ids, parts, strict=False)))
    check_bundle(bundle)
    assert decode_bundle(encode_bundle(bundle)) == bundle


@given(
    st.binary(max_size=300)
    | st.integers(0, len(encode_bundle(BUNDLE)) - 1).flatmap(
        lambda at: st.integers(0, 255).map(
            lambda byte: encode_bundle(BUNDLE)[:at] + bytes([byte]) + encode_bundle(BUNDLE)[at + 1 :]
        )
    )
)
def test_attack_H_any_bytes_give_the_same_bytes_back_or_a_typed_error(data):
    try:
        bundle = decode_bundle(data)
    except MalformedInput:
        return
    assert encode_bundle(bundle) == data
