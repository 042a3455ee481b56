"""What people write: paths that are refused with what would be right, and bounds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.interface import UnsupportedOperation
from hutong.relay.storage_layout import UnusablePath, locate, read_layout
from hutong.relay.storage_layout.path import MAX_PATH_CHARS, MAX_PATH_STEPS, parse_path
from tests.relay.storage_layout.layout_files import as_bytes, in_place, layout

CHECKSUMMED = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
"""From EIP-55."""


def refusal(path) -> str:
    with pytest.raises(UnusablePath) as caught:
        locate(layout(), path)
    return str(caught.value)


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("", "a path begins with the name of a state variable, got "),
        ("[3]", "a path begins with the name"),
        ("9lives", "a path begins with the name"),
        ("packed.", "packed: a name must follow the dot, got ."),
        ("packed..small", "packed: a name must follow the dot"),
        ("packed small", "packed: only .name or [key] can follow, got  small"),
        ("items]", "items: only .name or [key] can follow"),
        ("items[", "items: the key is not in brackets; expected [42], [0x…] or"),
        ("items[]", "items: the key is not in brackets"),
        ("items[1", "items: the key is not in brackets"),
        ("items[ 1]", "items: the key is not in brackets"),
        ("byString[a b]", "byString: the key is not in brackets"),
        ('byString["a]', "byString: the key is not in brackets"),
        ('byString["a"b]', "byString: the key is not in brackets"),
        ("byString['a'']", "byString: the key is not in brackets"),
        (r'byString["\q"]', "escape that JSON does not know"),
        (r'byString["\ud800"]', "escape that JSON does not know"),
        ("byString['\ud800']", "a path has printable characters"),
        ("byString['\x1b[31m']", "a path has printable characters"),
        ("byString['a\nb']", "a path has printable characters"),
        ("owner" + "x" * MAX_PATH_CHARS, "a path has at most 1000 characters, got 1005"),
        ("root" + ".children[0]" * 40, "a path has at most 32 steps"),
    ],
)
def test_texts_that_are_no_path(path, sentence):
    assert sentence in refusal(path)


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        (
            "ownr",
            "ownr: there is no such state variable (constants and immutables have no slot); expected one of owner, paused",
        ),
        ("items[3].prize", "items[3]: struct StorageProbe.Item has no member prize; expected one of id, price, sold"),
        ("items.size", "items: struct StorageProbe.Item[] has no such member; expected [index] or .length, got .size"),
        ("grid.length", "uint128[3][2] has no members, and its length is not stored; expected [index], got .length"),
        ("grid[2]", "grid: no such element; expected a decimal index from 0 to 1, got 2"),
        ("grid[-1]", "grid: no such element"),
        ("grid[0x1]", "grid: no such element"),
        ("grid['1']", "grid: no such element"),
        ("grid[01]", "grid: no such element"),
        (f"items[{2**64}]", "items: no such element"),
        ("balances.owner", "mapping(address => uint256) has no members; expected [key], got .owner"),
        ("packed[0]", "struct StorageProbe.Packed is a struct and takes no key; expected .name of a member, got [0]"),
        ("owner.code", "owner: address has no parts; expected the end of the path, got .code"),
        ("total[0]", "total: uint256 has no parts"),
        ("name.length", "name: string has no parts"),
        ("blob[0]", "blob: bytes has no parts"),
        ("items.length.length", "items.length: uint256 has no parts"),
    ],
)
def test_paths_to_what_is_not_there(path, sentence):
    assert sentence in refusal(path)


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("byUint[256]", "byUint: the key is out of the range of uint8; expected 0 to 255, got 256"),
        ("byUint[-1]", "out of the range of uint8"),
        ("byUint[0x100]", "out of the range of uint8"),
        (f"byUint[{'9' * 78}]", "out of the range of uint8"),
        (f"byUint[{'9' * 79}]", "the key is not of type uint8; expected a number, decimal or 0x"),
        ("byUint[007]", "the key is not of type uint8"),
        ("byUint['7']", "the key is not of type uint8"),
        ("byUint[١]", "the key is not of type uint8"),
        ("byInt[32768]", "out of the range of int16; expected -32768 to 32767"),
        ("byInt[-32769]", "out of the range of int16"),
        ("byInt[0x1]", "the key is not of type int16; expected a decimal number, got 0x1"),
        ("byBool[1]", "the key is not of type bool; expected true or false, got 1"),
        ("byBool[True]", "the key is not of type bool"),
        ("byBool['true']", "the key is not of type bool"),
        ("byBytes4[0x123456]", "the key is not of type bytes4; expected 0x and 8 hex digits, got 0x123456"),
        ("byBytes4[12345678]", "the key is not of type bytes4"),
        ("byBytes4['0x12345678']", "the key is not of type bytes4"),
        ("byState[Open]", "the key is not of type enum StorageProbe.State; expected the number of the member"),
        ("byState[256]", "out of the range of enum StorageProbe.State; expected 0 to 255"),
        ("balances[0x12]", "the key is not of type address; expected 0x and 40 hex digits, got 0x12"),
        (f"balances['0x{'11' * 20}']", "the key is not of type address"),
        (f"byContract[{'11' * 20}]", "the key is not of type contract IOracle"),
        (f"balances[{CHECKSUMMED.replace('aA', 'Aa')}]", "the address has a wrong EIP-55 checksum"),
        ("byString[alice]", 'byString: the key is text; expected quotes around it, ["text"], got alice'),
        ("byString[0x12]", "the key is text"),
        ("byBytes['12']", "byBytes: the key is bytes; expected 0x and pairs of hex digits, got 12"),
        ("byBytes[0x1]", "the key is bytes"),
        ("allowances[0x" + "11" * 20 + "][1]", "allowances[0x" + "11" * 20 + "]: the key is not of type address"),
    ],
)
def test_keys_that_are_not_of_the_type(path, sentence):
    assert sentence in refusal(path)


def test_addresses_with_and_without_checksum_are_one_key():
    upper = "0x" + CHECKSUMMED[2:].upper()
    slots = {locate(layout(), f"balances[{text}]").slot for text in (CHECKSUMMED, CHECKSUMMED.lower(), upper)}
    assert len(slots) == 1


def test_error_lists_so_many_names():
    names = [f"v{number}" for number in range(30)] + ["n" * 900]
    entries = [
        {"label": name, "slot": str(number), "offset": 0, "type": "t_uint256"} for number, name in enumerate(names)
    ]
    found = read_layout(as_bytes({"storage": entries, "types": {"t_uint256": in_place("uint256", 32)}}))
    with pytest.raises(UnusablePath) as caught:
        locate(found, "w")
    assert str(caught.value).endswith("v18, v19 and 11 more")


def test_steps_to_the_bound():
    path = "root" + ".children[0]" * (MAX_PATH_STEPS // 2)
    assert len(parse_path(path).steps) == MAX_PATH_STEPS
    assert locate(layout(), path).path == path


def test_place_says_its_path_and_its_slots():
    place = locate(layout(), "items[2].sizes")
    assert (place.path, place.slot_count, place.type.label) == ("items[2].sizes", 2, "uint40[7]")
    assert locate(layout(), "name").slot_count == 1


@given(st.text(max_size=40) | st.text("abx[]'\".0123456789 \\", max_size=40).map(lambda text: f"byString{text}"))
def test_any_text_is_a_place_or_refused(text):
    try:
        place = locate(layout(), text)
    except (UnusablePath, UnsupportedOperation) as error:
        assert "\n" not in str(error)
    else:
        assert place.path == text
        assert 0 <= place.slot < 2**256
