"""Keys of a DID over the state: added, rotated, retired, compromised. Whoever calls has checked the approval."""

from dataclasses import replace

from hutong.relay.hub.application.identity import strangers
from hutong.relay.hub.application.identity.issuing import log_before, seal_lists_of, set_log_back
from hutong.relay.hub.application.identity.refusals import KeyExists, TooManyRecords
from hutong.relay.hub.application.identity.registering import MAX_KEYS, MAX_STRANGER_KEYS, NewKey
from hutong.relay.hub.application.identity.registry import Registry
from hutong.relay.services.identity.rules.organisations.key_life import (
    compromised,
    key_is_active,
    key_may_follow,
    new_key,
    retired,
)
from hutong.relay.services.identity.rules.records.key_record import KeyPurpose, KeyRecord, KeyState


def add_key(registry: Registry, did: bytes, new: NewKey) -> tuple[bytes, KeyRecord]:
    """Write a new key; its thumbprint and record.

    Raises:
        KeyExists: the DID has or had it.
        TooManyRecords: it has as many as it may.
        VerificationError: the key may not be added.
    """
    thumbprint, record = new_key(*new, registry.now)
    if registry.find_key(did, thumbprint) is not None:
        raise KeyExists(did, thumbprint)
    owner = registry.did(did)
    most = MAX_STRANGER_KEYS if strangers.is_stranger(registry, did) else MAX_KEYS
    if owner.counts.keys >= most:
        raise TooManyRecords(did, "keys", most)
    counts = replace(owner.counts, keys=owner.counts.keys + 1, active_keys=owner.counts.active_keys + 1)
    registry.put_did(did, replace(owner, counts=counts))
    registry.put_key(did, thumbprint, record)
    return thumbprint, record


def retire_key(registry: Registry, did: bytes, thumbprint: bytes) -> None:
    """The key ends now, and its lists are sealed; what is in the log by now stays good.

    Raises:
        UnknownKey: there is none.
        PredicateFailed: `key_is_active`.
    """
    record = registry.key(did, thumbprint)
    _end(registry, did, thumbprint, retired(record, registry.find_log(did), registry.now), was=record)


def rotate_key(registry: Registry, did: bytes, thumbprint: bytes, new: NewKey) -> bytes:
    """The key ends now and the new one follows it; the new one's thumbprint.

    Raises:
        UnknownKey, KeyExists, TooManyRecords: as `retire_key` and `add_key`.
        VerificationError: besides, `key_may_follow`.
    """
    standing = registry.key(did, thumbprint)
    key_is_active(standing)
    retire_key(registry, did, thumbprint)
    following, record = add_key(registry, did, new)
    key_may_follow(standing, following, record)
    return following


def compromise_key(registry: Registry, did: bytes, thumbprint: bytes, from_s: int) -> None:
    """The key is a thief's from `from_s` on: only what was logged in an earlier second stays good.

    Of a log key, what was appended since then is taken back.

    Raises:
        UnknownKey: there is none.
        PredicateFailed: `compromise_may_be_declared`.
    """
    record = registry.key(did, thumbprint)
    ended = compromised(record, from_s, log_before(registry, did, from_s), registry.now)
    _end(registry, did, thumbprint, ended, was=record)
    if record.has(KeyPurpose.LOG):
        set_log_back(registry, did, from_s)


def _end(registry: Registry, did: bytes, thumbprint: bytes, ended: KeyRecord, *, was: KeyRecord) -> None:
    seal_lists_of(registry, did, thumbprint)
    registry.put_key(did, thumbprint, ended)
    if was.end.state is KeyState.ACTIVE:
        owner = registry.did(did)
        counts = replace(owner.counts, active_keys=owner.counts.active_keys - 1)
        registry.put_did(did, replace(owner, counts=counts))
    registry.raise_epoch(did)
