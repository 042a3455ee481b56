"""Operations and records: read as they were written, and everything else refused."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.directory.rules.log.operations import (
    MAX_FORMATS,
    MAX_THEMES,
    EntryContent,
    GivenOperation,
    OperationKind,
    decode_logged,
    decode_operations,
    encode_logged,
    encode_operations,
)
from hutong.relay.services.directory.rules.records import facets, publishers
from hutong.relay.services.directory.rules.records.facets import Facet, FacetHead, FacetKind
from tests.relay.services.directory.rules.log.published import (
    HEALTH,
    PUBLISHER,
    TRAFFIC,
    Published,
    content,
    put,
    update,
    withdraw,
)

CODES = st.lists(st.binary(min_size=32, max_size=32), max_size=3, unique=True).map(lambda codes: tuple(sorted(codes)))
HASHES = st.binary(min_size=32, max_size=32).filter(any)


@st.composite
def contents(draw):
    restricted = draw(st.booleans())
    policies = bytes(32) if restricted else draw(HASHES)
    return EntryContent(draw(HASHES), policies, restricted, draw(st.integers(0, 2**64 - 1)), draw(CODES), draw(CODES))


@st.composite
def operations(draw):
    kind = draw(st.sampled_from(OperationKind))
    said = None if kind is OperationKind.WITHDRAW else draw(contents())
    return GivenOperation(kind, draw(HASHES), draw(st.integers(0, 2**64 - 1)), said)


@settings(max_examples=40, deadline=None)
@given(st.lists(operations(), min_size=1, max_size=4, unique_by=lambda one: one.local))
def test_operations_are_read_as_they_were_written(found):
    assert decode_operations(encode_operations(found)) == tuple(found)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400))
def test_attack_R12_bytes_are_operations_or_are_refused(data):
    for read, write in ((decode_operations, encode_operations), (decode_logged, encode_logged)):
        try:
            found = read(data)
        except MalformedInput:
            continue
        assert write(found) == data


def test_a_logged_operation_is_read_as_it_was_written():
    made = Published().publish(put(1, restricted=True), update(1, 1, themes=(TRAFFIC, HEALTH)), withdraw(1, 2))
    for one in made.log:
        assert decode_logged(encode_logged(one)) == one
    assert [one.version for one in made.log] == [1, 2, 3]
    assert made.log[2].content == made.log[1].content


def test_the_longest_record_is_as_long_as_the_page_says():
    most = content(themes=_codes(MAX_THEMES), formats=_codes(MAX_FORMATS))
    one = replace(Published().publish(put(1)).log[0], content=most)
    assert len(encode_logged(one)) == 1_282
    assert len(encode_operations([put(1)] * 512)) < 128 * 1024


def _codes(count):
    return tuple(number.to_bytes(32, "big") for number in range(count))


GOOD = encode_operations([put(1)])
RECORD = encode_logged(Published().publish(put(1)).log[0])


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (b"", "operations"),
        (GOOD + GOOD, "operations"),
        (GOOD[:-1], "operations"),
        (b"\x04" + GOOD[1:], "operation.kind"),
        (GOOD[:41] + b"\x02" + GOOD[42:], "entry.restricted"),
        (GOOD[:41] + b"\x01" + GOOD[42:], "entry.policies"),
        (encode_operations([put(number) for number in range(513)]), "operations"),
    ],
    ids=["none", "twice", "cut", "kind", "restricted", "policies", "513"],
)
def test_attack_R12_other_operations_are_refused(data, field):
    with pytest.raises(MalformedInput) as caught:
        decode_operations(data)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (b"\x02" + RECORD[1:], "operation.version"),
        (RECORD + b"\x00", "operation"),
        (RECORD[:1] + b"\x02" + RECORD[2:], "operation.kind"),
        (RECORD[:146] + b"\x02" + RECORD[147:], "operation.by"),
        (RECORD[:81] + b"\x02" + RECORD[82:], "operation.previous"),
    ],
    ids=["version", "longer", "first updates", "by", "first follows"],
)
def test_attack_R12_other_records_are_refused(data, field):
    with pytest.raises(MalformedInput) as caught:
        decode_logged(data)
    assert caught.value.field == field


@pytest.mark.parametrize(
    "change",
    [
        {"document": bytes(32)},
        {"document": b"\x01" * 31},
        {"policies": bytes(32)},
        {"is_restricted": True},
        {"themes": (HEALTH, TRAFFIC)},
        {"themes": (TRAFFIC, TRAFFIC)},
        {"themes": _codes(MAX_THEMES + 1)},
        {"formats": _codes(MAX_FORMATS + 1)},
        {"valid_until_s": 2**64},
    ],
    ids=str,
)
def test_attack_R12_content_out_of_its_rules_is_refused(change):
    if change.get("themes") == (HEALTH, TRAFFIC):
        assert HEALTH > TRAFFIC
    with pytest.raises(MalformedInput):
        replace(content(), **change)


def test_records_of_heads_publishers_and_parameters():
    head = Published().publish(put(1), put(2, restricted=True), withdraw(1, 1)).heads[facets.EVERYTHING]
    assert (head.size, head.live, head.restricted) == (3, 1, 1)
    assert facets.decode_head(facets.encode_head(head)) == head
    publisher = publishers.PublisherRecord(b"\x11" * 20, 1_000, 3, 4)
    assert publishers.decode_publisher_record(publishers.encode_publisher_record(publisher)) == publisher
    use = publishers.PublisherUse(5, 6, 7)
    assert publishers.decode_publisher_use(publishers.encode_publisher_use(use)) == use
    said = publishers.DirectoryParameters(10, 20)
    assert publishers.decode_directory_parameters(publishers.encode_directory_parameters(said)) == said


def test_attack_R12_heads_and_parameters_out_of_their_rules_are_refused():
    for members in ((1, 2, 0, (b"\x01" * 32,)), (2, 1, 2, (b"\x01" * 32,)), (3, 1, 0, (b"\x01" * 32,))):
        with pytest.raises(MalformedInput):
            FacetHead(*members)
    for parameters in ((0, 1), (513, 1), (1, 0), (1, 65_537)):
        with pytest.raises(MalformedInput):
            publishers.DirectoryParameters(*parameters)
    with pytest.raises(MalformedInput):
        Facet(FacetKind.ALL, PUBLISHER)
    with pytest.raises(MalformedInput):
        facets.facet_kind(5)
    for name in ("", "x" * 2_049):
        with pytest.raises(MalformedInput):
            facets.name_code(FacetKind.THEME, name)
    assert facets.name_code(FacetKind.THEME, "x") != facets.name_code(FacetKind.FORMAT, "x")
