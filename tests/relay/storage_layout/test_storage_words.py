"""Words: what no compiler writes, what is too much at once, what is still missing, and files of words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.interface import MalformedInput, UnsupportedOperation, VerificationError
from hutong.relay.storage_layout import ImpossibleWord, WordsMissing, decode, locate, read_layout
from hutong.relay.storage_layout.values import MAX_PARTS
from hutong.relay.storage_layout.words import read_words
from tests.relay.storage_layout.layout_files import as_bytes, in_place, layout, one_variable


def word(number: int) -> bytes:
    return number.to_bytes(32, "big")


def value(path, *words):
    """What the words say, the first one being of the value's own slot."""
    place = locate(layout(), path)
    return decode(layout(), place, {place.slot + number: one for number, one in enumerate(words)})


@pytest.mark.parametrize("byte", [2, 128, 255])
def test_bool_is_zero_or_one(byte):
    assert value("byInt[1]", word(1)) is True
    with pytest.raises(ImpossibleWord, match=rf"byInt\[1\]: a bool is 0 or 1, got {byte}"):
        value("byInt[1]", word(byte))


@pytest.mark.parametrize(
    "head",
    [word(2 * 32), word(255 - 1), word(2 * 31 + 1), word(1), b"\xff" * 31 + b"\x40"],
    ids=["32 bytes in place", "127 in place", "31 elsewhere", "0 elsewhere", "full and in place"],
)
def test_text_whose_length_contradicts_its_form(head):
    """A contract that reads such a slot ends with Panic(0x22)."""
    assert value("name", b"a" * 31 + b"\x3e") == "a" * 31
    with pytest.raises(ImpossibleWord, match="name: the length contradicts the form"):
        value("name", head)


def test_text_that_is_not_utf_8():
    assert value("blob", b"\xff".ljust(31, b"\0") + b"\2") == b"\xff"
    with pytest.raises(ImpossibleWord, match="name: the text is not UTF-8, got 0xff"):
        value("name", b"\xff".ljust(31, b"\0") + b"\2")


def test_bytes_of_other_variables_are_not_looked_at():
    neighbours = b"\xee" * 11 + b"\1" + b"\xa1" * 20
    assert (value("owner", neighbours), value("paused", neighbours)) == (b"\xa1" * 20, True)
    assert value("name", b"ab" + b"\xee" * 29 + b"\4") == "ab"


def test_missing_words_are_named_together():
    with pytest.raises(WordsMissing) as caught:
        value("grid")
    first = locate(layout(), "grid").slot
    assert caught.value.slots == tuple(range(first, first + 4))
    assert str(caught.value).startswith(f"grid: the words of these slots are needed too: {first:#x}, ")
    with pytest.raises(WordsMissing) as caught:
        value("grid", word(0), word(0))
    assert caught.value.slots == (first + 2, first + 3)


def test_slots_of_a_long_text_are_named_when_its_length_is_known():
    place = locate(layout(), "name")
    content = int.from_bytes(keccak256(word(place.slot)), "big")
    with pytest.raises(WordsMissing) as caught:
        value("name", word(2 * 65 + 1))
    assert caught.value.slots == (content, content + 1, content + 2)


@pytest.mark.parametrize(
    ("path", "length"),
    [("flags", MAX_PARTS + 1), ("items", 2**256 - 1), ("blob", 2**256 - 1), ("name", 2 * 32 * (MAX_PARTS + 1) + 1)],
)
def test_lengths_are_not_believed(path, length):
    with pytest.raises(
        UnsupportedOperation, match=rf"{path}: a value of more than {MAX_PARTS} parts at once; name a part"
    ):
        value(path, word(length))


def test_many_small_arrays_are_too_much_together():
    place = locate(layout(), "jagged")
    first = int.from_bytes(keccak256(word(place.slot)), "big")
    words = {place.slot: word(100)} | {first + number: word(1_000) for number in range(100)}
    with pytest.raises(UnsupportedOperation, match=rf"jagged\[65\]: a value of more than {MAX_PARTS} parts"):
        decode(layout(), place, words)


