"""The genesis document (docs/spec/hub-genesis.md): parsed strictly, every field bounded, unknown ones refused."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from light_clients.crypto import sha256
from light_clients.interface import MalformedInput
from light_clients.interface.interpreter import unfit_interpreter
from light_clients.interface.json_text import parse_json
from light_clients.tendermint.types import MAX_CHAIN_ID_BYTES, MAX_TOTAL_VOTING_POWER, KeyType, PublicKey
from relay.evm.native import Address
from relay.evm.stack import EVM_RECURSION_LIMIT, EVM_STACK_BYTES
from relay.evm.work_prices import TRANSACTION_MAX_GAS
from relay.hub.application import rules_versions
from relay.hub.application.admin import AdminSet
from relay.hub.application.consensus_libraries import library_table, unfit_library
from relay.hub.application.fees import NOBODY, FeeRules
from relay.hub.application.governance.constitution import (
    MAX_VOTING_PERIOD_S,
    MIN_VOTING_PERIOD_S,
    Constitution,
)
from relay.hub.application.named_code import LAST_RESERVED_ADDRESS, MAX_GENESIS_NAMES, CodeRules
from relay.hub.application.revision import Continuation, next_chain_id
from relay.hub.application.self_test import corpus_hash
from relay.hub.application.validators import MAX_VALIDATORS

FORMAT = "hutong-hub-genesis-1"
RULES_VERSION = rules_versions.NEWEST
"""Of new hubs."""
MAX_GENESIS_BYTES = 4 * 1024 * 1024
MAX_ALLOCATIONS = 10_000
MAX_BLOCK_INTERVAL_MS = 5_000
MAX_BLOCK_GAS = 100_000_000
MAX_GENESIS_BASE_FEE_WEI = 10**18
"""A unit of gas for one whole coin: above it is a slip of the pen. What it may rise to is bounded by what senders can pay."""
DAY_S = 24 * 3600

_CHAIN_ID = re.compile(r"[A-Za-z0-9_]+(-[A-Za-z0-9_]+)*-[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class GenesisValidator:
    public_key: PublicKey
    power: int


@dataclass(frozen=True, slots=True)
class HubParams:
    """What every validator must agree on beside the rules."""

    block_interval_ms: int = 1_000
    proof_block_delay_ms: int = 200
    block_max_bytes: int = 4 * 1024 * 1024
    block_max_gas: int = TRANSACTION_MAX_GAS
    """Of the gas limits in a block. At the hub's prices a full block executes within seconds (docs/spec/hub-genesis.md)."""
    transaction_max_gas: int = TRANSACTION_MAX_GAS
    unbonding_period_s: int = 21 * DAY_S
    """For this long a removed validator stays accountable; clients of the hub trust for less."""
    trusting_period_s: int = 7 * DAY_S


@dataclass(frozen=True, slots=True)
class RuntimeRules:
    """What a Python node must have for its verdicts to be those of every other (design rule 11)."""

    recursion_limit: int
    thread_stack_bytes: int
    self_test_corpus: bytes
    libraries: tuple[tuple[str, str], ...]


def runtime_rules(rules_version: int) -> RuntimeRules:
    """Those of this code for a genesis of one of `rules_versions.ALL`."""
    return RuntimeRules(EVM_RECURSION_LIMIT, EVM_STACK_BYTES, corpus_hash(rules_version), library_table(rules_version))


@dataclass(frozen=True, slots=True)
class Genesis:
    """A parsed document; `digest` is the SHA-256 of its canonical JSON, the hash of Ethereum block 0."""

    chain_id: str
    evm_chain_id: int
    genesis_time_ns: int
    validators: tuple[GenesisValidator, ...]
    admins: AdminSet | None
    params: HubParams
    rules_version: int
    runtime: RuntimeRules
    allocations: tuple[tuple[Address, int], ...]
    fees: FeeRules | None = None
    """None: gas costs nothing."""
    constitution: Constitution | None = None
    """Instead of admins, where the validators govern."""
    continues: Continuation | None = None
    code: CodeRules | None = None
    """From rules version 3 on. None: `code_rules` says what holds."""

    @property
    def code_rules(self) -> CodeRules:
        """Who may run code, for the first block that asks: nobody but native modules where gas is free, unless genesis says."""
        return CodeRules(is_open=self.fees is not None) if self.code is None else self.code

    @property
    def digest(self) -> bytes:
        return sha256(encode_genesis(self))

    @property
    def origin(self) -> bytes:
        """Digest of the first revision's document, which the state keeps."""
        return self.digest if self.continues is None else self.continues.origin

    @property
    def base_height(self) -> int:
        """The first block is the one after it."""
        return 0 if self.continues is None else self.continues.height


