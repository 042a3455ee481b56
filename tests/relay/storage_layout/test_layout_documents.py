"""The reader of layouts: every form that tools write, every refusal, and documents that were changed at random."""

import copy
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.interface import MalformedInput, UnsupportedOperation, VerificationError
from hutong.relay.storage_layout import UnusablePath, decode, locate, read_layout
from hutong.relay.storage_layout.compiler_output import MAX_DOCUMENT_BYTES
from hutong.relay.storage_layout.layout_document import MAX_NESTING, MAX_TYPES, elementary_type
from tests.relay.storage_layout.layout_files import (
    PROBE_FILE,
    PROBE_SOURCE,
    as_bytes,
    compiler_output,
    contract_output,
    in_place,
    one_variable,
)

UINT = {"t_uint256": in_place("uint256", 32)}
SMALL = {"t_uint8": in_place("uint8", 1)}
PRICE = "t_userDefinedValueType(Price)3"


def refusal(data, *arguments) -> str:
    with pytest.raises(MalformedInput) as caught:
        read_layout(data if isinstance(data, bytes) else as_bytes(data), *arguments)
    return str(caught.value)


def total_slot(document, contract=None) -> int:
    return locate(read_layout(as_bytes(document), contract), "total").slot


# --- forms


def test_every_form_that_holds_a_layout():
    output = contract_output()
    raw = output["storageLayout"]
    expected = next(int(variable["slot"]) for variable in raw["storage"] if variable["label"] == "total")
    foundry = {"abi": output["abi"], "bytecode": {"object": "0x"}, "storageLayout": raw, "id": 3}
    hardhat = {"_format": "hh-sol-artifact-1", "contractName": "StorageProbe", **foundry}
    build_info = {"solcVersion": "0.8.37", "input": {}, "output": compiler_output()}
    assert total_slot(raw) == total_slot(foundry) == total_slot(hardhat) == expected
    for name in ("StorageProbe", f"{PROBE_SOURCE}:StorageProbe"):
        assert total_slot(compiler_output(), name) == total_slot(build_info, name) == expected
        assert total_slot(raw, name) == total_slot(foundry, name) == expected


def test_the_only_contract_with_variables_needs_no_name():
    document = compiler_output()
    contracts = document["contracts"][PROBE_SOURCE]
    for name in ("Owned", "PlacedProbe"):
        del contracts[name]
    assert {"IOracle", "Marks"} < contracts.keys()
    assert read_layout(as_bytes(document)).contract == f"{PROBE_SOURCE}:StorageProbe"


def test_a_contract_without_variables_has_none():
    found = read_layout(PROBE_FILE.read_bytes(), "IOracle")
    assert found.variables == ()
    with pytest.raises(UnusablePath, match="expected one of none"):
        locate(found, "total")


def test_which_contract_is_asked_when_it_is_not_clear():
    document = compiler_output()
    assert "name one: " in refusal(document)
    assert f"{PROBE_SOURCE}:StorageProbe" in refusal(document)
    assert "has no contract Owner; it has test/support" in refusal(document, "Owner")
    document["contracts"]["other.sol"] = {"StorageProbe": contract_output()}
    assert "name one: test/support/StorageProbe.sol:StorageProbe, other.sol:StorageProbe" in refusal(
        document, "StorageProbe"
    )
    assert "is of another contract; expected Token" in refusal(contract_output()["storageLayout"], "Token")


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ([], "is not an object"),
        ({}, "is neither a storageLayout, nor"),
        ({"language": "Solidity", "sources": {}}, "is neither a storageLayout, nor"),
        ({"abi": [], "bytecode": "0x"}, "has no storageLayout: ask the compiler"),
        ({"abi": [], "storageLayout": None}, "has no storageLayout: ask the compiler"),
        ({"contracts": {}}, "none of its contracts has a storageLayout"),
        ({"contracts": {"a.sol": {"A": {"abi": []}}}}, "none of its contracts has a storageLayout"),
        ({"contracts": {"a.sol": {"A": {"storageLayout": {"storage": [], "types": None}}}}}, "has state variables"),
        ({"contracts": {"a.sol": []}}, "is not an object"),
        ({"storage": {}, "types": {}}, "layout.storage: is not a list"),
        ({"storage": []}, "layout.types: is missing"),
    ],
)
def test_documents_that_hold_no_layout(document, sentence):
    assert sentence in refusal(document)


