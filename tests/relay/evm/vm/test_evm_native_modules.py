"""Design rule 5: native modules and the journal that ties their stores to the EVM's snapshots."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from eth_abi import decode
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hutong.relay.evm.errors import CallFailure
from hutong.relay.evm.store.database import MemoryStore, WritableTable
from hutong.relay.evm.vm.accounts import EMPTY_STATE_ROOT, GenesisAccount
from hutong.relay.evm.vm.execution import BlockContext, EvmState
from hutong.relay.evm.vm.outcomes import CallMessage
from hutong.relay.evm.vm.rules import EvmRules
from tests.relay.evm.evm_bytecode import assemble, call, push_width, with_data
from tests.relay.evm.evm_transactions import FUNDED, signed
from tests.relay.evm.vm.evm_journal import JournaledMap, Recorder

CHAIN_ID = 1337
NATIVE = tuple(bytes(18) + bytes([0x10, index]) for index in range(2))
GAS = 10**12
SHARE = Recorder.INNER_GAS_SHARE


@dataclass
class World:
    store: JournaledMap
    state: EvmState
    nonce: int = 0

    def transact(self, to, data=b"", gas=GAS, value=0):
        self.nonce += 1
        return self.state.apply_transaction(signed(nonce=self.nonce - 1, to=to, data=data, gas=gas, value=value))


def world(contracts: dict[bytes, bytes], fork="prague", balance=0) -> World:
    store = JournaledMap()
    modules = {address: Recorder(address, store) for address in NATIVE}
    rules = EvmRules(fork, CHAIN_ID, modules)
    context = BlockContext(7, 1000, bytes(20), GAS, bytes(32), lambda number: bytes(32))
    database = MemoryStore()
    with database.batch() as batch:
        state = EvmState(WritableTable(batch, b"s"), EMPTY_STATE_ROOT, rules, context, (store,))
        for address in NATIVE:
            state.set_account(address, GenesisAccount(code=b"\xfe"))
        for address, code in contracts.items():
            state.set_account(address, GenesisAccount(code=code, balance_wei=balance))
        state.set_account(FUNDED, GenesisAccount(balance_wei=balance))
        root = state.persist()
    with database.batch() as batch:
        return World(store, EvmState(WritableTable(batch, b"s"), root, rules, context, (store,)))


def calling(kind: str, target: bytes, data: bytes, *, value: int = 0, gas: int = 10**9, finish: bytes = b"") -> bytes:
    """A contract that copies `data` to memory, calls, and returns flag ‖ return data (or ends with `finish`)."""
    end = finish or assemble(
        0, "MSTORE", "RETURNDATASIZE", 0, 32, "RETURNDATACOPY", "RETURNDATASIZE", 32, "ADD", 0, "RETURN"
    )

    def code(offset):
        size = push_width(len(data))
        return (
            assemble(size, push_width(offset), 0, "CODECOPY")
            + call(kind, target, gas, input_size=len(data), value=value)
            + end
        )

    return with_data(code, data)


A, B, C = (bytes([0xAA + index]) * 20 for index in range(3))
WRITE = b"w\x01\x02l\x05"


def test_call_reaches_a_native_module_which_writes_and_logs():
    it = world({A: calling("CALL", NATIVE[0], WRITE)})
    outcome = it.transact(A)
    assert outcome.success and outcome.return_data == (1).to_bytes(32, "big") + WRITE
    assert it.store.values == {(NATIVE[0], 1): 2}
    assert [(log.address, log.topics[0][-1], log.data) for log in outcome.logs] == [(NATIVE[0], 5, b"native")]
    assert it.store.depth == 0


@pytest.mark.parametrize("fork", ["paris", "prague"])
@pytest.mark.parametrize("kind", ["DELEGATECALL", "CALLCODE"])
def test_attack_native_delegatecall_is_refused_and_call_is_not(kind, fork):
    """A contract that borrows a module's code would act with another msg.sender and the module's authority."""
    it = world({A: calling(kind, NATIVE[0], WRITE), B: calling("CALL", NATIVE[0], WRITE)}, fork)
    refused = it.transact(A)
    assert refused.success and refused.return_data[:32] == bytes(32)
    assert decode(["string"], refused.return_data[36:]) == ("native module: not by DELEGATECALL or CALLCODE",)
    assert it.store.values == {} and refused.logs == ()
    accepted = it.transact(B)
    assert accepted.return_data[31] == 1 and it.store.values == {(NATIVE[0], 1): 2}


def test_attack_native_delegatecall_through_a_proxy_chain():
    """The proxy is called normally, and only then delegates: still not the module's own frame."""
    it = world({A: calling("CALL", B, b""), B: calling("DELEGATECALL", NATIVE[0], WRITE)})
    outcome = it.transact(A)
    assert outcome.return_data[31] == 1
    assert it.store.values == {}


