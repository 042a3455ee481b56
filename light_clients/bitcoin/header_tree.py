"""All branches that were shown, and the best of them: what follows a node's headers before any is believed at a depth.

For relays, tools and tests, in memory; the client itself keeps only blocks at its depth (see `verification`).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from hutong.light_clients.bitcoin.chain import Run, judge_run
from hutong.light_clients.bitcoin.networks import ChainParameters
from hutong.light_clients.bitcoin.types import BlockHeader, ConsensusState, display
from hutong.light_clients.interface import VERIFY, PredicateFailed

MAX_BLOCKS = 1_000_000
"""Of one tree; every block costs its work, so that this is a bound against a mistake and not against an attack."""


@dataclass(frozen=True, slots=True)
class Reorganisation:
    """The best tip moved. `depth` blocks of the old branch are no longer on the best chain (0: it only grew)."""

    old_tip: ConsensusState
    new_tip: ConsensusState
    depth: int


class HeaderTree:
    """Blocks from a trusted root up.

    The tip with most work is best; of equal ones the first seen stays (Bitcoin Core).
    """

    def __init__(self, root: ConsensusState, parameters: ChainParameters) -> None:
        self._parameters = parameters
        self._states = {root.block_hash: root}
        self._parents: dict[bytes, bytes] = {}
        self.root = root
        self.tip = root

    def __len__(self) -> int:
        return len(self._states)

    def __contains__(self, block_hash: bytes) -> bool:
        return block_hash in self._states

    def add(self, header: BlockHeader, now_ns: int) -> Reorganisation | None:
        """Judge a header by every rule over headers; None where the best tip stays, also for a header that is known.

        Raises:
            PredicateFailed: a rule is broken, the parent is not in the tree (`parent_known`), or the tree is full.
            MalformedInput: height or work is out of bounds.
        """
        if header.block_hash in self._states:
            return None
        parent = self._states.get(header.previous_block_hash)
        if parent is None:
            raise PredicateFailed("parent_known", "no known parent", got=display(header.previous_block_hash))
        if len(self._states) >= MAX_BLOCKS:
            raise PredicateFailed("tree_bound", f"more than {MAX_BLOCKS} blocks in the tree")
        state = judge_run(VERIFY, Run(parent, (header,), self._parameters), now_ns).tip
        self._states[state.block_hash] = state
        self._parents[state.block_hash] = parent.block_hash
        if state.chainwork <= self.tip.chainwork:
            return None
        old, self.tip = self.tip, state
        return Reorganisation(old, self.tip, old.height - self.fork_of(old, self.tip).height)

    def fork_of(self, first: ConsensusState, second: ConsensusState) -> ConsensusState:
        """The last block that two blocks of the tree have in common; either may be an ancestor of the other.

        Raises:
            ValueError: one of them is not in the tree.
        """
        for state in (first, second):
            if self._states.get(state.block_hash) != state:
                raise ValueError(f"block {display(state.block_hash)} of height {state.height} is not in the tree")
        seconds = {state.block_hash for state in self._back_from(second)}
        return next(state for state in self._back_from(first) if state.block_hash in seconds)

    def best_chain(self) -> list[ConsensusState]:
        """From the root to the best tip, both included."""
        return list(self._back_from(self.tip))[::-1]

    def confirmations(self, block_hash: bytes) -> int:
        """Blocks from this one to the tip, both included; 0 where it is not on the best chain."""
        return next(
            (
                self.tip.height - state.height + 1
                for state in self._back_from(self.tip)
                if state.block_hash == block_hash
            ),
            0,
        )

    def _back_from(self, state: ConsensusState) -> Iterator[ConsensusState]:
        at: ConsensusState | None = state
        while at is not None:
            yield at
            parent = self._parents.get(at.block_hash)
            at = None if parent is None else self._states[parent]