def test_text_that_is_no_document():
    assert "more than" in refusal(b" " * (MAX_DOCUMENT_BYTES + 1))
    assert "nested deeper" in refusal(b"[" * 10_000)
    for text in (b"", b"{", b'{"storage": [], "storage": []}', b"\xff", b"NaN"):
        assert "is not JSON" in refusal(text)


# --- types


def refused_type(sentence, type_id="t_uint256", types=None, **changed):
    assert sentence in refusal(one_variable(type_id, types or UINT, **changed))


def test_variables_out_of_their_bounds():
    read_layout(one_variable("t_uint256", UINT, slot=str(2**256 - 1)))
    refused_type("is not a decimal number", slot=str(2**256))
    refused_type("is not a decimal number", slot="0x1")
    refused_type("is not a decimal number", slot=0)
    refused_type("is not an integer from 0 to 31", offset=32, type_id="t_uint8", types=SMALL)
    refused_type("is not an integer from 0 to 31", offset=True)
    refused_type("reaches from one slot into the next", offset=1)
    refused_type("is not a name of Solidity", label="a b")
    refused_type("is not a name of Solidity", label="")
    refused_type("names a type that is not in `types`", type_id="t_uint128")


def test_variables_that_share_bytes():
    entries = [
        {"label": name, "slot": "0", "offset": offset, "type": "t_uint8"} for name, offset in (("a", 3), ("b", 3))
    ]
    assert "b shares bytes with a" in refusal({"storage": entries, "types": SMALL})
    entries[1]["offset"] = 4
    read_layout(as_bytes({"storage": entries, "types": SMALL}))
    array = "t_array(t_uint256)3_storage"
    types = UINT | {array: in_place("uint256[3]", 96, base="t_uint256")}
    entries = [
        {"label": "a", "slot": "0", "offset": 0, "type": array},
        {"label": "b", "slot": "2", "offset": 0, "type": "t_uint256"},
    ]
    assert "b shares bytes with a" in refusal({"storage": entries, "types": types})


@pytest.mark.parametrize(
    ("type_id", "entry", "sentence"),
    [
        ("t_uint128", in_place("uint128", 8), "uint128 takes another number of bytes; expected 16, got 8"),
        ("t_bool", in_place("bool", 2), "bool takes another number of bytes"),
        ("t_contract(A)1", in_place("contract A", 32), "takes another number of bytes; expected 20"),
        ("t_enum(E)1", in_place("enum E", 9), "an enum of so many bytes"),
        ("t_other", in_place("other", 33), "takes more than a slot"),
        ("t_uint8", in_place("uint8", 0), "numberOfBytes: is not a decimal number"),
        ("t_uint8", {"encoding": "inplace", "label": "uint8"}, "numberOfBytes: is missing"),
        ("t_uint8", {"label": "uint8", "numberOfBytes": "1"}, "encoding: is missing"),
        ("t_uint8", in_place("uint8", 32) | {"encoding": "backwards"}, "unknown encoding; expected inplace"),
        ("t_uint8", in_place("uint8", 32) | {"encoding": "bytes"}, "neither bytes nor string"),
        ("t_string_storage", in_place("string", 64) | {"encoding": "bytes"}, "does not take one slot; expected 32"),
        ("m", in_place("m", 32, key="m") | {"encoding": "mapping"}, "value: is missing"),
        ("m", in_place("m", 32, key="m", value="n") | {"encoding": "mapping"}, "names a type that is not in `types`"),
        (
            "t_array(t_array(t_a)dyn_storage)3_storage",
            in_place("a", 32, base="m") | {"encoding": "dynamic_array"},
            "its id has a length",
        ),
        ("t_array(t_a)dyn_storage", in_place("a", 32, base="t_a") | {"encoding": "dynamic_array"}, "not in `types`"),
        ("t_array", in_place("a", 32, base="t_uint256"), "its id is not of an array in storage"),
        ("t_array(t_uint256)dyn_storage", in_place("a", 32, base="t_uint256"), "id is of a dynamic array"),
        ("t_array(t_uint256)0_storage", in_place("a", 32, base="t_uint256"), "its id is not of an array"),
        ("t_array(t_uint256)2_storage", in_place("a", 96, base="t_uint256"), "another size; expected 64, got 96"),
        ("t_struct(S)1_storage", in_place("struct S", 33, members=[]), "a struct takes whole slots"),
        ("t_struct(S)1_storage", in_place("struct S", 32, members=[]), "is not a list of 1 to"),
    ],
)
def test_types_that_contradict_themselves(type_id, entry, sentence):
    assert sentence in refusal(one_variable(type_id, UINT | {type_id: entry}))


