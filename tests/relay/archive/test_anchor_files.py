"""Anchor and proof files: canonical bytes, or a named field."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import Height, MalformedInput
from hutong.light_clients.proofs.merkle import leaf_hash, prove_leaf
from hutong.relay.archive.anchor import (
    Anchor,
    AnchorProof,
    EntryProof,
    decode_anchor,
    decode_entry_proof,
    encode_anchor,
    encode_entry_proof,
)
from hutong.relay.archive.bundle import ChainHeaders, ChainKind, HeaderEntry
from hutong.relay.archive.store.entries import PruneEntry, encode_entry

ENTRY = PruneEntry(1_700_000_000, 2)
LEAVES = [leaf_hash(encode_entry(ENTRY)), *(bytes([number]) * 32 for number in range(4))]
ANCHOR = encode_anchor(
    AnchorProof(
        Anchor(b"\1" * 20, b"\2" * 20, 3, 5, 1_700_000_000, b"\3" * 32),
        ChainHeaders("hutong-1", ChainKind.TENDERMINT, (HeaderEntry(b"header", b"commit"),), (b"set",)),
        Height(1, 9),
        b"\4" * 32,
        b"state",
        (b"account",),
        ((b"first",), (b"second", b"node")),
    )
)
PROOF = encode_entry_proof(EntryProof(ENTRY, b"\5" * 32, prove_leaf(LEAVES, 0)))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"format": "x"}, "anchor.format"),
        ({"version": 2}, "anchor.version"),
        ({"more": 1}, "anchor.more"),
        ({"contract": "0x01"}, "anchor.contract"),
        ({"publisher": "0x" + "AA" * 20}, "anchor.publisher"),
        ({"index": -1}, "anchor.index"),
        ({"size": 2**64}, "anchor.size"),
        ({"time_s": 1.0}, "anchor.time_s"),
        ({"height": 9}, "anchor.height"),
        ({"state_proof": "*"}, "anchor.state_proof"),
        ({"account_proof": ["AA=="] * 66}, "anchor.account_proof"),
        ({"storage_proofs": [[]]}, "anchor.storage_proofs"),
        ({"chain": {}}, "anchor.chain.chain_id"),
    ],
)
def test_a_damaged_anchor_names_its_field(change, field):
    document = json.loads(ANCHOR) | change
    data = json.dumps(document, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    with pytest.raises(MalformedInput) as caught:
        decode_anchor(data)
    assert caught.value.field == field


@given(st.sampled_from([ANCHOR, PROOF, b""]), st.binary(max_size=60), st.data())
@settings(max_examples=80, deadline=None)
def test_attack_H_any_bytes_are_a_file_to_the_byte_or_a_typed_error(data, noise, draw):
    if data:
        at = draw.draw(st.integers(0, len(data) - 1))
        noise = data[:at] + bytes([draw.draw(st.integers(0, 255))]) + data[at + 1 :]
    for decode, encode in ((decode_anchor, encode_anchor), (decode_entry_proof, encode_entry_proof)):
        try:
            value = decode(noise)
        except MalformedInput:
            continue
        assert encode(value) == noise
