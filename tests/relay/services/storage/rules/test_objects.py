"""Content ids, DAG-CBOR, manifests and sealed records: one spelling for each, and what is none."""

import tracemalloc
from dataclasses import replace

import pytest
from Crypto.Cipher import AES
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.relay.services.storage.rules.objects import manifest as manifest_rules
from hutong.relay.services.storage.rules.objects.cid import (
    DAG_CBOR,
    DAG_PB,
    RAW,
    Cid,
    decode_cid,
    encode_varint,
    parse_cid,
    read_varint,
)
from hutong.relay.services.storage.rules.objects.content import content_hash, content_is_the_manifests
from hutong.relay.services.storage.rules.objects.dag_cbor import MAX_DEPTH, decode_node, encode_node
from hutong.relay.services.storage.rules.objects.manifest import (
    MAX_EXTENTS,
    MAX_MANIFEST_BYTES,
    MAX_PACKS,
    MAX_VALUES,
    Extent,
    Manifest,
    ManifestPack,
    PlacementPolicy,
    decode_manifest,
    encode_manifest,
    manifest_id,
)
from hutong.relay.services.storage.rules.objects.seal import ObjectKey, open_object, seal_object
from hutong.relay.services.storage.rules.objects.sizes import RECORD_BYTES, records_of, stored_size
from hutong.relay.services.storage.rules.packs.shape import PackShape
from tests.relay.services.storage.rules.held import named, octets
from tests.relay.services.storage.rules.spec_vectors import hkdf

cids = st.builds(
    Cid, st.just(1), st.sampled_from([RAW, DAG_CBOR, 0x0129]), st.just(0x12), st.binary(min_size=32, max_size=32)
)
leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.binary(max_size=300)
    | st.text(max_size=40)
    | cids
)
nodes = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=8), inner, max_size=6),
    max_leaves=10,
)


@settings(max_examples=40)
@given(nodes)
def test_values_are_read_as_they_were_written(node):
    assert decode_node(encode_node(node)) == node


@settings(max_examples=60)
@given(nodes, st.data())
def test_attack_S10_whatever_is_read_is_written_the_same(node, data):
    raw = bytearray(encode_node(node))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at] = data.draw(st.integers(0, 255))
    try:
        read = decode_node(bytes(raw))
    except MalformedInput:
        return
    assert encode_node(read) == bytes(raw)


@settings(max_examples=150)
@given(st.binary(max_size=40))
def test_any_bytes_are_a_value_or_refused(raw):
    try:
        assert encode_node(decode_node(raw)) == raw
    except MalformedInput:
        return


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "1801",  # 1 in two bytes
        "1900ff",
        "1a0000ffff",
        "1b00000000ffffffff",
        "3817",  # -24 in two bytes
        "5801ff",  # a byte string whose length is not minimal
        "5f41ff41ffff",  # indefinite lengths
        "7f6161ff",
        "9f01ff",
        "bf616101ff",
        "a2616201616101",  # keys out of order
        "a2616101616102",  # a key twice
        "a262616101616201",  # a longer key before a shorter one
        "a10101",  # a key that is no text
        "a1416101",
        "f7",  # undefined
        "f90000",  # a float of 16 bits
        "fa00000000",
        "fb7ff0000000000000",  # infinity
        "fb7ff8000000000000",
        "f8ff",
        "f814",  # false in two bytes
        "e0",
        "c101",  # another tag
        "d82a4100",  # a link of nothing
        "d82a420171",
        "d82a6100",
        "d82b4100",
        "61ff",  # text that is not UTF-8
        "62c328",
        "63eda080",
        "0101",  # something after it
        "8201",  # ends too early
        "9b7fffffffffffffff",
        "bb7fffffffffffffff",
        "5b7fffffffffffffff",
        "1c",
    ],
)
def test_attack_S10_other_spellings_of_dag_cbor_are_refused(wrong):
    with pytest.raises(MalformedInput):
        decode_node(bytes.fromhex(wrong))


def test_nesting_is_bounded_both_ways():
    inner: list = []
    for _ in range(MAX_DEPTH):
        inner = [inner]
    assert decode_node(encode_node(inner)) == inner
    with pytest.raises(MalformedInput):
        encode_node([inner])
    with pytest.raises(MalformedInput):
        decode_node(b"\x81" * (MAX_DEPTH + 1) + b"\x80")
    with pytest.raises(MalformedInput):
        decode_node(b"\x81" * 1_000_000 + b"\x80")


