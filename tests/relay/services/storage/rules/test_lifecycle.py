"""Receipts, batches, removals and repairs: what is signed, and what a signature cannot do."""

from dataclasses import replace

import pytest
from eth_account.messages import _hash_eip191_message, encode_typed_data

from hutong.light_clients.interface import VERIFY, MalformedInput, PredicateFailed
from hutong.relay.services.identity.rules.seals.signatures import sign_account
from hutong.relay.services.storage.rules.audits.seed import hub_id
from hutong.relay.services.storage.rules.commitments.entries import batch_part
from hutong.relay.services.storage.rules.lifecycle.removal import ShownEntry, judge_removal
from hutong.relay.services.storage.rules.lifecycle.repair import judge_repair
from hutong.relay.services.storage.rules.lifecycle.signed import (
    DeletionReceipt,
    OperatorPart,
    PackRemoval,
    ProbeAnswers,
    ShardReceipt,
    WriterBatch,
    parts_hash,
    signing_digest,
    struct_is_signed_by,
)
from hutong.relay.services.storage.rules.lifecycle.stored import (
    enough_shards_have_receipts,
    judge_receipt,
    receipts_needed,
)
from hutong.relay.services.storage.rules.packs.shape import PackShape
from tests.relay.services.storage.rules.held import HeldShard, Operator, drawn_operator, named, octets

HUB = hub_id("hutong-1")
KEY = named("an operator's key")
PACK = named("a pack")
WRITER = named("a writer")


def account(key: bytes) -> bytes:
    from eth_account import Account

    return bytes.fromhex(Account.from_key(key).address[2:])


RECEIPT = ShardReceipt(HUB, named("operator"), PACK, 3, 4, named("root"), 2_000, named("tag"), 1_000)
PART = OperatorPart(HUB, WRITER, 5, named("operator"), batch_part(drawn_operator("b", [[1, 0]]).entries[0]))
STRUCTS = (
    RECEIPT,
    PART,
    WriterBatch(HUB, WRITER, 5, parts_hash([PART])),
    ProbeAnswers(HUB, named("operator"), 7, 64, 32, named("answers")),
    PackRemoval(HUB, WRITER, PACK, 2**63 + 5),
    DeletionReceipt(HUB, named("operator"), PACK, 63, named("root"), 3_000),
)


def outside_digest(struct) -> bytes:
    """As eth-account hashes the same struct out of its description."""
    name, _, members = struct.TYPE.rstrip(")").partition("(")
    fields = [{"type": kind, "name": field} for kind, field in (member.split() for member in members.split(","))]
    message = {
        "types": {
            "EIP712Domain": [{"name": "name", "type": "string"}, {"name": "version", "type": "string"}],
            name: fields,
        },
        "primaryType": name,
        "domain": {"name": "hutong storage", "version": "1"},
        "message": {field["name"]: value for field, value in zip(fields, struct.members(), strict=True)},
    }
    return bytes(_hash_eip191_message(encode_typed_data(full_message=message)))


@pytest.mark.parametrize("struct", STRUCTS, ids=lambda struct: type(struct).__name__)
def test_digests_are_those_of_eip_712(struct):
    assert signing_digest(struct) == outside_digest(struct)


@pytest.mark.parametrize("struct", STRUCTS, ids=lambda struct: type(struct).__name__)
def test_attack_S9_signatures_of_others_over_other_things_are_refused(struct):
    signature = sign_account(KEY, signing_digest(struct))
    struct_is_signed_by(struct, signature, account(KEY))
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    high = (order - int.from_bytes(signature[32:64], "big")).to_bytes(32, "big")
    for wrong in (
        sign_account(named("another key"), signing_digest(struct)),
        sign_account(KEY, signing_digest(replace(struct, hub=hub_id("hutong-2")))),
        signature[:64],
        signature + b"\0",
        signature[:64] + bytes([signature[64] ^ 1]),
        signature[:32] + high + bytes([27 + 28 - signature[64]]),
        bytes(65),
    ):
        with pytest.raises(PredicateFailed):
            struct_is_signed_by(struct, wrong, account(KEY))


