"""Who controls a DID next: by the policy that was committed to, or by recovery."""

from hutong.light_clients.interface import PredicateFailed, rule
from hutong.relay.services.identity.rules.organisations.approvals import SPEC
from hutong.relay.services.identity.rules.records.policy_record import (
    NO_POLICY,
    Controllers,
    PolicyRecord,
    policy_commitment,
)
from hutong.relay.services.identity.rules.records.recovery_record import RecoveryRecord


@rule(SPEC)
def policy_was_committed_to(standing: Controllers, following: Controllers, salt: bytes) -> None:
    """Where the present policy names the next one by hash, only that one follows.

    Raises:
        PredicateFailed: another one.
    """
    if standing.next_policy == NO_POLICY:
        return
    found = policy_commitment(following.threshold, following.accounts, salt)
    if found != standing.next_policy:
        raise PredicateFailed(
            "policy_was_committed_to", "other controllers were committed to", got=found, expected=standing.next_policy
        )


def who_decides_on_a_change(standing: Controllers, following: Controllers) -> Controllers:
    """Whose approvals a change of controllers needs.

    Those who follow, where the present ones have committed to them: so a thief of today's keys can change nothing here, and
    whoever lost them can. Otherwise the present ones.
    """
    return standing if standing.next_policy == NO_POLICY else following


@rule(SPEC)
def recovery_is_due(recovery: RecoveryRecord, now_s: int) -> PolicyRecord:
    """The delay is over. Returns the policy that takes effect.

    Raises:
        PredicateFailed: the present controllers may still cancel it.
    """
    if now_s < recovery.effective_s:
        raise PredicateFailed(
            "recovery_is_due",
            "the present controllers may still cancel it",
            got=now_s,
            expected=f">= {recovery.effective_s}",
        )
    return recovery.policy