@pytest.mark.parametrize(
    "bomb",
    [
        b"\x9a\x00\x1f\xff\xf0" + b"\x80" * 0x1FFFF0,  # empty lists in one list
        (b"\x99\x70\x00" + b"\x80" * 0x7000) * 70,  # as many as a manifest may have, in lists after one another
        b"\x99\x00\x40" + (b"\x99\x70\x00" + b"\x80" * 0x7000) * 64,
        b"\xba\x00\x0f\xff\xf0" + b"\x60\x80" * 0xFFFF0,
    ],
    ids=["one list", "lists", "lists in a list", "map"],
)
def test_attack_S10_a_manifest_of_many_small_values_is_refused_before_it_is_built(bomb):
    """Two million lists of one byte were 130 MB of memory before anything was judged."""
    assert len(bomb) <= MAX_MANIFEST_BYTES
    tracemalloc.start()
    try:
        with pytest.raises(MalformedInput):
            decode_manifest(bomb)
        assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
    finally:
        tracemalloc.stop()


def test_a_manifest_of_the_most_packs_and_extents_is_read():
    packs = tuple(
        ManifestPack(named(f"pack {number}"), PackShape(1, 1, 0), (named("a"), named("b")))
        for number in range(MAX_PACKS)
    )
    extents = tuple(Extent(number // 2, number % 2 * 20, 10) for number in range(MAX_EXTENTS))
    largest = replace(MANIFEST, is_sealed=False, size=10 * MAX_EXTENTS, packs=packs, extents=extents)
    encoded = encode_manifest(largest)
    assert decode_manifest(encoded) == largest
    with pytest.raises(MalformedInput, match="more values than there may be"):
        decode_node(encoded, MAX_VALUES - 1)


@pytest.mark.parametrize("node", [2**64, -(2**64) - 1, float("inf"), float("nan"), "\ud800"])
def test_values_that_dag_cbor_does_not_have(node):
    with pytest.raises(MalformedInput):
        encode_node(node)


def test_ids_have_one_text_and_one_binary_form():
    cid = Cid.of(b"\xa0")
    assert str(cid) == "bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swua"
    assert parse_cid(str(cid)) == cid == decode_cid(cid.to_bytes()) and len(cid.to_bytes()) == 36
    assert cid.names(b"\xa0") and not cid.names(b"\xa1") and not replace(cid, hash_code=0x1B).names(b"\xa0")
    zero = Cid(0, DAG_PB, 0x12, named("v0"))
    assert parse_cid(str(zero)) == zero == decode_cid(zero.to_bytes()) and str(zero).startswith("Qm")


@settings(max_examples=30)
@given(cids)
def test_every_id_is_read_as_it_was_written(cid):
    assert parse_cid(str(cid)) == cid == decode_cid(cid.to_bytes())


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "b",
        "BAFYREIGBTJ4X7IP5LEGNFZNUFUOPL4SG4KNZC2COF6DUAS4B3Q2FY6SWUA",
        "bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swub",
        "bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swua=",
        "bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6sw",
        "bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swuaaa",
        "b0189",
        "z" + "b" * 20,
        "f01711220",
        "Qm1",
        "b" * 1_000,
    ],
)
def test_attack_S10_other_spellings_of_an_id_are_refused(wrong):
    with pytest.raises(MalformedInput):
        parse_cid(wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        "8000",
        "81",
        "ff" * 10,
        "",
        "0171" + "12" + "1f" + "00" * 31,
        "0271122000",
        "01711220" + "00" * 33,
        "1220" + "00" * 31,
        "01718101",
    ],
)
def test_ids_in_bytes_that_are_none(wrong):
    with pytest.raises(MalformedInput):
        decode_cid(bytes.fromhex(wrong))


def test_varints_are_minimal():
    for number in (0, 1, 127, 128, 300, 2**63 - 1):
        assert read_varint(encode_varint(number), 0, "n") == (number, len(encode_varint(number)))


