"""The rules in the order of the specification: what makes a bootstrap, an update and an IBC header believed."""

from hutong.light_clients.ethereum import predicates
from hutong.light_clients.ethereum.forks import Network
from hutong.light_clients.ethereum.roots import sync_committee_root
from hutong.light_clients.ethereum.types import Bootstrap, SyncCommittee, TrustedCommittees, Update
from hutong.light_clients.interface import Judge

MIN_SYNC_COMMITTEE_PARTICIPANTS = 1
"""What an update of the specification's store needs to be valid; two thirds to be applied."""


def judge_bootstrap(judge: Judge, bootstrap: Bootstrap, trusted_block_root: bytes, network: Network) -> None:
    """initialize_light_client_store: the bootstrap is of the block whose root the user trusts.

    Raises:
        PredicateFailed, MalformedInput, UnsupportedOperation: the first rule that does not hold.
    """
    judge(predicates.bootstrap_header_valid, bootstrap, network)
    judge(predicates.bootstrap_header_trusted, bootstrap, trusted_block_root)
    judge(predicates.current_committee_proven, bootstrap, network)
    judge(predicates.committee_keys_valid, bootstrap.current_sync_committee)


def judge_content(
    judge: Judge, update: Update, committee: SyncCommittee, network: Network, min_participants: int
) -> None:
    """What an update must be by itself, before it is asked who signed. Hashes only.

    Raises:
        PredicateFailed, MalformedInput, UnsupportedOperation: the first rule that does not hold.
    """
    judge(predicates.sizes_match_the_preset, update, committee, network)
    judge(predicates.enough_participants, update, min_participants)
    judge(predicates.attested_header_valid, update, network)
    judge(predicates.slots_in_order, update)


def judge_branches(judge: Judge, update: Update, network: Network) -> None:
    """Finalized header and next committee, where there are any, stand in the attested state.

    Raises:
        PredicateFailed, MalformedInput, UnsupportedOperation: the first rule that does not hold.
    """
    if update.finalized_header is not None:
        judge(predicates.finalized_header_valid, update.finalized_header, network)
    judge(predicates.finality_proven, update, network)
    judge(predicates.next_committee_proven, update, network)


def judge_signature(judge: Judge, update: Update, committee: SyncCommittee, network: Network) -> None:
    """The committee's keys are sound, and the participants signed. Whether it is trusted is judged elsewhere.

    Raises:
        PredicateFailed: the first rule that does not hold.
    """
    judge(predicates.committee_keys_valid, committee)
    judge(predicates.signed_by_committee, update, committee, network)


def judge_trusted_update(
    judge: Judge,
    update: Update,
    committee: SyncCommittee,
    trusted: TrustedCommittees,
    network: Network,
    min_participants: int,
    current_slot: int | None,
) -> None:
    """validate_light_client_update from the trusted committees, but for relevance.

    Without `current_slot` the time is not judged: the age of evidence of misbehaviour does not matter.

    Raises:
        PredicateFailed, MalformedInput, UnsupportedOperation: the first rule that does not hold.
    """
    judge_content(judge, update, committee, network, min_participants)
    if current_slot is not None:
        judge(predicates.header_not_from_future, update, current_slot)
    judge(predicates.signature_period_known, update, trusted, network)
    judge_branches(judge, update, network)
    judge(predicates.next_committee_as_known, update, trusted, network)
    judge(predicates.committee_is_trusted, update, committee, trusted, network)
    judge_signature(judge, update, committee, network)


def judge_store_update(
    judge: Judge,
    update: Update,
    committee: SyncCommittee,
    trusted: TrustedCommittees,
    network: Network,
    current_slot: int,
) -> None:
    """validate_light_client_update whole, as a light client that follows the head runs it.

    Raises:
        PredicateFailed, MalformedInput, UnsupportedOperation: the first rule that does not hold.
    """
    judge(predicates.update_is_relevant, update, trusted, network)
    judge_trusted_update(judge, update, committee, trusted, network, MIN_SYNC_COMMITTEE_PARTICIPANTS, current_slot)


def after_update(trusted: TrustedCommittees, update: Update, network: Network) -> TrustedCommittees:
    """apply_light_client_update: what is trusted once a supermajority's update has passed its checks.

    A next committee counts only where the header that elected it is final. So a finalized header of an earlier period
    brings none; one of the trusted period or the next was attested in the same period, since the signature was
    (`signature_period_known`, `slots_in_order`), and that period's state names the committee.
    """
    period = network.period_at(trusted.finalized_slot)
    finalized_period = network.period_at(update.finalized_slot)
    following = update.next_sync_committee
    brought = None if following is None else sync_committee_root(following)
    current_root, next_root = trusted.current_root, trusted.next_root
    if next_root is None:
        if finalized_period == period:
            next_root = brought
    elif finalized_period == period + 1:
        current_root, next_root = next_root, brought
    return TrustedCommittees(max(trusted.finalized_slot, update.finalized_slot), current_root, next_root)
