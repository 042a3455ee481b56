"""Updates of an Ethereum chain in a bundle: believed in order, as a light client that begins at the checkpoint would."""

from dataclasses import dataclass

from hutong.light_clients.ethereum import EthereumClient, decode_client_state, decode_consensus_state
from hutong.light_clients.interface import (
    HeaderVerdict,
    Height,
    Judge,
    MalformedInput,
    MemoryConsensusStates,
    PredicateFailed,
    Updated,
    rule,
)
from hutong.relay.archive.bundle import ChainHeaders, HeaderEntry
from hutong.relay.archive.checkpoint import EthereumTrust
from hutong.relay.audit.blocks import SPEC, ProvenState

_CLIENT = EthereumClient()


@dataclass(frozen=True, slots=True)
class FollowedChain:
    """The client's states so far."""

    client_state: bytes
    states: MemoryConsensusStates

    @classmethod
    def begin(cls, trust: EthereumTrust, height: Height) -> "FollowedChain":
        """The client as the checkpoint has it, with its one state at `height`. Nothing is checked here."""
        return cls(trust.client_state, MemoryConsensusStates({height: trust.consensus_state}))

    def state_at(self, height: Height) -> ProvenState | None:
        """What the client stores at `height`; None if nothing."""
        stored = self.states.get(height)
        if stored is None:
            return None
        return ProvenState(self.client_state, stored, decode_consensus_state(stored).timestamp_ns)


def judge_entry(
    judge: Judge,
    chain: ChainHeaders,
    entry: HeaderEntry,
    followed: FollowedChain,
    proof_heights: frozenset[Height],
    now_ns: int,
) -> FollowedChain:
    """The light client's own rules for one update. Returns the client after it.

    Args:
        proof_heights: on which a proof of the bundle stands; an update must serve one.
        now_ns: time of judgement, nanoseconds of Unix time.

    Raises:
        VerificationError: as the judge raises where a rule does not hold.
    """
    judge(update_stands_alone, chain, entry)
    verdict = _CLIENT.judge_header(judge, followed.client_state, followed.states, entry.header, now_ns)
    updated = judge(update_is_used, verdict, followed.client_state, proof_heights, is_last=entry == chain.headers[-1])
    return FollowedChain(updated.client_state, followed.states.with_state(updated.height, updated.consensus_state))


@rule(SPEC)
def update_is_used(
    verdict: HeaderVerdict, client_state: bytes, proof_heights: frozenset[Height], *, is_last: bool
) -> Updated:
    """The header is new, and a proof stands on it or it brings the committee of later ones.

    Raises:
        PredicateFailed: it shows nothing new or misbehaviour, or nothing in the bundle needs it.
    """
    if not isinstance(verdict, Updated):
        raise PredicateFailed("update_is_used", "shows nothing new, or contradicts what was shown")
    before = decode_client_state(client_state).committees
    after = decode_client_state(verdict.client_state).committees
    brings = (before.current_root, before.next_root) != (after.current_root, after.next_root)
    if verdict.height not in proof_heights and (is_last or not brings):
        raise PredicateFailed(
            "update_is_used", "no proof stands on it, and it brings no committee that is needed", got=verdict.height
        )
    return verdict


@rule(SPEC)
def update_stands_alone(chain: ChainHeaders, entry: HeaderEntry) -> None:
    """Nothing stands with the update that nobody reads.

    Raises:
        MalformedInput: a commit, an account proof or a validator set does.
    """
    if chain.validator_sets or entry.commit is not None or entry.account_proof:
        raise MalformedInput("headers", "an update has neither commit, nor account proof, nor validator sets beside it")