def struct(*members, slots=1) -> dict:
    listed = [
        {"label": label, "slot": str(slot), "offset": offset, "type": kind} for label, slot, offset, kind in members
    ]
    return in_place("struct S", 32 * slots, members=listed)


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        (struct(("a", 1, 0, "t_uint256")), "ends outside of what holds it"),
        (struct(("a", 0, 0, "t_uint8"), ("b", 0, 0, "t_uint256")), "b shares bytes with a"),
        (struct(("a", 0, 0, "t_uint8"), ("a", 0, 1, "t_uint8")), "two members have one name"),
        (struct(("a", 0, 0, "t_struct(S)1_storage")), "hold themselves"),
        (struct(("a", 0, 31, "t_uint256")), "reaches from one slot into the next"),
    ],
)
def test_structs_that_contradict_themselves(entry, sentence):
    assert sentence in refusal(one_variable("t_struct(S)1_storage", UINT | SMALL | {"t_struct(S)1_storage": entry}))


def nested(depth, *, outermost_first):
    types = {"t_uint256": in_place("uint256", 32)}
    inner = "t_uint256"
    for _ in range(depth):
        outer = f"t_array({inner})1_storage"
        types[outer] = in_place("a", 32, base=inner)
        inner = outer
    return one_variable(inner, dict(reversed(types.items())) if outermost_first else types)


@pytest.mark.parametrize("outermost_first", [True, False])
def test_arrays_within_each_other_have_a_bound(outermost_first):
    """Also where each is read before the next one that holds it: then no call goes deep."""
    read_layout(nested(MAX_NESTING - 1, outermost_first=outermost_first))
    document = json.loads(nested(200, outermost_first=outermost_first))
    assert "nest deeper than 32" in refusal(document)
    document["storage"] = []
    assert "nest deeper than 32" in refusal(document)


def test_so_many_types():
    many = {f"t_{number}": in_place("t", 32) for number in range(MAX_TYPES)}
    read_layout(as_bytes({"storage": [], "types": many}))
    assert "is not an object of at most 10000" in refusal(
        {"storage": [], "types": many | {"t_more": in_place("t", 32)}}
    )


@pytest.mark.parametrize(
    "name", ["uint", "uint7", "uint264", "int0", "bytes0", "bytes33", "string", "bool8", "Price", ""]
)
def test_names_of_no_elementary_type(name):
    assert elementary_type(name) is None


# --- user-defined value types


def priced(**more) -> dict:
    layout = json.loads(one_variable(PRICE, {PRICE: in_place("Price", 16)}))
    return {"abi": [], "storageLayout": layout, **more}


def abi_of(*types) -> list:
    return [
        {"type": "function", "name": "f", "inputs": [{"name": "", "type": kind, "internalType": "Price[2]"}]}
        for kind in types
    ]


def value_in(document, underlying=None):
    found = read_layout(as_bytes(document), None, underlying)
    return decode(found, locate(found, "x"), {0: b"\xee" * 16 + b"\xff" * 16})


def test_user_defined_type_is_what_the_abi_or_the_user_says():
    assert value_in(priced(abi=abi_of("uint128[2]"))) == 2**128 - 1
    assert value_in(priced(abi=abi_of("int128[2]"))) == -1
    assert value_in(priced(), {"Price": "bytes16"}) == b"\xff" * 16
    assert value_in(priced(abi=abi_of("uint128[2]")), {"Price": "int128"}) == -1
    inside = [{"type": "function", "outputs": [{"type": "tuple", "components": abi_of("int128[2]")[0]["inputs"]}]}]
    assert value_in(priced(abi=inside)) == -1


@pytest.mark.parametrize("abi", [[], abi_of("uint64[2]"), abi_of("uint128[2]", "int128[2]"), None])
def test_user_defined_type_of_which_nobody_says_what_it_is(abi):
    """Another type of that name may be meant: of another size, or of two kinds."""
    with pytest.raises(UnsupportedOperation, match="values of type Price; the layout does not say what it is made of"):
        value_in(priced(abi=abi))


