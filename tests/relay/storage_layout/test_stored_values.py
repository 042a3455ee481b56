"""Contracts write by their own functions; what `eth_getStorageAt` and the layout say is what their getters say."""

import pytest

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.interface import UnsupportedOperation
from hutong.relay.storage_layout import locate
from tests.relay.storage_layout.layout_files import layout
from tests.relay.storage_layout.probe_chain import ACCOUNT, running_chain

ALICE, BOB = b"\xa1" * 20, bytes(range(1, 21))
MOST_128, LEAST_128 = 2**127 - 1, -(2**127)
IDLE, OPEN, CLOSED = range(3)


def item(number, title, bidders=(), sold=True, state=CLOSED):
    sizes = tuple(number * 1_000 + place for place in range(7))
    return (number, 2**128 - number, sold, state, title, sizes, tuple(bidders))


@pytest.fixture(scope="module")
def chain():
    with running_chain() as chain:
        yield chain


@pytest.fixture(scope="module")
def probe(chain):
    return chain.deploy("StorageProbe")


@pytest.mark.parametrize(
    ("paused", "total", "balance"),
    [(True, 2**256 - 1, -(2**255)), (False, 0, 2**255 - 1), (True, 1, -1)],
)
def test_variables_of_one_slot_and_of_a_shared_one(probe, paused, total, balance):
    probe.send("setSimple", ALICE, paused, total, balance, b"\0tag")
    owner_and_pause = probe.call("ownerAndPause")
    assert (probe.stored(layout(), "owner"), probe.stored(layout(), "paused")) == owner_and_pause == (ALICE, paused)
    assert probe.stored(layout(), "total") == probe.call("total") == total
    assert probe.stored(layout(), "balance") == probe.call("balance") == balance
    assert probe.stored(layout(), "tag") == probe.call("tag") == b"\0tag"


def test_contracts_addresses_and_bytes_of_fixed_length(probe):
    wide = (b"\x31" * 31, bytes(30) + b"\1")
    probe.send("setPlaces", ALICE, BOB, b"\xdd" * 32, wide)
    assert probe.stored(layout(), "oracle") == probe.call("oracle") == ALICE
    assert probe.stored(layout(), "payee") == probe.call("payee") == BOB
    assert probe.stored(layout(), "digest") == probe.call("digest") == b"\xdd" * 32
    assert probe.stored(layout(), "wide") == (probe.call("wide", 0), probe.call("wide", 1)) == wide


@pytest.mark.parametrize(
    "packed",
    [
        (255, -128, 65_535, -(2**63), b"\xff\0\1", True, CLOSED, 2**96 - 1),
        (0, 127, 0, 2**63 - 1, b"\0\0\1", False, OPEN, 0),
        (1, -1, 2, -3, b"abc", True, IDLE, 4),
    ],
)
def test_packed_struct(probe, packed):
    probe.send("setPacked", packed)
    assert probe.stored(layout(), "packed") == probe.call("packed") == packed
    names = ("small", "signedSmall", "port", "delta", "code", "flag", "state", "amount")
    assert tuple(probe.stored(layout(), f"packed.{name}") for name in names) == packed


