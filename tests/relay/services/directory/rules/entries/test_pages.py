"""Pages of a catalogue: complete ones, and mutilated ones."""

import json
from dataclasses import replace
from random import Random

import pytest

from hutong.light_clients.interface import VERIFY, MalformedInput, VerificationError
from hutong.relay.services.directory.rules.entries.catalogues import hashes_of, read_catalogue_entries
from hutong.relay.services.directory.rules.entries.pages import (
    decode_page,
    encode_page,
    entries_ascend,
    head_of,
    judge_page,
    make_page,
)

ENTRIES = read_catalogue_entries(
    json.dumps(
        [{"@id": f"urn:ds:{number}", "title": f"数据 {number}", "size": number / 4} for number in range(300)]
    ).encode()
)
HASHES = hashes_of(ENTRIES)
HEAD = head_of(HASHES)


def page(first=17, count=20):
    return make_page(ENTRIES, HASHES, first, count)


def test_a_page_holds_after_it_was_written_and_read():
    for first, count in ((0, 1), (0, 300), (17, 20), (299, 1)):
        read = decode_page(encode_page(page(first, count)))
        assert read == page(first, count)
        judge_page(VERIFY, read, HEAD)


def mutilated(random: Random):
    """One of the ways to leave something out of a page, or to put something into it."""
    first, count = random.randrange(280), random.randint(2, 20)
    good = page(first, count)
    entries, proof, at = list(good.entries), good.proof, random.randrange(count)
    match random.choice(["drop", "double", "swap", "other page", "older head", "change", "invent", "shorten"]):
        case "drop":
            del entries[at]
        case "double":
            entries.insert(at, entries[at])
        case "swap":
            other = (at + 1) % count
            entries[at], entries[other] = entries[other], entries[at]
        case "other page":
            entries = list(page((first + random.randint(1, 270)) % 280, count).entries)
        case "older head":
            older = dict(list(ENTRIES.items())[:299])
            return make_page(older, hashes_of(older), min(first, 279), min(count, 19))
        case "change":
            entries[at] = entries[at] | {"title": "other"}
        case "invent":
            entries[at] = {"@id": f"urn:ds:invented:{at}"}
        case "shorten":
            entries.pop()
            proof = replace(proof, total=first + len(entries))
    return replace(good, entries=tuple(entries), proof=replace(proof, count=len(entries)))


def test_attack_R5_mutilated_pages_are_refused():
    for seed in range(16):
        with pytest.raises(VerificationError):
            judge_page(VERIFY, mutilated(Random(seed)), HEAD)


@pytest.mark.long
def test_attack_R5_of_a_thousand_pages_none_mutilated_holds():
    for seed in range(1_000):
        with pytest.raises(VerificationError):
            judge_page(VERIFY, mutilated(Random(seed)), HEAD)
        random = Random(seed)
        first = random.randrange(300)
        judge_page(VERIFY, page(first, random.randint(1, 300 - first)), HEAD)


def test_attack_R5_a_page_counts_as_its_head_does():
    with pytest.raises(VerificationError, match="page_is_of_this_head"):
        judge_page(VERIFY, page(), replace(HEAD, size=HEAD.size + 1))


def test_attack_R5_a_page_of_another_order_or_without_a_name_is_refused():
    turned = replace(page(), entries=page().entries[::-1])
    with pytest.raises(VerificationError, match="entries_ascend"):
        entries_ascend(turned)
    with pytest.raises(MalformedInput, match="neither @id nor identifier"):
        entries_ascend(replace(page(), entries=({},)))


@pytest.mark.parametrize(
    "change",
    [{"total": 0}, {"first": -1}, {"nodes": ["00"]}, {"entries": [1]}, {"format": "x"}, {"version": 2}, {"more": 1}],
)
def test_attack_R5_what_is_no_page_is_refused(change):
    with pytest.raises(MalformedInput):
        decode_page(json.dumps(json.loads(encode_page(page())) | change).encode())
