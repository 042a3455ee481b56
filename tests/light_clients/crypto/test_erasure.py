"""The erasure code: ISA-L against a text book, every loss that it must stand, and every input that is none."""

import ctypes
from itertools import combinations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.crypto import erasure
from hutong.light_clients.crypto.erasure import (
    CauchyCode,
    CodeOutOfRange,
    ErasureEngineFaulty,
    ErasureNotInstalled,
    TooFewShards,
    UnusableShard,
)
from tests.light_clients.crypto import erasure_reference as reference

CODE = CauchyCode(10, 4)


def shards_of(code: CauchyCode, length: int, seed: int = 0) -> list[bytes]:
    drawn = Random(seed)
    data = [drawn.randbytes(length) for _ in range(code.data)]
    return [*data, *map(bytes, code.encode(data))]


def without(shards: list[bytes], lost) -> dict[int, bytes]:
    return {number: shard for number, shard in enumerate(shards) if number not in lost}


@st.composite
def codes(draw):
    data = draw(st.integers(1, 20))
    return CauchyCode(data, draw(st.integers(1, 20)))


@settings(max_examples=12)
@given(codes(), st.integers(1, 80), st.integers(0, 2**32))
def test_parity_is_that_of_the_text_book(code, length, seed):
    shards = shards_of(code, length, seed)
    assert shards[code.data :] == reference.encode(shards[: code.data], code.parity)


@settings(max_examples=60)
@given(codes(), st.integers(1, 300), st.data())
def test_any_shards_as_many_as_data_give_all_others(code, length, data):
    shards = shards_of(code, length, data.draw(st.integers(0, 2**32)))
    lost = data.draw(st.sets(st.integers(0, code.shards - 1), max_size=code.parity))
    wanted = data.draw(st.permutations(sorted(lost)))
    assert list(code.rebuild(without(shards, lost), wanted)) == [shards[number] for number in wanted]


def test_elimination_finds_the_same_data():
    code = CauchyCode(6, 3)
    shards = shards_of(code, 40)
    assert reference.solved(6, 3, without(shards, {0, 2, 5})) == shards[:6]


def test_every_loss_of_ten_and_four_is_rebuilt():
    shards = shards_of(CODE, 33)
    patterns = [lost for size in range(5) for lost in combinations(range(14), size)]
    assert len(patterns) == 1 + 14 + 91 + 364 + 1001
    for lost in patterns:
        assert list(CODE.rebuild(without(shards, lost), lost)) == [shards[number] for number in lost]


