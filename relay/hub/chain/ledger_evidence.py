"""Evidence of double votes against this chain's records: judged in blocks, kept for the next one."""

from dataclasses import replace

from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.light_clients.tendermint.types import ValidatorSet
from hutong.relay.hub.application.abci import Misbehaviour
from hutong.relay.hub.application.application import HubApplication
from hutong.relay.hub.chain.block_records import BlockRecords
from hutong.relay.hub.consensus.blocks import ChainTip
from hutong.relay.hub.consensus.evidence import (
    AccountableUntil,
    DuplicateVote,
    decode_block_evidence,
    verify_evidence,
)
from hutong.relay.hub.consensus.evidence_pool import EvidencePool
from hutong.relay.hub.consensus.types import Block, Equivocation
from hutong.relay.hub.state.keys import evidence_key


def accountable_until(tip: ChainTip) -> AccountableUntil:
    """What decides whether a double vote is too old to count, by the height and time (nanoseconds) of `tip`."""
    params = tip.params
    return AccountableUntil(tip.height, tip.time_ns, params.evidence_max_age_blocks, params.evidence_max_age_ns)


def misbehaviours_of(evidence: tuple[DuplicateVote, ...]) -> tuple[Misbehaviour, ...]:
    """The same items in the form that the application is told; one each, in their order."""
    return tuple(
        Misbehaviour(
            item.first.validator_address,
            item.validator_power,
            item.first.height,
            item.time_ns,
            item.total_voting_power,
        )
        for item in evidence
    )


class EvidenceOutOfReach(MalformedInput):
    """About a block that this node has not: it joined above it, or pruned it. It does not vote for the block that carries it;
    where more than two thirds committed that one, they judged."""


class LedgerEvidence:
    """Used by one thread at a time, as the ledger is."""

    def __init__(self, application: HubApplication, records: BlockRecords) -> None:
        self._application = application
        self._records = records
        self.pool = EvidencePool()

    def add(self, equivocation: Equivocation) -> None:
        """Keep a double vote that this node saw; it waits until its height is decided.

        A second one of the same validator and height is left out, and any where MAX_WAITING wait.
        """
        self.pool = self.pool.with_equivocation(equivocation)

    def for_block(self, max_bytes: int) -> tuple[bytes, ...]:
        """Encoded items for the next block, at most `max_bytes` together, without those that are on record."""
        fresh = tuple(item for item in self.pool.ready if not self._is_recorded(item))
        self.pool = replace(self.pool, ready=fresh)
        return self.pool.for_block(max_bytes)

    def check(self, tip: ChainTip, block: Block) -> tuple[DuplicateVote, ...]:
        """The items of a block that follows `tip`, each of which proves something new.

        Raises:
            EvidenceOutOfReach: an item is about a block below the first one that is stored here.
            MalformedInput: an item is on record, too old, does not hold, or stands twice.
        """
        found = decode_block_evidence(block.evidence, tip.params.evidence_max_bytes)
        for index, item in enumerate(found):
            field = f"block.evidence[{index}]"
            if self._is_recorded(item):
                raise MalformedInput(field, "is on record", got=item.first.height)
            validators, time_ns = self._facts(item.first.height) or (None, None)
            lowest = self._records.first_height()
            if validators is None and item.first.height < lowest:
                raise EvidenceOutOfReach(field, "is about a block below this node's first", item.first.height, lowest)
            try:
                verify_evidence(tip.chain_id, item, validators, time_ns, accountable_until(tip))
            except PredicateFailed as error:
                raise MalformedInput(field, str(error)) from error
        return found

    def after_block(self, tip: ChainTip, committed: tuple[DuplicateVote, ...]) -> None:
        """Take `committed`, and what is too old now, out of the pool; `tip` is the block that was applied."""
        self.pool = self.pool.after_block(tip.height, committed, self._facts, accountable_until(tip))

    def _facts(self, height: int) -> tuple[ValidatorSet, int] | None:
        stored, validators = self._records.header(height), self._records.validators(height)
        return None if stored is None or validators is None else (validators, stored.header.time_ns)

    def _is_recorded(self, item: DuplicateVote) -> bool:
        view, _, _ = self._application.view()
        return view.get(evidence_key(*item.key)) is not None
