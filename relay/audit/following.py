"""A light client that begins at a checkpoint and takes a bundle's updates in order: what every kind of it has in common."""

from dataclasses import dataclass, replace

from hutong.light_clients.interface import (
    HeaderVerdict,
    Height,
    LightClient,
    MalformedInput,
    MemoryConsensusStates,
    PredicateFailed,
    Updated,
    rule,
)
from hutong.relay.archive.bundle import ChainHeaders, HeaderEntry
from hutong.relay.archive.checkpoint import EthereumTrust, FollowedTrust
from hutong.relay.audit.blocks import SPEC, ProvenState


@dataclass(frozen=True, slots=True)
class Following:
    """The client, its states so far, and where it stands."""

    client: LightClient
    client_state: bytes
    states: MemoryConsensusStates
    height: Height

    @classmethod
    def begin(cls, client: LightClient, trust: EthereumTrust | FollowedTrust, height: Height) -> "Following":
        """The client as the checkpoint has it, with its one state at `height`. Nothing is checked here."""
        return cls(client, trust.client_state, MemoryConsensusStates({height: trust.consensus_state}), height)

    def state_at(self, height: Height) -> ProvenState | None:
        """What the client stores there; None if nothing."""
        stored = self.states.get(height)
        if stored is None:
            return None
        return ProvenState(self.client_state, stored, self.client.timestamp_ns(stored))

    def after(self, updated: Updated) -> "Following":
        """The client with the states that an update brought, standing at its height."""
        return replace(
            self,
            client_state=updated.client_state,
            states=self.states.with_state(updated.height, updated.consensus_state),
            height=updated.height,
        )


@rule(SPEC)
def update_stands_alone(chain: ChainHeaders, entry: HeaderEntry) -> None:
    """Nothing stands with the update that nobody reads.

    Raises:
        MalformedInput: a commit, an account proof or a validator set does.
    """
    if chain.validator_sets or entry.commit is not None or entry.account_proof:
        raise MalformedInput("headers", "an update has neither commit, nor account proof, nor validator sets beside it")


def updated_by(verdict: HeaderVerdict) -> Updated:
    """The states of an update that shows something new: a part of `update_is_used`, which each kind completes.

    Raises:
        PredicateFailed: the client knew all of it, or it is misbehaviour.
    """
    if not isinstance(verdict, Updated):
        raise PredicateFailed("update_is_used", "shows nothing new, or contradicts what was shown")
    return verdict
