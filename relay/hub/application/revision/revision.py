"""Revisions of one chain: `name-1`, then `name-2` from the state of its end."""

from dataclasses import dataclass

from hutong.light_clients.tendermint.types import revision_of


@dataclass(frozen=True, slots=True)
class Continuation:
    """Where a later revision takes over: the last block of the one before, and the first revision's genesis digest."""

    chain_id: str
    height: int
    block_hash: bytes
    app_hash: bytes
    origin: bytes


def next_chain_id(chain_id: str) -> str:
    """The chain id of the revision after this one: `name-2` after `name-1`. The form is not checked."""
    name, _, _ = chain_id.rpartition("-")
    return f"{name}-{revision_of(chain_id) + 1}"
