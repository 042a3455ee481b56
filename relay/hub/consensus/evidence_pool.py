"""Evidence that waits for a block, as a value: bounded, each validator once a height."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from hutong.light_clients.tendermint.types import ValidatorSet
from hutong.relay.hub.consensus.evidence import AccountableUntil, DuplicateVote, duplicate_vote, encode_evidence
from hutong.relay.hub.consensus.types import Equivocation

MAX_WAITING = 256
"""More validators than a hub has: only who lied before anyone noticed is left out, and one record names a liar."""

BlockFacts = Callable[[int], tuple[ValidatorSet, int] | None]
"""Validators and time of the block at a height, if it is decided."""


@dataclass(frozen=True, slots=True)
class EvidencePool:
    """`seen` waits for its height's block, `ready` for one that carries it."""

    seen: tuple[Equivocation, ...] = ()
    ready: tuple[DuplicateVote, ...] = ()

    def with_equivocation(self, equivocation: Equivocation) -> "EvidencePool":
        """The pool with one more pair, whose votes the transition function has verified.

        Unchanged where one of that validator and height is there, or MAX_WAITING wait.
        """
        vote = equivocation.first
        key = (vote.height, vote.validator_address)
        known = {(item.first.height, item.first.validator_address) for item in self.seen}
        known |= {item.key for item in self.ready}
        if key in known or len(known) >= MAX_WAITING:
            return self
        return replace(self, seen=(*self.seen, equivocation))

    def after_block(
        self, height: int, committed: Iterable[DuplicateVote], facts: BlockFacts, accountable: AccountableUntil
    ) -> "EvidencePool":
        """The pool after block `height`, without what was committed or is too old.

        Pairs of heights up to it become ready by `facts`. A pair whose block `facts` does not know is dropped.
        """
        gone = {item.key for item in committed}
        ready = list(self.ready)
        for item in self.seen:
            found = facts(item.first.height) if item.first.height <= height else None
            if found is not None:
                ready.append(duplicate_vote(item, *found))
        kept = tuple(
            item for item in ready if item.key not in gone and not accountable.is_over(item.first.height, item.time_ns)
        )
        return EvidencePool(tuple(item for item in self.seen if item.first.height > height), kept)

    def for_block(self, max_bytes: int) -> tuple[bytes, ...]:
        """Encoded, in the order in which it became ready, as many from the first on as fit `max_bytes`."""
        chosen: list[bytes] = []
        for item in self.ready:
            encoded = encode_evidence(item)
            max_bytes -= len(encoded)
            if max_bytes < 0:
                break
            chosen.append(encoded)
        return tuple(chosen)
