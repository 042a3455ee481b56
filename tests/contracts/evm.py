"""One EVM without blocks: deploy, call and read events at a time that the test sets.

Every transaction is a message to py-evm's own computation; warm addresses and slots are forgotten in between. Its most
common instructions run in the hub's loop, but with HUTONG_PLAIN_EVM=1, as CI also runs these tests.
"""

import copy
import itertools
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from eth.abc import ComputationAPI, StateAPI
from eth.db.atomic import AtomicDB
from eth.db.backends.memory import MemoryDB
from eth.vm.computation import BaseComputation
from eth.vm.execution_context import ExecutionContext
from eth.vm.forks import ParisVM, PragueVM
from eth.vm.message import Message
from eth_abi.abi import decode, encode

from hutong.contracts.artifacts import ContractArtifact, artifact_names, load_artifact
from hutong.light_clients.crypto import keccak256
from hutong.relay.evm.vm.frames import BoundedFrames
from hutong.relay.evm.vm.instructions import loop_costs

PLAIN = {"paris": ParisVM.get_state_class(), "prague": PragueVM.get_state_class()}


class KeptFrames(BoundedFrames):
    """The hub's frames, which stay in `children`: tests ask whom a transaction reached."""

    add_child_computation = BaseComputation.add_child_computation


def quick(plain: type[StateAPI]) -> type[StateAPI]:
    stock = plain.computation_class
    computation = type("QuickComputation", (KeptFrames, stock), {"loop_costs": loop_costs(stock.opcodes)})
    return type("QuickState", (plain,), {"computation_class": computation})


QUICK = {fork: quick(plain) for fork, plain in PLAIN.items()}
STATES = PLAIN if os.environ.get("HUTONG_PLAIN_EVM") == "1" else QUICK
GAS = 30_000_000
INTRINSIC_GAS = 21_000
SENDER = b"\x11" * 20
TEST_ARTIFACTS = Path(__file__).resolve().parents[2] / "contracts" / "test" / "artifacts"
EMPTY_ROOT = keccak256(b"\x80")


@cache
def artifact(name: str) -> ContractArtifact:
    """A shipped contract, or one that only tests use."""
    if name in artifact_names():
        return load_artifact(name)
    fields = json.loads((TEST_ARTIFACTS / f"{name}.json").read_text())
    return ContractArtifact(
        name,
        fields["source"],
        fields["abi"],
        bytes.fromhex(fields["bytecode"]),
        bytes.fromhex(fields["deployedBytecode"]),
    )


