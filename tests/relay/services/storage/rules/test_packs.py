"""Packs: shape, body, name, mask and leaf tree, each rule from both sides."""

import hmac
from hashlib import sha256

import pytest
from Crypto.Cipher import AES
from Crypto.Util import Counter
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.crypto.erasure import CauchyCode
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.proofs.merkle import root, root_of, verify
from hutong.relay.services.storage.rules.packs.body import (
    MAX_SECTIONS,
    ROW_BYTES,
    TRAILER_BYTES,
    SectionKind,
    build_body,
    data_shards,
    read_body,
)
from hutong.relay.services.storage.rules.packs.leaf_tree import (
    leaf_hashes,
    outboard,
    prove_shard_leaf,
    root_of_outboard,
    shard_height,
    shard_root,
    span_roots,
)
from hutong.relay.services.storage.rules.packs.mask import mask_in_place, masked, pack_mask_key, shard_mask_key
from hutong.relay.services.storage.rules.packs.naming import pack_name
from hutong.relay.services.storage.rules.packs.shape import LEAF_BYTES, PackShape, smallest_shape
from tests.relay.services.storage.rules.held import named, octets

SECTIONS = [(SectionKind.OBJECT, b"one"), (SectionKind.MANIFEST, b"the second"), (SectionKind.CATALOGUE, bytes(700))]


def hkdf(secret: bytes, salt: bytes, info: bytes) -> bytes:
    """RFC 5869 of one block, out of the standard library."""
    extracted = hmac.digest(salt or bytes(32), secret, "sha256")
    return hmac.digest(extracted, info + b"\x01", "sha256")


def keystream(key: bytes, size: int) -> bytes:
    return AES.new(key, AES.MODE_CTR, counter=Counter.new(128, initial_value=0)).encrypt(bytes(size))


@pytest.mark.parametrize(
    ("size", "height"),
    [(1, 0), (10_240, 0), (10_241, 1), (20_480, 1), (20_481, 2), (40 * 2**20 + 1, 13), (80 * 2**20, 13)],
)
def test_the_smallest_pack_holds_its_sections_and_no_lower_one_does(size, height):
    shape = smallest_shape(10, 4, size)
    assert (shape.height, shape.body_bytes >= size) == (height, True)
    assert height == 0 or PackShape(10, 4, height - 1).body_bytes < size


@pytest.mark.parametrize(
    ("data", "parity", "size"), [(10, 4, 80 * 2**20 + 1), (0, 4, 1), (1, 0, 1), (61, 4, 1), (60, 4, 80 * 2**20)]
)
def test_packs_above_a_bound_are_refused(data, parity, size):
    with pytest.raises(MalformedInput):
        smallest_shape(data, parity, size)


@pytest.mark.parametrize("height", [-1, 14])
def test_heights_that_no_pack_has(height):
    with pytest.raises(MalformedInput):
        PackShape(1, 1, height)
    assert PackShape(1, 1, 13).shard_bytes == 8 * 2**20


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.sampled_from(SectionKind), st.binary(min_size=1, max_size=3_000)), min_size=1, max_size=30),
    st.integers(1, 12),
    st.integers(1, 6),
)
def test_a_body_gives_its_sections_back(sections, data, parity):
    index, body = build_body(data, parity, sections)
    assert read_body(body) == index == read_body(bytes(body))
    for section, (kind, held) in zip(index.sections, sections, strict=True):
        assert section.kind == kind and bytes(body[section.offset : section.offset + section.length]) == held
    assert b"".join(map(bytes, data_shards(index.shape, body))) == bytes(body)


