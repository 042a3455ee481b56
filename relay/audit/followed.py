"""Updates of a Clique chain, or of one whose validators a contract selects: believed in order, as a light client that begins
at the checkpoint would, by that client's own predicates."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from light_clients import bft_evm, clique
from light_clients.interface import (
    Check,
    Height,
    LightClient,
    MalformedInput,
    MemoryConsensusStates,
    PredicateFailed,
    Updated,
)
from relay.archive.bundle import ChainHeaders, ChainKind, HeaderEntry
from relay.archive.checkpoint import Checkpoint, FollowedTrust, check_followed
from relay.audit.blocks import SPEC, ProvenState

CHECKPOINT = "docs/spec/checkpoint.md"


@dataclass(slots=True)
class Following:
    """The client, its states so far, and where it stands."""

    kind: ChainKind
    client: LightClient
    client_state: bytes
    states: MemoryConsensusStates
    height: Height

    @classmethod
    def begin(cls, kind: ChainKind, client: LightClient, trust: FollowedTrust, height: Height) -> "Following":
        states = MemoryConsensusStates({height: trust.consensus_state})
        return cls(kind, client, trust.client_state, states, height)

    def state_at(self, height: Height) -> ProvenState | None:
        """What the client stores there; None if nothing."""
        stored = self.states.get(height)
        if stored is None:
            return None
        return ProvenState(self.client_state, stored, self.client.timestamp_ns(stored))

    def trusted_height_of(self, message: bytes) -> Height:
        """From which state an update starts. Raises MalformedInput."""
        if self.kind is ChainKind.CLIQUE:
            return clique.decode_header_message(message).trusted_height
        rules = bft_evm.decode_client_state(self.client_state).seal_rules
        return bft_evm.decode_header_message(message, rules).trusted_height


def checkpoint_checks(checkpoint: Checkpoint, trust: FollowedTrust) -> Iterator[Check]:
    """Hash, height and time of the checkpoint are those of its states: a checkpoint that was made in memory is no exception."""
    yield Check("checkpoint_hash_matches", CHECKPOINT, partial(check_followed, checkpoint, trust))


def entry_checks(
    chain: ChainHeaders, entry: HeaderEntry, following: Following, proof_heights: frozenset[Height], now_ns: int
) -> Iterator[Check]:
    """The light client's own list for one update; the last check moves `following` on."""
    yield Check("update_stands_alone", SPEC, partial(_stands_alone, chain, entry))
    yield Check("update_starts_at_the_one_before", SPEC, partial(_starts_there, entry, following))
    yield from following.client.header_checks(following.client_state, following.states, entry.header, now_ns)
    yield Check("update_is_used", SPEC, partial(_move, chain, entry, following, proof_heights, now_ns))


def _starts_there(entry: HeaderEntry, following: Following) -> None:
    got = following.trusted_height_of(entry.header)
    if got != following.height:
        raise PredicateFailed(
            "update_starts_at_the_one_before",
            "an update does not follow the one before: export the bundle again with this checkpoint",
            got,
            following.height,
        )


def _move(
    chain: ChainHeaders, entry: HeaderEntry, following: Following, proof_heights: frozenset[Height], now_ns: int
) -> None:
    """It is new, and a proof stands on it or the next update starts from it."""
    verdict = following.client.verify_header(following.client_state, following.states, entry.header, now_ns)
    if not isinstance(verdict, Updated):
        raise PredicateFailed("update_is_used", "shows nothing new, or contradicts what was shown")
    if entry == chain.headers[-1] and verdict.height not in proof_heights:
        raise PredicateFailed("update_is_used", "no proof stands on the last update", got=verdict.height)
    following.client_state = verdict.client_state
    following.states = following.states.with_state(verdict.height, verdict.consensus_state)
    following.height = verdict.height


def _stands_alone(chain: ChainHeaders, entry: HeaderEntry) -> None:
    if chain.validator_sets or entry.commit is not None or entry.account_proof:
        raise MalformedInput("headers", "an update has neither commit, nor account proof, nor validator sets beside it")
