"""What a list says: its compressed bytes, its claims and times, and the reference of a credential to it."""

import base64
import gzip
import tracemalloc
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import MalformedInput, PredicateFailed, UnsupportedOperation, VerificationError
from hutong.relay.services.identity.rules.jose import encode_base64url
from hutong.relay.services.identity.rules.status import (
    MAX_STATUS_BYTES,
    compressed_list_is_whole,
    encoded_list,
    encoded_list_is_whole,
    index_is_in_list,
    list_claims_well_formed,
    pack_statuses,
    status_at,
    status_claim_well_formed,
    status_list_claim,
    status_list_index_well_formed,
    subject_is_lists_uri,
    token_is_fresh,
    token_is_in_time,
)
from tests.relay.services.identity.rules.status.status_strategies import small_statuses, widths

URI = "https://issuer.example/statuslists/1"
NOW_S = 1_700_000_000
STATUSES = pack_statuses(2, 64, {0: 1, 5: 2, 63: 3})
CLAIMS = {"sub": URI, "iat": NOW_S, "exp": NOW_S + 100, "ttl": 15, "status_list": status_list_claim(STATUSES)}


def claims(**changes):
    """The claims of a good token but for what changes; None takes a claim out."""
    return {name: value for name, value in {**CLAIMS, **changes}.items() if value is not None}


def compressed(data: bytes, bits=1):
    return {"bits": bits, "lst": encode_base64url(data)}


def gigabyte(head: bytes) -> bytes:
    """A stream of 1 GiB of zeros in about a megabyte: one deflated block after the other, after a frame's head."""
    writer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = writer.compress(bytes(1024 * 1024)) + writer.flush(zlib.Z_FULL_FLUSH)
    return head + block * 1024


@settings(max_examples=15, deadline=None)
@given(small_statuses())
def test_a_list_that_is_written_reads_back(statuses):
    assert compressed_list_is_whole(status_list_claim(statuses)) == statuses


@settings(max_examples=10, deadline=None)
@given(widths, st.dictionaries(st.integers(0, 2**14 - 1), st.integers(1, 255), max_size=20))
def test_both_forms_hold_the_same_statuses(bits, values):
    values = {index: value & (1 << bits) - 1 for index, value in values.items()}
    statuses = pack_statuses(bits, 131_072, values)
    assert encoded_list_is_whole(encoded_list(statuses), bits) == statuses
    assert all(status_at(statuses, index) == value for index, value in values.items())


