"""Both ends of an operator's interface: tokens, documents, spans; what each refuses."""

from dataclasses import replace

import pytest

from hutong.light_clients.interface import VERIFY, MalformedInput, PredicateFailed
from hutong.relay.services.identity.rules.seals.signatures import sign_account
from hutong.relay.services.storage.rules.audits.seed import hub_id
from hutong.relay.services.storage.rules.commitments.entries import batch_part
from hutong.relay.services.storage.rules.lifecycle.signed import (
    DeletionReceipt,
    OperatorPart,
    ShardReceipt,
    signing_digest,
)
from hutong.relay.services.storage.rules.operator_api import documents
from hutong.relay.services.storage.rules.operator_api.access import (
    MAX_ACCESS_S,
    Rights,
    SignedAccess,
    StorageAccess,
    decode_token,
    encode_token,
    judge_access,
)
from hutong.relay.services.storage.rules.operator_api.refusals import (
    STATUSES,
    RefusalCode,
    RequestRefused,
    decode_problem,
    encode_problem,
)
from hutong.relay.services.storage.rules.operator_api.spans import SpanRange, judged_spans, span_range
from hutong.relay.services.storage.rules.packs.leaf_tree import outboard, shard_root, span_roots
from hutong.relay.services.storage.rules.repairing import RepairedPart
from tests.relay.services.storage.rules import spec_vectors
from tests.relay.services.storage.rules.held import HeldShard, entries_of, named, octets

HUB = hub_id("hutong-1")
OPERATOR, WRITER, PACK = named("operator"), named("a writer"), named("a pack")
KEY = bytes([1]) * 32
NOW = 1_800_000_000
VECTOR = spec_vectors.on_page("storage-operator-api")
ACCOUNT = bytes.fromhex(VECTOR["account"])
ACCESS = StorageAccess(HUB, WRITER, OPERATOR, Rights.READ, NOW + 60)


def signed(access: StorageAccess) -> SignedAccess:
    return SignedAccess(access, sign_account(KEY, signing_digest(access)))


def test_the_token_of_the_page():
    access = StorageAccess(HUB, WRITER, OPERATOR, VECTOR["rights"], VECTOR["not_after"])
    assert signing_digest(access).hex() == VECTOR["digest"]
    assert encode_token(signed(access)) == VECTOR["token"]
    found = decode_token(VECTOR["token"], HUB, OPERATOR)
    assert found == signed(access)
    judge_access(VERIFY, found, Rights.WRITE, ACCOUNT, VECTOR["not_after"])


def spelled_otherwise() -> str:
    """The last character has two bits that say nothing."""
    token = VECTOR["token"]
    return token[:-1] + chr(ord(token[-1]) + 1)


@pytest.mark.parametrize(
    "token", ["", VECTOR["token"] + "=", "é" * 143, "!" * 143, "Ag" + VECTOR["token"][2:], spelled_otherwise()]
)
def test_what_is_not_a_token_is_refused(token):
    with pytest.raises(MalformedInput, match="token"):
        decode_token(token, HUB, OPERATOR)


@pytest.mark.parametrize(
    ("access", "right", "rule"),
    [
        (replace(ACCESS, not_after_s=NOW - 1), Rights.READ, "access_is_in_time"),
        (replace(ACCESS, not_after_s=NOW + MAX_ACCESS_S + 1), Rights.READ, "access_is_in_time"),
        (ACCESS, Rights.WRITE, "access_gives_the_right"),
        (replace(ACCESS, rights=7), Rights.READ, "access_gives_the_right"),
    ],
)
def test_attack_S41_access_is_for_a_time_and_a_right(access, right, rule):
    with pytest.raises(PredicateFailed) as refused:
        judge_access(VERIFY, signed(access), right, ACCOUNT, NOW)
    assert refused.value.predicate == rule


@pytest.mark.parametrize(
    "change", [{"hub": named("h")}, {"operator": named("o")}, {"writer": named("w")}, {"rights": 3}]
)
def test_attack_S41_a_token_is_good_for_one_operator(change):
    taken = SignedAccess(replace(ACCESS, **change), signed(ACCESS).signature)
    with pytest.raises(PredicateFailed) as refused:
        judge_access(VERIFY, taken, Rights.READ, ACCOUNT, NOW)
    assert refused.value.predicate == "struct_is_signed_by"
    judge_access(VERIFY, signed(ACCESS), Rights.READ, ACCOUNT, NOW)


RECEIPT = ShardReceipt(HUB, OPERATOR, PACK, 3, 4, named("root"), 2_000, named("tag"), 1_000)
ENTRIES = entries_of([HeldShard(named(f"pack {at}"), at, octets(str(at), 1_024 << at), at) for at in range(3)])


