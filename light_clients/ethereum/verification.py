"""The rules in the order of the specification: what makes a bootstrap, an update and an IBC header believed.

`verify` runs these lists, the audit prints them.
"""

from collections.abc import Iterator
from functools import partial

from light_clients.ethereum import predicates
from light_clients.ethereum.forks import Network
from light_clients.ethereum.roots import sync_committee_root
from light_clients.ethereum.types import Bootstrap, SyncCommittee, TrustedCommittees, Update
from light_clients.interface import Check

SPEC = "docs/spec/ethereum-client.md"
SYNC_PROTOCOL = "consensus-specs altair/light-client/sync-protocol.md"
CAPELLA_HEADER = "consensus-specs capella/light-client/sync-protocol.md#is_valid_light_client_header"
ELECTRA_BRANCH = "consensus-specs electra/light-client/sync-protocol.md#is_valid_normalized_merkle_branch"
VALIDATE = f"{SYNC_PROTOCOL}#validate_light_client_update"
INITIALIZE = f"{SYNC_PROTOCOL}#initialize_light_client_store"
KEY_VALIDATE = "consensus-specs altair/bls.md; draft-irtf-cfrg-bls-signature 2.5"

MIN_SYNC_COMMITTEE_PARTICIPANTS = 1
"""What an update of the specification's store needs to be valid; two thirds to be applied."""


def bootstrap_checks(bootstrap: Bootstrap, trusted_block_root: bytes, network: Network) -> Iterator[Check]:
    """initialize_light_client_store: the bootstrap is of the block whose root the user trusts."""
    yield Check(
        "bootstrap_header_valid",
        CAPELLA_HEADER,
        partial(predicates.light_client_header_valid, bootstrap.header, network, "bootstrap_header_valid"),
    )
    yield Check(
        "bootstrap_header_trusted",
        INITIALIZE,
        partial(predicates.bootstrap_header_trusted, bootstrap, trusted_block_root),
    )
    yield Check(
        "current_committee_proven", ELECTRA_BRANCH, partial(predicates.current_committee_proven, bootstrap, network)
    )
    yield Check(
        "committee_keys_valid",
        KEY_VALIDATE,
        partial(predicates.committee_keys_valid, bootstrap.current_sync_committee),
    )


def content_checks(
    update: Update, committee: SyncCommittee, network: Network, min_participants: int
) -> Iterator[Check]:
    """What an update must be by itself, before it is asked who signed. Hashes only."""
    yield Check(
        "sizes_match_the_preset", SYNC_PROTOCOL, partial(predicates.sizes_match_the_preset, update, committee, network)
    )
    yield Check("enough_participants", VALIDATE, partial(predicates.enough_participants, update, min_participants))
    yield Check(
        "attested_header_valid",
        CAPELLA_HEADER,
        partial(predicates.light_client_header_valid, update.attested_header, network, "attested_header_valid"),
    )
    yield Check("slots_in_order", VALIDATE, partial(predicates.slots_in_order, update))


def branch_checks(update: Update, network: Network) -> Iterator[Check]:
    """Finalized header and next committee, where there are any, stand in the attested state."""
    if update.finalized_header is not None:
        yield Check(
            "finalized_header_valid",
            CAPELLA_HEADER,
            partial(predicates.light_client_header_valid, update.finalized_header, network, "finalized_header_valid"),
        )
    yield Check("finality_proven", ELECTRA_BRANCH, partial(predicates.finality_proven, update, network))
    yield Check("next_committee_proven", ELECTRA_BRANCH, partial(predicates.next_committee_proven, update, network))


def signature_checks(update: Update, committee: SyncCommittee, network: Network) -> Iterator[Check]:
    """The committee's keys are sound, and the participants signed."""
    yield Check("committee_keys_valid", KEY_VALIDATE, partial(predicates.committee_keys_valid, committee))
    yield Check("signed_by_committee", VALIDATE, partial(predicates.signed_by_committee, update, committee, network))


def trusted_update_checks(
    update: Update,
    committee: SyncCommittee,
    trusted: TrustedCommittees,
    network: Network,
    min_participants: int,
    current_slot: int | None,
) -> Iterator[Check]:
    """validate_light_client_update from the trusted committees, but for relevance.

    Without `current_slot` the time is not judged: the age of evidence of misbehaviour does not matter.
    """
    yield from content_checks(update, committee, network, min_participants)
    if current_slot is not None:
        yield Check(
            "header_not_from_future", VALIDATE, partial(predicates.header_not_from_future, update, current_slot)
        )
    yield Check(
        "signature_period_known", VALIDATE, partial(predicates.signature_period_known, update, trusted, network)
    )
    yield from branch_checks(update, network)
    yield Check(
        "next_committee_as_known", VALIDATE, partial(predicates.next_committee_as_known, update, trusted, network)
    )
    yield Check(
        "committee_is_trusted", VALIDATE, partial(predicates.committee_is_trusted, update, committee, trusted, network)
    )
    yield from signature_checks(update, committee, network)


def store_update_checks(
    update: Update,
    committee: SyncCommittee,
    trusted: TrustedCommittees,
    network: Network,
    current_slot: int,
) -> Iterator[Check]:
    """validate_light_client_update whole, as a light client that follows the head runs it."""
    yield Check("update_is_relevant", VALIDATE, partial(predicates.update_is_relevant, update, trusted, network))
    yield from trusted_update_checks(update, committee, trusted, network, MIN_SYNC_COMMITTEE_PARTICIPANTS, current_slot)


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
