"""The genesis document (docs/spec/hub-genesis.md): parsed strictly, every field bounded, unknown ones refused."""

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from hutong.light_clients.crypto import sha256
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.document import Document, HexForm
from hutong.light_clients.interface.interpreter import unfit_interpreter
from hutong.light_clients.interface.json_text import parse_json
from hutong.light_clients.tendermint.types import MAX_TOTAL_VOTING_POWER, KeyType, PublicKey
from hutong.relay.evm.vm.native import Address
from hutong.relay.evm.vm.stack import EVM_RECURSION_LIMIT, EVM_STACK_BYTES
from hutong.relay.evm.vm.work_prices import TRANSACTION_MAX_GAS
from hutong.relay.hub.application.admin import AdminSet
from hutong.relay.hub.application.constitution import MAX_VOTING_PERIOD_S, MIN_VOTING_PERIOD_S, Constitution
from hutong.relay.hub.application.genesis_tables import read_tables, written_tables
from hutong.relay.hub.application.machine.fees import NOBODY, FeeRules
from hutong.relay.hub.application.named_code import LAST_RESERVED_ADDRESS, MAX_GENESIS_NAMES, CodeRules
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.hub.application.revision.consensus_libraries import CHOSEN, GM_LIBRARY, library_table, unfit_library
from hutong.relay.hub.application.revision.revision import Continuation, next_chain_id
from hutong.relay.hub.application.self_test import corpus_hash
from hutong.relay.hub.application.validators import MAX_VALIDATORS

FORMAT = "hutong-hub-genesis-1"
RULES_VERSION = rules_versions.NEWEST
"""Of new hubs."""
MAX_GENESIS_BYTES = 4 * 1024 * 1024
MAX_ALLOCATIONS = 10_000
MAX_LIBRARIES = 1_000
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

    @property
    def chosen(self) -> frozenset[str]:
        """The libraries that a genesis may name or not, and this one does."""
        return frozenset(name for name, _ in self.libraries) & CHOSEN.keys()

    @property
    def has_gm(self) -> bool:
        """Whether the hub offers what SM2 and SM3 are needed for: chains of FISCO BCOS under them."""
        return GM_LIBRARY in self.chosen


def runtime_rules(rules_version: int, chosen: Collection[str] = ()) -> RuntimeRules:
    """What this code demands of a process, for a genesis of one of `rules_versions.ALL`.

    Args:
        chosen: the libraries that the genesis names besides those of its version.

    Raises:
        KeyError: it is another version.
    """
    libraries = library_table(rules_version, chosen)
    corpus = corpus_hash(rules_version, with_gm=GM_LIBRARY in dict(libraries))
    return RuntimeRules(EVM_RECURSION_LIMIT, EVM_STACK_BYTES, corpus, libraries)


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
    tables: tuple[tuple[str, Any], ...] = ()
    """(name, value) of what modules have in it, in order of names: see `genesis_tables`."""

    @property
    def code_rules(self) -> CodeRules:
        """Who may run code, for the first block that asks.

        Unless genesis says: native modules alone where gas is free, else everybody.
        """
        return CodeRules(is_open=self.fees is not None) if self.code is None else self.code

    @property
    def digest(self) -> bytes:
        """SHA-256 (32 bytes) of the canonical JSON, encoded anew each time; the hash of Ethereum block 0."""
        return sha256(encode_genesis(self))

    @property
    def origin(self) -> bytes:
        """Digest of the first revision's document, which the state keeps."""
        return self.digest if self.continues is None else self.continues.origin

    @property
    def base_height(self) -> int:
        """The height that this revision continues from, 0 for a first one: its first block is the next."""
        return 0 if self.continues is None else self.continues.height


def encode_genesis(genesis: Genesis) -> bytes:
    """Canonical JSON: sorted keys, no spaces, a line break at the end. Bounds are not checked."""
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
    document |= written_tables(genesis.tables)
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def _address(document: Document) -> Address:
    return document.hex(20, HexForm.ANY_CASE)


