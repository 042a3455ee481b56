"""Updates of an Ethereum chain in a bundle: believed in order, as a light client that begins at the checkpoint would."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from light_clients.ethereum import EthereumClient, decode_client_state, decode_consensus_state
from light_clients.interface import (
    Check,
    Height,
    MalformedInput,
    MemoryConsensusStates,
    PredicateFailed,
    Updated,
)
from relay.archive.bundle import ChainHeaders, HeaderEntry
from relay.archive.checkpoint import EthereumTrust
from relay.audit.blocks import SPEC, ProvenState

_CLIENT = EthereumClient()


@dataclass(slots=True)
class FollowedChain:
    """The client's states so far."""

    client_state: bytes
    states: MemoryConsensusStates

    @classmethod
    def begin(cls, trust: EthereumTrust, height: Height) -> "FollowedChain":
        return cls(trust.client_state, MemoryConsensusStates({height: trust.consensus_state}))

    def state_at(self, height: Height) -> ProvenState | None:
        stored = self.states.get(height)
        if stored is None:
            return None
        return ProvenState(self.client_state, stored, decode_consensus_state(stored).timestamp_ns)


def entry_checks(
    chain: ChainHeaders, entry: HeaderEntry, followed: FollowedChain, proof_heights: frozenset[Height], now_ns: int
) -> Iterator[Check]:
    """The light client's own list for one update; the last check moves `followed` on."""
    yield Check("update_stands_alone", SPEC, partial(_stands_alone, chain, entry))
    yield from _CLIENT.header_checks(followed.client_state, followed.states, entry.header, now_ns)
    yield Check("update_is_used", SPEC, partial(_move, chain, entry, followed, proof_heights, now_ns))


def _move(
    chain: ChainHeaders, entry: HeaderEntry, followed: FollowedChain, proof_heights: frozenset[Height], now_ns: int
) -> None:
    """The header is new, and a proof stands on it or it brings the committee of later ones."""
    verdict = _CLIENT.verify_header(followed.client_state, followed.states, entry.header, now_ns)
    if not isinstance(verdict, Updated):
        raise PredicateFailed("update_is_used", "shows nothing new, or contradicts what was shown")
    before = decode_client_state(followed.client_state).committees
    after = decode_client_state(verdict.client_state).committees
    brings = (before.current_root, before.next_root) != (after.current_root, after.next_root)
    is_last = entry == chain.headers[-1]
    if verdict.height not in proof_heights and (is_last or not brings):
        raise PredicateFailed(
            "update_is_used", "no proof stands on it, and it brings no committee that is needed", got=verdict.height
        )
    followed.client_state = verdict.client_state
    followed.states = followed.states.with_state(verdict.height, verdict.consensus_state)


def _stands_alone(chain: ChainHeaders, entry: HeaderEntry) -> None:
    if chain.validator_sets or entry.commit is not None or entry.account_proof:
        raise MalformedInput("headers", "an update has neither commit, nor account proof, nor validator sets beside it")
