"""The rules of the sync-committee protocol, one function a rule, in the words of the consensus specifications.

Source: consensus-specs `specs/{altair,capella,deneb,electra}/light-client/sync-protocol.md`.
"""

from hutong.light_clients.crypto import bls
from hutong.light_clients.ethereum.committee import decode_committee
from hutong.light_clients.ethereum.forks import EXECUTION_PAYLOAD_GINDEX, Fork, Network, signing_root
from hutong.light_clients.ethereum.roots import beacon_block_root, execution_payload_root, sync_committee_root
from hutong.light_clients.ethereum.types import (
    Bootstrap,
    Header,
    LightClientHeader,
    SyncCommittee,
    TrustedCommittees,
    Update,
)
from hutong.light_clients.interface import MalformedInput, PredicateFailed, cited, rule, trusting
from hutong.light_clients.proofs.ssz import ZERO_CHUNK, verify_branch, verify_normalized_branch

SPEC = "docs/spec/ethereum-client.md"
SYNC_PROTOCOL = "consensus-specs altair/light-client/sync-protocol.md"
CAPELLA_HEADER = "consensus-specs capella/light-client/sync-protocol.md#is_valid_light_client_header"
ELECTRA_BRANCH = "consensus-specs electra/light-client/sync-protocol.md#is_valid_normalized_merkle_branch"
VALIDATE = f"{SYNC_PROTOCOL}#validate_light_client_update"
INITIALIZE = f"{SYNC_PROTOCOL}#initialize_light_client_store"
KEY_VALIDATE = "consensus-specs altair/bls.md; draft-irtf-cfrg-bls-signature 2.5"


def lc_execution_root(header: LightClientHeader, network: Network) -> bytes:
    """get_lc_execution_root: the payload header's root by the rules of the header's own epoch; zero before Capella.

    Raises:
        UnsupportedOperation: these rules are not offered.
    """
    fork = network.fork_at(header.beacon.slot)
    if fork < Fork.CAPELLA or header.execution is None:
        return ZERO_CHUNK
    return execution_payload_root(header.execution, fork)


def light_client_header_valid(header: LightClientHeader, network: Network, predicate: str) -> None:
    """The payload header is the one in the beacon block's body (is_valid_light_client_header).

    `predicate` is the rule in whose name is refused. Who signed the beacon header is not asked.

    Raises:
        PredicateFailed: the branch leads elsewhere, or there is a part too few or too many for the header's fork.
        MalformedInput: a branch of another length.
        UnsupportedOperation: the fork of the header's slot is not offered.
    """
    fork = network.fork_at(header.beacon.slot)
    execution = header.execution
    if fork < Fork.CAPELLA:
        if execution is not None or header.execution_branch:
            raise PredicateFailed(predicate, "a header from before Capella proves no execution payload")
        return
    if execution is None:
        raise PredicateFailed(predicate, f"a header of {fork.name} comes without its execution payload header")
    if fork < Fork.DENEB and (execution.blob_gas_used or execution.excess_blob_gas):
        raise PredicateFailed(predicate, "a payload header from before Deneb has blob gas", got=execution.blob_gas_used)
    verify_branch(
        execution_payload_root(execution, fork),
        header.execution_branch,
        EXECUTION_PAYLOAD_GINDEX,
        header.beacon.body_root,
        predicate,
    )


@rule(CAPELLA_HEADER)
def attested_header_valid(update: Update, network: Network) -> None:
    """See `light_client_header_valid`, of the attested header.

    Raises:
        PredicateFailed, MalformedInput, UnsupportedOperation: as there.
    """
    light_client_header_valid(update.attested_header, network, "attested_header_valid")


@rule(CAPELLA_HEADER)
def finalized_header_valid(header: LightClientHeader, network: Network) -> None:
    """See `light_client_header_valid`, of the finalized header.

    Raises:
        PredicateFailed, MalformedInput, UnsupportedOperation: as there.
    """
    light_client_header_valid(header, network, "finalized_header_valid")


@rule(CAPELLA_HEADER)
def bootstrap_header_valid(bootstrap: Bootstrap, network: Network) -> None:
    """See `light_client_header_valid`, of the bootstrap's header.

    Raises:
        PredicateFailed, MalformedInput, UnsupportedOperation: as there.
    """
    light_client_header_valid(bootstrap.header, network, "bootstrap_header_valid")


@rule(SYNC_PROTOCOL)
def sizes_match_the_preset(update: Update, committee: SyncCommittee, network: Network) -> None:
    """One bit a member, and committees of the network's size.

    Raises:
        MalformedInput: one is of another size.
    """
    size = network.preset.sync_committee_size
    sizes = [update.sync_aggregate.size, committee.size]
    if update.next_sync_committee is not None:
        sizes.append(update.next_sync_committee.size)
    if any(got != size for got in sizes):
        raise MalformedInput("sync_committee", "is not of the network's size", got=max(sizes), expected=size)


