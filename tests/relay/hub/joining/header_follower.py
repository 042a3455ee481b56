"""Clients that follow a hub header by header: our verifier with a store of its own, timed from bytes to verdict."""

import time
from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass, field

from hutong.light_clients.interface import (
    NANOSECONDS_PER_SECOND,
    Height,
    Misbehaved,
    NoOp,
    NotEnoughTrust,
    Updated,
)
from hutong.light_clients.tendermint.client import TendermintClient
from hutong.light_clients.tendermint.codec import encode_client_state, encode_consensus_state, encode_tendermint_header
from tests.relay.hub.simulated_hub import SimulatedHub


class States:
    """Consensus states that grow in place."""

    def __init__(self) -> None:
        self._heights: list[Height] = []
        self._states: dict[Height, bytes] = {}

    def put(self, height: Height, state: bytes) -> None:
        if height not in self._states:
            insort(self._heights, height)
        self._states[height] = state

    def get(self, height: Height) -> bytes | None:
        return self._states.get(height)

    def before(self, height: Height) -> tuple[Height, bytes] | None:
        index = bisect_left(self._heights, height) - 1
        return None if index < 0 else self._at(index)

    def after(self, height: Height) -> tuple[Height, bytes] | None:
        index = bisect_right(self._heights, height)
        return None if index == len(self._heights) else self._at(index)

    def _at(self, index: int) -> tuple[Height, bytes]:
        return self._heights[index], self._states[self._heights[index]]


@dataclass(frozen=True)
class Update:
    """A header message as a relayer sends it, and when it arrives."""

    height: int
    trusted: int
    message: bytes
    now_ns: int


def update_of(hub: SimulatedHub, height: int, trusted: int) -> Update:
    header = hub.tendermint_header(height, trusted)
    return Update(
        height, trusted, encode_tendermint_header(header), header.signed_header.header.time_ns + NANOSECONDS_PER_SECOND
    )


@dataclass
class Follower:
    """Our 07-tendermint client of a hub from block 1."""

    hub: SimulatedHub
    height: int = 1
    states: States = field(default_factory=States)
    took_ns: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.first_client_state = self.state = encode_client_state(self.hub.client_state(1))
        self.first_consensus_state = encode_consensus_state(self.hub.consensus_state(1))
        self.states.put(Height(1, 1), self.first_consensus_state)
        self._client = TendermintClient()

    def advance(self, update: Update) -> str:
        """The verdict in the oracle's words; an accepted header is kept."""
        start = time.perf_counter_ns()
        verdict = self._client.verify_header(self.state, self.states, update.message, update.now_ns)
        self.took_ns.append(time.perf_counter_ns() - start)
        match verdict:
            case Updated():
                self.state = verdict.client_state
                self.states.put(verdict.height, verdict.consensus_state)
                self.height = update.height
                return "valid"
            case NoOp():
                return "valid"
            case Misbehaved():
                return "misbehaviour"
            case NotEnoughTrust():
                return "invalid"


def skipping_updates(follower: Follower, target: int) -> list[tuple[Update, str]]:
    """What bisection offers a client to reach `target`, with our verdicts: too little trust halves the way."""
    offered: list[tuple[Update, str]] = []
    goals = [target]
    while goals:
        update = update_of(follower.hub, goals[-1], follower.height)
        verdict = follower.advance(update)
        offered.append((update, verdict))
        if verdict == "valid":
            goals.pop()
        else:
            goals.append((follower.height + goals[-1]) // 2)
            assert goals[-1] > follower.height
    return offered