def test_attack_native_value_is_refused_and_stays_with_the_sender():
    it = world({A: calling("CALL", NATIVE[0], WRITE, value=1)}, balance=10)
    refused = it.transact(A)
    assert refused.return_data[:32] == bytes(32)
    assert decode(["string"], refused.return_data[36:]) == ("native module: takes no value",)
    assert it.state.balance_wei(A) == 10 and it.state.balance_wei(NATIVE[0]) == 0 and it.store.values == {}
    direct = it.transact(NATIVE[0], WRITE, value=3)
    assert direct.failure is CallFailure.REVERTED and it.state.balance_wei(NATIVE[0]) == 0
    assert it.transact(NATIVE[0], WRITE).success


@pytest.mark.parametrize(("program", "allowed"), [(b"w\x01\x02", False), (b"l\x01", False), (b"", True)])
def test_attack_native_static_call_state_change_is_refused(program, allowed):
    it = world({A: calling("STATICCALL", NATIVE[0], program), B: calling("CALL", NATIVE[0], program)})
    outcome = it.transact(A)
    assert outcome.return_data[31] == allowed
    assert it.store.values == {} and outcome.logs == ()
    assert it.transact(B).return_data[31] == 1


def test_static_is_inherited_through_contracts_and_modules():
    deep = {A: calling("STATICCALL", B, b""), B: calling("CALL", NATIVE[0], WRITE, finish=assemble(0, "SSTORE"))}
    it = world(deep)
    it.transact(A)
    assert it.store.values == {}
    it = world({A: calling("CALL", NATIVE[0], WRITE), B: calling("CALL", NATIVE[1], WRITE)})
    assert it.transact(NATIVE[1], b"k" + A + b"\x01").success  # the module calls A statically
    assert it.store.values == {}
    assert it.transact(NATIVE[1], b"k" + A + b"\x00").success
    assert it.store.values == {(NATIVE[0], 1): 2}


def test_a_revert_carries_the_modules_data_and_returns_gas():
    it = world({})
    outcome = it.transact(NATIVE[0], WRITE + b"r", gas=200_000)
    assert (outcome.failure, outcome.return_data, outcome.logs) == (CallFailure.REVERTED, b"refused", ())
    assert outcome.gas_used < 50_000
    assert it.store.values == {} and it.store.depth == 0


def test_out_of_gas_inside_a_module_undoes_it_and_burns_the_gas():
    it = world({})
    enough = it.transact(NATIVE[0], WRITE)
    outcome = it.transact(NATIVE[0], b"w\x09\x09" + WRITE, gas=enough.gas_used + 10)
    assert outcome.failure is CallFailure.OUT_OF_GAS and outcome.gas_used == enough.gas_used + 10
    assert it.store.values == {(NATIVE[0], 1): 2}


def test_any_other_exception_halts_instead_of_becoming_a_revert():
    it = world({A: calling("CALL", NATIVE[0], b"x")})
    with pytest.raises(ZeroDivisionError):
        it.transact(A)