@rule(VALIDATE)
def enough_participants(update: Update, min_participants: int) -> None:
    """At least `min_participants` members signed, by the bits of the aggregate; the signature is judged later.

    Raises:
        PredicateFailed: fewer.
    """
    got = update.sync_aggregate.participants
    if got < min_participants:
        raise PredicateFailed(
            "enough_participants", "too few members of the committee signed", got=got, expected=f">= {min_participants}"
        )


@rule(VALIDATE)
def slots_in_order(update: Update) -> None:
    """signature_slot > attested slot >= finalized slot.

    An update that shows no finality counts as of finalized slot 0.

    Raises:
        PredicateFailed: another order.
    """
    if not update.signature_slot > update.attested_slot >= update.finalized_slot:
        raise PredicateFailed(
            "slots_in_order",
            "signed, attested and finalized slots",
            got=f"{update.signature_slot}, {update.attested_slot}, {update.finalized_slot}",
            expected="signed > attested >= finalized",
        )


@rule(VALIDATE)
def header_not_from_future(update: Update, current_slot: int) -> None:
    """current_slot >= signature_slot.

    Raises:
        PredicateFailed: it was signed at a slot that has not begun.
    """
    if update.signature_slot > current_slot:
        raise PredicateFailed(
            "header_not_from_future",
            "was signed at a slot that has not begun",
            got=update.signature_slot,
            expected=f"<= {current_slot}",
        )


@rule(VALIDATE)
def signature_period_known(update: Update, trusted: TrustedCommittees, network: Network) -> None:
    """Signed in the trusted period, or in the next one if its committee is known: no period is skipped.

    Raises:
        PredicateFailed: an earlier period, or one whose committee is not known.
    """
    period = network.period_at(trusted.finalized_slot)
    signed = network.period_at(update.signature_slot)
    if signed not in (period, period + 1) or (signed == period + 1 and trusted.next_root is None):
        raise PredicateFailed(
            "signature_period_known",
            "the committee of that period is not known",
            got=signed,
            expected=str(period) if trusted.next_root is None else f"{period} or {period + 1}",
        )


@rule(VALIDATE)
def update_is_relevant(update: Update, trusted: TrustedCommittees, network: Network) -> None:
    """It attests to something newer than what is final, or brings the next committee of the trusted period.

    Raises:
        PredicateFailed: neither.
    """
    brings_committee = (
        trusted.next_root is None
        and update.next_sync_committee is not None
        and network.period_at(update.attested_slot) == network.period_at(trusted.finalized_slot)
    )
    if update.attested_slot <= trusted.finalized_slot and not brings_committee:
        raise PredicateFailed(
            "update_is_relevant",
            "attests to nothing new",
            got=update.attested_slot,
            expected=f"> {trusted.finalized_slot}",
        )


@rule(ELECTRA_BRANCH)
def finality_proven(update: Update, network: Network) -> None:
    """The finalized header is the one that the attested state names; a state that names none names a zero root.

    An update that shows no finality passes: `shows_finality` is another rule.

    Raises:
        PredicateFailed: the branch leads elsewhere.
        MalformedInput: a branch of another length.
        UnsupportedOperation: the fork of the attested slot is not offered.
    """
    header = update.finalized_header
    if header is None and not update.finality_branch:
        return
    verify_normalized_branch(
        ZERO_CHUNK if header is None else beacon_block_root(header.beacon),
        update.finality_branch,
        network.indices_at(update.attested_slot).finalized_root,
        update.attested_header.beacon.state_root,
        "finality_proven",
    )


@rule(ELECTRA_BRANCH)
def next_committee_proven(update: Update, network: Network) -> None:
    """The next committee, where there is one, is the one in the attested state.

    Raises:
        PredicateFailed: the branch leads elsewhere.
        MalformedInput: a branch of another length.
        UnsupportedOperation: the fork of the attested slot is not offered.
    """
    if update.next_sync_committee is None:
        return
    verify_normalized_branch(
        sync_committee_root(update.next_sync_committee),
        update.next_sync_committee_branch,
        network.indices_at(update.attested_slot).next_sync_committee,
        update.attested_header.beacon.state_root,
        "next_committee_proven",
    )


@rule(VALIDATE)
def next_committee_as_known(update: Update, trusted: TrustedCommittees, network: Network) -> None:
    """A next committee that is known already cannot become another one.

    Raises:
        PredicateFailed: another committee for the period after the trusted one.
    """
    if update.next_sync_committee is None or trusted.next_root is None:
        return
    if network.period_at(update.attested_slot) != network.period_at(trusted.finalized_slot):
        return
    got = sync_committee_root(update.next_sync_committee)
    if got != trusted.next_root:
        raise PredicateFailed(
            "next_committee_as_known", "another next committee of that period is known", got, trusted.next_root
        )


@rule(VALIDATE)
def committee_is_trusted(
    update: Update, committee: SyncCommittee, trusted: TrustedCommittees, network: Network
) -> None:
    """The committee that is said to have signed is that of the signature's period.

    Raises:
        PredicateFailed: another committee, by its root.
    """
    is_current = network.period_at(update.signature_slot) == network.period_at(trusted.finalized_slot)
    expected = trusted.current_root if is_current else trusted.next_root
    got = sync_committee_root(committee)
    if got != expected:
        raise PredicateFailed("committee_is_trusted", "is not the committee of the signature's period", got, expected)