def test_two_user_defined_types_of_one_name():
    document = priced(abi=abi_of("uint128[2]"))
    document["storageLayout"]["types"]["t_userDefinedValueType(Price)9"] = in_place("Price", 16)
    with pytest.raises(UnsupportedOperation, match="several types have this name"):
        value_in(document)


def test_what_the_user_says_must_fit():
    assert "Price has 16 bytes and is not made of this type, got uint64" in refusal(priced(), None, {"Price": "uint64"})
    assert "Price cannot be made of this type; expected a type such as" in refusal(priced(), None, {"Price": "uint"})
    assert "has no user-defined value type Prize; it has Price" in refusal(priced(), None, {"Prize": "uint64"})


def test_keys_of_a_user_defined_type():
    kinds = {"m": in_place("m", 32, key=PRICE, value="m") | {"encoding": "mapping"}, PRICE: in_place("Price", 4)}
    document = one_variable("m", kinds)
    places = {name: locate(read_layout(document, None, {"Price": name}), f"x[{key}]").slot for name, key in
              [("uint32", "1"), ("int32", "1"), ("bytes4", "0x00000001")]}  # fmt: skip
    assert places["uint32"] == places["int32"] != places["bytes4"]
    with pytest.raises(UnsupportedOperation, match="x: keys of type Price; the layout does not say"):
        locate(read_layout(document), "x[1]")


# --- what is not supported


def test_transient_variables_are_named_as_such():
    """As solc writes it for `uint256 transient lock;`."""
    transient = json.loads(one_variable("t_uint256", UINT, label="lock"))
    document = {
        "abi": [],
        "storageLayout": json.loads(one_variable("t_uint256", UINT)),
        "transientStorageLayout": transient,
    }
    found = read_layout(as_bytes(document))
    locate(found, "x")
    with pytest.raises(UnsupportedOperation, match="not supported: transient variables such as lock"):
        locate(found, "lock")


def test_a_name_of_two_variables():
    """A private variable may have the name of one in a contract that inherits from its own."""
    entries = [{"label": "x", "slot": slot, "offset": 0, "type": "t_uint256"} for slot in ("0", "4")]
    found = read_layout(as_bytes({"storage": entries, "types": UINT}))
    with pytest.raises(UnsupportedOperation, match=r"the name x, which 2 variables have .* slots 0x0, 0x4"):
        locate(found, "x")


def test_types_that_later_compilers_may_have():
    found = read_layout(one_variable("t_ufixed128x18", {"t_ufixed128x18": in_place("ufixed128x18", 16)}))
    place = locate(found, "x")
    assert (place.slot, place.offset, place.type.size_bytes) == (0, 0, 16)
    with pytest.raises(UnsupportedOperation, match="x: values of type ufixed128x18"):
        decode(found, place, {0: bytes(32)})


# --- changed at random

JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=8), st.just([]), st.just({}), st.just("t_uint256"),
    st.sampled_from(["0", "1", "31", "32", "33", "64", str(2**256), "inplace", "mapping", "bytes", "dynamic_array"]),
)  # fmt: skip
PATHS = [
    "owner", "packed.amount", "items[1].price", "best", "root", "grid", "names[0]", "flags", "byString['a']", "jagged[1][2]",
    "shelves['a'][-1][3].bidders[2]", "items.length", "byUint[255]", "balances[0x" + "11" * 20 + "]", "callback",
]  # fmt: skip


@st.composite
def changed_documents(draw):
    document = copy.deepcopy(contract_output())
    del document["abi"]
    for _ in range(draw(st.integers(1, 3))):
        place = document
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if not isinstance(place[key], dict | list) or draw(st.integers(0, 5)) == 0:
                if draw(st.booleans()) and isinstance(place, dict):
                    del place[key]
                else:
                    place[key] = draw(JUNK)
                break
            place = place[key]
    return document


@given(changed_documents(), st.sampled_from(PATHS), st.integers(0, 2**256 - 1))
def test_a_changed_document_is_read_or_refused(document, path, word):
    try:
        found = read_layout(as_bytes(document))
        decode(found, locate(found, path), dict.fromkeys(range(64), word.to_bytes(32, "big")))
    except VerificationError as error:
        assert re.fullmatch(r"[^\n]{1,2000}", str(error))


@given(st.data())
def test_changed_bytes_are_read_or_refused(data):
    raw = bytearray(as_bytes(contract_output()["storageLayout"]))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        read_layout(bytes(raw))
    except VerificationError as error:
        assert str(error)