@settings(max_examples=150)
@given(st.data())
def test_attack_S1_a_changed_byte_of_a_body_is_refused(data):
    _, body = build_body(2, 1, SECTIONS)
    at = data.draw(st.integers(0, len(body) - 1))
    body[at] ^= data.draw(st.integers(1, 255))
    # The kind and the number of parity shards say nothing that bytes could belie; the pack's name holds them.
    parity_at, first_row = len(body) - 7, len(body) - TRAILER_BYTES - len(SECTIONS) * ROW_BYTES
    kinds = {first_row + number * ROW_BYTES for number in range(len(SECTIONS))}
    try:
        index = read_body(body)
    except MalformedInput:
        return
    assert at == parity_at or at in kinds
    assert pack_name(body) != pack_name(build_body(2, 1, SECTIONS)[1]) and index.sections


def changed(body: bytearray, at: int, value: bytes) -> bytearray:
    copy = bytearray(body)
    copy[at : at + len(value)] = value
    return copy


def test_attack_S1_bodies_with_two_readings_are_refused():
    _, body = build_body(2, 1, SECTIONS)
    size, rows = len(body), len(body) - TRAILER_BYTES - len(SECTIONS) * ROW_BYTES
    read_body(body)
    for other, field in (
        (body[:-1], "pack.magic"),
        (body[:10], "pack"),
        (body + body, "pack"),
        (changed(body, size - 5, b"\x01"), "pack.trailer"),
        (changed(body, size - 4, bytes(4)), "pack.count"),
        (changed(body, size - 4, (MAX_SECTIONS + 1).to_bytes(4, "big")), "pack.count"),
        (changed(body, size - 4, (1_000).to_bytes(4, "big")), "pack.count"),
        (changed(body, rows, b"\x04"), "pack.sections[0].kind"),
        (changed(body, rows + 1, b"\0\0\0\1"), "pack.sections[0]"),
        (changed(body, rows + 5, bytes(4)), "pack.sections[0]"),
        (changed(body, rows + 5, b"\xff\xff\xff\xff"), "pack.sections[0]"),
        (changed(body, rows + 9, bytes(32)), "pack.sections[0].digest"),
        (changed(body, rows - 1, b"\x01"), "pack.padding"),
    ):
        with pytest.raises(MalformedInput) as refused:
            read_body(other)
        assert refused.value.field == field


def test_attack_S1_a_pack_larger_than_its_sections_need_is_refused():
    _, body = build_body(2, 1, SECTIONS)
    index = bytes(body[-TRAILER_BYTES - len(SECTIONS) * ROW_BYTES :])
    end = sum(len(held) for _, held in SECTIONS)
    higher = body[:end] + bytes(4_096 - end - len(index)) + changed(bytearray(index), len(index) - 6, b"\x01")
    with pytest.raises(MalformedInput, match="lower pack"):
        read_body(higher)


@pytest.mark.parametrize(
    "sections", [[], [(SectionKind.OBJECT, b"")], [(SectionKind.OBJECT, b"a")] * (MAX_SECTIONS + 1)]
)
def test_bodies_that_are_not_built(sections):
    with pytest.raises(MalformedInput):
        build_body(10, 4, sections)


def test_shards_of_a_body_of_another_size_are_refused():
    index, body = build_body(2, 1, SECTIONS)
    with pytest.raises(MalformedInput):
        data_shards(index.shape, body + b"\0")


def test_names_differ_by_every_part_of_a_body():
    names = {
        pack_name(build_body(data, parity, sections)[1])
        for data, parity in ((2, 1), (2, 2), (3, 1))
        for sections in (SECTIONS, SECTIONS[:2], SECTIONS[::-1])
    }
    assert len(names) == 9 and all(len(name) == 32 for name in names)


def test_mask_keys_are_those_of_rfc_5869_and_the_mask_is_aes_ctr():
    root_key, pack = named("repair root"), named("a pack")
    key = pack_mask_key(root_key, pack)
    assert key == hkdf(root_key, pack, b"hutong/storage/pack mask/1")
    shard_key = shard_mask_key(key, 13)
    assert shard_key == hkdf(key, b"", b"hutong/storage/shard mask/1\x0d")
    shard = octets("shard", 4_096)
    expected = bytes(one ^ other for one, other in zip(shard, keystream(shard_key, 4_096), strict=True))
    assert masked(shard_key, shard) == expected
    held = bytearray(shard)
    mask_in_place(shard_key, memoryview(held))
    assert bytes(held) == expected and masked(shard_key, held) == shard