@rule(KEY_VALIDATE)
def committee_keys_valid(committee: SyncCommittee) -> None:
    """Every key is a point of the subgroup that is not infinity, and their sum is the aggregate key (KeyValidate).

    Raises:
        PredicateFailed: the first bad key, or another aggregate.
    """
    decode_committee(committee)


@rule(VALIDATE)
def signed_by_committee(update: Update, committee: SyncCommittee, network: Network) -> None:
    """The participants signed the attested header under the domain of the signature's slot (FastAggregateVerify).

    Raises:
        PredicateFailed: the aggregate is not their signature, or a key of the committee is bad.
    """
    aggregate = update.sync_aggregate
    message = signing_root(
        beacon_block_root(update.attested_header.beacon), network.sync_committee_domain(update.signature_slot)
    )
    if not bls.verify_under_sum(decode_committee(committee).sum_of(aggregate), message, aggregate.signature):
        raise PredicateFailed(
            "signed_by_committee", "the aggregate is no signature of the participants", got=aggregate.signature
        )


@rule(INITIALIZE)
def bootstrap_header_trusted(bootstrap: Bootstrap, trusted_block_root: bytes) -> None:
    """The header is the block whose root is trusted.

    Raises:
        PredicateFailed: another block.
    """
    got = beacon_block_root(bootstrap.header.beacon)
    if got != trusted_block_root:
        raise PredicateFailed("bootstrap_header_trusted", "is not the trusted block", got, trusted_block_root)


@rule(ELECTRA_BRANCH)
def current_committee_proven(bootstrap: Bootstrap, network: Network) -> None:
    """The committee is the current one in the trusted block's state.

    Raises:
        PredicateFailed: the branch leads elsewhere.
        MalformedInput: a committee of another size, or a branch of another length.
        UnsupportedOperation: the fork of the header's slot is not offered.
    """
    beacon = bootstrap.header.beacon
    size = network.preset.sync_committee_size
    if bootstrap.current_sync_committee.size != size:
        raise MalformedInput(
            "sync_committee", "is not of the network's size", bootstrap.current_sync_committee.size, size
        )
    verify_normalized_branch(
        sync_committee_root(bootstrap.current_sync_committee),
        bootstrap.current_sync_committee_branch,
        network.indices_at(beacon.slot).current_sync_committee,
        beacon.state_root,
        "current_committee_proven",
    )


# Rules of the IBC client.


within_trusting_period = cited(trusting.within_trusting_period, SPEC)


@rule(SPEC)
def state_not_from_future(timestamp_ns: int, max_clock_drift_ns: int, now_ns: int) -> None:
    """The execution block of a first state is earlier than now plus the allowed drift. All are nanoseconds.

    Raises:
        PredicateFailed: `header_not_from_future`: at that instant or later.
    """
    trusting.demand_not_from_future("header_not_from_future", "block", timestamp_ns, max_clock_drift_ns, now_ns)


@rule(SPEC)
def execution_not_from_future(timestamp_ns: int, max_clock_drift_ns: int, now_ns: int) -> None:
    """The finalized execution block is earlier than now plus the allowed drift. All are nanoseconds.

    Bounding signature slots is not enough: the block's own time is what expiry and timeouts are counted from.

    Raises:
        PredicateFailed: it is at that instant or later.
    """
    trusting.demand_not_from_future("execution_not_from_future", "block", timestamp_ns, max_clock_drift_ns, now_ns)


@rule(SPEC)
def shows_finality(update: Update) -> None:
    """Only what is final is believed: the attested header is a witness, it may still be reorganised away.

    Raises:
        PredicateFailed: no finalized header, or one from before Capella, which proves no execution payload.
    """
    if update.finalized_header is None:
        raise PredicateFailed("shows_finality", "the update shows no finalized header")
    if update.finalized_header.execution is None:
        raise PredicateFailed("shows_finality", "the finalized header proves no execution payload (before Capella)")


@rule(SPEC)
def headers_conflict(header_1: Header, header_2: Header) -> None:
    """One slot, two finalized blocks.

    Attested headers may differ at one slot without anybody's guilt beyond one proposer's: they are not final.

    Raises:
        PredicateFailed: an update without finality, two slots, or one block.
    """
    first, second = header_1.update.finalized_header, header_2.update.finalized_header
    if first is None or second is None:
        raise PredicateFailed("headers_conflict", "an update shows no finalized header")
    if first.beacon.slot != second.beacon.slot:
        raise PredicateFailed(
            "headers_conflict", "finalized headers are of different slots", second.beacon.slot, first.beacon.slot
        )
    if first.beacon == second.beacon:
        raise PredicateFailed("headers_conflict", "both show the same finalized block", beacon_block_root(first.beacon))
