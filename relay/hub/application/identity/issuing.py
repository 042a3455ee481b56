"""Status lists and the issuance log of an issuer, written by the account of one of its log keys."""

from dataclasses import replace

from hutong.light_clients.interface import VERIFY
from hutong.relay.evm.vm.native import Address
from hutong.relay.hub.application.identity.accreditations import require_accredited
from hutong.relay.hub.application.identity.refusals import (
    KeyDoesNotCount,
    KeyLacksPurpose,
    ListSealed,
    NotTheAccountOfTheKey,
    TooManyRecords,
    UnknownList,
)
from hutong.relay.hub.application.identity.registry import Registry
from hutong.relay.services.identity.rules.organisations.issuing_log import appended
from hutong.relay.services.identity.rules.organisations.key_life import key_of_list_signs_credentials
from hutong.relay.services.identity.rules.records import keys
from hutong.relay.services.identity.rules.records.key_record import ISSUING, KeyPurpose, KeyRecord
from hutong.relay.services.identity.rules.records.list_record import NO_TOKEN, ListBinding, ListRecord
from hutong.relay.services.identity.rules.records.log_record import LogRecord, decode_log_record, encode_log_record
from hutong.relay.services.identity.rules.status.chunk_tree import TreeShape, empty_root
from hutong.relay.services.identity.rules.status.chunk_update import ListUpdate, judge_update

MAX_LISTS = 65_536
"""Of an issuer in its whole life: a sealed list stays, for its bits still rise."""
MAX_OPEN_LISTS = 64
"""Bound to one key at a time: they are sealed in the transaction that ends it."""
MAX_CHECKPOINTS = 4_096
"""Earlier roots of a log that are kept; of times before the oldest a log counts as empty."""
_NUMBER_BYTES = 8


def require_writer(registry: Registry, issuer: bytes, thumbprint: bytes, caller: Address) -> None:
    """The caller is the account of a log key of an active DID, which counts now.

    Raises:
        UnknownDid, DidDeactivated, UnknownKey, KeyDoesNotCount, KeyLacksPurpose, NotTheAccountOfTheKey: as they say.
    """
    registry.did(issuer)
    record = counting_key(registry, issuer, thumbprint, KeyPurpose.LOG)
    if record.account != caller:
        raise NotTheAccountOfTheKey(caller, record.account)


def counting_key(registry: Registry, issuer: bytes, thumbprint: bytes, purpose: KeyPurpose) -> KeyRecord:
    """A key that counts now and is for some of `purpose`.

    Raises:
        UnknownKey, KeyDoesNotCount, KeyLacksPurpose: as they say.
    """
    record = registry.key(issuer, thumbprint)
    if not record.counts_at(registry.now.time_s):
        raise KeyDoesNotCount(issuer, thumbprint)
    if not record.use.purposes & purpose:
        raise KeyLacksPurpose(issuer, thumbprint, int(purpose))
    return record


def open_list(registry: Registry, issuer: bytes, binding: ListBinding, shape: TreeShape) -> int:
    """A new list with no bit set, bound to the key that issues over it, and to that of its seals; its number.

    Raises:
        NotAccredited: the issuer's accreditation under this schema does not count.
        UnknownKey, KeyDoesNotCount, KeyLacksPurpose: a key does not issue now.
        PredicateFailed: `key_of_list_signs_credentials`.
        TooManyRecords: of the issuer, or of open ones of a key.
    """
    require_accredited(registry, issuer, binding.schema)
    purposes = (ISSUING, KeyPurpose.CONTRACT)
    bound = {
        print_of: counting_key(registry, issuer, print_of, purpose)
        for print_of, purpose in zip(binding.thumbprints, purposes, strict=False)
    }
    for key in bound.values():
        key_of_list_signs_credentials(key)
    record = registry.did(issuer)
    number = record.counts.lists
    if number >= MAX_LISTS:
        raise TooManyRecords(issuer, "lists", MAX_LISTS)
    for print_of, key in bound.items():
        if key.open_lists >= MAX_OPEN_LISTS:
            raise TooManyRecords(issuer, "open lists of a key", MAX_OPEN_LISTS)
        _set_bound(registry, issuer, print_of, (*_bound(registry, issuer, print_of), number))
        registry.put_key(issuer, print_of, replace(key, open_lists=key.open_lists + 1))
    now = registry.now
    registry.put_list(issuer, number, ListRecord(empty_root(shape), shape, binding, now.time_s, 0, NO_TOKEN, 0, now))
    registry.put_did(issuer, replace(record, counts=replace(record.counts, lists=number + 1)))
    return number


