"""What the router's storage proves: the account under a header, and commitments under a consensus state."""

from collections.abc import Iterator
from functools import lru_cache

from light_clients.bft_evm import codec
from light_clients.bft_evm.types import HASH_BYTES, ClientState, ConsensusState, Header, StorageProof
from light_clients.interface import (
    MAX_PATH_ELEMENT_BYTES,
    Check,
    ClientFrozen,
    MalformedInput,
    PredicateFailed,
)
from light_clients.proofs.mpt import commitment_slot, storage_checks, verify_account

SPEC = "docs/spec/bft-evm-client.md"


def router_storage_root(client: ClientState, header: Header) -> bytes:
    """The storage root of the router's account, which exists and has code, under the header's state root."""
    account = verify_account(header.execution.state_root, client.router_address, header.account_proof)
    if account is None:
        raise PredicateFailed("router_account_proven", "the state has no account at the router's address")
    if not account.has_code:
        raise PredicateFailed("router_account_proven", "the router's account has no code")
    return account.storage_root


_client_state_of = lru_cache(maxsize=64)(codec.decode_client_state)
"""Many proofs are judged under one state; its bytes are all that is read."""


def membership_checks(
    client_state: bytes, consensus_state: bytes, proof: bytes, path: tuple[bytes, ...], value: bytes | None
) -> Iterator[Check]:
    """Membership of `value` under `path`, or with None absence. The slot is computed from the path, never read."""
    states: list[tuple[ClientState, ConsensusState, StorageProof]] = []

    def decode() -> None:
        states.append(
            (
                _client_state_of(client_state),
                codec.decode_consensus_state(consensus_state),
                codec.decode_storage_proof(proof),
            )
        )

    yield Check("proof_well_formed", SPEC, decode)
    client, state, storage_proof = states[0]
    yield Check("client_not_frozen", "ICS-02", lambda: _not_frozen(client))
    yield Check("path_is_one_key", "ICS-24", lambda: _path_is_one_key(path))
    if value is not None:
        yield Check("value_is_one_word", SPEC, lambda: _value_is_one_word(value))
    yield from storage_checks(state.storage_root, commitment_slot(path[0]), storage_proof.nodes, value)


def _not_frozen(client: ClientState) -> None:
    if client.is_frozen:
        raise ClientFrozen


def _path_is_one_key(path: tuple[bytes, ...]) -> None:
    if len(path) != 1:
        raise MalformedInput("path", "an EVM router has one store: one path element", got=len(path), expected=1)
    if not 0 < len(path[0]) <= MAX_PATH_ELEMENT_BYTES:
        raise MalformedInput("path", f"1 to {MAX_PATH_ELEMENT_BYTES} bytes", got=len(path[0]))


def _value_is_one_word(value: bytes) -> None:
    if len(value) != HASH_BYTES:
        raise MalformedInput("value", "a commitment is one word of 32 bytes", got=len(value), expected=HASH_BYTES)
    if not any(value):
        raise PredicateFailed("value_is_one_word", "the zero word means absence, it is no member", got=value)
