"""LightClientStore of the specification: follows a chain's head and finality from one trusted block root.

Pure: each step returns the next store or raises. The IBC client does not use it (it believes finalized headers only);
whoever follows a chain does, and the specification's own test vectors drive it.
"""

from dataclasses import dataclass, replace
from typing import Self

from hutong.light_clients.ethereum.forks import Network
from hutong.light_clients.ethereum.roots import sync_committee_root
from hutong.light_clients.ethereum.types import (
    Bootstrap,
    LightClientHeader,
    SyncCommittee,
    TrustedCommittees,
    Update,
    supermajority,
)
from hutong.light_clients.ethereum.verification import judge_bootstrap, judge_store_update
from hutong.light_clients.interface import VERIFY, PredicateFailed


@dataclass(frozen=True, slots=True)
class LightClientStore:
    """`next_sync_committee` None: not known yet. Fields are those of the specification."""

    network: Network
    finalized_header: LightClientHeader
    current_sync_committee: SyncCommittee
    next_sync_committee: SyncCommittee | None
    best_valid_update: Update | None
    optimistic_header: LightClientHeader
    previous_max_active_participants: int = 0
    current_max_active_participants: int = 0

    @classmethod
    def initialize(cls, network: Network, trusted_block_root: bytes, bootstrap: Bootstrap) -> Self:
        """initialize_light_client_store: trusts the bootstrap's block, whose root the user has from elsewhere.

        Raises:
            VerificationError: the bootstrap is not of that block, or its committee is not proven or sound.
        """
        judge_bootstrap(VERIFY, bootstrap, trusted_block_root, network)
        return cls(network, bootstrap.header, bootstrap.current_sync_committee, None, None, bootstrap.header)

    @property
    def finalized_slot(self) -> int:
        return self.finalized_header.beacon.slot

    @property
    def trusted(self) -> TrustedCommittees:
        """The committees' roots and the finalized slot, as the rules of an update take them."""
        following = self.next_sync_committee
        return TrustedCommittees(
            self.finalized_slot,
            sync_committee_root(self.current_sync_committee),
            None if following is None else sync_committee_root(following),
        )

    @property
    def safety_threshold(self) -> int:
        """get_safety_threshold: more participants than this move the optimistic header."""
        return max(self.previous_max_active_participants, self.current_max_active_participants) // 2

    def committee_for(self, update: Update) -> SyncCommittee:
        """Of the signature's period; whether the update may be signed in that period is judged by the checks."""
        is_current = self.network.period_at(update.signature_slot) == self.network.period_at(self.finalized_slot)
        return (
            self.current_sync_committee if is_current or self.next_sync_committee is None else self.next_sync_committee
        )

    def validate(self, update: Update, current_slot: int) -> None:
        """validate_light_client_update; `current_slot` is by the user's clock.

        Raises:
            VerificationError: the first rule that does not hold.
        """
        judge_store_update(VERIFY, update, self.committee_for(update), self.trusted, self.network, current_slot)

    def process_update(self, update: Update, current_slot: int) -> "LightClientStore":
        """process_light_client_update: finality and optimistic updates are updates with parts left out.

        Raises:
            VerificationError: the first rule that does not hold, or as `after_valid`.
        """
        self.validate(update, current_slot)
        return self.after_valid(update)

    def after_valid(self, update: Update) -> "LightClientStore":
        """What `process_update` makes of an update that has passed `validate`.

        Raises:
            PredicateFailed: `next_committee_known`: it would finalize a period whose committee is not known.
        """
        best = self.best_valid_update
        participants = update.sync_aggregate.participants
        store = replace(
            self,
            best_valid_update=update if best is None or is_better_update(update, best, self.network) else best,
            current_max_active_participants=max(self.current_max_active_participants, participants),
        )
        if participants > store.safety_threshold and update.attested_slot > store.optimistic_header.beacon.slot:
            store = replace(store, optimistic_header=update.attested_header)
        period_at = self.network.period_at
        has_finalized_next_committee = (
            self.next_sync_committee is None
            and update.next_sync_committee is not None
            and bool(update.finality_branch)
            and period_at(update.finalized_slot) == period_at(update.attested_slot)
        )
        if participants >= supermajority(update.sync_aggregate.size) and (
            update.finalized_slot > self.finalized_slot or has_finalized_next_committee
        ):
            store = replace(store._applied(update), best_valid_update=None)
        return store

    def force_update(self, current_slot: int) -> "LightClientStore":
        """process_light_client_store_force_update: after a period without finality the best attested header stands in.

        A choice for anyone who would rather follow an unproven head than stand still; nothing that carries value may
        use it.

        Raises:
            PredicateFailed: `next_committee_known`: the best update is of a period whose committee is not known.
        """
        best = self.best_valid_update
        if best is None or current_slot <= self.finalized_slot + self.network.preset.period_slots:
            return self
        if best.finalized_slot <= self.finalized_slot:
            best = replace(best, finalized_header=best.attested_header)
        return replace(self._applied(best), best_valid_update=None)

    def _applied(self, update: Update) -> "LightClientStore":
        """apply_light_client_update."""
        period = self.network.period_at(self.finalized_slot)
        finalized_period = self.network.period_at(update.finalized_slot)
        store = self
        if self.next_sync_committee is None:
            if finalized_period != period:
                raise PredicateFailed(
                    "next_committee_known", "the committee of the next period is not known", finalized_period, period
                )
            store = replace(store, next_sync_committee=update.next_sync_committee)
        elif finalized_period == period + 1:
            store = replace(
                store,
                current_sync_committee=self.next_sync_committee,
                next_sync_committee=update.next_sync_committee,
                previous_max_active_participants=self.current_max_active_participants,
                current_max_active_participants=0,
            )
        if update.finalized_header is not None and update.finalized_slot > self.finalized_slot:
            store = replace(store, finalized_header=update.finalized_header)
            if update.finalized_slot > store.optimistic_header.beacon.slot:
                store = replace(store, optimistic_header=update.finalized_header)
        return store


def is_better_update(new: Update, old: Update, network: Network) -> bool:
    """is_better_update: supermajority, then what it brings, then how many signed, then the older; of two equal ones
    False.
    """
    return _rank(new, network) > _rank(old, network)


def _rank(update: Update, network: Network) -> tuple[int, ...]:
    """Sorts as the specification's comparisons do, field by field."""
    period_at = network.period_at
    participants = update.sync_aggregate.participants
    has_supermajority = participants >= supermajority(update.sync_aggregate.size)
    has_relevant_committee = update.next_sync_committee is not None and period_at(update.attested_slot) == period_at(
        update.signature_slot
    )
    has_finality = bool(update.finality_branch)
    has_committee_finality = has_finality and period_at(update.finalized_slot) == period_at(update.attested_slot)
    return (
        has_supermajority,
        0 if has_supermajority else participants,
        has_relevant_committee,
        has_finality,
        has_committee_finality,
        participants,
        -update.attested_slot,
        -update.signature_slot,
    )