def update_list(
    registry: Registry,
    place: tuple[bytes, int],
    update: ListUpdate | None,
    token_hash: bytes,
) -> bytes:
    """Raise bits of some chunks, name a new Status List Token, or both; the root that follows.

    Args:
        place: issuer and number of the list.

    Raises:
        UnknownList: there is none.
        VerificationError: a chunk is not in the list, or a bit falls.
    """
    issuer, number = place
    record = registry.list(issuer, number)
    root = record.root if update is None else judge_update(VERIFY, record.shape, record.root, update)
    updates = record.updates + (root != record.root)
    registry.put_list(issuer, number, replace(record, root=root, token_hash=token_hash, updates=updates))
    if root != record.root:
        registry.raise_epoch(issuer)
    return root


def seal_list(registry: Registry, issuer: bytes, number: int) -> None:
    """No credential is issued over the list any more; its bits still rise.

    Raises:
        UnknownList, ListSealed: there is no open one.
    """
    record = registry.list(issuer, number)
    if record.is_sealed:
        raise ListSealed(issuer, number)
    _seal(registry, issuer, number, record)
    registry.raise_epoch(issuer)


def seal_lists_of(registry: Registry, issuer: bytes, thumbprint: bytes) -> int:
    """Seal every open list that is bound to a key, at most `MAX_OPEN_LISTS`; how many."""
    numbers = _bound(registry, issuer, thumbprint)
    for number in numbers:
        _seal(registry, issuer, number, registry.list(issuer, number))
    return len(numbers)


def _seal(registry: Registry, issuer: bytes, number: int, record: ListRecord) -> None:
    for print_of in record.bound.thumbprints:
        others = tuple(one for one in _bound(registry, issuer, print_of) if one != number)
        _set_bound(registry, issuer, print_of, others)
        key = registry.key(issuer, print_of)
        registry.put_key(issuer, print_of, replace(key, open_lists=key.open_lists - 1))
    registry.put_list(issuer, number, replace(record, sealed_s=registry.now.time_s))


def _bound(registry: Registry, issuer: bytes, thumbprint: bytes) -> tuple[int, ...]:
    """Numbers of the open lists that are bound to a key. In one row: of persons by the million there are thousands of lists."""
    raw = registry.store.get(keys.bound_key(issuer, thumbprint)) or b""
    return tuple(int.from_bytes(raw[at : at + _NUMBER_BYTES], "big") for at in range(0, len(raw), _NUMBER_BYTES))


def _set_bound(registry: Registry, issuer: bytes, thumbprint: bytes, numbers: tuple[int, ...]) -> None:
    """Keep them in their order, which is that of opening; no row where there is none."""
    key = keys.bound_key(issuer, thumbprint)
    if numbers:
        registry.store.set(key, b"".join(number.to_bytes(_NUMBER_BYTES, "big") for number in numbers))
    else:
        registry.store.delete(key)


def append_log(registry: Registry, issuer: bytes, size: int, root: bytes, nodes: tuple[bytes, ...]) -> None:
    """Take a longer log, of which the present one is the beginning.

    Raises:
        UnknownList: the issuer never opened a list, for which it needs an accreditation.
        VerificationError: `log_grows`, or a rule of the consistency proof.
    """
    if registry.did(issuer).counts.lists == 0:
        raise UnknownList(issuer, 0)
    record = appended(registry.find_log(issuer), size, root, nodes, registry.now)
    registry.put_log(issuer, record)
    _keep_checkpoint(registry, issuer, record)