PACKS = (
    ManifestPack(named("pack 1"), PackShape(10, 4, 13), tuple(named(f"root {number}") for number in range(14))),
    ManifestPack(named("pack 2"), PackShape(10, 4, 0), tuple(named(f"root 2.{number}") for number in range(14))),
)
MANIFEST = Manifest(
    size=9_000,
    is_sealed=True,
    content_hash=named("content"),
    packs=PACKS,
    extents=(Extent(0, 100, 5_000), Extent(1, 0, 4_000), Extent(0, 0, 16)),
    retain_until_s=1_900_000_000,
    policy=PlacementPolicy(4, 4, 2),
)
EMPTY = Manifest(0, False, named("nothing"), (), (), 0, PlacementPolicy(1, 1, 1))
ONE = replace(MANIFEST, size=9_000, packs=PACKS[:1], extents=(Extent(0, 0, 9_016),))


@pytest.mark.parametrize("manifest", [MANIFEST, EMPTY, ONE])
def test_manifests_are_read_as_they_were_written(manifest):
    encoded = encode_manifest(manifest)
    assert decode_manifest(encoded) == manifest
    assert manifest_id(encoded).names(encoded) and str(manifest_id(encoded)).startswith("bafyrei")
    assert len(encode_manifest(ONE)) < 640


@settings(max_examples=80)
@given(st.data())
def test_attack_S10_a_manifest_has_one_spelling(data):
    encoded = bytearray(encode_manifest(MANIFEST))
    for _ in range(data.draw(st.integers(1, 2))):
        encoded[data.draw(st.integers(0, len(encoded) - 1))] = data.draw(st.integers(0, 255))
    try:
        manifest = decode_manifest(bytes(encoded))
    except MalformedInput:
        return
    assert encode_manifest(manifest) == bytes(encoded)


@pytest.mark.parametrize(
    "change",
    [
        {"size": -1},
        {"size": 8_999},
        {"is_sealed": False},
        {"content_hash": bytes(31)},
        {"retain_until_s": 2**64},
        {"packs": PACKS[:1]},
        {"packs": PACKS[::-1] + PACKS[:1]},
        {"packs": (*PACKS, replace(PACKS[0], name=named("pack 3")))},
        {"packs": PACKS * 1_025},
        {"extents": MANIFEST.extents[:2]},
        {"extents": (Extent(1, 100, 5_000), Extent(0, 0, 4_016))},
        {"extents": (Extent(0, 100, 5_000), Extent(2, 0, 4_016))},
        {"extents": (Extent(-1, 100, 5_000), *MANIFEST.extents)},
        {"extents": (Extent(0, -1, 5_000), *MANIFEST.extents[1:])},
        {"extents": (Extent(0, 100, 5_000), Extent(1, 0, 0), Extent(1, 0, 4_016))},
        {"extents": (Extent(0, 100, 5_000), Extent(0, 5_100, 16), Extent(1, 0, 4_000))},
        {"extents": (Extent(0, 80 * 2**20 - 56, 5_000), *MANIFEST.extents[1:])},
        {"extents": MANIFEST.extents * 1_366},
    ],
)
def test_manifests_that_say_two_things_or_too_much_are_refused(change):
    with pytest.raises(MalformedInput):
        replace(MANIFEST, **change)


@pytest.mark.parametrize(
    ("build", "change"),
    [
        (PACKS[0], {"name": bytes(32)}),
        (PACKS[0], {"roots": PACKS[0].roots[:-1]}),
        (PACKS[0], {"roots": (*PACKS[0].roots[:-1], b"")}),
        (MANIFEST.policy, {"most_of_organisation": 0}),
        (MANIFEST.policy, {"most_of_site": 65}),
        (MANIFEST.policy, {"engine_kinds": 9}),
    ],
)
def test_packs_and_policies_of_manifests_out_of_bounds(build, change):
    with pytest.raises(MalformedInput):
        replace(build, **change)


