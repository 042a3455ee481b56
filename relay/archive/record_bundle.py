"""Record bundles, versions 1 and 2 (docs/spec/records.md): values of one chain's state at one height, for a reader with a checkpoint.

Every byte is either proven by `hutong.relay.audit.records` or refused.
"""

import json
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

from hutong.light_clients.crypto import ADDRESS_BYTES
from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.interface import MAX_PROOF_BYTES, Height, MalformedInput
from hutong.light_clients.interface.document import Document, HexForm, Members
from hutong.light_clients.proofs.mpt import MAX_NODE_BYTES
from hutong.light_clients.proofs.mpt.node_set import MAX_SET_NODES
from hutong.light_clients.records import AccountField, FieldPlace, SlotPlace, StorePlace
from hutong.light_clients.records.multiproof import Multiproof
from hutong.light_clients.records.places import MAX_STORE_BYTES, MAX_STORE_KEY_BYTES, SLOT_BYTES, WORD_BYTES
from hutong.relay.archive.bundle import CHAIN_ID, ChainHeaders, ChainKind, chain_fields, chain_of

RECORD_FORMAT = "hutong-record"
RECORD_VERSION = 1
SHARED_VERSION = 2
"""Of records of a hub that one multiproof shows together."""
MAX_RECORD_BUNDLE_BYTES = 1024 * 1024
MAX_STATEMENTS = 256
MAX_RECORD_KEY_BYTES = 200
MAX_VALUE_BYTES = 512 * 1024
"""Of a value in a hub's state (docs/spec/hub-state.md)."""
_MAX_TEXT_CHARS = 64
_FIELDS = {name.name.lower(): name for name in AccountField}


@dataclass(frozen=True, slots=True)
class RecordKey:
    """A key of a hub's state, or of another chain whose one store lies directly under the app hash."""

    key: bytes

    def __post_init__(self) -> None:
        if not 1 <= len(self.key) <= MAX_RECORD_KEY_BYTES:
            raise MalformedInput("record.key", f"must be 1 to {MAX_RECORD_KEY_BYTES} bytes", got=len(self.key))


What: TypeAlias = RecordKey | SlotPlace | FieldPlace | StorePlace


@dataclass(frozen=True, slots=True)
class Statement:
    """The chain holds `value` at `what`; None: nothing.

    `proof` is a `MerkleProof`; None for places of an EVM chain, whose paths are found in the bundle's nodes by hash, and for
    records that the bundle's multiproof shows.
    """

    what: What
    value: bytes | None
    proof: bytes | None


@dataclass(frozen=True, slots=True)
class RecordBundle:
    """`statements` stand under the header at `height`, ascending by `what`; `nodes` are those of an EVM chain's tries.

    `multiproof` shows all statements together, which are records of a hub then; None: each has its own proof.
    """

    chain: ChainHeaders
    height: Height
    statements: tuple[Statement, ...]
    nodes: tuple[bytes, ...] = ()
    multiproof: Multiproof | None = None


def what_fields(what: What) -> dict[str, str]:
    """Where a statement is about, as it stands in JSON."""
    match what:
        case RecordKey(key):
            return {"record": _text(key)}
        case SlotPlace(account, slot):
            return {"account": _hex(account), "slot": _hex(slot)}
        case FieldPlace(account, name):
            return {"account": _hex(account), "field": name.name.lower()}
        case StorePlace(store, key):
            return {"store": store.decode(), "key": _text(key)}


def what_order(what: What) -> bytes:
    """By which statements ascend: `what` as canonical JSON."""
    return _canonical(what_fields(what))


def in_order(statements: Sequence[Statement]) -> tuple[Statement, ...]:
    """As a bundle lists them."""
    return tuple(sorted(statements, key=lambda statement: what_order(statement.what)))


def encode_record_bundle(bundle: RecordBundle) -> bytes:
    """Canonical JSON with a final line break: sorted keys, no spaces, ASCII; bytes as base64, heights as texts.

    Nothing is checked: see `check_record_bundle`.
    """
    statements: list[dict[str, Any]] = [
        {"what": what_fields(one.what), "value": None if one.value is None else _text(one.value)}
        for one in bundle.statements
    ]
    shared = bundle.multiproof
    if shared is None:
        for fields, one in zip(statements, bundle.statements, strict=True):
            fields["proof"] = None if one.proof is None else _text(one.proof)
        proven: dict[str, Any] = {"version": RECORD_VERSION, "nodes": [_text(node) for node in bundle.nodes]}
    else:
        nodes = {"terminals": _text(shared.terminals), "siblings": _text(b"".join(shared.siblings))}
        proven = {"version": SHARED_VERSION, "multiproof": nodes}
    document = {"format": RECORD_FORMAT, "chain": chain_fields(bundle.chain), "height": str(bundle.height)}
    return _canonical(document | {"statements": statements} | proven) + b"\n"