@pytest.mark.parametrize(
    ("struct", "change"),
    [
        (RECEIPT, {"pack": bytes(32)}),
        (RECEIPT, {"shard": 64}),
        (RECEIPT, {"height": 14}),
        (RECEIPT, {"root": b""}),
        (RECEIPT, {"engine_tag": b"etag"}),
        (RECEIPT, {"retain_until_s": -1}),
        (RECEIPT, {"stored_at_s": 2**64}),
        (PART, {"writer": bytes(32)}),
        (PART, {"sequence": -1}),
        (PART, {"part": replace(PART.part, entries=0)}),
        (PART, {"part": replace(PART.part, leaves=1)}),
        (PART, {"part": replace(PART.part, root=b"")}),
        (STRUCTS[2], {"parts": bytes(32)}),
        (STRUCTS[3], {"count": 0}),
        (STRUCTS[3], {"first": 2**32}),
        (STRUCTS[4], {"shards": 0}),
        (STRUCTS[4], {"shards": 2**64}),
        (STRUCTS[5], {"deleted_at_s": -1}),
    ],
)
def test_structs_out_of_bounds_are_refused(struct, change):
    with pytest.raises(MalformedInput):
        replace(struct, **change)


def test_attack_S9_parts_left_out_added_or_of_another_batch_change_the_batch():
    operators = sorted(named(f"operator {number}") for number in range(3))
    parts = [replace(PART, operator=operator) for operator in operators]
    hashes = {parts_hash(some) for some in (parts, parts[:2], parts[1:], [replace(parts[0], sequence=6)])}
    assert len(hashes) == 4
    for wrong in (
        [],
        parts[::-1],
        [parts[0], parts[0]],
        [parts[0], replace(parts[1], sequence=6)],
        [parts[0], replace(parts[1], writer=named("other"))],
        [parts[0], replace(parts[1], hub=named("other"))],
        [replace(PART, operator=operator) for operator in sorted(named(str(number)) for number in range(257))],
    ):
        with pytest.raises(PredicateFailed) as refused:
            parts_hash(wrong)
        assert refused.value.predicate == "parts_are_one_batch"


def test_attack_S9_a_receipt_for_something_else_is_refused():
    held = HeldShard(PACK, 3, octets("held", 16 * 1_024), 2_000)
    entry = held.entry_at(0)
    receipt = replace(RECEIPT, root=entry.root)
    operator = (receipt.operator, account(KEY))
    judge_receipt(VERIFY, receipt, sign_account(KEY, signing_digest(receipt)), HUB, operator, entry)
    for change in (
        {"pack": named("b")},
        {"shard": 4},
        {"operator": named("b")},
        {"hub": named("b")},
        {"root": named("b")},
        {"height": 3},
        {"retain_until_s": 1_999},
    ):
        wrong = replace(receipt, **change)
        with pytest.raises(PredicateFailed) as refused:
            judge_receipt(VERIFY, wrong, sign_account(KEY, signing_digest(wrong)), HUB, operator, entry)
        assert refused.value.predicate == "receipt_is_of_entry"
    with pytest.raises(PredicateFailed) as refused:
        judge_receipt(VERIFY, receipt, sign_account(KEY, bytes(32)), HUB, operator, entry)
    assert refused.value.predicate == "struct_is_signed_by"


@pytest.mark.parametrize(("data", "parity", "needed"), [(10, 4, 12), (1, 1, 2), (2, 1, 3), (20, 10, 22)])
def test_a_pack_is_stored_with_two_shards_to_spare(data, parity, needed):
    shape = PackShape(data, parity, 0)
    assert receipts_needed(shape) == needed
    enough_shards_have_receipts(shape, range(needed))
    for wrong in (range(needed - 1), [0] * needed, range(1, shape.shards + 1), range(-1, needed)):
        with pytest.raises(PredicateFailed) as refused:
            enough_shards_have_receipts(shape, list(wrong))
        assert refused.value.predicate == "enough_shards_have_receipts"


