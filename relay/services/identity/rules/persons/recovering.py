"""Recovery of a person: begun by guardians or by the registrar, cancelled by the present key, and due after its delay."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from hutong.light_clients.crypto import sha256
from hutong.light_clients.interface import Judge, PredicateFailed, rule
from hutong.relay.services.identity.rules.organisations.approvals import signatures_are_whole, signers_ascend
from hutong.relay.services.identity.rules.persons.changing import changed, sequence_is_left
from hutong.relay.services.identity.rules.persons.person import SPEC, Control, Person, Place, leaf_of
from hutong.relay.services.identity.rules.persons.person_recovery_record import (
    PersonRecoveryRecord,
    RecoveredBy,
    encode_person_recovery_record,
)
from hutong.relay.services.identity.rules.persons.recovery_policy import (
    PersonPolicy,
    decode_person_policy,
    policy_commitment_of,
)
from hutong.relay.services.identity.rules.persons.shard_tree import (
    DEPTH,
    LeafChange,
    changes_ascend,
    changes_lead_from_root,
    leaf_stands_under_root,
    nodes_are_whole,
)
from hutong.relay.services.identity.rules.persons.signed import cancel_digest, recovery_digest, signed_by
from hutong.relay.services.identity.rules.records.did_record import Moment
from hutong.relay.services.identity.rules.records.shard_record import ShardRecord

MAX_APPROVAL_LIFE_S: Final = 604_800
"""Guardians' approvals expire at most so long after they are shown."""
KEPT_S: Final = 2_592_000
"""A recovery that nobody completes stays for so long after its delay; then anybody may clear it away."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What whoever begins or completes a recovery shows of the person: the opening of its leaf, and its path."""

    person: Person
    path: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Demand:
    """Who is to control the person, under which policy of recovery, and until when that was approved, in Unix seconds."""

    following: Control
    policy: bytes
    expires_s: int


@rule(SPEC)
def policy_was_committed_to_by_leaf(person: Person, data: bytes) -> PersonPolicy:
    """The policy of recovery that the leaf commits to.

    Raises:
        MalformedInput: bytes of another form.
        PredicateFailed: the leaf commits to another one, or to none.
    """
    policy = decode_person_policy(data)
    found = policy_commitment_of(policy)
    if found != person.control.recovery:
        raise PredicateFailed(
            "policy_was_committed_to_by_leaf", "another policy", got=found, expected=person.control.recovery
        )
    return policy


@rule(SPEC)
def guardians_approve(policy: PersonPolicy, digest: bytes, signatures: tuple[bytes, ...]) -> None:
    """At least the threshold of the guardians signed, and there are guardians.

    Raises:
        MalformedInput, PredicateFailed: of the signatures' form and order, or too few of guardians.
    """
    signatures_are_whole(signatures)
    found = len(set(policy.guardians) & set(signers_ascend(digest, signatures)))
    if not policy.guardians or found < policy.threshold:
        raise PredicateFailed("guardians_approve", "too few guardians", got=found, expected=policy.threshold)


@rule(SPEC)
def registrar_may_recover(policy: PersonPolicy) -> None:
    """The person lets its registrar recover it, after it has shown again who it is.

    Raises:
        PredicateFailed: it does not.
    """
    if not policy.registrar_may:
        raise PredicateFailed("registrar_may_recover", "the person does not let its registrar do so")


@rule(SPEC)
def approval_counts_now(expires_s: int, now_s: int) -> None:
    """What was approved has not expired, and expires before long.

    Raises:
        PredicateFailed: either.
    """
    if not now_s <= expires_s <= now_s + MAX_APPROVAL_LIFE_S:
        raise PredicateFailed(
            "approval_counts_now", "expired, or too far ahead", expires_s, (now_s, now_s + MAX_APPROVAL_LIFE_S)
        )


@rule(SPEC)
def no_recovery_waits(standing: PersonRecoveryRecord | None, leaf: bytes, expires_s: int | None, now_s: int) -> None:
    """Nothing stands that is of this leaf, but one that is over, or was cancelled and approved for less long.

    Args:
        expires_s: of what guardians approve now; None for the registrar, whose start nobody can show again.

    Raises:
        PredicateFailed: one waits, or what is shown may have been cancelled.
    """
    if standing is None or standing.leaf != leaf or is_over(standing, now_s):
        return
    if not standing.is_cancelled:
        raise PredicateFailed("no_recovery_waits", "one waits already", got=standing.effective_s)
    if expires_s is not None and expires_s <= standing.expires_s:
        raise PredicateFailed("no_recovery_waits", "was cancelled", got=expires_s, expected=f"> {standing.expires_s}")


@rule(SPEC)
def recovery_can_be_cancelled(record: PersonRecoveryRecord, now_s: int) -> None:
    """It waits, and its delay is not over.

    Raises:
        PredicateFailed: it was cancelled, or the delay is over.
    """
    if record.is_cancelled or now_s >= record.effective_s:
        raise PredicateFailed("recovery_can_be_cancelled", "not any more", got=now_s, expected=record.effective_s)


