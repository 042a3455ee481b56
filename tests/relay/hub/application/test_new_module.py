"""A native module that this tree does not know is added by one line and one genesis table: here a counter with a limit."""

import json
from dataclasses import dataclass

import pytest

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.document import Document
from hutong.relay.evm.vm.native import NativeCall, NativeRevert
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.frame import MeteredStore, frame_of
from hutong.relay.hub.application.genesis import decode_genesis, encode_genesis
from hutong.relay.hub.application.genesis_tables import GENESIS_TABLES, GenesisTable
from hutong.relay.hub.application.module import TRANSFER_ADDRESS, Module
from hutong.relay.hub.application.modules import MODULES, Founding
from hutong.relay.hub.application.refusal import Refusal
from hutong.relay.hub.application.revision import rules_versions
from tests.relay.hub.simulated_hub import SimulatedHub, hub_genesis

# the module

ADDRESS = (0x10F0).to_bytes(20, "big")
ADD = abi.Function("add", ["uint64"], ["uint64"])
GET_COUNT = abi.Function("getCount", [], ["uint64"])
ABOVE_LIMIT = abi.Error("AboveLimit", "uint64", "uint64")
COUNT_KEY = b"counter/count"


@dataclass(frozen=True, slots=True)
class CounterRules:
    limit: int


def read_table(document: Document) -> CounterRules:
    with document.members() as fields:
        return CounterRules(fields["limit"].integer(1, 1_000))


def write_table(rules: CounterRules) -> dict[str, int]:
    return {"limit": rules.limit}


class AboveLimit(Refusal):
    def __init__(self, count: int, limit: int) -> None:
        self.count, self.limit = count, limit
        super().__init__(count, limit)

    def revert(self) -> NativeRevert:
        return ABOVE_LIMIT.revert(self.count, self.limit)


class CounterModule(Module):
    def __init__(self, rules: CounterRules) -> None:
        self._address = ADDRESS
        self._limit = rules.limit
        self._handlers = {ADD.selector: self._add, GET_COUNT.selector: self._get}

    def _count(self, call: NativeCall) -> int:
        return int.from_bytes(MeteredStore(call, frame_of(call)).get(COUNT_KEY) or b"", "big")

    def _add(self, call: NativeCall, data: bytes) -> bytes:
        call.require_writable()
        (step,) = ADD.decode(data)
        count = self._count(call) + step
        if count > self._limit:
            raise AboveLimit(count, self._limit)
        MeteredStore(call, frame_of(call)).set(COUNT_KEY, count.to_bytes(8, "big"))
        return ADD.answer(count)

    def _get(self, call: NativeCall, data: bytes) -> bytes:
        GET_COUNT.decode(data)
        return GET_COUNT.answer(self._count(call))


def counter(hub: Founding) -> CounterModule | None:
    rules = hub.tables.get("counter")
    return None if rules is None else CounterModule(rules)


# its two lines


@pytest.fixture
def registered(monkeypatch):
    monkeypatch.setitem(MODULES, "counter", counter)
    monkeypatch.setitem(
        GENESIS_TABLES, "counter", GenesisTable(read_table, write_table, rules_versions.BOUNDED_EXECUTION)
    )


def genesis_with(limit: object, **changed):
    document = json.loads(encode_genesis(hub_genesis(**changed))) | {"counter": {"limit": limit}}
    return decode_genesis(json.dumps(document).encode())


def test_its_call_is_executed_and_refused_with_its_own_revert(registered):
    hub = SimulatedHub(genesis=genesis_with(10))
    assert hub.send(ADDRESS, ADD.call(7)).ok
    assert hub.read(ADDRESS, GET_COUNT) == 7
    assert hub.send(ADDRESS, ADD.call(4)).reverted_with(ABOVE_LIMIT) == (11, 10)
    assert hub.send(ADDRESS, ADD.call(3)).ok
    assert hub.read(ADDRESS, GET_COUNT) == 10
    assert hub.send(ADDRESS, b"\x01\x02\x03\x04").reverted_with(abi.UNKNOWN_FUNCTION) is not None


def test_its_table_is_part_of_genesis(registered):
    genesis, other = genesis_with(10), genesis_with(11)
    assert dict(genesis.tables) == {"counter": CounterRules(10)}
    assert decode_genesis(encode_genesis(genesis)) == genesis
    assert genesis.digest not in (other.digest, hub_genesis().digest)
    assert SimulatedHub(genesis=genesis).app_hash != SimulatedHub(genesis=other).app_hash
    for limit in (0, 1_001, "10", None):
        with pytest.raises(MalformedInput, match="counter.limit"):
            genesis_with(limit)
    with pytest.raises(MalformedInput, match="rules version 3 on"):
        genesis_with(10, rules_version=rules_versions.SETTLES_WHILE_PAUSED)


def test_a_hub_whose_genesis_has_no_table_does_not_have_it(registered):
    plain = SimulatedHub()
    assert plain.call(ADDRESS, GET_COUNT.call()).return_data == b""
    assert plain.genesis == hub_genesis()


def test_a_hub_without_it_is_the_same_to_the_last_byte(monkeypatch):
    before = SimulatedHub()
    monkeypatch.setitem(MODULES, "counter", counter)
    monkeypatch.setitem(
        GENESIS_TABLES, "counter", GenesisTable(read_table, write_table, rules_versions.BOUNDED_EXECUTION)
    )
    after = SimulatedHub()
    assert (before.genesis.digest, before.app_hash) == (after.genesis.digest, after.app_hash)


def test_code_without_its_lines_refuses_such_a_genesis(registered, monkeypatch):
    document = encode_genesis(genesis_with(10))
    monkeypatch.delitem(GENESIS_TABLES, "counter")
    with pytest.raises(MalformedInput, match="counter"):
        decode_genesis(document)


def test_two_modules_of_one_address_are_a_bug_that_is_noticed(registered, monkeypatch):
    monkeypatch.setitem(MODULES, "thief", lambda hub: Thief(hub.tables["counter"]))
    with pytest.raises(ValueError, match="0x0000000000000000000000000000000000001003"):
        SimulatedHub(genesis=genesis_with(10))


class Thief(CounterModule):
    def __init__(self, rules: CounterRules) -> None:
        super().__init__(rules)
        self._address = TRANSFER_ADDRESS