def type_of(parameter: dict[str, Any]) -> str:
    """Canonical ABI type, tuples spelled out."""
    kind = parameter["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(map(type_of, parameter['components']))}){kind[5:]}"


def signature_of(entry: dict[str, Any]) -> str:
    return f"{entry['name']}({','.join(map(type_of, entry['inputs']))})"


@cache
def known_errors() -> dict[bytes, dict[str, Any]]:
    names = [*artifact_names(), *(path.stem for path in TEST_ARTIFACTS.glob("*.json"))]
    entries = [entry for name in names for entry in artifact(name).abi if entry["type"] == "error"]
    return {keccak256(signature_of(entry).encode())[:4]: entry for entry in entries}


def called_by(computation: ComputationAPI) -> Iterator[bytes]:
    """Addresses whose code ran, at any depth."""
    for child in computation.children:
        yield child.msg.code_address
        yield from called_by(child)


@dataclass
class Reverted(Exception):
    """The transaction reverted. `name` is the custom error, `Error`, `Panic`, or empty."""

    data: bytes
    name: str = ""
    arguments: tuple[Any, ...] = ()
    gas_used: int = 0
    reached: frozenset[bytes] = frozenset()
    """Contracts that were called on the way."""

    @classmethod
    def of(cls, data: bytes, gas_used: int) -> "Reverted":
        entry = known_errors().get(data[:4])
        if entry is not None:
            try:
                arguments = decode([type_of(p) for p in entry["inputs"]], data[4:])
            except UnicodeDecodeError:
                arguments = ("text that is no UTF-8",)
            return cls(data, entry["name"], arguments, gas_used)
        if data[:4] == bytes.fromhex("4e487b71"):
            return cls(data, "Panic", decode(["uint256"], data[4:]), gas_used)
        return cls(data, "", (), gas_used)

    def __str__(self) -> str:
        return f"{self.name}{self.arguments}" if self.name else f"no known reason: 0x{self.data[:64].hex()}"


@dataclass(frozen=True)
class Event:
    """One decoded log; arguments by name, indexed dynamic ones as their hash."""

    address: bytes
    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What a transaction did. `gas_used` includes the intrinsic gas of a transaction."""

    value: Any
    events: tuple[Event, ...]
    gas_used: int

    def named(self, name: str) -> list[dict[str, Any]]:
        return [event.arguments for event in self.events if event.name == name]


@dataclass
class Evm:
    """Accounts and contracts under one fork."""

    fork: str = "paris"
    timestamp_s: int = 1_700_000_000
    chain_id: int = 1337
    contracts: dict[bytes, "Contract"] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._nonce = itertools.count(1)
        self._open({}, EMPTY_ROOT)

    def _open(self, stored: dict[bytes, bytes], root: bytes) -> None:
        self._stored = stored
        self._state = STATES[self.fork](AtomicDB(MemoryDB(stored)), self._context(), root)

    def __deepcopy__(self, memo: dict[int, Any]) -> "Evm":
        """With all accounts as they are now: what both share is laid down, and each goes on from there."""
        self._state.persist()
        copied = memo[id(self)] = Evm(self.fork, self.timestamp_s, self.chain_id)
        copied._nonce = copy.copy(self._nonce)  # noqa: SLF001  another one of this class
        copied._open(dict(self._stored), self._state.state_root)  # noqa: SLF001  likewise
        copied.contracts = copy.deepcopy(self.contracts, memo)
        return copied

    def _context(self) -> ExecutionContext:
        return ExecutionContext(
            coinbase=b"\xc0" * 20,
            timestamp=self.timestamp_s,
            block_number=100,
            difficulty=0,
            mix_hash=bytes(32),
            gas_limit=GAS,
            prev_hashes=(),
            chain_id=self.chain_id,
            base_fee_per_gas=0,
            excess_blob_gas=0,
        )

    def deploy(self, name: str, *arguments: Any) -> "Contract":
        """Deploy an artifact with constructor arguments."""
        compiled = artifact(name)
        inputs = next((entry["inputs"] for entry in compiled.abi if entry["type"] == "constructor"), [])
        address = keccak256(b"contract" + next(self._nonce).to_bytes(8, "big"))[12:]
        message = Message(
            gas=GAS,
            to=b"",
            sender=SENDER,
            value=0,
            data=b"",
            code=compiled.bytecode + encode([type_of(p) for p in inputs], arguments),
            create_address=address,
        )
        self._run(message, keep=True)
        contract = Contract(self, address, compiled)
        self.contracts[address] = contract
        return contract

    def send(
        self, to: bytes, data: bytes, *, sender: bytes = SENDER, gas: int = GAS, keep: bool = True
    ) -> ComputationAPI:
        """Run a message; raises Reverted."""
        message = Message(gas=gas, to=to, sender=sender, value=0, data=data, code=self._state.get_code(to))
        return self._run(message, keep=keep)

    def _run(self, message: Message, *, keep: bool) -> ComputationAPI:
        self._state.execution_context = self._context()
        for address in (message.sender, message.storage_address, *self._precompiles()):
            self._state.mark_address_warm(address)
        context = self._state.transaction_context_class(0, message.sender)
        snapshot = self._state.snapshot()
        apply = self._state.computation_class
        run = apply.apply_create_message if message.is_create else apply.apply_message
        computation = run(self._state, message, context)
        if computation.is_error or not keep:
            self._state.revert(snapshot)
        else:
            self._state.commit(snapshot)
        self._state.lock_changes()
        if computation.is_error:
            error = Reverted.of(computation.output, message.gas - computation.get_gas_remaining())
            error.reached = frozenset(called_by(computation))
            raise error
        return computation

    def _precompiles(self) -> Iterator[bytes]:
        yield from (number.to_bytes(20, "big") for number in range(1, 10))

    def storage(self, address: bytes, slot: int) -> int:
        return self._state.get_storage(address, slot)

    def has_code(self, address: bytes) -> bool:
        return bool(self._state.get_code(address))

    def delete_code(self, address: bytes) -> None:
        """What SELFDESTRUCT does to a contract; the compiler no longer lets one be written without a warning."""
        self._state.delete_account(address)
        self._state.lock_changes()

    @contextmanager
    def at(self, timestamp_s: int) -> Iterator[None]:
        """Another block time for a while."""
        before, self.timestamp_s = self.timestamp_s, timestamp_s
        try:
            yield
        finally:
            self.timestamp_s = before


@dataclass
class Contract:
    """A deployed contract, called by function name; overloads are told apart by their number of arguments."""

    evm: Evm
    address: bytes
    compiled: ContractArtifact

    def __deepcopy__(self, memo: dict[int, Any]) -> "Contract":
        copied = memo[id(self)] = Contract(copy.deepcopy(self.evm, memo), self.address, self.compiled)
        return copied

    @property
    def text(self) -> str:
        return f"0x{self.address.hex()}"

    def function(self, name: str, count: int) -> dict[str, Any]:
        return next(
            entry
            for entry in self.compiled.abi
            if entry["type"] == "function" and entry["name"] == name and len(entry["inputs"]) == count
        )

    def selector(self, name: str, count: int) -> bytes:
        return keccak256(signature_of(self.function(name, count)).encode())[:4]

    def calldata(self, name: str, *arguments: Any) -> bytes:
        entry = self.function(name, len(arguments))
        return self.selector(name, len(arguments)) + encode([type_of(p) for p in entry["inputs"]], arguments)

    def transact(
        self, name: str, *arguments: Any, sender: bytes = SENDER, gas: int = GAS, keep: bool = True
    ) -> Outcome:
        """Run a function; raises Reverted."""
        data = self.calldata(name, *arguments)
        computation = self.evm.send(self.address, data, sender=sender, gas=gas, keep=keep)
        outputs = self.function(name, len(arguments))["outputs"]
        values = decode([type_of(p) for p in outputs], computation.output) if outputs else ()
        intrinsic = INTRINSIC_GAS + sum(16 if byte else 4 for byte in data)
        return Outcome(
            values[0] if len(values) == 1 else values,
            tuple(self.evm_events(computation)),
            gas - computation.get_gas_remaining() + intrinsic,
        )

    def call(self, name: str, *arguments: Any, sender: bytes = SENDER) -> Any:
        """Run a function and forget what it did."""
        return self.transact(name, *arguments, sender=sender, keep=False).value

    def evm_events(self, computation: ComputationAPI) -> Iterator[Event]:
        for address, topics, data in computation.get_log_entries():
            contract = self.evm.contracts.get(address)
            if contract is None:
                continue
            yield contract.decode_event(topics, data)

    def decode_event(self, topics: list[int], data: bytes) -> Event:
        first = topics[0].to_bytes(32, "big")
        entry = next(
            entry
            for entry in self.compiled.abi
            if entry["type"] == "event" and keccak256(signature_of(entry).encode()) == first
        )
        indexed = [p for p in entry["inputs"] if p["indexed"]]
        plain = [p for p in entry["inputs"] if not p["indexed"]]
        arguments = dict(zip([p["name"] for p in plain], decode([type_of(p) for p in plain], data), strict=True))
        for parameter, topic in zip(indexed, topics[1:], strict=True):
            word = topic.to_bytes(32, "big")
            kind = type_of(parameter)
            hashed = kind in ("string", "bytes") or kind.endswith(("]", ")"))
            arguments[parameter["name"]] = word if hashed else decode([kind], word)[0]
        return Event(self.address, entry["name"], arguments)