def shown(name: str, shards: list[HeldShard]) -> list[ShownEntry]:
    """Each shard in the set of an operator of its own, beside another one's."""
    found = []
    for shard in shards:
        other = HeldShard(named(f"{name} beside"), 0, octets(name, 2_048))
        operator = Operator(f"{name} {shard.shard}", [[other, shard]])
        found.append(ShownEntry(operator.set, operator.placed(0, 1)))
    return found


SHARDS = [HeldShard(PACK, number, octets(f"shard {number}", 4_096), 1_000) for number in (0, 1, 13)]
SHOWN = shown("holder", SHARDS)


def test_shards_are_removed_after_their_retention():
    assert judge_removal(VERIFY, PACK, SHOWN, 0, 1_001) == 1 << 0 | 1 << 1 | 1 << 13
    assert judge_removal(VERIFY, PACK, SHOWN[2:], 1_500, 1_501) == 1 << 13


@pytest.mark.parametrize(("hold", "now"), [(0, 1_000), (0, 0), (1_500, 1_001), (1_500, 1_500)])
def test_attack_S7_a_removal_before_retention_or_under_a_hold_is_refused(hold, now):
    judge_removal(VERIFY, PACK, SHOWN, hold, max(1_000, hold) + 1)
    with pytest.raises(PredicateFailed) as refused:
        judge_removal(VERIFY, PACK, SHOWN, hold, now)
    assert refused.value.predicate == "retention_is_over"


def test_attack_S7_one_retained_shard_keeps_the_whole_removal():
    longer = shown("longer", [replace(SHARDS[2], retain_until_s=9_000)])
    with pytest.raises(PredicateFailed):
        judge_removal(VERIFY, PACK, [*SHOWN[:2], *longer], 0, 1_001)
    assert judge_removal(VERIFY, PACK, SHOWN[:2], 0, 1_001) == 3


def test_attack_S7_entries_of_another_pack_order_or_set_are_no_removal():
    for wrong, predicate in (
        ([], "shards_are_of_the_pack"),
        (SHOWN[::-1], "shards_are_of_the_pack"),
        ([SHOWN[0], SHOWN[0]], "shards_are_of_the_pack"),
        (shown("b", [replace(SHARDS[0], pack=named("b"))]), "shards_are_of_the_pack"),
        ([ShownEntry(SHOWN[1].operator_set, SHOWN[0].placed)], "batch_stands_in_log"),
    ):
        with pytest.raises(PredicateFailed) as refused:
            judge_removal(VERIFY, PACK, wrong, 0, 9_999)
        assert refused.value.predicate == predicate


def test_a_repair_is_shown_by_the_same_root_in_another_set():
    rebuilt = shown("newcomer", [replace(SHARDS[1], retain_until_s=1_200)])[0]
    assert judge_repair(VERIFY, SHOWN[1], rebuilt) == rebuilt.placed.entry


def test_attack_S8_a_repair_that_writes_something_else_is_refused():
    for change, predicate in (
        ({"octets": octets("forged", 4_096)}, "rebuilt_shard_is_the_lost_one"),
        ({"octets": octets("shard 1", 2_048)}, "rebuilt_shard_is_the_lost_one"),
        ({"shard": 2}, "rebuilt_shard_is_the_lost_one"),
        ({"pack": named("b")}, "rebuilt_shard_is_the_lost_one"),
        ({"retain_until_s": 999}, "retention_is_kept"),
    ):
        rebuilt = shown("newcomer", [replace(SHARDS[1], **change)])[0]
        with pytest.raises(PredicateFailed) as refused:
            judge_repair(VERIFY, SHOWN[1], rebuilt)
        assert refused.value.predicate == predicate
    honest = shown("newcomer", [SHARDS[1]])[0]
    for lost, rebuilt in (
        (ShownEntry(SHOWN[0].operator_set, SHOWN[1].placed), honest),
        (SHOWN[1], ShownEntry(SHOWN[1].operator_set, honest.placed)),
    ):
        with pytest.raises(PredicateFailed) as refused:
            judge_repair(VERIFY, lost, rebuilt)
        assert refused.value.predicate == "batch_stands_in_log"
