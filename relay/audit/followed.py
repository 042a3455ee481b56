"""Updates of a Clique chain, or of one whose validators a contract selects: believed in order, as a light client that begins
at the checkpoint would, by that client's own predicates."""

from dataclasses import dataclass, replace

from hutong.light_clients import bft_evm, clique
from hutong.light_clients.interface import (
    HeaderVerdict,
    Height,
    Judge,
    LightClient,
    MalformedInput,
    MemoryConsensusStates,
    PredicateFailed,
    Updated,
    cited,
    rule,
)
from hutong.relay.archive.bundle import ChainHeaders, ChainKind, HeaderEntry
from hutong.relay.archive.checkpoint import FollowedTrust, check_followed
from hutong.relay.audit.blocks import SPEC, ProvenState

CHECKPOINT = "docs/spec/checkpoint.md"


@dataclass(frozen=True, slots=True)
class Following:
    """The client, its states so far, and where it stands."""

    kind: ChainKind
    client: LightClient
    client_state: bytes
    states: MemoryConsensusStates
    height: Height

    @classmethod
    def begin(cls, kind: ChainKind, client: LightClient, trust: FollowedTrust, height: Height) -> "Following":
        """The client as the checkpoint has it, with its one state at `height`. Nothing is checked here."""
        states = MemoryConsensusStates({height: trust.consensus_state})
        return cls(kind, client, trust.client_state, states, height)

    def state_at(self, height: Height) -> ProvenState | None:
        """What the client stores there; None if nothing."""
        stored = self.states.get(height)
        if stored is None:
            return None
        return ProvenState(self.client_state, stored, self.client.timestamp_ns(stored))

    def trusted_height_of(self, message: bytes) -> Height:
        """From which of the client's states an update starts. The update is not judged.

        Raises:
            MalformedInput: it cannot be read.
        """
        if self.kind is ChainKind.CLIQUE:
            return clique.decode_header_message(message).trusted_height
        rules = bft_evm.decode_client_state(self.client_state).seal_rules
        return bft_evm.decode_header_message(message, rules).trusted_height


checkpoint_hash_matches = cited(check_followed, CHECKPOINT, "checkpoint_hash_matches")
"""Hash, height and time of the checkpoint are those of its states: a checkpoint that was made in memory is no exception."""


def judge_entry(
    judge: Judge,
    chain: ChainHeaders,
    entry: HeaderEntry,
    following: Following,
    proof_heights: frozenset[Height],
    now_ns: int,
) -> Following:
    """The light client's own rules for one update. Returns the client after it.

    Args:
        proof_heights: on which a proof of the bundle stands; the last update must serve one.
        now_ns: time of judgement, nanoseconds of Unix time.

    Raises:
        VerificationError: as the judge raises where a rule does not hold.
    """
    judge(update_stands_alone, chain, entry)
    judge(update_starts_at_the_one_before, entry, following)
    verdict = following.client.judge_header(judge, following.client_state, following.states, entry.header, now_ns)
    updated = judge(update_is_used, verdict, proof_heights, is_last=entry == chain.headers[-1])
    return replace(
        following,
        client_state=updated.client_state,
        states=following.states.with_state(updated.height, updated.consensus_state),
        height=updated.height,
    )


@rule(SPEC)
def update_starts_at_the_one_before(entry: HeaderEntry, following: Following) -> None:
    """The update's trusted height is where the client stands.

    Raises:
        PredicateFailed: it is another.
        MalformedInput: the update cannot be read.
    """
    got = following.trusted_height_of(entry.header)
    if got != following.height:
        raise PredicateFailed(
            "update_starts_at_the_one_before",
            "an update does not follow the one before: export the bundle again with this checkpoint",
            got,
            following.height,
        )


@rule(SPEC)
def update_is_used(verdict: HeaderVerdict, proof_heights: frozenset[Height], *, is_last: bool) -> Updated:
    """The update is new, and a proof stands on it or the next update starts from it.

    Raises:
        PredicateFailed: it shows nothing new or misbehaviour, or is the last and no proof stands on it.
    """
    if not isinstance(verdict, Updated):
        raise PredicateFailed("update_is_used", "shows nothing new, or contradicts what was shown")
    if is_last and verdict.height not in proof_heights:
        raise PredicateFailed("update_is_used", "no proof stands on the last update", got=verdict.height)
    return verdict


@rule(SPEC)
def update_stands_alone(chain: ChainHeaders, entry: HeaderEntry) -> None:
    """Nothing stands with the update that nobody reads.

    Raises:
        MalformedInput: a commit, an account proof or a validator set does.
    """
    if chain.validator_sets or entry.commit is not None or entry.account_proof:
        raise MalformedInput("headers", "an update has neither commit, nor account proof, nor validator sets beside it")
