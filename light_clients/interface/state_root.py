"""What a light client says of the state root of a block that it believes: shown in the call that reads under it (ADR 21).

Consensus states hold what packets need. A state root is more than that, so whoever wants to read under one shows what
leads to it, and each client says what that is.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from hutong.light_clients.interface.client import ConsensusStates
from hutong.light_clients.interface.errors import PredicateFailed, UnknownHeight
from hutong.light_clients.interface.height import Height
from hutong.light_clients.interface.judge import Judge, rule

SPEC = "docs/spec/records.md"


@dataclass(frozen=True, slots=True)
class ProvenStateRoot:
    """A state root of 32 bytes: proven by the chain's own consensus, or attested by `threshold` of `attestors`.

    Both numbers are 0 where it is proven.
    """

    state_root: bytes
    threshold: int = 0
    attestors: int = 0


@runtime_checkable
class StateProver(Protocol):
    """A light client under whose blocks accounts and storage of the chain can be proven (EIP-1186)."""

    def judge_state_root(
        self,
        judge: Judge,
        client_state: bytes,
        consensus_states: ConsensusStates,
        height: Height,
        shown: bytes,
        now_ns: int,
    ) -> ProvenStateRoot:
        """The state root of the block at `height`, of which a consensus state is stored.

        Whether the client is active is the caller's to ask. Nothing is stored.

        Args:
            shown: what leads from the consensus state to the root, in the client's own form; empty where nothing is
                needed.

        Raises:
            UnknownHeight: no consensus state is stored at `height`, or at a height that `shown` builds on.
            MalformedInput: `shown` or a stored state is not canonical.
            PredicateFailed: `shown` is not of the block that is believed.
            ClientFrozen, ClientExpired: the client, or the state that `shown` builds on, is not good any more.
            UnsupportedOperation: the client or what is shown is of a form that is not offered.
        """


@rule("ICS-02")
def known_height(consensus_states: ConsensusStates, height: Height, latest: Height) -> bytes:
    """The encoded consensus state that is stored at `height`; `latest` is for the error alone.

    Raises:
        UnknownHeight: none is stored there.
    """
    data = consensus_states.get(height)
    if data is None:
        raise UnknownHeight(height, latest)
    return data


@rule(SPEC)
def nothing_shown(shown: bytes) -> None:
    """The consensus state says it all, so that nothing is shown beside it.

    Raises:
        PredicateFailed: there are bytes.
    """
    if shown:
        raise PredicateFailed("nothing_shown", "this client needs nothing beside its state", len(shown), 0)
