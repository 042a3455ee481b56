"""Keys come, follow one another and end. Time is the hub's: a signer's own word about time decides nothing."""

from dataclasses import replace

from hutong.light_clients.interface import PredicateFailed, rule
from hutong.relay.services.identity.rules.organisations.approvals import SPEC
from hutong.relay.services.identity.rules.organisations.key_form import account_of, key_is_on_its_curve, thumbprint
from hutong.relay.services.identity.rules.records.did_record import Moment
from hutong.relay.services.identity.rules.records.key_record import (
    NO_THUMBPRINT,
    KeyAlgorithm,
    KeyEnd,
    KeyRecord,
    KeyState,
    KeyUse,
    PublicKey,
)
from hutong.relay.services.identity.rules.records.log_record import LogRecord

MAX_WINDOW_AHEAD_S = 315_576_000
"""Ten years: how far ahead a key's window may begin."""


@rule(SPEC)
def key_is_not_backdated(use: KeyUse, now_s: int) -> None:
    """A key counts from now on or later, at most ten years ahead.

    Raises:
        PredicateFailed: its window begins before now, or much later.
    """
    if not now_s <= use.valid_from_s <= now_s + MAX_WINDOW_AHEAD_S:
        raise PredicateFailed(
            "key_is_not_backdated", "a key's window begins now or later", use.valid_from_s, f">= {now_s}"
        )


def new_key(key: PublicKey, use: KeyUse, now: Moment) -> tuple[bytes, KeyRecord]:
    """The thumbprint and the record of a key that is added; a `valid_from_s` of 0 means now.

    Raises:
        PredicateFailed: `key_is_on_its_curve`, `key_is_not_backdated`.
        MalformedInput: a purpose that is not for its algorithm.
    """
    key_is_on_its_curve(key)
    if use.valid_from_s == 0:
        use = replace(use, valid_from_s=now.time_s)
    key_is_not_backdated(use, now.time_s)
    return thumbprint(key), KeyRecord(key, account_of(key), use, KeyEnd(), 0, now)


@rule(SPEC)
def key_may_follow(standing: KeyRecord, thumbprint_of_next: bytes, following: KeyRecord) -> None:
    """The next key is the one that was committed to, and is for the same purposes.

    Raises:
        PredicateFailed: another key, or other purposes.
    """
    expected = standing.use.next_thumbprint
    if expected not in (NO_THUMBPRINT, thumbprint_of_next):
        raise PredicateFailed("key_may_follow", "another key was committed to", thumbprint_of_next, expected)
    if following.use.purposes != standing.use.purposes:
        raise PredicateFailed(
            "key_may_follow",
            "the key that follows is for the same purposes",
            int(following.use.purposes),
            int(standing.use.purposes),
        )


@rule(SPEC)
def key_of_list_signs_credentials(record: KeyRecord) -> None:
    """The key that a status list is bound to signs credentials or seals. One of SM2 signs files: neither JOSE nor EIP-712 has it.

    Raises:
        PredicateFailed: it is of SM2.
    """
    if record.key.algorithm is KeyAlgorithm.SM2:
        raise PredicateFailed("key_of_list_signs_credentials", "signs files alone", got=record.key.algorithm.name)


@rule(SPEC)
def key_is_active(record: KeyRecord) -> None:
    """The key has not ended.

    Raises:
        PredicateFailed: it is retired or compromised.
    """
    if record.end.state is not KeyState.ACTIVE:
        raise PredicateFailed(
            "key_is_active", "the key has ended", got=record.end.state.name.lower(), expected="active"
        )


def retired(record: KeyRecord, log: LogRecord | None, now: Moment) -> KeyRecord:
    """The key ended now: what is in the issuance log by now stays good.

    Raises:
        PredicateFailed: `key_is_active`.
    """
    key_is_active(record)
    size, root = (0, bytes(32)) if log is None else (log.size, log.root)
    return replace(record, end=KeyEnd(KeyState.RETIRED, now.time_s, size, root), open_lists=0)


@rule(SPEC)
def compromise_may_be_declared(record: KeyRecord, from_s: int, now_s: int) -> None:
    """A key is compromised from a moment that is not in the future; a second word may only say an earlier one.

    Raises:
        PredicateFailed: later than now, before the key counted, or not earlier than what is declared already.
    """
    name = "compromise_may_be_declared"
    if from_s > now_s:
        raise PredicateFailed(name, "is not later than now", got=from_s, expected=f"<= {now_s}")
    if from_s < record.added.time_s:
        raise PredicateFailed(name, "the key was added later", got=from_s, expected=f">= {record.added.time_s}")
    if record.end.state is KeyState.COMPROMISED and from_s >= record.end.ended_s:
        raise PredicateFailed(name, "is declared already", got=from_s, expected=f"< {record.end.ended_s}")


def compromised(record: KeyRecord, from_s: int, log_then: LogRecord | None, now: Moment) -> KeyRecord:
    """The key counts as a thief's from `from_s` on; `log_then` is the log as of the last second before.

    A key that had ended keeps the smaller of both logs, so that no later word lets more pass.

    Raises:
        PredicateFailed: `compromise_may_be_declared`.
    """
    compromise_may_be_declared(record, from_s, now.time_s)
    size, root = (0, bytes(32)) if log_then is None else (log_then.size, log_then.root)
    if record.end.state is not KeyState.ACTIVE and record.end.log_size <= size:
        size, root = record.end.log_size, record.end.log_root
    return replace(record, end=KeyEnd(KeyState.COMPROMISED, from_s, size, root), open_lists=0)