def decode_genesis(data: bytes) -> Genesis:
    """Parse any layout of the document, of at most MAX_GENESIS_BYTES.

    Its values must be canonical, and every member known. What it demands of this process is not looked at
    (`check_runtime`), nor whether the rules version is known.

    Raises:
        MalformedInput: a value is missing, out of its bounds, or contradicts another; names the field.
    """
    document = Document(parse_json(data, "genesis", MAX_GENESIS_BYTES), "")
    with document.members() as fields:
        fields["format"].exactly(FORMAT)
        chain_id = fields["chain_id"].matching(_CHAIN_ID, "a chain id that looks like name-1")
        governance = fields.optional("governance")
        fees, continues, code = (fields.optional(name) for name in ("fees", "continues", "code"))
        version, runtime = _rules(fields["rules"])
        genesis = Genesis(
            chain_id=chain_id,
            evm_chain_id=fields["evm_chain_id"].integer(1, 2**53),
            genesis_time_ns=fields["genesis_time_ns"].decimal(1, 2**63 - 1),
            validators=tuple(_validators(fields["validators"])),
            admins=_admins(fields["admins"]) if governance is None else None,
            params=_params(fields["params"]),
            rules_version=version,
            runtime=runtime,
            allocations=tuple(_allocations(fields["alloc"])),
            fees=None if fees is None else _fees(fees),
            constitution=None if governance is None else _constitution(governance),
            continues=None if continues is None else _continuation(continues),
            code=None if code is None else _code(code),
            tables=read_tables(fields, version),
        )
    if genesis.constitution is not None:
        named = [key for key, _ in genesis.constitution.operators]
        if named != sorted(validator.public_key.data for validator in genesis.validators):
            raise MalformedInput("governance.operators", "must name each validator's key, and no other")
    if genesis.code is not None and genesis.rules_version < rules_versions.BOUNDED_EXECUTION:
        raise MalformedInput("code", "is known from rules version 3 on", got=genesis.rules_version)
    if genesis.continues is not None and next_chain_id(genesis.continues.chain_id) != chain_id:
        raise MalformedInput("continues.chain_id", "the chain id must be of its next revision", got=chain_id)
    return genesis


def _validators(document: Document) -> list[GenesisValidator]:
    found = []
    for item in document.items(MAX_VALIDATORS):
        with item.members() as fields:
            public_key = fields["public_key"]
            key = public_key.hex(33)
            if key[0] not in (2, 3):
                raise public_key.refused("is not a compressed secp256k1 key", got=key)
            power = fields["power"].integer(1, MAX_TOTAL_VOTING_POWER)
        found.append(GenesisValidator(PublicKey(KeyType.SECP256K1, key), power))
    if not found:
        raise MalformedInput("validators", "is empty")
    if len({validator.public_key for validator in found}) != len(found):
        raise MalformedInput("validators", "has a key twice")
    if sum(validator.power for validator in found) > MAX_TOTAL_VOTING_POWER:
        raise MalformedInput("validators", f"total power above {MAX_TOTAL_VOTING_POWER}")
    return found


def _admins(document: Document) -> AdminSet:
    with document.members() as fields:
        addresses = tuple(_address(item) for item in fields["addresses"].items(64))
        threshold = fields["threshold"].integer(1, 64)
    try:
        return AdminSet(addresses, threshold)
    except ValueError as error:
        raise MalformedInput("admins", str(error)) from error


def _constitution(document: Document) -> Constitution:
    with document.members() as fields:
        named = sorted((key.hex(33), _address(account)) for key, account in fields["operators"].entries(MAX_VALIDATORS))
        period_s = fields["voting_period_s"].integer(MIN_VOTING_PERIOD_S, MAX_VOTING_PERIOD_S)
    try:
        return Constitution(tuple(named), period_s)
    except ValueError as error:
        raise MalformedInput("governance.operators", str(error)) from error


def _continuation(document: Document) -> Continuation:
    with document.members() as fields:
        return Continuation(
            chain_id=fields["chain_id"].matching(_CHAIN_ID, "a chain id that looks like name-1"),
            height=fields["height"].integer(1, 2**53),
            block_hash=fields["block_hash"].hex(32),
            app_hash=fields["app_hash"].hex(32),
            origin=fields["origin"].hex(32),
        )


def _params(document: Document) -> HubParams:
    with document.members() as fields:
        params = HubParams(
            block_interval_ms=fields["block_interval_ms"].integer(10, MAX_BLOCK_INTERVAL_MS),
            proof_block_delay_ms=fields["proof_block_delay_ms"].integer(0, MAX_BLOCK_INTERVAL_MS),
            block_max_bytes=fields["block_max_bytes"].integer(256 * 1024, 4 * 1024 * 1024),
            block_max_gas=fields["block_max_gas"].integer(1_000_000, MAX_BLOCK_GAS),
            transaction_max_gas=fields["transaction_max_gas"].integer(1_000_000, MAX_BLOCK_GAS),
            unbonding_period_s=fields["unbonding_period_s"].integer(2, 10 * 365 * DAY_S),
            trusting_period_s=fields["trusting_period_s"].integer(1, 10 * 365 * DAY_S),
        )
    if params.trusting_period_s >= params.unbonding_period_s:
        raise MalformedInput("params.trusting_period_s", "must be shorter than the unbonding period")
    if params.transaction_max_gas > params.block_max_gas:
        raise MalformedInput("params.transaction_max_gas", "must not exceed the block's gas")
    if params.proof_block_delay_ms > params.block_interval_ms:
        raise MalformedInput("params.proof_block_delay_ms", "must not exceed the block interval")
    return params


