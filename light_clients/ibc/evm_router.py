"""What the storage of an EVM router proves (EIP-1186): its account under a state root, and commitments under its storage root.

Every client of an EVM chain judges proofs by these rules, whatever its consensus; it brings a storage root that it believes.
Format and rules: docs/spec/bft-evm-client.md, section Proofs.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from hutong.light_clients.interface import (
    MAX_PATH_ELEMENT_BYTES,
    MAX_PROOF_BYTES,
    Judge,
    MalformedInput,
    PredicateFailed,
    cited,
    rule,
)
from hutong.light_clients.interface.trusting import client_not_frozen
from hutong.light_clients.proofs.mpt import MAX_NODE_BYTES, MAX_NODES, commitment_slot, judge_storage, verify_account
from hutong.light_clients.protobuf import evm_router_pb2
from hutong.light_clients.protobuf.canonical import parse_canonical

COMMITMENT_BYTES = 32
MAX_ACCOUNT_PROOF_BYTES = MAX_NODES * (MAX_NODE_BYTES + 4)
"""As a repeated protobuf field."""


@dataclass(frozen=True, slots=True)
class StorageProof:
    """RLP nodes, root first, of one slot under the router's storage root."""

    nodes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ProofContext:
    """What a client's two states say to a proof."""

    is_frozen: bool
    storage_root: bytes


def decode_storage_proof(data: bytes) -> StorageProof:
    """The nodes of one slot; whether they lead anywhere is judged later.

    Raises:
        MalformedInput: not the canonical encoding, more than `MAX_NODES` nodes, or one above `MAX_NODE_BYTES`.
    """
    message = parse_canonical(evm_router_pb2.StorageProof, data, "proof", MAX_PROOF_BYTES)
    return StorageProof(bounded_nodes(message.nodes, "proof.nodes"))


def encode_storage_proof(proof: StorageProof) -> bytes:
    """Inverse of `decode_storage_proof`."""
    return evm_router_pb2.StorageProof(nodes=proof.nodes).SerializeToString(deterministic=True)


def bounded_nodes(nodes: Iterable[bytes], field: str) -> tuple[bytes, ...]:
    """Nodes of a proof as a message carries them; `field` names the list in errors.

    Raises:
        MalformedInput: there are too many, or one is too long.
    """
    kept = tuple(nodes)
    if len(kept) > MAX_NODES:
        raise MalformedInput(field, f"more than {MAX_NODES} nodes", got=len(kept))
    for index, node in enumerate(kept):
        if len(node) > MAX_NODE_BYTES:
            raise MalformedInput(f"{field}[{index}]", f"more than {MAX_NODE_BYTES} bytes", got=len(node))
    return kept


def router_storage_root(state_root: bytes, router_address: bytes, account_proof: tuple[bytes, ...]) -> bytes:
    """The storage root of the router's account, which exists and has code.

    Args:
        state_root: 32 bytes that are believed already.
        router_address: 20 bytes.
        account_proof: RLP nodes from the root on (EIP-1186).

    Raises:
        PredicateFailed: the proof does not lead there, or there is no such contract.
        MalformedInput: a node is not canonical.
    """
    account = verify_account(state_root, router_address, account_proof)
    if account is None:
        raise PredicateFailed("router_account_proven", "the state has no account at the router's address")
    if not account.has_code:
        raise PredicateFailed("router_account_proven", "the router's account has no code")
    return account.storage_root


@rule("ICS-24")
def path_is_one_key(path: tuple[bytes, ...]) -> None:
    """A router has one store: a path of one element.

    Raises:
        MalformedInput: another number of elements, or one that does not have 1 to `MAX_PATH_ELEMENT_BYTES` bytes.
    """
    if len(path) != 1:
        raise MalformedInput("path", "an EVM router has one store: one path element", got=len(path), expected=1)
    if not 0 < len(path[0]) <= MAX_PATH_ELEMENT_BYTES:
        raise MalformedInput("path", f"1 to {MAX_PATH_ELEMENT_BYTES} bytes", got=len(path[0]))


def value_is_one_word(value: bytes) -> None:
    """A commitment has 32 bytes; all zero means absence and is never a member.

    Raises:
        MalformedInput: another length.
        PredicateFailed: the zero word.
    """
    if len(value) != COMMITMENT_BYTES:
        raise MalformedInput("value", "a commitment is one word of 32 bytes", got=len(value), expected=COMMITMENT_BYTES)
    if not any(value):
        raise PredicateFailed("value_is_one_word", "the zero word means absence, it is no member", got=value)


class Freezable(Protocol):
    """A client state."""

    @property
    def is_frozen(self) -> bool:
        """Whether misbehaviour is on record."""


class ProvenStorage(Protocol):
    """A consensus state: of the router's account, 32 bytes."""

    @property
    def storage_root(self) -> bytes:
        """32 bytes, of the storage of the router's account; proven when the consensus state was made."""


class CommitmentRules:
    """The rules of a proof under the router's storage root, as the specification of one client demands them."""

    def __init__(
        self, source: str, decode_client: Callable[[bytes], Freezable], decode_state: Callable[[bytes], ProvenStorage]
    ) -> None:
        """The first rule decodes both states, so that a malformed one is its refusal. Many proofs are judged under one
        client state, whose bytes are all that is read: it is decoded once.
        """
        client_of = lru_cache(maxsize=64)(decode_client)

        def proof_well_formed(
            client_state: bytes, consensus_state: bytes, proof: bytes
        ) -> tuple[ProofContext, StorageProof]:
            is_frozen = client_of(client_state).is_frozen
            context = ProofContext(is_frozen, decode_state(consensus_state).storage_root)
            return context, decode_storage_proof(proof)

        self._proof_well_formed = cited(proof_well_formed, source)
        self._value_is_one_word = cited(value_is_one_word, source)

    def judge(
        self,
        judge: Judge,
        client_state: bytes,
        consensus_state: bytes,
        proof: bytes,
        path: tuple[bytes, ...],
        value: bytes | None,
    ) -> None:
        """Membership of `value` under `path`, or with None absence. The slot is computed from the path, never read.

        `proof` is a `StorageProof`; `path` has exactly one element, the ICS-24 key.

        Raises:
            ClientFrozen: the client state is frozen.
            MalformedInput, PredicateFailed: the first rule that does not hold.
            UnsupportedOperation: the client state is of a kind that is not offered.
        """
        states, storage_proof = judge(self._proof_well_formed, client_state, consensus_state, proof)
        judge(client_not_frozen, states)
        judge(path_is_one_key, path)
        if value is not None:
            judge(self._value_is_one_word, value)
        judge_storage(judge, states.storage_root, commitment_slot(path[0]), storage_proof.nodes, value)