def log_before(registry: Registry, issuer: bytes, time_s: int) -> LogRecord | None:
    """The log as of the last second before `time_s`; None where nothing was logged, or nothing so old is kept.

    What was taken back counts for no second: neither while it stood nor afterwards.
    """
    prefix = keys.checkpoint_prefix(issuer)
    while True:
        row = registry.store.previous(keys.checkpoint_key(issuer, time_s))
        if row is None or not row[0].startswith(prefix):
            return None
        kept_s = int.from_bytes(row[0][len(prefix) :], "big")
        back_to_s = _taken_back_to(registry, issuer, kept_s)
        if back_to_s is None:
            return decode_log_record(row[1])
        time_s = back_to_s


def set_log_back(registry: Registry, issuer: bytes, time_s: int) -> None:
    """Take back what a stolen log key wrote from `time_s` on: the log is again as in the last second before.

    Otherwise nobody could append any more, for only the thief knows the leaves that a consistency proof needs. Ends of keys
    keep the logs that they took. Where nothing so old is kept, the log begins anew.
    """
    earlier, now_s = log_before(registry, issuer, time_s), registry.now.time_s
    if earlier is not None:
        registry.put_log(issuer, earlier)
        _keep_checkpoint(registry, issuer, earlier)
    elif registry.find_log(issuer) is not None:
        registry.erase(issuer, keys.log_key(issuer))
        _forget_checkpoint(registry, issuer, now_s)
    mark = keys.set_back_key(issuer, now_s)
    standing = registry.store.get(mark)
    since_s = time_s if standing is None else min(time_s, int.from_bytes(standing, "big"))
    registry.store.set(mark, since_s.to_bytes(8, "big"))


def _taken_back_to(registry: Registry, issuer: bytes, kept_s: int) -> int | None:
    """The earliest second from which on a later setting back took away what was logged in second `kept_s`; None: it stands."""
    prefix, key, found = keys.set_back_prefix(issuer), keys.set_back_key(issuer, kept_s), None
    while (row := registry.store.next(key)) is not None and row[0].startswith(prefix):
        key, since_s = row[0], int.from_bytes(row[1], "big")
        if since_s <= kept_s and (found is None or since_s < found):
            found = since_s
    return found


def _forget_checkpoint(registry: Registry, issuer: bytes, time_s: int) -> None:
    key = keys.checkpoint_key(issuer, time_s)
    if registry.store.get(key) is None:
        return
    registry.store.delete(key)
    count_key = keys.checkpoint_count_key(issuer)
    count = int.from_bytes(registry.store.get(count_key) or b"", "big") - 1
    registry.store.set(count_key, count.to_bytes(8, "big"))


def _keep_checkpoint(registry: Registry, issuer: bytes, record: LogRecord) -> None:
    """One a second at most, so that what is kept reaches back at least `MAX_CHECKPOINTS` seconds.

    The count is written also where it stays: what an append costs must not depend on whether its block begins a second, for
    its gas was estimated in another one.
    """
    key = keys.checkpoint_key(issuer, registry.now.time_s)
    is_new = registry.store.get(key) is None
    registry.store.set(key, encode_log_record(record))
    count_key = keys.checkpoint_count_key(issuer)
    count = int.from_bytes(registry.store.get(count_key) or b"", "big") + is_new
    if count > MAX_CHECKPOINTS:
        oldest = registry.store.next(keys.checkpoint_prefix(issuer))
        if oldest is None:
            raise RuntimeError("there are checkpoints, and there is no first one")
        registry.store.delete(oldest[0])
        count -= 1
    registry.store.set(count_key, count.to_bytes(8, "big"))