def test_a_bitstring_counts_from_the_most_significant_bit():
    """Bitstring Status List §3.3: index 0 is the left-most bit, and a wider status has its most significant bit first."""
    for bits, index, value, byte in (
        (1, 0, 1, 0x80),
        (1, 9, 1, 0x40),
        (2, 0, 1, 0x40),
        (2, 3, 2, 0x02),
        (4, 1, 8, 0x08),
    ):
        text = encoded_list(pack_statuses(bits, 131_072, {index: value}))
        octets = gzip.decompress(base64.urlsafe_b64decode(text[1:] + "=" * (-len(text[1:]) % 4)))
        assert octets[index * bits // 8] == byte


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_a_list_or_refused(data):
    for read in (
        lambda: compressed_list_is_whole(compressed(data)),
        lambda: encoded_list_is_whole("u" + encode_base64url(data), 1),
    ):
        try:
            read()
        except MalformedInput:
            continue


@pytest.mark.parametrize("bits", [0, 3, 16, -1, True, 1.0, "1", None])
def test_attack_N24_no_token_has_statuses_of_another_width(bits):
    whole = status_list_claim(STATUSES)
    with pytest.raises(MalformedInput, match=r"1, 2, 4 or 8"):
        compressed_list_is_whole({**whole, "bits": bits})
    assert compressed_list_is_whole(whole) == STATUSES


def test_attack_N25_a_gigabyte_in_a_megabyte_is_refused_within_64_mib():
    """Both frames. The bound is on what Python holds at its most, so that it does not depend on the machine."""
    packed, gzipped = gigabyte(zlib.compress(b"")[:2]), gigabyte(gzip.compress(b"", mtime=0)[:10])
    tracemalloc.start()
    try:
        for read in (
            lambda: compressed_list_is_whole(compressed(packed)),
            lambda: encoded_list_is_whole("u" + encode_base64url(gzipped), 1),
        ):
            with pytest.raises(MalformedInput, match=f"more than {MAX_STATUS_BYTES} bytes"):
                read()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 16 * 1024 * 1024
    largest = compressed_list_is_whole(compressed(zlib.compress(bytes(MAX_STATUS_BYTES), 1)))
    assert largest.size == MAX_STATUS_BYTES * 8


def test_attack_N26_compressed_bytes_that_are_not_one_whole_stream():
    raw = STATUSES.octets
    packed, gzipped = zlib.compress(raw), gzip.compress(raw, mtime=0)
    dictionary = zlib.compressobj(zdict=b"zeros")
    preset = dictionary.compress(raw) + dictionary.flush()
    bare = zlib.compressobj(9, zlib.DEFLATED, -15)
    damaged = packed[:-1] + bytes([packed[-1] ^ 1])
    wrong = [packed[:-1], packed[:-5], packed[:2], b"", packed + b"\0", packed + packed, damaged, gzipped, preset, raw]
    for data in (*wrong, bare.compress(raw) + bare.flush(), zlib.compress(b"")):
        with pytest.raises(MalformedInput):
            compressed_list_is_whole(compressed(data))
    assert compressed_list_is_whole(compressed(packed, bits=2)) == STATUSES


def test_attack_N26_an_encoded_list_in_another_spelling_or_frame():
    good = encoded_list(pack_statuses(1, 131_072, {7: 1}))
    short = "u" + encode_base64url(gzip.compress(bytes(131_072 // 8 - 1), mtime=0))
    zlibbed = "u" + encode_base64url(zlib.compress(bytes(131_072 // 8)))
    for text in (good[1:], "z" + good[1:], good + "=", good[:-3], short, zlibbed, None, 7):
        with pytest.raises(MalformedInput):
            encoded_list_is_whole(text, 1)
    assert status_at(encoded_list_is_whole(good, 1), 7) == 1


@pytest.mark.parametrize("index", [64, 65, 2**32, 2**63, -1])
def test_attack_N22_an_index_at_or_after_the_end(index):
    with pytest.raises(PredicateFailed) as refused:
        status_at(STATUSES, index)
    assert (refused.value.predicate, refused.value.got, refused.value.expected) == ("index_is_in_list", index, 64)
    index_is_in_list(STATUSES, 63)


@pytest.mark.parametrize("index", [-1, True, 1.0, "1", None, 2**53])
def test_attack_N22_an_index_that_is_not_a_whole_number(index):
    with pytest.raises(MalformedInput, match="idx"):
        status_claim_well_formed({"status_list": {"idx": index, "uri": URI}})
    assert status_claim_well_formed({"status_list": {"idx": 1, "uri": URI}}).index == 1


@pytest.mark.parametrize("text", ["01", "-1", "+1", " 1", "1.0", "", "1" * 17, 1, None])
def test_attack_N22_an_index_as_text_in_another_spelling(text):
    with pytest.raises(MalformedInput):
        status_list_index_well_formed(text)
    assert status_list_index_well_formed("94567") == 94567


@pytest.mark.parametrize(
    "status",
    [None, [], {}, "x", {"status_list": None}, {"status_list": {"idx": 0}}, {"status_list": {"idx": 0, "uri": "x"}}],
)
def test_a_status_names_a_list_by_uri_and_index(status):
    with pytest.raises(VerificationError):
        status_claim_well_formed(status)


def test_a_status_of_another_kind_is_named():
    with pytest.raises(UnsupportedOperation, match="identifier_list"):
        status_claim_well_formed({"identifier_list": {}})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sub", "x"),
        ("sub", "https://a b"),
        ("sub", 7),
        ("iat", "1"),
        ("iat", 1.5),
        ("iat", True),
        ("iat", -1),
        ("exp", None),
    ]
    + [
        ("exp", "x"),
        ("ttl", 0),
        ("ttl", -1),
        ("ttl", 1.5),
        ("ttl", False),
        ("status_list", []),
        ("status_list", {"bits": 1}),
    ],
)
def test_claims_of_another_type_are_refused(name, value):
    with pytest.raises(MalformedInput):
        list_claims_well_formed({**CLAIMS, name: value})


@pytest.mark.parametrize("name", ["sub", "iat", "status_list"])
def test_claims_that_are_missing_are_refused(name):
    with pytest.raises(MalformedInput):
        list_claims_well_formed(claims(**{name: None}))
    assert list_claims_well_formed(claims(exp=None, ttl=None, more="x")).statuses == STATUSES


def test_attack_N21_the_list_of_another_uri():
    read = list_claims_well_formed(CLAIMS)
    for uri in (URI + "/", URI.upper(), "https://issuer.example/statuslists/2", URI.replace("1", "%31")):
        with pytest.raises(PredicateFailed, match="subject_is_lists_uri"):
            subject_is_lists_uri(read, uri)
    subject_is_lists_uri(read, URI)


def test_attack_N20_a_token_that_has_expired_or_is_from_the_future():
    read = list_claims_well_formed(CLAIMS)
    token_is_in_time(read, NOW_S + 99, 0)
    token_is_in_time(read, NOW_S - 5, 5)
    for now_s, drift_s in ((NOW_S + 100, 1000), (NOW_S + 10**9, 0), (NOW_S - 6, 5)):
        with pytest.raises(PredicateFailed, match="token_is_in_time"):
            token_is_in_time(read, now_s, drift_s)


def test_attack_N20_a_copy_older_than_its_ttl():
    """Of a copy of unknown age the time of signing counts, so that a mirror cannot keep an old list alive."""
    read = list_claims_well_formed(claims(exp=None))
    token_is_fresh(read, NOW_S + 15, None, None)
    token_is_fresh(read, NOW_S + 1015, NOW_S + 1000, None)
    for now_s, fetched_at_s in ((NOW_S + 16, None), (NOW_S + 1016, NOW_S + 1000)):
        with pytest.raises(PredicateFailed, match="ttl"):
            token_is_fresh(read, now_s, fetched_at_s, None)


def test_attack_N20_a_list_older_than_asked_for():
    read = list_claims_well_formed(claims(ttl=None))
    token_is_fresh(read, NOW_S + 15, NOW_S + 15, 15)
    with pytest.raises(PredicateFailed, match="older than asked for"):
        token_is_fresh(read, NOW_S + 16, NOW_S + 16, 15)


def test_attack_N20_a_list_that_would_be_good_for_ever():
    read = list_claims_well_formed(claims(exp=None, ttl=None))
    with pytest.raises(PredicateFailed, match="how long"):
        token_is_fresh(read, NOW_S, NOW_S, None)
    token_is_fresh(read, NOW_S, NOW_S, 60)