def test_documents_are_read_as_they_are_written():
    receipt = documents.SignedReceipt(RECEIPT, bytes(65))
    deletion = documents.SignedDeletion(DeletionReceipt(HUB, OPERATOR, PACK, 63, named("root"), 3_000), bytes(65))
    part = documents.SignedPart(OperatorPart(HUB, WRITER, 5, OPERATOR, batch_part(ENTRIES)), bytes(65))
    assert documents.decode_receipt(documents.encode_receipt(receipt)) == receipt
    assert documents.decode_deletion(documents.encode_deletion(deletion)) == deletion
    assert documents.decode_part(documents.encode_part(part)) == part
    asked = documents.decode_part_asked(documents.encode_part_asked(5, ENTRIES))
    assert (asked.sequence, list(asked.entries), asked.repairs) == (5, ENTRIES, None)
    repairs = RepairedPart(7, 3, OPERATOR, (named("one"), named("two")))
    assert documents.decode_part_asked(documents.encode_part_asked(5, ENTRIES, repairs)).repairs == repairs


REPAIRS = documents.encode_part_asked(1, ENTRIES, RepairedPart(7, 3, OPERATOR, (named("one"),)))


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b'{"sequence":1}', b'{"sequence":1,"entries":[]}', b'{"sequence":1,"entries":["00"]}',
        REPAIRS.replace(b'"index":3', b'"index":256'), REPAIRS.replace(b'"batch":7,', b""),
        REPAIRS.replace(b'"hashes":["', b'"hashes":["00'), REPAIRS.replace(named("one").hex().encode(), b""),
        REPAIRS.replace(b'"batch":7', b'"batch":7,"more":1'),
    ],
)  # fmt: skip
def test_parts_without_their_form_are_refused(body):
    with pytest.raises(MalformedInput):
        documents.decode_part_asked(body)


@pytest.mark.parametrize("code", RefusalCode)
def test_refusals_are_read_as_they_are_written(code):
    found = decode_problem(encode_problem(RequestRefused(code, "a sentence")), STATUSES[code])
    assert (found.code, found.detail, found.status) == (code, "a sentence", STATUSES[code])


@pytest.mark.parametrize("page", [b"<html>", b"[]", b"{}", b'{"code":"new","detail":"x"}'])
def test_a_proxys_own_page_is_no_word_of_the_operator(page):
    assert decode_problem(page, 502).code == RefusalCode.INTERNAL_ERROR


SHARD = octets("a shard of four spans", 4 << 16)


def body_of(asked: SpanRange, shard: bytes = SHARD) -> bytes:
    kept = outboard(shard) if asked.with_outboard else b""
    size = min(len(shard), 1 << 16)
    return kept + shard[asked.start : asked.start + asked.count * size]


@pytest.mark.parametrize(
    ("start", "end", "first", "count"), [(0, 1, 0, 1), (65_535, 65_537, 0, 2), (131_072, 262_144, 2, 2)]
)
def test_a_range_is_read_in_whole_spans_that_are_judged(start, end, first, count):
    asked = span_range(8, start, end)
    assert (asked.first, asked.count) == (first, count)
    hashes, found = judged_spans(VERIFY, asked, body_of(asked), shard_root(SHARD))
    assert found == SHARD[asked.start : asked.start + count * 65_536] and len(hashes) == 4
    later = span_range(8, start, end, with_outboard=False)
    assert judged_spans(VERIFY, later, body_of(later), bytes(32), hashes)[1] == found


@pytest.mark.parametrize("height", [0, 5, 6])
def test_a_small_shard_is_one_span(height):
    shard = octets("small", 1_024 << height)
    asked = span_range(height, 0, len(shard))
    assert asked.body_bytes == 32 + len(shard)
    assert judged_spans(VERIFY, asked, body_of(asked, shard), shard_root(shard))[1] == shard


def test_attack_S43_a_wrong_span_is_never_handed_on():
    asked = span_range(8, 65_536, 196_608)
    for at in (0, 127, 128, 128 + 131_071):
        wrong = bytearray(body_of(asked))
        wrong[at] ^= 1
        with pytest.raises(PredicateFailed) as refused:
            judged_spans(VERIFY, asked, bytes(wrong), shard_root(SHARD))
        assert refused.value.predicate == ("outboard_has_the_root" if at < 128 else "span_has_its_hash")
    assert judged_spans(VERIFY, asked, body_of(asked), shard_root(SHARD))[1] == SHARD[65_536:196_608]


@pytest.mark.parametrize("size", [0, 1, -1])
def test_an_answer_of_another_length_is_refused(size):
    asked, known = span_range(8, 0, 65_536, with_outboard=False), span_roots(8, outboard(SHARD))
    body = body_of(asked)
    with pytest.raises(MalformedInput, match="number of bytes"):
        judged_spans(VERIFY, asked, body[:size] if size <= 0 else body + b"\0", bytes(32), known)


@pytest.mark.parametrize(("start", "end"), [(0, 0), (-1, 4), (4, 262_145), (5, 4)])
def test_ranges_that_the_shard_does_not_have_are_refused(start, end):
    with pytest.raises(MalformedInput, match="range"):
        span_range(8, start, end)
