"""From body to shards and back: what is lost, rotten or coded wrongly is never decoded, and what is rebuilt has its root."""

from itertools import combinations

import pytest

from hutong.light_clients.crypto.erasure import UnusableShard
from hutong.light_clients.interface import VERIFY, PredicateFailed
from hutong.relay.services.storage.rules.packs import coding
from hutong.relay.services.storage.rules.packs.body import SectionKind, build_body
from hutong.relay.services.storage.rules.packs.coding import (
    code_pack,
    decode_pack,
    rebuild_judged,
    rebuild_shards,
    right_shards,
)
from hutong.relay.services.storage.rules.packs.leaf_tree import shard_root
from hutong.relay.services.storage.rules.packs.mask import masked, pack_mask_key, shard_mask_key
from tests.relay.services.storage.rules.held import named, octets

ROOT = named("repair root")
INDEX, BODY = build_body(
    10, 4, [(SectionKind.OBJECT, octets("an object", 15_000)), (SectionKind.MANIFEST, b"manifest")]
)
CODED = code_pack(INDEX.shape, BODY, ROOT)
PACK = (CODED.name, CODED.shape, tuple(shard.root for shard in CODED.shards))
KEY = pack_mask_key(ROOT, CODED.name)
HELD = {shard.number: bytes(shard.octets) for shard in CODED.shards}


def without(*lost: int) -> dict[int, bytes]:
    return {number: shard for number, shard in HELD.items() if number not in lost}


def test_a_pack_is_read_from_any_ten_of_its_shards():
    for lost in [(), (0,), (13,), (0, 1, 2, 3), (10, 11, 12, 13), (0, 9, 10, 13)]:
        assert decode_pack(VERIFY, PACK, without(*lost), KEY) == (INDEX, BODY)
    with pytest.raises(PredicateFailed) as refused:
        decode_pack(VERIFY, PACK, without(0, 1, 2, 3, 4), KEY)
    assert (refused.value.predicate, refused.value.got, refused.value.expected) == ("enough_shards_are_right", 9, 10)


def test_every_loss_of_two_is_rebuilt_with_its_roots():
    for lost in combinations(range(14), 2):
        rebuilt = rebuild_shards(VERIFY, PACK, without(*lost), KEY, lost)
        assert rebuilt == tuple(CODED.shards[number] for number in lost)


@pytest.mark.parametrize("lost", [(0,), (13,), (2, 11), (0, 1, 2, 3), (10, 11, 12, 13)])
def test_judged_shards_give_the_others_back(lost):
    right = {number: bytearray(octets) for number, octets in without(*lost).items()}
    rebuilt = rebuild_judged(VERIFY, CODED.name, CODED.shape, right, KEY, lost)
    assert rebuilt == tuple(CODED.shards[number] for number in lost)


def test_judged_shards_under_another_key_or_too_few_give_nothing():
    right = {number: bytearray(octets) for number, octets in without(0).items()}
    with pytest.raises(PredicateFailed) as refused:
        rebuild_judged(VERIFY, CODED.name, CODED.shape, dict(right), pack_mask_key(named("other"), CODED.name), (0,))
    assert refused.value.predicate == "body_has_the_packs_name"
    few = {number: bytearray(HELD[number]) for number in range(9)}
    with pytest.raises(PredicateFailed) as refused:
        rebuild_judged(VERIFY, CODED.name, CODED.shape, few, KEY, (9,))
    assert refused.value.predicate == "enough_shards_are_right"


def test_attack_S13_a_rotten_shard_is_missing_and_never_decoded(monkeypatch):
    """A bit turned in each shard in turn; three more are gone, so that the rotten one would be needed."""
    seen: list[bytes] = []
    unmask = coding.masked
    monkeypatch.setattr(coding, "masked", lambda key, shard: seen.append(bytes(shard)) or unmask(key, shard))
    for number in range(14):
        rotten = bytearray(HELD[number])
        rotten[(number * 997) % len(rotten)] ^= 1 << number % 8
        gone = [other for other in range(14) if other != number][:3]
        shards = {**without(*gone), number: bytes(rotten)}
        assert number not in right_shards(CODED.shape, PACK[2], shards)
        assert decode_pack(VERIFY, PACK, shards, KEY)[1] == BODY
        assert bytes(rotten) not in seen
        with pytest.raises(PredicateFailed):
            decode_pack(
                VERIFY, PACK, {at: shard for at, shard in shards.items() if at != max(set(shards) - {number})}, KEY
            )


def test_attack_S13_shards_of_another_number_pack_or_length_are_missing():
    other = code_pack(INDEX.shape, build_body(10, 4, [(SectionKind.OBJECT, octets("b", 15_000))])[1], ROOT)
    shards = {
        **without(3, 4),
        0: HELD[1],
        1: HELD[1] + bytes(1_024),
        2: bytes(other.shards[2].octets),
        14: HELD[3],
        -1: HELD[13],
        -10: HELD[4],
    }
    assert set(right_shards(CODED.shape, PACK[2], shards)) == set(range(5, 14))


def test_attack_S13_a_pack_that_was_coded_wrongly_gives_an_error_and_no_second_value():
    """The writer commits to a parity shard that is no parity: readers of data shards alone would not see it, so the name tells."""
    wrong = bytearray(HELD[13])
    wrong[0] ^= 1
    roots = (*PACK[2][:13], shard_root(wrong))
    pack = (CODED.name, CODED.shape, roots)
    shards = {**HELD, 13: bytes(wrong)}
    assert decode_pack(VERIFY, pack, shards, KEY)[1] == BODY
    fewer = {number: shard for number, shard in shards.items() if number not in (0, 1, 2, 3)}
    with pytest.raises(PredicateFailed) as refused:
        decode_pack(VERIFY, pack, fewer, KEY)
    assert refused.value.predicate == "body_has_the_packs_name"
    with pytest.raises(PredicateFailed) as refused:
        rebuild_shards(VERIFY, pack, {number: shards[number] for number in range(13)}, KEY, (13,))
    assert refused.value.predicate == "shard_has_its_root"


def test_attack_S13_another_key_gives_an_error_and_no_bytes():
    with pytest.raises(PredicateFailed) as refused:
        decode_pack(VERIFY, PACK, HELD, pack_mask_key(named("another root"), CODED.name))
    assert refused.value.predicate == "body_has_the_packs_name"


def test_shards_are_under_their_masks_and_have_the_codes_bytes():
    for shard in CODED.shards[:10]:
        plain = masked(shard_mask_key(KEY, shard.number), shard.octets)
        size = CODED.shape.shard_bytes
        assert plain == bytes(BODY[shard.number * size : (shard.number + 1) * size])
        assert shard_root(shard.octets) == shard.root


@pytest.mark.parametrize("lost", [(14,), (-1,)])
def test_shards_that_the_pack_does_not_have_are_not_rebuilt(lost):
    with pytest.raises(UnusableShard):
        rebuild_shards(VERIFY, PACK, HELD, KEY, lost)
    assert rebuild_shards(VERIFY, PACK, HELD, KEY, ()) == ()