def decode_record_bundle(data: bytes) -> RecordBundle:
    """Inverse of `encode_record_bundle`. Nothing is verified here.

    Raises:
        MalformedInput: anything else than the canonical bytes of version 1 or 2, or a value out of bounds.
    """
    document = Document.parse(data, "record", MAX_RECORD_BUNDLE_BYTES)
    with document.of_format("a record bundle", RECORD_FORMAT) as fields:
        is_shared = fields["version"].integer(RECORD_VERSION, SHARED_VERSION) == SHARED_VERSION
        bundle = RecordBundle(
            chain_of(fields["chain"]),
            Height.parse(fields["height"].ascii(_MAX_TEXT_CHARS)),
            tuple(_statement(one, is_shared=is_shared) for one in fields["statements"].items(MAX_STATEMENTS, least=1)),
            () if is_shared else tuple(node.base64(MAX_NODE_BYTES) for node in fields["nodes"].items(MAX_SET_NODES)),
            _multiproof(fields["multiproof"]) if is_shared else None,
        )
    check_record_bundle(bundle)
    if encode_record_bundle(bundle) != data:
        raise MalformedInput("record", "is not the canonical encoding")
    return bundle


def check_record_bundle(bundle: RecordBundle) -> None:
    """The statements fit the chain's kind, ascend, and have what proves them.

    Raises:
        MalformedInput: naming the field.
    """
    if CHAIN_ID.fullmatch(bundle.chain.chain_id) is None:
        raise MalformedInput("record.chain.chain_id", "is not a chain id", got=bundle.chain.chain_id)
    if not 1 <= len(bundle.statements) <= MAX_STATEMENTS:
        raise MalformedInput("record.statements", f"1 to {MAX_STATEMENTS}", got=len(bundle.statements))
    order = [what_order(statement.what) for statement in bundle.statements]
    if any(first >= second for first, second in pairwise(order)):
        raise MalformedInput("record.statements", "must ascend by what they are about, none twice")
    has_stores, is_shared = bundle.chain.kind is ChainKind.TENDERMINT, bundle.multiproof is not None
    if has_stores and bundle.nodes:
        raise MalformedInput("record.nodes", "are those of an EVM chain", got=len(bundle.nodes), expected=0)
    if is_shared and not all(isinstance(one.what, RecordKey) for one in bundle.statements):
        raise MalformedInput("record.multiproof", "shows records of a hub and nothing else")
    for index, statement in enumerate(bundle.statements):
        _check_statement(statement, f"record.statements[{index}]", has_stores=has_stores, is_shared=is_shared)


def _check_statement(statement: Statement, field: str, *, has_stores: bool, is_shared: bool) -> None:
    what, value = statement.what, statement.value
    if isinstance(what, (RecordKey, StorePlace)) is not has_stores:
        raise MalformedInput(f"{field}.what", "is not a place of this kind of chain", got=what_fields(what))
    if (statement.proof is not None) is not (has_stores and not is_shared):
        raise MalformedInput(
            f"{field}.proof", "is there if and only if the chain has stores and no multiproof shows it"
        )
    if isinstance(what, StorePlace) and not what.store:
        raise MalformedInput(f"{field}.what.store", "is empty: a key of the one store is written as a record")
    if value is None:
        return
    if not has_stores and len(value) != WORD_BYTES:
        raise MalformedInput(f"{field}.value", "bytes of an EVM chain's value", len(value), WORD_BYTES)
    if not 1 <= len(value) <= MAX_VALUE_BYTES:
        raise MalformedInput(f"{field}.value", f"must be 1 to {MAX_VALUE_BYTES} bytes", got=len(value))


def _statement(document: Document, *, is_shared: bool) -> Statement:
    with document.members() as fields:
        value, proof = fields["value"].nullable(), None if is_shared else fields["proof"].nullable()
        return Statement(
            what_of(fields["what"]),
            None if value is None else value.base64(MAX_VALUE_BYTES),
            None if proof is None else proof.base64(MAX_PROOF_BYTES),
        )


def _multiproof(document: Document) -> Multiproof:
    with document.members() as fields:
        said = fields["siblings"]
        siblings = said.base64(MAX_RECORD_BUNDLE_BYTES)
        if len(siblings) % HASH_BYTES:
            raise said.refused(f"is not nodes of {HASH_BYTES} bytes", len(siblings))
        nodes = tuple(siblings[at : at + HASH_BYTES] for at in range(0, len(siblings), HASH_BYTES))
        return Multiproof(fields["terminals"].base64(MAX_RECORD_BUNDLE_BYTES), nodes)


def what_of(document: Document) -> What:
    """Inverse of `what_fields`.

    Raises:
        MalformedInput: naming the field.
    """
    with document.members() as fields:
        if "record" in fields:
            return RecordKey(fields["record"].base64(MAX_RECORD_KEY_BYTES))
        if "store" in fields:
            return StorePlace(
                fields["store"].ascii(MAX_STORE_BYTES).encode(), fields["key"].base64(MAX_STORE_KEY_BYTES)
            )
        return _evm_place(fields)


def _evm_place(fields: Members) -> SlotPlace | FieldPlace:
    account = fields["account"].hex(ADDRESS_BYTES, HexForm.PREFIXED)
    if "field" not in fields:
        return SlotPlace(account, fields["slot"].hex(SLOT_BYTES, HexForm.PREFIXED))
    written = fields["field"]
    name = written.ascii(_MAX_TEXT_CHARS)
    if name not in _FIELDS:
        raise written.refused("unknown", name, list(_FIELDS))
    return FieldPlace(account, _FIELDS[name])


def _canonical(document: Any) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def _text(data: bytes) -> str:
    return b64encode(data).decode()


def _hex(data: bytes) -> str:
    return f"0x{data.hex()}"
