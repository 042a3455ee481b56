"""Pages of a facet under its head: whole ones hold, mutilated ones do not."""

import json
from dataclasses import replace
from random import Random

import pytest

from hutong.light_clients.interface import VERIFY, MalformedInput, PredicateFailed, VerificationError
from hutong.relay.services.directory.rules.log.pages import (
    decode_operations_page,
    encode_operations_page,
    judge_operations_page,
    make_operations_page,
)
from hutong.relay.services.directory.rules.records.facets import EVERYTHING, Facet, FacetKind
from tests.relay.services.directory.rules.log.published import HEALTH, TRAFFIC, Published, put

COUNT = 120
MADE = Published().publish(*(put(number, themes=(TRAFFIC,) if number % 3 else (HEALTH,)) for number in range(COUNT)))
THEME = Facet(FacetKind.THEME, TRAFFIC)
LEAVES, HEAD = MADE.leaves[THEME], MADE.heads[THEME]
OLDER = Published().publish(*(put(number, themes=(TRAFFIC,)) for number in range(40)))


def page(first=5, count=20):
    return make_operations_page(THEME, LEAVES, first, count)


def test_a_page_of_a_facet_holds_after_it_was_written_and_read():
    assert HEAD.size == len(LEAVES) == 80
    for first, count in ((0, 1), (0, 80), (5, 20), (79, 1)):
        read = decode_operations_page(encode_operations_page(page(first, count)))
        assert read == page(first, count)
        judge_operations_page(VERIFY, read, THEME, HEAD)


def mutilated(random: Random):
    """One of the ways to leave something out of a page, or to put something into it."""
    first, count = random.randrange(60), random.randint(2, 20)
    good = page(first, count)
    found, proof, at = list(good.operations), good.proof, random.randrange(count)
    match random.choice(["drop", "double", "swap", "other page", "older head", "other facet", "change", "shorten"]):
        case "drop":
            del found[at]
        case "double":
            found.insert(at, found[at])
        case "swap":
            other = (at + 1) % count
            found[at], found[other] = found[other], found[at]
        case "other page":
            found = list(page((first + random.randint(1, 59)) % 60, count).operations)
        case "older head":
            return make_operations_page(THEME, OLDER.leaves[THEME], min(first, 20), count)
        case "other facet":
            return make_operations_page(EVERYTHING, MADE.log, first, count)
        case "change":
            found[at] = replace(found[at], height=8)
        case "shorten":
            end = page(80 - count, count)
            return replace(end, operations=end.operations[:-1], proof=replace(end.proof, total=79, count=count - 1))
    return replace(good, operations=tuple(found), proof=replace(proof, count=len(found)))


def refused(one) -> bool:
    try:
        judge_operations_page(VERIFY, one, THEME, HEAD)
    except VerificationError:
        return True
    return False


def test_attack_R11_mutilated_pages_of_a_facet_are_refused():
    random = Random(20)
    assert all(refused(mutilated(random)) for _ in range(40))


@pytest.mark.long
def test_attack_R11_of_a_thousand_pages_of_a_facet_none_mutilated_holds():
    random = Random(7)
    assert sum(refused(mutilated(random)) for _ in range(1_000)) == 1_000
    good = (page(random.randrange(60), random.randint(1, 20)) for _ in range(1_000))
    assert not any(refused(one) for one in good)


def test_attack_R11_a_page_is_of_the_facet_and_head_that_were_asked_for():
    with pytest.raises(PredicateFailed, match="page_is_of_this_facet"):
        judge_operations_page(VERIFY, page(), EVERYTHING, HEAD)
    with pytest.raises(PredicateFailed, match="page_counts_as_its_head"):
        judge_operations_page(VERIFY, page(), THEME, OLDER.heads[THEME])
    falling = replace(page(), operations=page().operations[::-1])
    with pytest.raises(PredicateFailed, match="operations_ascend"):
        judge_operations_page(VERIFY, falling, THEME, HEAD)


@pytest.mark.parametrize(
    "change",
    [
        {"format": "hutong-directory-page"},
        {"version": 2},
        {"total": 0},
        {"more": 1},
        {"facet": {"kind": 9, "code": "00" * 32}},
        {"facet": {"kind": 3}},
        {"operations": ["0g"]},
        {"operations": ["AB"]},
        {"operations": ["01"]},
        {"operations": ["01"] * 1_001},
        {"nodes": ["01"]},
    ],
    ids=str,
)
def test_attack_R12_other_page_files_are_refused(change):
    said = json.loads(encode_operations_page(page()))
    with pytest.raises(MalformedInput):
        decode_operations_page(json.dumps(said | change).encode())
