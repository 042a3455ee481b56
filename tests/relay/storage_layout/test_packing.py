"""Places and values against models of their own: an encoder that packs words, eth-abi for the keys of mappings."""

from eth_abi import encode
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.crypto import keccak256
from hutong.relay.storage_layout import decode, locate, read_layout
from hutong.relay.storage_layout.types import array_slots, element_offset
from tests.contracts.evm import Evm
from tests.relay.storage_layout.layout_files import as_bytes, in_place, layout, one_variable, read

UNSIGNED = st.integers(1, 32).map(lambda size: (f"uint{8 * size}", size))
SIGNED = st.integers(1, 32).map(lambda size: (f"int{8 * size}", size))
FIXED_BYTES = st.integers(1, 32).map(lambda size: (f"bytes{size}", size))
VALUE_TYPES = UNSIGNED | SIGNED | FIXED_BYTES | st.sampled_from([("bool", 1), ("address", 20)])


def values_of(name, size):
    if name.startswith("uint"):
        return st.integers(0, 2 ** (8 * size) - 1)
    if name.startswith("int"):
        return st.integers(-(2 ** (8 * size - 1)), 2 ** (8 * size - 1) - 1)
    return st.booleans() if name == "bool" else st.binary(min_size=size, max_size=size)


def as_number(value, size):
    """The bits of a value in the field of a word."""
    return int.from_bytes(value, "big") if isinstance(value, bytes) else int(value) % 2 ** (8 * size)


@st.composite
def variables(draw):
    """(type, size, value) of some state variables."""
    types = draw(st.lists(VALUE_TYPES, min_size=1, max_size=20))
    return [(name, size, draw(values_of(name, size))) for name, size in types]


@given(variables(), st.randoms())
def test_packed_variables(some, random):
    """Solidity's rule: a variable that does not fit into what is left of a slot begins the next one."""
    storage, words, slot, used = [], {}, 0, 0
    for number, (name, size, value) in enumerate(some):
        if used + size > 32:
            slot, used = slot + 1, 0
        storage.append({"label": f"v{number}", "slot": str(slot), "offset": used, "type": f"t_{name}"})
        words[slot] = words.get(slot, 0) | as_number(value, size) << 8 * used
        used += size
    random.shuffle(storage)
    types = {f"t_{name}": in_place(name, size) for name, size, _ in some}
    found = read_layout(as_bytes({"storage": storage, "types": types}))
    assert [variable.name for variable in found.variables] == [f"v{number}" for number in range(len(some))]
    held = {slot: word.to_bytes(32, "big") for slot, word in words.items()}
    values = [decode(found, locate(found, f"v{number}"), held) for number in range(len(some))]
    assert values == [value for _, _, value in some]
    assert [type(value) for value in values] == [type(value) for _, _, value in some]


@given(VALUE_TYPES.flatmap(lambda kind: st.tuples(st.just(kind), st.lists(values_of(*kind), min_size=1, max_size=80))))
def test_arrays_of_small_elements(drawn):
    (name, size), values = drawn
    per_slot = 32 // size
    rows = [values[start : start + per_slot] for start in range(0, len(values), per_slot)]
    packed = [sum(as_number(value, size) << 8 * size * place for place, value in enumerate(row)) for row in rows]
    dynamic, fixed = f"t_array(t_{name})dyn_storage", f"t_array(t_{name}){len(values)}_storage"
    types = {
        f"t_{name}": in_place(name, size),
        dynamic: in_place(f"{name}[]", 32, base=f"t_{name}") | {"encoding": "dynamic_array"},
        fixed: in_place(f"{name}[{len(values)}]", 32 * len(rows), base=f"t_{name}"),
    }
    first = int.from_bytes(keccak256((5).to_bytes(32, "big")), "big")
    words = {(first + place) % 2**256: word for place, word in enumerate(packed)} | {5: len(values)}
    found = read_layout(one_variable(dynamic, types, slot="5"))
    assert read(found, "x", lambda slot: words[slot].to_bytes(32, "big")) == tuple(values)
    found = read_layout(one_variable(fixed, types, slot="0"))
    assert read(found, "x", lambda slot: packed[slot].to_bytes(32, "big")) == tuple(values)


@given(st.integers(1, 200), st.integers(1, 2_000))
def test_elements_of_an_array_share_no_byte_and_lie_within_its_slots(size, length):
    places = [element_offset(size, index) for index in range(length)]
    starts = [32 * slot + offset for slot, offset in places]
    assert all(later - earlier >= size for earlier, later in zip(starts, starts[1:], strict=False))
    assert all(offset + size <= 32 or (offset == 0 and size > 32) for _, offset in places)
    assert 32 * (array_slots(size, length) - 1) < starts[-1] + size <= 32 * array_slots(size, length)


@given(VALUE_TYPES.flatmap(lambda kind: st.tuples(st.just(kind), values_of(*kind))), st.integers(0, 2**256 - 1))
def test_keys_of_mappings_are_hashed_as_the_abi_encodes_them(drawn, slot):
    (name, size), value = drawn
    key = f"0x{value.hex()}" if isinstance(value, bytes) else str(value).lower()
    types = {
        f"t_{name}": in_place(name, size),
        "m": {"encoding": "mapping", "label": "m", "numberOfBytes": "32", "key": f"t_{name}", "value": f"t_{name}"},
    }
    found = locate(read_layout(one_variable("m", types, slot=str(slot))), f"x[{key}]")
    assert found.slot == int.from_bytes(keccak256(encode([name, "uint256"], [value, slot])), "big")
    assert (found.offset, found.type.label) == (0, name)


@given(st.text(max_size=60), st.integers(0, 2**256 - 1))
def test_keys_of_text_are_hashed_as_they_are(text, slot):
    types = {
        "t_string_memory_ptr": {"encoding": "bytes", "label": "string", "numberOfBytes": "32"},
        "m": {"encoding": "mapping", "label": "m", "numberOfBytes": "32", "key": "t_string_memory_ptr", "value": "m"},
    }
    found = read_layout(one_variable("m", types, slot=str(slot)))
    expected = int.from_bytes(keccak256(text.encode() + slot.to_bytes(32, "big")), "big")
    assert locate(found, f"x[{as_bytes(text).decode()}]").slot == expected
    if text.isprintable() and "'" not in text:
        assert locate(found, f"x['{text}']").slot == expected


PROBE = Evm()
DEPLOYED = PROBE.deploy("StorageProbe")


def at(slot):
    return PROBE.storage(DEPLOYED.address, slot).to_bytes(32, "big")


@given(
    st.tuples(
        *(values_of(name, size) for name, size in [("uint8", 1), ("int8", 1), ("uint16", 2), ("int64", 8)]),
        *(values_of(name, size) for name, size in [("bytes3", 3), ("bool", 1)]),
        st.integers(0, 2),
        values_of("uint96", 12),
    )
)
def test_a_struct_that_the_compiler_packed(values):
    DEPLOYED.transact("setPacked", values)
    assert tuple(read(layout(), "packed", at).values()) == values == DEPLOYED.call("packed")


@given(st.text(max_size=80), st.binary(max_size=100))
def test_text_and_bytes_that_the_contract_wrote(text, data):
    DEPLOYED.transact("setText", text, data)
    assert (read(layout(), "name", at), read(layout(), "blob", at)) == (text, data)