@rule(SPEC)
def person_recovery_is_due(record: PersonRecoveryRecord, now_s: int) -> None:
    """It waits, and its delay is over.

    Raises:
        PredicateFailed: it was cancelled, or the delay is not over.
    """
    if record.is_cancelled or now_s < record.effective_s:
        raise PredicateFailed("person_recovery_is_due", "not yet, or cancelled", got=now_s, expected=record.effective_s)


@rule(SPEC)
def recovery_is_of_leaf(record: PersonRecoveryRecord, leaf: bytes) -> None:
    """The person has not changed since: its next key, or the registrar with its signature, ends a recovery by a change.

    Raises:
        PredicateFailed: it has.
    """
    if record.leaf != leaf:
        raise PredicateFailed("recovery_is_of_leaf", "the person has changed since", got=leaf, expected=record.leaf)


@rule(SPEC)
def recovery_is_over(record: PersonRecoveryRecord, now_s: int) -> None:
    """Nobody loses anything if it is cleared away.

    Raises:
        PredicateFailed: it may still take effect, or its approvals be shown again.
    """
    if not is_over(record, now_s):
        raise PredicateFailed("recovery_is_over", "it is kept for longer", got=now_s, expected=_over_s(record))


def is_over(record: PersonRecoveryRecord, now_s: int) -> bool:
    """Whether a recovery counts for nothing any more."""
    return now_s > _over_s(record)


def _over_s(record: PersonRecoveryRecord) -> int:
    if record.is_cancelled:
        return record.expires_s
    return max(record.effective_s + KEPT_S, record.expires_s)


def judge_start(
    judge: Judge,
    hub: str,
    place: Place,
    states: tuple[ShardRecord, PersonRecoveryRecord | None],
    said: tuple[Shown, Demand],
    approval: tuple[tuple[bytes, ...] | None, Moment],
) -> PersonRecoveryRecord:
    """The record of a recovery that begins.

    Args:
        states: of the shard, and what stands of an earlier recovery at this place.
        approval: guardians' signatures, None where the registrar itself begins it; and the present moment.

    Raises:
        MalformedInput, PredicateFailed: the first rule that does not hold.
    """
    (shard, standing), (shown, demand), (signatures, now) = states, said, approval
    leaf = leaf_of(shown.person)
    judge(nodes_are_whole, shown.path, DEPTH)
    judge(leaf_stands_under_root, shard.root, place.index, leaf, shown.path)
    policy = judge(policy_was_committed_to_by_leaf, shown.person, demand.policy)
    judge(approval_counts_now, demand.expires_s, now.time_s)
    judge(no_recovery_waits, standing, leaf, None if signatures is None else demand.expires_s, now.time_s)
    if signatures is None:
        by = RecoveredBy.REGISTRAR
        judge(registrar_may_recover, policy)
    else:
        by = RecoveredBy.GUARDIANS
        judge(
            guardians_approve, policy, recovery_digest(hub, place, leaf, demand.following, demand.expires_s), signatures
        )
    # An approval that was cancelled stays cancelled, whatever begins after it.
    expires_s = max(demand.expires_s, standing.expires_s if standing is not None and standing.leaf == leaf else 0)
    effective_s = now.time_s + policy.delay_s
    account = shown.person.control.account
    return PersonRecoveryRecord(leaf, account, demand.following, by, effective_s, expires_s, now)


def judge_cancel(
    judge: Judge, hub: str, place: Place, record: PersonRecoveryRecord, signature: bytes, now_s: int
) -> PersonRecoveryRecord:
    """The record after the present key has cancelled it.

    Raises:
        PredicateFailed: `recovery_can_be_cancelled`, `signed_by`.
    """
    judge(recovery_can_be_cancelled, record, now_s)
    digest = cancel_digest(hub, place, sha256(encode_person_recovery_record(record)))
    judge(signed_by, digest, signature, record.account)
    return replace(record, effective_s=0)


def judge_completion(
    judge: Judge, place: Place, states: tuple[ShardRecord, PersonRecoveryRecord], shown: Shown, now_s: int
) -> ShardRecord:
    """The shard after a recovery took effect; its moment stays, and is the caller's to set.

    Raises:
        PredicateFailed: the first rule that does not hold.
    """
    shard, record = states
    leaf = leaf_of(shown.person)
    judge(person_recovery_is_due, record, now_s)
    judge(recovery_is_of_leaf, record, leaf)
    judge(sequence_is_left, shown.person)
    judge(nodes_are_whole, shown.path, DEPTH)
    change = LeafChange(place.index, leaf, leaf_of(changed(shown.person, record.following)))
    judge(changes_ascend, shard.count, [change])
    root = judge(changes_lead_from_root, shard.root, [change], shown.path)
    return replace(shard, root=root, version=shard.version + 1)