def test_masks_of_other_shards_packs_and_tenants_differ():
    keys = {
        shard_mask_key(pack_mask_key(named(tenant), named(pack)), shard)
        for tenant in ("a", "b")
        for pack in ("c", "d")
        for shard in (0, 1, 63)
    }
    assert len(keys) == 12


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_keys_and_names_of_another_length_are_refused(size):
    for call in (
        lambda: pack_mask_key(bytes(size), bytes(32)),
        lambda: pack_mask_key(bytes(32), bytes(size)),
        lambda: shard_mask_key(bytes(size), 0),
        lambda: masked(bytes(size), b"shard"),
        lambda: mask_in_place(bytes(size), bytearray(5)),
    ):
        with pytest.raises(MalformedInput):
            call()


@pytest.mark.parametrize("shard", [-1, 64])
def test_shards_that_no_pack_has_have_no_mask(shard):
    with pytest.raises(MalformedInput):
        shard_mask_key(bytes(32), shard)


def free_loader(mask: bool) -> bool:
    """Whether one that holds nothing rebuilds its leaf out of ten others' leaves at the same place."""
    _, body = build_body(10, 4, [(SectionKind.OBJECT, octets("object", 30_000))])
    data = [bytes(shard) for shard in data_shards(PackShape(10, 4, 2), body)]
    coded = [*data, *map(bytes, CauchyCode(10, 4).encode(data))]
    key = pack_mask_key(named("root"), pack_name(body))
    stored = [masked(shard_mask_key(key, at), shard) if mask else shard for at, shard in enumerate(coded)]
    leaves = {at: shard[1_024:2_048] for at, shard in enumerate(stored) if at != 3}
    return CauchyCode(10, 4).rebuild(leaves, (3,))[0] == stored[3][1_024:2_048]


def test_attack_S2_a_masked_leaf_is_no_function_of_others_leaves():
    assert free_loader(mask=False), "the attack works on a code alone"
    assert not free_loader(mask=True)


@pytest.mark.parametrize("height", [0, 1, 5, 6, 7, 9])
def test_roots_and_paths_are_those_of_rfc_6962(height):
    shard = octets(f"tree {height}", LEAF_BYTES << height)
    leaves = [shard[at : at + LEAF_BYTES] for at in range(0, len(shard), LEAF_BYTES)]
    board = outboard(shard)
    assert shard_root(shard) == root(leaves) == root_of_outboard(height, board)
    assert len(board) == 32 * max(1, len(leaves) // 64)
    spans = span_roots(height, board)
    for leaf in {0, len(leaves) - 1, len(leaves) // 2, len(leaves) // 3}:
        at = leaf // 64 * 65_536
        proof = prove_shard_leaf(spans, shard[at : at + 65_536], leaf)
        verify(proof, root(leaves), leaves[leaf])
        assert root_of(proof) == root(leaves) and len(proof.aunts) == height


@pytest.mark.parametrize("size", [0, 1, 1_023, 1_025, 3 * 1_024, 16 * 2**20])
def test_sizes_that_no_shard_has(size):
    with pytest.raises(MalformedInput):
        shard_height(size)


def test_leaves_and_outboards_that_are_not_whole_are_refused():
    for call in (lambda: leaf_hashes(b""), lambda: leaf_hashes(bytes(1_025)), lambda: span_roots(7, bytes(32))):
        with pytest.raises(MalformedInput):
            call()
    assert span_roots(7, bytes(64)) == [bytes(32)] * 2


def test_a_leaf_is_hashed_with_its_prefix():
    assert leaf_hashes(bytes(1_024)) == [sha256(b"\0" + bytes(1_024)).digest()]