def encode_genesis(genesis: Genesis) -> bytes:
    """Canonical JSON: sorted keys, no spaces, a line break at the end."""
    document: dict[str, Any] = {
        "format": FORMAT,
        "chain_id": genesis.chain_id,
        "evm_chain_id": genesis.evm_chain_id,
        "genesis_time_ns": str(genesis.genesis_time_ns),
        "validators": [
            {"public_key": validator.public_key.data.hex(), "power": validator.power}
            for validator in genesis.validators
        ],
        "params": {name: getattr(genesis.params, name) for name in HubParams.__slots__},
        "rules": {
            "version": genesis.rules_version,
            "recursion_limit": genesis.runtime.recursion_limit,
            "thread_stack_bytes": genesis.runtime.thread_stack_bytes,
            "self_test_corpus": genesis.runtime.self_test_corpus.hex(),
            "libraries": dict(genesis.runtime.libraries),
        },
        "alloc": {f"0x{address.hex()}": str(balance) for address, balance in genesis.allocations},
    }
    if genesis.fees is not None:
        document["fees"] = {
            "base_fee_wei": str(genesis.fees.base_fee_wei),
            "recipient": f"0x{genesis.fees.recipient.hex()}",
        }
    if genesis.admins is not None:
        document["admins"] = {
            "addresses": [f"0x{address.hex()}" for address in genesis.admins.addresses],
            "threshold": genesis.admins.threshold,
        }
    if genesis.constitution is not None:
        document["governance"] = {
            "operators": {key.hex(): f"0x{account.hex()}" for key, account in genesis.constitution.operators},
            "voting_period_s": genesis.constitution.voting_period_s,
        }
    if genesis.code is not None:
        document["code"] = {
            "open": genesis.code.is_open,
            "deployers": [f"0x{account.hex()}" for account in genesis.code.deployers],
            "contracts": [f"0x{contract.hex()}" for contract in genesis.code.contracts],
        }
    if genesis.continues is not None:
        document["continues"] = {
            "chain_id": genesis.continues.chain_id,
            "height": genesis.continues.height,
            "block_hash": genesis.continues.block_hash.hex(),
            "app_hash": genesis.continues.app_hash.hex(),
            "origin": genesis.continues.origin.hex(),
        }
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode() + b"\n"