@pytest.mark.parametrize("length", [1, 15, 16, 31, 32, 33, 63, 64, 65, 127, 4_099, 65_536])
def test_lengths_around_each_vector_width(length):
    shards = shards_of(CODE, length)
    probe = sorted({0, length // 2, length - 1, max(0, length - 33)})
    picked = [bytes(shard[at] for at in probe) for shard in shards]
    assert picked[10:] == reference.encode(picked[:10], 4)
    assert list(CODE.rebuild(without(shards, {1, 2, 11, 13}), (13, 1, 2, 11))) == [shards[at] for at in (13, 1, 2, 11)]


@pytest.mark.parametrize(("data", "parity"), [(255, 1), (1, 255), (128, 128)])
def test_the_largest_codes(data, parity):
    code = CauchyCode(data, parity)
    shards = shards_of(code, 3)
    assert shards[-1] == reference.combined(reference.cauchy_row(data, data + parity - 1), shards[:data])
    lost = range(min(data, parity))
    assert list(code.rebuild(without(shards, lost), list(lost))) == shards[: len(lost)]


def test_a_changed_shard_makes_others_wrong_without_an_error():
    """Why each shard is judged by its hash first: the code has no way to know."""
    shards = shards_of(CODE, 64)
    shards[12] = bytes(64)
    present = without(shards, {0, 1, 2, 3})
    assert CODE.rebuild(present, (0,))[0] != shards_of(CODE, 64)[0]


def test_one_shard_too_few_is_refused():
    shards = shards_of(CODE, 20)
    assert CODE.rebuild(without(shards, {0, 1, 2, 3}), (0,))[0] == shards[0]
    with pytest.raises(TooFewShards) as refused:
        CODE.rebuild(without(shards, {0, 1, 2, 3, 4}), (0,))
    assert (refused.value.present, refused.value.needed) == (9, 10)


@pytest.mark.parametrize(("data", "parity"), [(0, 1), (1, 0), (-1, 4), (200, 57), (257, 1), (4, -1)])
def test_codes_that_there_are_none_of(data, parity):
    with pytest.raises(CodeOutOfRange) as refused:
        CauchyCode(data, parity)
    assert (refused.value.data, refused.value.parity) == (data, parity)


def read_only(length: int) -> memoryview:
    return memoryview(bytes(length))


def strided(length: int) -> memoryview:
    return memoryview(bytearray(2 * length))[::2]


def words(length: int) -> memoryview:
    return memoryview(bytearray(4 * length)).cast("I")


@pytest.mark.parametrize(
    ("shards", "number", "reason"),
    [
        ([bytes(8)] * 9, 9, "another number of shards"),
        ([bytes(8)] * 11, 10, "another number of shards"),
        ([], 0, "another number of shards"),
        ([bytes(8)] * 9 + [bytes(7)], 9, "another length"),
        ([b""] * 10, 0, "bytes of a shard"),
        ([bytes(8)] * 3 + [read_only(8)] + [bytes(8)] * 6, 3, "a view that is read-only or not one run of bytes"),
        ([bytes(8)] * 9 + [strided(8)], 9, "a view that is read-only or not one run of bytes"),
        ([bytes(8)] * 9 + [words(8)], 9, "a view that is read-only or not one run of bytes"),
    ],
)
def test_shards_that_cannot_be_coded(shards, number, reason):
    with pytest.raises(UnusableShard) as refused:
        CODE.encode(shards)
    assert (refused.value.number, refused.value.reason) == (number, reason)


def test_shards_above_the_bound_are_refused(monkeypatch):
    monkeypatch.setattr(erasure, "MAX_SHARD_BYTES", 8)
    CODE.encode([bytes(8)] * 10)
    with pytest.raises(UnusableShard):
        CODE.encode([bytes(9)] * 10)


@pytest.mark.parametrize("number", [-1, 14])
def test_numbers_that_the_code_does_not_have(number):
    shards = without(shards_of(CODE, 5), {0})
    for present, wanted in ((shards, (number,)), ({**shards, number: bytes(5)}, (0,))):
        with pytest.raises(UnusableShard) as refused:
            CODE.rebuild(present, wanted)
        assert refused.value.number == number


def test_rebuilding_shards_of_unequal_length_is_refused():
    shards = without(shards_of(CODE, 5), {0})
    with pytest.raises(UnusableShard):
        CODE.rebuild({**shards, 13: bytes(6)}, (0,))


def test_parity_is_written_where_the_caller_holds_it():
    shards = shards_of(CODE, 100)
    whole = bytearray(1_000)
    for at in range(10):
        whole[at * 100 : (at + 1) * 100] = shards[at]
    view, held = memoryview(whole), memoryview(bytearray(400))
    CODE.encode_into(
        [view[at * 100 : (at + 1) * 100] for at in range(10)], [held[at * 100 : (at + 1) * 100] for at in range(4)]
    )
    assert bytes(held) == b"".join(shards[10:])


@pytest.mark.parametrize(
    "parity", [[bytearray(8)] * 3, [bytearray(8)] * 3 + [bytearray(9)], [bytearray(8)] * 3 + [bytes(8)], []]
)
def test_places_for_parity_that_cannot_be_written(parity):
    with pytest.raises(UnusableShard):
        CODE.encode_into([bytes(8)] * 10, parity)


def test_nothing_wanted_is_nothing_rebuilt():
    assert CODE.rebuild(without(shards_of(CODE, 5), {0}), ()) == ()


def test_the_library_passes_its_known_answer_and_another_does_not(monkeypatch):
    erasure.self_test()
    assert erasure.engine_version()
    monkeypatch.setattr(erasure, "KNOWN_ANSWER", "00")
    with pytest.raises(ErasureEngineFaulty) as faulty:
        erasure.self_test()
    assert faulty.value.expected == "00"


def test_a_library_whose_inverse_is_wrong_is_found(monkeypatch):
    library = erasure.loaded(erasure.PACKAGE)

    class Wrong:
        def __getattr__(self, name):
            return getattr(library, name)

        def gf_invert_matrix(self, square, inverse, size):
            done = library.gf_invert_matrix(square, inverse, size)
            ctypes.memset(inverse, 1, 1)
            return done

    monkeypatch.setattr(erasure, "loaded", lambda package: Wrong())
    with pytest.raises(ErasureEngineFaulty):
        erasure.self_test()


def test_without_the_extra_coding_is_not_installed(monkeypatch):
    CODE.encode([bytes(1)] * 10)
    monkeypatch.setattr(erasure, "PACKAGE", "hutong-has-no-such-package")
    assert not erasure.is_installed()
    with pytest.raises(ErasureNotInstalled, match="storage"):
        CODE.encode([bytes(1)] * 10)
    monkeypatch.undo()
    assert erasure.is_installed()