@pytest.mark.parametrize("size", [0, 1, 31, 32, 33, 64, 65, 1_000])
def test_short_and_long_text_and_bytes(probe, size):
    """In this order a short text follows a long one too: what the long one left must not be read."""
    for one in (size, 0 if size > 31 else 40):
        text, data = "胡同é"[: one // 4] + "x" * (one - len("胡同é"[: one // 4].encode())), bytes(range(256)) * 4
        probe.send("setText", text, data[:one])
        assert len(text.encode()) == one
        assert probe.stored(layout(), "name") == probe.call("name") == text
        assert probe.stored(layout(), "blob") == probe.call("blob") == data[:one]


def test_arrays_of_fixed_and_dynamic_length(probe):
    flags = tuple(number % 3 == 0 for number in range(70))
    trios = tuple(number * 70_000 for number in range(25))
    grid = ((1, 2**128 - 1, 3), (4, 5, 2**127))
    names = ("", "short", "a name that takes more than thirty-one bytes", "门" * 20)
    probe.send("setArrays", flags, trios, grid, names)
    probe.send("setJagged", ((1, 2, 3), (), tuple(range(40))))
    assert probe.stored(layout(), "flags") == flags
    assert probe.stored(layout(), "trios") == trios
    assert probe.stored(layout(), "grid") == grid
    assert probe.stored(layout(), "names") == names
    assert probe.stored(layout(), "jagged") == ((1, 2, 3), (), tuple(range(40)))
    for index in (0, 31, 32, 69):
        assert probe.stored(layout(), f"flags[{index}]") == probe.call("flags", index)
    for index in (0, 9, 10, 24):
        assert probe.stored(layout(), f"trios[{index}]") == probe.call("trios", index)
    assert probe.stored(layout(), "grid[1][2]") == probe.call("grid", 1, 2) == 2**127
    assert probe.stored(layout(), "jagged[2][33]") == probe.call("jagged", 2, 33) == 33
    assert probe.stored(layout(), "names[2]") == probe.call("names", 2) == names[2]
    assert probe.stored(layout(), "flags.length") == 70
    assert probe.stored(layout(), "jagged[1].length") == 0


def test_elements_that_were_taken_away_are_zero(probe):
    probe.send("setArrays", (True,) * 40, (), ((0,) * 3,) * 2, ())
    assert probe.stored(layout(), "flags[39]") is True
    probe.send("setArrays", (True,), (), ((0,) * 3,) * 2, ())
    assert probe.stored(layout(), "flags") == (True,)
    assert probe.stored(layout(), "flags[39]") is False


def test_structs_in_arrays_and_in_nested_mappings(probe):
    items = [item(1, "one"), item(2, "t" * 100, (ALICE, BOB), sold=False), item(3, "drei", (BOB,), state=OPEN)]
    for one in items:
        probe.send("addItem", one)
        probe.send("shelve", "upper shelf of the house", -5, one)
    assert probe.stored(layout(), "items") == tuple(items)
    assert probe.stored(layout(), "best") == probe.call("bestItem") == items[-1]
    for index, one in enumerate(items):
        assert probe.stored(layout(), f"items[{index}]") == probe.call("itemAt", index) == one
        path = f'shelves["upper shelf of the house"][-5][{index}]'
        assert probe.stored(layout(), path) == probe.call("shelved", "upper shelf of the house", -5, index) == one
    assert probe.stored(layout(), "items[1].price") == 2**128 - 2
    assert probe.stored(layout(), "items[1].state") == CLOSED
    assert probe.stored(layout(), "items[1].sizes[6]") == 2_006
    assert probe.stored(layout(), "items[1].bidders[1]") == BOB
    assert probe.stored(layout(), "shelves['another'][-5]") == ()


def test_struct_that_holds_itself(probe):
    probe.send("grow", -7, (1, -2, 2**23 - 1))
    weight, children, grandchildren = probe.call("tree")
    assert (weight, children, grandchildren) == (-7, (1, -2, 2**23 - 1), (1, -2, 2**23 - 1))
    below = tuple((one, ()) for one in grandchildren)
    assert probe.stored(layout(), "root") == (weight, ((1, below), (-2, ()), (2**23 - 1, ())))
    assert probe.stored(layout(), "root.children[0].children[1].weight") == -2


def test_mappings_by_every_type_of_key(probe):
    probe.send("setBalances", ALICE, BOB, 10**30, 2**128 - 1)
    probe.send("setByNumbers", 255, -128, -32_768, True, CLOSED, 7)
    probe.send("setByWords", b"\xab\0\0\1", b"\x32" * 32, BOB, 2**128 - 1, LEAST_128)
    probe.send("setByTexts", "胡同", b"\0\1")
    probe.send("setByTexts", "", b"")
    probe.send("setByTexts", 'say "hi"]' * 9, b"\xff" * 70)
    alice, bob = f"0x{ALICE.hex()}", f"0x{BOB.hex()}"
    wanted = {
        f"balances[{alice}]": ("balances", ALICE),
        f"balances[{bob}]": ("balances", BOB),
        f"allowances[{alice}][{bob}]": ("allowances", ALICE, BOB),
        "byUint[255]": ("byUint", 255),
        "byUint[0xff]": ("byUint", 255),
        "byUint[0]": ("byUint", 0),
        "byInt[-32768]": ("byInt", -32_768),
        "byBool[true]": ("byBool", True),
        "byBool[false]": ("byBool", False),
        "byState[2]": ("byState", CLOSED),
        "byBytes4[0xab000001]": ("byBytes4", b"\xab\0\0\1"),
        f"byBytes32[0x{'32' * 32}]": ("byBytes32", b"\x32" * 32),
        f"byContract[{bob}]": ("byContract", BOB),
        f"byPrice[{2**128 - 1}]": ("byPrice", 2**128 - 1),
        'byString["胡同"]': ("byString", "胡同"),
        'byString["\\u80e1\\u540c"]': ("byString", "胡同"),
        "byString['']": ("byString", ""),
        f"""byString['{'say "hi"]' * 9}']""": ("byString", 'say "hi"]' * 9),
        "byBytes[0x0001]": ("byBytes", b"\0\1"),
        "byBytes[0x]": ("byBytes", b""),
        f"byBytes[0x{'ff' * 70}]": ("byBytes", b"\xff" * 70),
    }
    found = {path: probe.stored(layout(), path) for path in wanted}
    assert found == {path: probe.call(*call) for path, call in wanted.items()}
    unset = {f"balances[{bob}]", "byUint[0]", "byBool[false]", "byString['']", "byBytes[0x]"}
    assert {path for path, value in found.items() if not value} == unset


def test_variables_at_a_namespace_of_erc_7201(chain):
    placed = chain.deploy("PlacedProbe")
    placed.send("set", ALICE, 2**64 - 1, 9, "a note that is longer than a slot has room for")
    of = layout("StorageProbe", "PlacedProbe")
    inner = int.from_bytes(keccak256(b"hutong.probe"), "big") - 1
    namespace = int.from_bytes(keccak256(inner.to_bytes(32, "big")), "big") & ~0xFF
    assert (locate(of, "count").slot, locate(of, "notes").slot) == (namespace, namespace + 1)
    assert placed.stored(of, "owner") == placed.call("ownerOf") == ALICE
    assert placed.stored(of, "count") == placed.call("count") == 2**64 - 1
    assert placed.stored(of, "notes[9]") == placed.call("notes", 9) == "a note that is longer than a slot has room for"


def test_token_of_openzeppelin(chain):
    name = "A token whose name is longer than a slot"
    token = chain.deploy("ExampleToken", name, "TOK", 10**24)
    me = ACCOUNT.address
    token.send("transfer", BOB, 5)
    token.send("approve", BOB, 2**256 - 1)
    of = layout("ExampleToken")
    assert token.stored(of, "_name") == token.call("name") == name
    assert token.stored(of, "_symbol") == token.call("symbol") == "TOK"
    assert token.stored(of, "_totalSupply") == token.call("totalSupply") == 10**24
    assert token.stored(of, f"_balances[{me}]") == token.call("balanceOf", me) == 10**24 - 5
    assert token.stored(of, f"_balances[0x{BOB.hex()}]") == token.call("balanceOf", BOB) == 5
    assert token.stored(of, f"_allowances[{me}][0x{BOB.hex()}]") == token.call("allowance", me, BOB) == 2**256 - 1


def test_function_has_a_place_and_no_value(probe):
    probe.send("setCallback", ALICE + b"\1\2\3\4")
    place = locate(layout(), "callback")
    assert probe.word(place.slot)[8 - place.offset : 32 - place.offset] == ALICE + b"\1\2\3\4"
    with pytest.raises(UnsupportedOperation, match="callback: values of type function"):
        probe.stored(layout(), "callback")