class _Fields:
    """An object of the document: every known field is taken once, what is left over is refused."""

    def __init__(self, value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise MalformedInput(path, "is not an object")
        self._left: dict[str, Any] = dict(value)
        self._path = path

    def has(self, name: str) -> bool:
        return name in self._left

    def field(self, name: str) -> str:
        return f"{self._path}.{name}" if self._path else name

    def take(self, name: str) -> Any:
        if name not in self._left:
            raise MalformedInput(self.field(name), "is missing")
        return self._left.pop(name)

    def integer(self, name: str, low: int, high: int) -> int:
        value = self.take(name)
        if type(value) is not int or not low <= value <= high:
            raise MalformedInput(self.field(name), f"an integer from {low} to {high}", got=value)
        return value

    def decimal(self, name: str, low: int, high: int) -> int:
        return parse_decimal(self.take(name), self.field(name), low, high)

    def text(self, name: str, max_chars: int) -> str:
        value = self.take(name)
        if not isinstance(value, str) or len(value) > max_chars:
            raise MalformedInput(self.field(name), f"text of at most {max_chars} characters")
        return value

    def hexadecimal(self, name: str, size: int) -> bytes:
        return _hex(self.take(name), self.field(name), size)

    def items(self, name: str, most: int) -> list[Any]:
        value = self.take(name)
        if not isinstance(value, list) or len(value) > most:
            raise MalformedInput(self.field(name), f"a list of at most {most}")
        return value

    def end(self) -> None:
        if self._left:
            raise MalformedInput(self.field(min(self._left)), "is not a known field")


def parse_decimal(value: Any, field: str, low: int, high: int) -> int:
    if not isinstance(value, str) or not re.fullmatch(r"0|[1-9][0-9]{0,77}", value):
        raise MalformedInput(field, "a decimal number as text", got=value)
    number = int(value)
    if not low <= number <= high:
        raise MalformedInput(field, f"from {low} to {high}", got=value)
    return number


def _hex(value: Any, field: str, size: int) -> bytes:
    if not isinstance(value, str) or not re.fullmatch(f"[0-9a-f]{{{2 * size}}}", value):
        raise MalformedInput(field, f"{size} bytes in lower-case hex", got=value)
    return bytes.fromhex(value)


def _address(value: Any, field: str) -> Address:
    if not isinstance(value, str) or not value.startswith("0x"):
        raise MalformedInput(field, "an address 0x…", got=value)
    return _hex(value[2:].lower(), field, 20)


def decode_genesis(data: bytes) -> Genesis:
    """Parse any layout of the document; what it says must be canonical only in its values. Raises MalformedInput."""
    document = parse_json(data, "genesis", MAX_GENESIS_BYTES)
    root = _Fields(document, "")
    if root.take("format") != FORMAT:
        raise MalformedInput("format", "unknown", expected=FORMAT)
    chain_id = root.text("chain_id", MAX_CHAIN_ID_BYTES)
    if _CHAIN_ID.fullmatch(chain_id) is None:
        raise MalformedInput("chain_id", "must look like name-1", got=chain_id)
    governed = root.has("governance")
    genesis = Genesis(
        chain_id=chain_id,
        evm_chain_id=root.integer("evm_chain_id", 1, 2**53),
        genesis_time_ns=root.decimal("genesis_time_ns", 1, 2**63 - 1),
        validators=tuple(_validators(root.items("validators", MAX_VALIDATORS))),
        admins=None if governed else _admins(_Fields(root.take("admins"), "admins")),
        params=_params(_Fields(root.take("params"), "params")),
        **_rules(_Fields(root.take("rules"), "rules")),
        allocations=tuple(_allocations(root.take("alloc"))),
        fees=_fees(_Fields(root.take("fees"), "fees")) if root.has("fees") else None,
        constitution=_constitution(_Fields(root.take("governance"), "governance")) if governed else None,
        continues=_continuation(_Fields(root.take("continues"), "continues")) if root.has("continues") else None,
        code=_code(_Fields(root.take("code"), "code")) if root.has("code") else None,
    )
    root.end()
    if genesis.constitution is not None:
        named = [key for key, _ in genesis.constitution.operators]
        if named != sorted(validator.public_key.data for validator in genesis.validators):
            raise MalformedInput("governance.operators", "must name each validator's key, and no other")
    if genesis.code is not None and genesis.rules_version < rules_versions.BOUNDED_EXECUTION:
        raise MalformedInput("code", "is known from rules version 3 on", got=genesis.rules_version)
    if genesis.continues is not None and next_chain_id(genesis.continues.chain_id) != chain_id:
        raise MalformedInput("continues.chain_id", "the chain id must be of its next revision", got=chain_id)
    return genesis


def _validators(items: list[Any]) -> list[GenesisValidator]:
    found = []
    for index, item in enumerate(items):
        fields = _Fields(item, f"validators[{index}]")
        key = fields.hexadecimal("public_key", 33)
        if key[0] not in (2, 3):
            raise MalformedInput(fields.field("public_key"), "is not a compressed secp256k1 key", got=key)
        power = fields.integer("power", 1, MAX_TOTAL_VOTING_POWER)
        fields.end()
        found.append(GenesisValidator(PublicKey(KeyType.SECP256K1, key), power))
    if not found:
        raise MalformedInput("validators", "is empty")
    if len({validator.public_key for validator in found}) != len(found):
        raise MalformedInput("validators", "has a key twice")
    if sum(validator.power for validator in found) > MAX_TOTAL_VOTING_POWER:
        raise MalformedInput("validators", f"total power above {MAX_TOTAL_VOTING_POWER}")
    return found


def _admins(fields: _Fields) -> AdminSet:
    items = fields.items("addresses", 64)
    addresses = tuple(_address(item, f"admins.addresses[{index}]") for index, item in enumerate(items))
    threshold = fields.integer("threshold", 1, 64)
    fields.end()
    try:
        return AdminSet(addresses, threshold)
    except ValueError as error:
        raise MalformedInput("admins", str(error)) from error


def _constitution(fields: _Fields) -> Constitution:
    operators = fields.take("operators")
    if not isinstance(operators, dict) or len(operators) > MAX_VALIDATORS:
        raise MalformedInput("governance.operators", f"an object of at most {MAX_VALIDATORS} accounts")
    named = sorted(
        (_hex(key, "governance.operators", 33), _address(account, f"governance.operators.{key}"))
        for key, account in operators.items()
    )
    period_s = fields.integer("voting_period_s", MIN_VOTING_PERIOD_S, MAX_VOTING_PERIOD_S)
    fields.end()
    try:
        return Constitution(tuple(named), period_s)
    except ValueError as error:
        raise MalformedInput("governance.operators", str(error)) from error


def _continuation(fields: _Fields) -> Continuation:
    continues = Continuation(
        chain_id=fields.text("chain_id", MAX_CHAIN_ID_BYTES),
        height=fields.integer("height", 1, 2**53),
        block_hash=fields.hexadecimal("block_hash", 32),
        app_hash=fields.hexadecimal("app_hash", 32),
        origin=fields.hexadecimal("origin", 32),
    )
    fields.end()
    if _CHAIN_ID.fullmatch(continues.chain_id) is None:
        raise MalformedInput("continues.chain_id", "must look like name-1", got=continues.chain_id)
    return continues


def _params(fields: _Fields) -> HubParams:
    params = HubParams(
        block_interval_ms=fields.integer("block_interval_ms", 10, MAX_BLOCK_INTERVAL_MS),
        proof_block_delay_ms=fields.integer("proof_block_delay_ms", 0, MAX_BLOCK_INTERVAL_MS),
        block_max_bytes=fields.integer("block_max_bytes", 256 * 1024, 4 * 1024 * 1024),
        block_max_gas=fields.integer("block_max_gas", 1_000_000, MAX_BLOCK_GAS),
        transaction_max_gas=fields.integer("transaction_max_gas", 1_000_000, MAX_BLOCK_GAS),
        unbonding_period_s=fields.integer("unbonding_period_s", 2, 10 * 365 * DAY_S),
        trusting_period_s=fields.integer("trusting_period_s", 1, 10 * 365 * DAY_S),
    )
    fields.end()
    if params.trusting_period_s >= params.unbonding_period_s:
        raise MalformedInput("params.trusting_period_s", "must be shorter than the unbonding period")
    if params.transaction_max_gas > params.block_max_gas:
        raise MalformedInput("params.transaction_max_gas", "must not exceed the block's gas")
    if params.proof_block_delay_ms > params.block_interval_ms:
        raise MalformedInput("params.proof_block_delay_ms", "must not exceed the block interval")
    return params


def _rules(fields: _Fields) -> dict[str, Any]:
    version = fields.integer("version", 1, 2**31)
    libraries = fields.take("libraries")
    if not isinstance(libraries, Mapping) or not all(isinstance(v, str) for v in libraries.values()):
        raise MalformedInput("rules.libraries", "an object of text")
    runtime = RuntimeRules(
        recursion_limit=fields.integer("recursion_limit", 1_000, 1_000_000),
        thread_stack_bytes=fields.integer("thread_stack_bytes", 1024 * 1024, 2**40),
        self_test_corpus=fields.hexadecimal("self_test_corpus", 32),
        libraries=tuple(sorted(libraries.items())),
    )
    fields.end()
    return {"rules_version": version, "runtime": runtime}


def _code(fields: _Fields) -> CodeRules:
    is_open = fields.take("open")
    if not isinstance(is_open, bool):
        raise MalformedInput("code.open", "true or false", got=is_open)
    deployers, contracts = (_named(fields, name) for name in ("deployers", "contracts"))
    fields.end()
    return CodeRules(is_open, deployers, contracts)


def _named(fields: _Fields, name: str) -> tuple[Address, ...]:
    path = fields.field(name)
    addresses = [_address(item, path) for item in fields.items(name, MAX_GENESIS_NAMES)]
    if sorted(set(addresses)) != addresses:
        raise MalformedInput(path, "must ascend, each address once")
    for address in addresses:
        if int.from_bytes(address, "big") <= LAST_RESERVED_ADDRESS:
            raise MalformedInput(path, "is a precompile or native module, which is not named", got=address)
    return tuple(addresses)


def _fees(fields: _Fields) -> FeeRules:
    base_fee_wei = fields.decimal("base_fee_wei", 1, MAX_GENESIS_BASE_FEE_WEI)
    recipient = _address(fields.take("recipient"), "fees.recipient")
    if recipient != NOBODY and int.from_bytes(recipient, "big") <= LAST_RESERVED_ADDRESS:
        raise MalformedInput("fees.recipient", "is a precompile or native module, which spends nothing", got=recipient)
    fields.end()
    return FeeRules(base_fee_wei, recipient)


def _allocations(value: Any) -> list[tuple[Address, int]]:
    if not isinstance(value, dict) or len(value) > MAX_ALLOCATIONS:
        raise MalformedInput("alloc", f"an object of at most {MAX_ALLOCATIONS} balances")
    found = {
        _address(address, "alloc"): parse_decimal(balance, f"alloc.{address}", 1, 2**128 - 1)
        for address, balance in value.items()
    }
    if len(found) != len(value):
        raise MalformedInput("alloc", "has an address twice")
    for address in found:
        if int.from_bytes(address, "big") <= LAST_RESERVED_ADDRESS:
            raise MalformedInput("alloc", "is of a precompile or native module, whose account is its own", got=address)
    return sorted(found.items())


class UnfitRuntime(Exception):
    """This process would not reach the verdicts of the chain's other nodes, so it must not start."""


def check_runtime(genesis: Genesis) -> None:
    """Compare what genesis demands with what this code has, and that with what is installed.

    A genesis names the corpus and the libraries of its own rules version. The chain may have taken up a later one since, whose
    corpus the self-test runs as well. Raises UnfitRuntime with one sentence.
    """
    reason = unfit_interpreter()
    if reason is not None:
        raise UnfitRuntime(reason)
    if genesis.rules_version not in rules_versions.ALL:
        known = ", ".join(map(str, rules_versions.ALL))
        raise UnfitRuntime(f"genesis asks for rules version {genesis.rules_version}, this hutong has {known}")
    here = runtime_rules(genesis.rules_version)
    if genesis.runtime.self_test_corpus != here.self_test_corpus:
        raise UnfitRuntime(
            f"genesis names the self-test corpus {genesis.runtime.self_test_corpus.hex()[:16]}…,"
            f" this hutong carries {here.self_test_corpus.hex()[:16]}… for rules version {genesis.rules_version}:"
            " other versions verify differently"
        )
    for name in ("recursion_limit", "thread_stack_bytes"):
        wanted, got = getattr(genesis.runtime, name), getattr(here, name)
        if wanted != got:
            raise UnfitRuntime(f"genesis sets rules.{name} to {wanted}, this hutong has {got}")
    _check_libraries(dict(genesis.runtime.libraries), dict(here.libraries))


def _check_libraries(wanted: dict[str, str], here: dict[str, str]) -> None:
    for name in sorted(wanted.keys() | here.keys()):
        if wanted.get(name) != here.get(name):
            raise UnfitRuntime(
                f"genesis sets rules.libraries.{name} to {wanted.get(name, 'nothing')},"
                f" this hutong has {here.get(name, 'nothing')}: other libraries may judge otherwise"
            )
    reason = unfit_library()
    if reason is not None:
        raise UnfitRuntime(reason)
