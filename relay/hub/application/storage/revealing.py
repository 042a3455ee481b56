"""Secrets of auditors: what they commit to and reveal, and what they do that they may not, which is recorded and not reverted."""

from dataclasses import replace

from hutong.light_clients.crypto import sha256
from hutong.light_clients.interface import PredicateFailed
from hutong.relay.evm.vm.native import Address
from hutong.relay.hub.application.storage.refusals import TooManyStorageRecords, UnknownEpoch, UnknownSecret
from hutong.relay.hub.application.storage.registry import Registry, require_account
from hutong.relay.services.identity.rules.records.encoding import check_some_hash
from hutong.relay.services.storage.rules.audits.seed import (
    MAX_AUDITORS,
    Auditor,
    secret_is_the_committed_one,
)
from hutong.relay.services.storage.rules.records import keys
from hutong.relay.services.storage.rules.records.members import PartyRole
from hutong.relay.services.storage.rules.records.rounds import (
    NOTHING,
    ClockRecord,
    Fault,
    Phase,
    SecretRecord,
    SecretState,
)


def commit_secret(registry: Registry, auditor: bytes, epoch: int, commitment: bytes, caller: Address) -> Fault:
    """An auditor commits once for an epoch, before its header; the first commitment stands. Returns its faults.

    Raises:
        UnknownParty, NotTheNamedAccount, UnknownEpoch, TooManyStorageRecords: as their names say.
        MalformedInput: a commitment of zero.
    """
    require_account(caller, registry.party(PartyRole.AUDITOR, auditor).account)
    check_some_hash("commitment", commitment)
    standing = registry.find_secret(epoch, auditor)
    if standing is not None:
        return _changed(registry, auditor, epoch, standing, commitment)
    clock = registry.find_clock()
    newest = 0 if clock is None else clock.epoch
    is_present = clock is not None and epoch == newest and clock.phase is Phase.COMMITTING
    if epoch != newest + 1 and not is_present:
        raise UnknownEpoch(epoch)
    if sum(1 for _ in registry.secrets(epoch)) >= MAX_AUDITORS:
        raise TooManyStorageRecords("auditors", MAX_AUDITORS)
    record = SecretRecord(commitment, NOTHING, SecretState.COMMITTED, Fault(0), registry.now.height, 0)
    registry.put_secret(epoch, auditor, record)
    return record.faults


def _changed(registry: Registry, auditor: bytes, epoch: int, standing: SecretRecord, commitment: bytes) -> Fault:
    if standing.commitment == commitment:
        return standing.faults
    faulty = replace(standing, faults=standing.faults | Fault.CHANGED)
    registry.put_secret(epoch, auditor, faulty)
    return faulty.faults


def reveal_secret(registry: Registry, hub: bytes, place: tuple[bytes, int], secret: bytes, caller: Address) -> Fault:
    """An auditor reveals. It counts after the epoch's header, until the seed is drawn. Returns the auditor's faults.

    Args:
        place: the auditor, and the epoch.

    Raises:
        UnknownParty, NotTheNamedAccount, UnknownSecret, UnknownEpoch: as their names say.
        MalformedInput: a secret of zero.
    """
    auditor, epoch = place
    require_account(caller, registry.party(PartyRole.AUDITOR, auditor).account)
    check_some_hash("secret", secret)
    standing = registry.find_secret(epoch, auditor)
    if standing is None:
        raise UnknownSecret(auditor, epoch)
    clock = registry.find_clock()
    newest = 0 if clock is None else clock.epoch
    if epoch not in (newest, newest + 1):
        raise UnknownEpoch(epoch)
    following = _revealed(registry, hub, (auditor, epoch), standing, secret)
    if following != standing:
        registry.put_secret(epoch, auditor, following)
    return following.faults


def _revealed(
    registry: Registry, hub: bytes, place: tuple[bytes, int], standing: SecretRecord, secret: bytes
) -> SecretRecord:
    auditor, epoch = place
    try:
        secret_is_the_committed_one(hub, Auditor(auditor, standing.commitment), epoch, secret)
    except PredicateFailed:
        return replace(standing, faults=standing.faults | Fault.OTHER)
    if standing.secret != NOTHING:
        return standing
    shown = replace(standing, secret=secret, revealed_height=registry.now.height)
    # Whoever reveals another's secret as its own has committed to it before: so nobody can burn a secret by copying it.
    seen = keys.seen_key(sha256(secret))
    if registry.store.get(seen) is not None:
        return replace(shown, state=SecretState.LOST, faults=shown.faults | Fault.REUSED)
    registry.set_number(seen, epoch)
    if standing.state is SecretState.LOST:
        return replace(shown, faults=shown.faults | Fault.LATE)
    if _counts(registry.find_clock(), epoch, registry.now.height):
        return replace(shown, state=SecretState.REVEALED)
    return replace(shown, state=SecretState.LOST, faults=shown.faults | Fault.EARLY)


def _counts(clock: ClockRecord | None, epoch: int, height: int) -> bool:
    if clock is None or clock.epoch != epoch or clock.phase is not Phase.REVEALING:
        return False
    return height > clock.header_height