def test_a_call_leaves_the_attached_stores_as_they_were():
    it = world({A: calling("CALL", NATIVE[0], WRITE)})
    before = it.state.state_root()
    result = it.state.call(CallMessage(FUNDED, A))
    assert result.success and result.return_data[31] == 1
    assert it.store.values == {} and it.store.depth == 0 and it.state.state_root() == before


def test_module_with_a_wrong_address_or_on_a_precompile_is_refused():
    with pytest.raises(ValueError):
        EvmRules("prague", 1, {NATIVE[1]: Recorder(NATIVE[0], JournaledMap())})
    one = bytes(19) + b"\x01"
    with pytest.raises(ValueError):
        EvmRules("prague", 1, {one: Recorder(one, JournaledMap())})
    with pytest.raises(ValueError):
        EvmRules("homestead", 1)


# --- the random call tree


@dataclass
class Frame:
    """A contract of the tree: what it does in order, and how it ends."""

    actions: list[tuple[str, Any]]
    ending: str
    address: bytes = b""
    gas: int = 0


@dataclass
class Program:
    """What a native module is told to do."""

    module: int
    operations: list[tuple[str, Any]] = field(default_factory=list)


SLOTS = st.integers(0, 3)
KINDS = st.sampled_from(["CALL", "STATICCALL", "DELEGATECALL", "CALLCODE", "VALUE"])
MAX_DEPTH = 4


def programs(depth: int):
    plain = st.one_of(
        st.tuples(st.just("w"), st.tuples(SLOTS, st.integers(1, 9))),
        st.tuples(st.just("l"), st.integers(0, 9)),
        st.tuples(st.just("r"), st.none()),
    )
    if depth:
        nested = st.one_of(
            st.tuples(st.just("k"), st.tuples(frames(depth - 1), st.booleans())),
            st.tuples(st.just("s"), st.deferred(lambda: programs(depth - 1))),
        )
        plain = st.one_of(plain, plain, nested)
    return st.builds(Program, st.integers(0, len(NATIVE) - 1), st.lists(plain, max_size=3))


def frames(depth: int):
    plain = st.one_of(
        st.tuples(st.just("store"), st.tuples(SLOTS, st.integers(1, 9))),
        st.tuples(st.just("log"), st.integers(0, 9)),
    )
    children = st.tuples(KINDS, programs(depth))
    if depth:
        children = st.one_of(children, children, st.tuples(KINDS, st.deferred(lambda: frames(depth - 1))))
    actions = st.one_of(plain, children)
    return st.builds(
        Frame,
        st.lists(actions, max_size=4),
        st.sampled_from(["return", "return", "return", "revert", "invalid"]),
    )