def test_manifests_with_other_members_and_kinds_are_refused(monkeypatch):
    good = decode_node(encode_manifest(MANIFEST))
    for change in (
        {"v": 2},
        {"v": True},
        {"seal": 2},
        {"seal": False},
        {"size": 9_000.0},
        {"hash": "text"},
        {"packs": {}},
        {"packs": [[]]},
        {"packs": [[*good["packs"][0][:4], good["packs"][0][4][:-1]], good["packs"][1]]},
        {"packs": [[*good["packs"][0][:4], "roots"], good["packs"][1]]},
        {"policy": [4, 4]},
        {"policy": [4, 4, 2, 1]},
        {"extents": [[0, 0]]},
        {"extents": None},
        {"retain": None},
        {"another": 1},
    ):
        with pytest.raises(MalformedInput):
            decode_manifest(encode_node({**good, **change}))
    for missing in good:
        with pytest.raises(MalformedInput):
            decode_manifest(encode_node({key: value for key, value in good.items() if key != missing}))
    with pytest.raises(MalformedInput):
        decode_manifest(encode_node([good]))
    monkeypatch.setattr(manifest_rules, "MAX_MANIFEST_BYTES", len(encode_manifest(MANIFEST)) - 1)
    for call in (lambda: encode_manifest(MANIFEST), lambda: decode_manifest(encode_node(good))):
        with pytest.raises(MalformedInput):
            call()


DATA_KEY = named("data key")


@pytest.mark.parametrize("size", [0, 1, RECORD_BYTES - 1, RECORD_BYTES, RECORD_BYTES + 1, 3 * RECORD_BYTES])
def test_objects_are_sealed_in_records_and_opened(size):
    content = octets("content", size)
    sealed = seal_object(DATA_KEY, content)
    assert len(sealed) == stored_size(size, sealed=True) and open_object(DATA_KEY, sealed) == content
    assert records_of(size) == max(1, (size + 65_535) // 65_536) and stored_size(size, sealed=False) == size


def test_records_are_aes_gcm_under_a_key_of_the_object():
    key = hkdf(DATA_KEY, bytes(32), b"hutong/storage/seal/1")
    nonce = bytes(7) + (1).to_bytes(4, "big") + b"\1"
    expected = AES.new(key, AES.MODE_GCM, nonce=nonce).encrypt_and_digest(b"the end")
    assert ObjectKey(DATA_KEY).seal(1, b"the end", is_last=True) == b"".join(expected)
    assert ObjectKey(DATA_KEY).hash_key == hkdf(DATA_KEY, bytes(32), b"hutong/storage/content hash/1")


def test_attack_S11_records_moved_left_out_cut_off_or_changed_do_not_open():
    sealed = seal_object(DATA_KEY, octets("content", 2 * RECORD_BYTES + 9))
    step = RECORD_BYTES + 16
    first, second, last = sealed[:step], sealed[step : 2 * step], sealed[2 * step :]
    open_object(DATA_KEY, first + second + last)
    for wrong in (
        second + first + last,
        first + last,
        second + last,
        first + second,
        first,
        last,
        first + second + last + last,
    ):
        with pytest.raises((PredicateFailed, MalformedInput)):
            open_object(DATA_KEY, wrong)
    for at in (0, step - 1, step, len(sealed) - 1):
        changed = bytearray(sealed)
        changed[at] ^= 1
        with pytest.raises(PredicateFailed):
            open_object(DATA_KEY, bytes(changed))
    with pytest.raises(PredicateFailed):
        open_object(named("another key"), sealed)


@pytest.mark.parametrize(
    ("number", "size", "is_last"),
    [(0, 5, False), (1, 0, True), (0, RECORD_BYTES + 1, True), (-1, 5, True), (2**32, 5, True)],
)
def test_records_that_no_object_has(number, size, is_last):
    key = ObjectKey(DATA_KEY)
    with pytest.raises(MalformedInput):
        key.seal(number, bytes(size), is_last=is_last)
    with pytest.raises(MalformedInput):
        key.open(number, bytes(size + 16), is_last=is_last)


def test_keys_of_another_length_and_no_records_are_refused():
    for call in (
        lambda: ObjectKey(bytes(31)),
        lambda: open_object(DATA_KEY, b""),
        lambda: open_object(DATA_KEY, bytes(15)),
    ):
        with pytest.raises(MalformedInput):
            call()


def test_attack_S11_content_of_another_hash_or_size_is_refused():
    content = octets("content", 9_000)
    key = ObjectKey(DATA_KEY).hash_key
    sealed = replace(MANIFEST, content_hash=content_hash(content, key))
    content_is_the_manifests(sealed, content, key)
    for wrong, with_key in ((content[:-1], key), (bytes(9_000), key), (content, None), (content, named("another"))):
        with pytest.raises(PredicateFailed):
            content_is_the_manifests(sealed, wrong, with_key)
    with pytest.raises(MalformedInput):
        content_is_the_manifests(sealed, content, bytes(31))