def _rules(document: Document) -> tuple[int, RuntimeRules]:
    with document.members() as fields:
        libraries = fields["libraries"].entries(MAX_LIBRARIES)
        return fields["version"].integer(1, 2**31), RuntimeRules(
            recursion_limit=fields["recursion_limit"].integer(1_000, 1_000_000),
            thread_stack_bytes=fields["thread_stack_bytes"].integer(1024 * 1024, 2**40),
            self_test_corpus=fields["self_test_corpus"].hex(32),
            libraries=tuple(sorted((name.value, version.text(MAX_GENESIS_BYTES)) for name, version in libraries)),
        )


def _code(document: Document) -> CodeRules:
    with document.members() as fields:
        return CodeRules(fields["open"].flag(), _named(fields["deployers"]), _named(fields["contracts"]))


def _named(document: Document) -> tuple[Address, ...]:
    addresses = [_address(item) for item in document.items(MAX_GENESIS_NAMES)]
    if sorted(set(addresses)) != addresses:
        raise document.refused("must ascend, each address once")
    for address in addresses:
        if int.from_bytes(address, "big") <= LAST_RESERVED_ADDRESS:
            raise document.refused("is a precompile or native module, which is not named", got=address)
    return tuple(addresses)


def _fees(document: Document) -> FeeRules:
    with document.members() as fields:
        base_fee_wei = fields["base_fee_wei"].decimal(1, MAX_GENESIS_BASE_FEE_WEI)
        recipient = _address(fields["recipient"])
    if recipient != NOBODY and int.from_bytes(recipient, "big") <= LAST_RESERVED_ADDRESS:
        raise MalformedInput("fees.recipient", "is a precompile or native module, which spends nothing", got=recipient)
    return FeeRules(base_fee_wei, recipient)


def _allocations(document: Document) -> list[tuple[Address, int]]:
    balances = document.entries(MAX_ALLOCATIONS)
    found = {_address(address): balance.decimal(1, 2**128 - 1) for address, balance in balances}
    if len(found) != len(balances):
        raise MalformedInput("alloc", "has an address twice")
    for address in found:
        if int.from_bytes(address, "big") <= LAST_RESERVED_ADDRESS:
            raise MalformedInput("alloc", "is of a precompile or native module, whose account is its own", got=address)
    return sorted(found.items())


class UnfitRuntime(Exception):
    """This process would not reach the verdicts of the chain's other nodes, so it must not start."""


def check_runtime(genesis: Genesis) -> None:
    """Compare what genesis demands with what this code has, and that with what is installed.

    A genesis names the corpus and the libraries of its own rules version. The chain may have taken up a later one
    since, whose corpus the self-test runs as well.

    Raises:
        UnfitRuntime: this process would not reach the verdicts of the others; one sentence.
    """
    reason = unfit_interpreter()
    if reason is not None:
        raise UnfitRuntime(reason)
    if genesis.rules_version not in rules_versions.ALL:
        known = ", ".join(map(str, rules_versions.ALL))
        raise UnfitRuntime(f"genesis asks for rules version {genesis.rules_version}, this hutong has {known}")
    here = runtime_rules(genesis.rules_version, genesis.runtime.chosen)
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
    _check_libraries(dict(genesis.runtime.libraries), dict(here.libraries), genesis.runtime.chosen)


def _check_libraries(wanted: dict[str, str], here: dict[str, str], chosen: frozenset[str]) -> None:
    for name in sorted(wanted.keys() | here.keys()):
        if wanted.get(name) != here.get(name):
            raise UnfitRuntime(
                f"genesis sets rules.libraries.{name} to {wanted.get(name, 'nothing')},"
                f" this hutong has {here.get(name, 'nothing')}: other libraries may judge otherwise"
            )
    reason = unfit_library(chosen=chosen)
    if reason is not None:
        raise UnfitRuntime(reason)