def test_fixed_array_longer_than_memory():
    array = f"t_array(t_uint256){2**200}_storage"
    types = {"t_uint256": in_place("uint256", 32), array: in_place("uint256[…]", 2**205, base="t_uint256")}
    found = read_layout(one_variable(array, types))
    with pytest.raises(UnsupportedOperation, match="more than 65536 parts"):
        decode(found, locate(found, "x"), {})
    assert locate(found, f"x[{2**64 - 1}]").slot == 2**64 - 1


class EverySlotOne(dict):
    """A storage in which every slot is 1: a node of a tree that holds one node, and so on."""

    def get(self, slot, default=None):
        return word(1)


def test_a_struct_within_itself_without_end():
    with pytest.raises(UnsupportedOperation, match="a value nested deeper than 32"):
        decode(layout(), locate(layout(), "root"), EverySlotOne())


@pytest.mark.parametrize("path", ["balances", "byString['a']", "shelves['a']"])
def test_mapping_has_no_value(path):
    if path == "byString['a']":
        assert value(path, word(0)) == ""
        return
    with pytest.raises(UnsupportedOperation, match="the value of a mapping; a contract does not keep its keys"):
        value(path, word(0))


@pytest.mark.long
@given(
    st.sampled_from(["packed", "best", "items", "root", "names", "flags", "name", "grid", "jagged", "trios"]), st.data()
)
def test_any_words_give_a_value_or_a_refusal(path, data):
    words = {}
    for _ in range(8):
        try:
            decode(layout(), locate(layout(), path), words)
        except WordsMissing as missing:
            assert missing.slots and not set(missing.slots) & words.keys()
            drawn = st.binary(min_size=32, max_size=32) | st.integers(0, 300).map(word)
            words |= dict.fromkeys(missing.slots, data.draw(drawn))
        except (ImpossibleWord, UnsupportedOperation) as error:
            assert str(error)
            return
        else:
            return


# --- files of words

PROOF = {
    "address": "0x",
    "storageProof": [
        {"key": "0x1", "value": "0x2a", "proof": ["0x"]},
        {"key": "0x" + "0" * 63 + "2", "value": "0x0", "proof": []},
    ],
}


def test_words_as_nodes_and_people_write_them():
    expected = {1: word(42), 2: word(0)}
    assert read_words(as_bytes(PROOF)) == read_words(as_bytes({"jsonrpc": "2.0", "id": 1, "result": PROOF})) == expected
    assert read_words(as_bytes({"1": "0x2a", "0x02": f"0x{'0' * 64}"})) == expected


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ([], "is not an object"),
        ({"1": "2a"}, "words.1: is not a word, 0x and 1 to 64 hex digits"),
        ({"1": "0x"}, "is not a word"),
        ({"1": 42}, "is not a word"),
        ({"1": "0x" + "0" * 65}, "is not a word"),
        ({"one": "0x1"}, "is not a slot, decimal or 0x"),
        ({"-1": "0x1"}, "is not a slot"),
        ({"01": "0x1"}, "is not a slot"),
        ({str(2**256): "0x1"}, "a slot is below 2^256"),
        ({"1": "0x1", "0x01": "0x1"}, "words.0x01: names a slot for the second time"),
        ({"result": None}, "is not an object"),
        ({"storageProof": [{"key": "0x1"}]}, "storageProof[0].value: is missing"),
        ({"storageProof": {}}, "is not a list"),
    ],
)
def test_words_that_are_none(document, sentence):
    with pytest.raises(MalformedInput) as caught:
        read_words(as_bytes(document))
    assert sentence in str(caught.value)


@pytest.mark.long
@given(
    st.binary(max_size=60)
    | st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["1", "0x2", "result", "storageProof", "key", "value"]), inner)
        ),
    ).map(as_bytes)
)
def test_any_bytes_are_words_or_refused(data):
    try:
        words = read_words(data)
    except VerificationError as error:
        assert str(error)
    else:
        assert all(0 <= slot < 2**256 and len(one) == 32 for slot, one in words.items())