class Builder:
    """Gives each frame an address, and its code."""

    def __init__(self):
        self.contracts: dict[bytes, bytes] = {}

    def place(self, frame: Frame, gas: int) -> bytes:
        frame.address = (0x200000 + len(self.contracts)).to_bytes(20, "big")
        self.contracts[frame.address] = b""
        parts, data = [], b""
        for name, argument in frame.actions:
            if name == "store":
                parts.append(lambda _, a=argument: assemble(a[1], a[0], "SSTORE"))
            elif name == "log":
                parts.append(lambda _, a=argument: assemble(a, 0, 0, "LOG1"))
            else:
                native = isinstance(argument, Program)
                target = NATIVE[argument.module] if native else self.place(argument, gas // SHARE)
                payload = self.encode(argument, gas // SHARE) if native else b""
                kind, value = ("CALL", 1) if name == "VALUE" else (name, 0)
                parts.append(
                    lambda base, at=len(data), size=len(payload), t=target, k=kind, v=value: (
                        assemble(push_width(size), push_width(base + at), 0, "CODECOPY")
                        + call(k, t, gas // SHARE, input_size=size, value=v)
                        + assemble("POP")
                    )
                )
                data += payload
        ending = {
            "return": assemble(0, 0, "RETURN"),
            "revert": assemble(0, 0, "REVERT"),
            "invalid": assemble("INVALID"),
        }
        length = sum(len(part(0)) for part in parts) + len(ending[frame.ending])
        self.contracts[frame.address] = b"".join(part(length) for part in parts) + ending[frame.ending] + data
        return frame.address

    def encode(self, program: Program, gas: int) -> bytes:
        encoded = b""
        for name, argument in program.operations:
            if name == "w":
                encoded += b"w" + bytes(argument)
            elif name == "l":
                encoded += b"l" + bytes([argument])
            elif name == "r":
                encoded += b"r"
            elif name == "k":
                encoded += b"k" + self.place(argument[0], gas // (2 * SHARE)) + bytes([argument[1]])
            else:
                inner = self.encode(argument, gas // (2 * SHARE))
                encoded += b"s" + len(inner).to_bytes(2, "big") + inner
        return encoded


class Model:
    """Says what must be left, by copying everything at every call."""

    def __init__(self, balances):
        self.storage, self.native, self.logs, self.balances = {}, {}, [], balances

    def attempt(self, run) -> None:
        kept = dict(self.storage), dict(self.native), list(self.logs), dict(self.balances)
        if not run():
            self.storage, self.native, self.logs, self.balances = kept

    def frame(self, frame: Frame, storage_address: bytes, static: bool, value: int = 0) -> bool:
        for name, argument in frame.actions:
            if name == "store":
                if static:
                    return False
                self.storage[storage_address, argument[0]] = argument[1]
            elif name == "log":
                if static:
                    return False
                self.logs.append((storage_address, argument))
            else:
                if name == "VALUE" and static:
                    return False
                self.attempt(lambda n=name, a=argument: self.child(n, a, storage_address, static))
        return frame.ending == "return"

    def child(self, kind, argument, parent: bytes, static: bool) -> bool:
        static = static or kind == "STATICCALL"
        if isinstance(argument, Program):
            return kind in ("CALL", "STATICCALL") and self.program(argument, argument.module, static)
        if kind == "VALUE":
            if not self.balances.get(parent, 0):
                return False
            self.balances[parent] -= 1
            self.balances[argument.address] = self.balances.get(argument.address, 0) + 1
        own = parent if kind in ("DELEGATECALL", "CALLCODE") else argument.address
        return self.frame(argument, own, static)

    def program(self, program: Program, module: int, static: bool) -> bool:
        for name, argument in program.operations:
            if name in ("w", "l") and static:
                return False
            if name == "w":
                self.native[NATIVE[module], argument[0]] = argument[1]
            elif name == "l":
                self.logs.append((NATIVE[module], argument))
            elif name == "r":
                return False
            elif name == "k":
                inner, inner_static = argument
                self.attempt(lambda f=inner, s=inner_static: self.frame(f, f.address, static or s))
            else:
                self.attempt(lambda p=argument: self.program(p, module, static))
        return True


@pytest.mark.long
@given(st.lists(frames(MAX_DEPTH), min_size=1, max_size=3), st.sampled_from(["paris", "prague"]))
@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
def test_property_random_call_tree_leaves_what_the_model_says(roots, fork):
    builder = Builder()
    for root in roots:
        builder.place(root, GAS // 4)
    it = world(builder.contracts, fork, balance=2)
    model = Model(dict.fromkeys(builder.contracts, 2))
    for root in roots:
        outcome = it.transact(root.address)
        model.logs = []
        expected = []
        model.attempt(lambda r=root: expected.append(model.frame(r, r.address, False)) or expected[0])
        assert outcome.success == expected[0]
        assert it.store.values == model.native
        assert it.store.depth == 0
        assert [(log.address, log.topics[0][-1]) for log in outcome.logs] == model.logs
        for address in builder.contracts:
            assert it.state.balance_wei(address) == model.balances[address]
            for slot in range(4):
                assert it.state.storage(address, slot) == model.storage.get((address, slot), 0)
