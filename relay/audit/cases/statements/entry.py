"""Statements of kind `entry`: a leaf under a root that another statement shows (RFC 6962)."""

from dataclasses import dataclass
from typing import Any

from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.interface import Judge, PredicateFailed, rule
from hutong.light_clients.interface.document import Members
from hutong.light_clients.proofs import merkle
from hutong.light_clients.proofs.merkle.proof import MAX_TOTAL
from hutong.relay.audit.cases.statements.form import SPEC, name_of
from hutong.relay.audit.cases.statements.message import ShownMessage
from hutong.relay.audit.cases.statements.state import ShownState
from hutong.relay.audit.cases.statements.words import base64_text

ENTRY = "entry"
MAX_LEAF_BYTES = 64 * 1024
MAX_SIBLINGS = 63
MAX_OFFSET = 1024 * 1024


@dataclass(frozen=True, slots=True)
class EntryStatement:
    """`leaf` is number `index` of `size` leaves, whose root is the 32 bytes at `offset` of what statement `under` shows:
    a state's value, or what a message said. `siblings` from the leaf up."""

    id: str
    leaf: bytes
    index: int
    size: int
    siblings: tuple[bytes, ...]
    under: str
    offset: int


@dataclass(frozen=True, slots=True)
class ShownEntry:
    """`root` is the one that `source` shows."""

    statement: EntryStatement
    root: bytes
    source: ShownState | ShownMessage


def entry_fields(statement: EntryStatement) -> dict[str, Any]:
    """As it stands in JSON, without id and kind."""
    return {
        "leaf": base64_text(statement.leaf),
        "index": statement.index,
        "size": statement.size,
        "siblings": [base64_text(node) for node in statement.siblings],
        "under": statement.under,
        "offset": statement.offset,
    }


def read_entry(name: str, fields: Members) -> EntryStatement:
    """Inverse of `entry_fields`.

    Raises:
        MalformedInput: naming the field.
    """
    return EntryStatement(
        name,
        fields["leaf"].base64(MAX_LEAF_BYTES),
        fields["index"].integer(0, MAX_TOTAL - 1),
        fields["size"].integer(1, MAX_TOTAL),
        tuple(node.base64(HASH_BYTES) for node in fields["siblings"].items(MAX_SIBLINGS)),
        name_of(fields["under"], "the name of a statement"),
        fields["offset"].integer(0, MAX_OFFSET),
    )


@rule(SPEC)
def root_is_shown(statement: EntryStatement, source: ShownState | ShownMessage | None) -> bytes:
    """The root that the other statement shows.

    Raises:
        PredicateFailed: there is no such statement of a state or a message, or it ends before the root does.
    """
    name = "root_is_shown"
    if source is None:
        raise PredicateFailed(name, "no state or message of that name is shown", expected=statement.under)
    data = source.said.value if isinstance(source, ShownMessage) else source.statement.value or b""
    root = data[statement.offset : statement.offset + HASH_BYTES]
    if len(root) != HASH_BYTES:
        raise PredicateFailed(name, "no root is there", len(root), HASH_BYTES)
    return root


def judge_entry(judge: Judge, statement: EntryStatement, source: ShownState | ShownMessage | None) -> ShownEntry:
    """The root, and every rule of inclusion under it.

    Raises:
        VerificationError: the first rule that does not hold.
    """
    root = judge(root_is_shown, statement, source)
    leaf_hash = merkle.leaf_hash(statement.leaf)
    proof = merkle.MerkleProof(statement.size, statement.index, leaf_hash, statement.siblings)
    merkle.judge_inclusion(judge, proof, root, statement.leaf)
    if source is None:
        raise TypeError("a root without a source")
    return ShownEntry(statement, root, source)
