"""A chain that ends at a planned height and goes on under the next revision, as x/upgrade and ibc-go commit it."""

from dataclasses import replace

from hutong.light_clients.interface import NANOSECONDS_PER_SECOND
from hutong.light_clients.tendermint.types import ConsensusState, Upgrade
from hutong.light_clients.tendermint.upgrade import (
    UPGRADED_CLIENT,
    UPGRADED_CONSENSUS_STATE,
    committed_client,
    committed_consensus,
    upgraded_path,
    without_custom_fields,
)
from tests.light_clients.tendermint.simulated_chain import SimulatedChain

PLAN_HEIGHT = 6


class UpgradingChain:
    """`old` (sim-1) has committed its successor in the state after block PLAN_HEIGHT - 1; `new` (sim-2) starts from block 1.

    `committed` are fields of the committed client state that are not as they should be. `withdrawn`: the plan was
    there up to the block before, and is not any more.
    """

    def __init__(self, *, old: SimulatedChain | None = None, withdrawn: bool = False, **committed) -> None:
        self.old = old or SimulatedChain()
        self.new = SimulatedChain("sim-2", self.old.members)
        self.client_state = without_custom_fields(
            replace(self.old.client_state(1), **{**SUCCESSOR, "latest_height": self.new.height(1), **committed})
        )
        self.plan(withdrawn=withdrawn)
        # Time goes on where the old chain ends.
        self.new.genesis_time_ns = self.old.latest.header.time_ns + 10 * NANOSECONDS_PER_SECOND

    def plan(self, *, withdrawn: bool) -> None:
        """Governance plans at once, so the client state stands there early; the consensus state is the last block's."""
        old = self.old
        old.put(self._key(UPGRADED_CLIENT), committed_client(self.client_state))
        old.advance(PLAN_HEIGHT - 2 - len(old.blocks))
        last = old.advance()  # block PLAN_HEIGHT - 1: its execution writes the consensus state
        assert last.header.height == PLAN_HEIGHT - 1
        self.consensus_state = ConsensusState(last.header.time_ns, b"", last.header.next_validators_hash)
        if withdrawn:
            old.delete(self._key(UPGRADED_CLIENT))
        else:
            old.put(self._key(UPGRADED_CONSENSUS_STATE), committed_consensus(self.consensus_state))
        old.states[-1] = dict(old.state)
        old.advance()

    def _key(self, item: str, height: int = PLAN_HEIGHT) -> bytes:
        return upgraded_path(self.old.client_state(height), item)[-1]

    def upgrade(self, height: int = PLAN_HEIGHT) -> Upgrade:
        """As anybody may bring it, with proofs at the consensus state of `height`."""
        return Upgrade(
            self.client_state,
            self.consensus_state,
            self.old.prove(self._key(UPGRADED_CLIENT), height)[0],
            self.old.prove(self._key(UPGRADED_CONSENSUS_STATE), height)[0],
        )


SUCCESSOR = {"chain_id": "sim-2"}
