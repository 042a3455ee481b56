"""Who controls a DID: changes of the policy, recovery with its delay, and the end of a DID."""

from dataclasses import replace

from hutong.light_clients.interface import PredicateFailed
from hutong.relay.hub.application.identity.accreditations import require_accredited
from hutong.relay.hub.application.identity.refusals import (
    KeysAreActive,
    NoGuardians,
    NoRecovery,
    RecoveryPending,
    SchemaExists,
    TooManyRecords,
)
from hutong.relay.hub.application.identity.registry import Registry
from hutong.relay.services.identity.rules.organisations.accrediting import schema_is_covered
from hutong.relay.services.identity.rules.organisations.controlling import recovery_is_due
from hutong.relay.services.identity.rules.records import keys
from hutong.relay.services.identity.rules.records.did_record import DidState, Document
from hutong.relay.services.identity.rules.records.encoding import check_some_hash
from hutong.relay.services.identity.rules.records.policy_record import PolicyRecord
from hutong.relay.services.identity.rules.records.recovery_record import RecoveryRecord
from hutong.relay.services.identity.rules.records.schema_record import SchemaRecord, encode_schema_record

MAX_SCHEMAS = 256


def change_policy(registry: Registry, did: bytes, policy: PolicyRecord) -> None:
    """Write another policy, and end a recovery that waits: whoever could decide has."""
    registry.put_policy(did, policy)
    if registry.find_recovery(did) is not None:
        registry.erase(did, keys.recovery_key(did))
    registry.raise_epoch(did)


def guardians_of(registry: Registry, did: bytes) -> tuple[int, tuple[bytes, ...]]:
    """Threshold and accounts of those who may begin a recovery.

    Raises:
        NoGuardians: the policy names nobody.
    """
    guardians = registry.policy(did).guardians
    if not guardians.accounts:
        raise NoGuardians(did)
    return guardians.threshold, guardians.accounts


def start_recovery(registry: Registry, did: bytes, policy: PolicyRecord) -> None:
    """A policy takes effect after the delay that the present one names, unless its controllers cancel it.

    Raises:
        RecoveryPending: one waits already.
    """
    if registry.find_recovery(did) is not None:
        raise RecoveryPending(did)
    effective_s = registry.now.time_s + registry.policy(did).guardians.delay_s
    registry.put_recovery(did, RecoveryRecord(policy, effective_s, registry.now))


def cancel_recovery(registry: Registry, did: bytes) -> None:
    """End a recovery that waits.

    Raises:
        NoRecovery: none does.
    """
    if registry.find_recovery(did) is None:
        raise NoRecovery(did)
    registry.erase(did, keys.recovery_key(did))


def complete_recovery(registry: Registry, did: bytes) -> None:
    """A recovery whose delay is over takes effect, whoever asks for it.

    Raises:
        UnknownDid, DidDeactivated, NoRecovery: there is none.
        PredicateFailed: `recovery_is_due`.
    """
    registry.did(did)
    recovery = registry.find_recovery(did)
    if recovery is None:
        raise NoRecovery(did)
    change_policy(registry, did, recovery_is_due(recovery, registry.now.time_s))


def set_document(registry: Registry, did: bytes, document_hash: bytes) -> None:
    """Name another supplement of the DID document by its hash; zero for none."""
    record = registry.did(did)
    registry.put_did(did, replace(record, document=replace(record.document, document_hash=document_hash)))


def anchor_webvh(registry: Registry, did: bytes, version: int, head: bytes) -> None:
    """Name the newest line of the did:webvh log, whose number rises: a log that was anchored cannot be rolled back.

    Raises:
        PredicateFailed: `webvh_version_rises`.
        MalformedInput: a version or head of zero.
    """
    record = registry.did(did)
    if version <= record.document.webvh_version:
        raise PredicateFailed(
            "webvh_version_rises",
            "an anchored log only grows",
            got=version,
            expected=f"> {record.document.webvh_version}",
        )
    document = Document(record.document.document_hash, version, head)
    registry.put_did(did, replace(record, document=document))


def deactivate(registry: Registry, did: bytes) -> None:
    """End a DID for ever, after each of its keys has ended, so that each has its last log root.

    Raises:
        KeysAreActive: some have not.
    """
    record = registry.did(did)
    if record.counts.active_keys:
        raise KeysAreActive(did, record.counts.active_keys)
    registry.put_did(did, replace(record, state=DidState.DEACTIVATED))
    registry.raise_epoch(did)


def register_schema(registry: Registry, did: bytes, schema: bytes, under: bytes) -> None:
    """Say on the hub who brought in a schema, by an accreditation that counts now.

    Raises:
        SchemaExists: somebody has.
        NotAccredited: the DID's accreditation for `under` does not count.
        PredicateFailed: `schema_is_covered`.
        MalformedInput: a schema of zero, which means all.
        TooManyRecords: the DID has as many as it may.
    """
    key = keys.schema_key(schema)
    if registry.store.get(key) is not None:
        raise SchemaExists(schema)
    check_some_hash("schema", schema)
    schema_is_covered(schema, under)
    require_accredited(registry, did, under)
    record = registry.did(did)
    if record.counts.schemas >= MAX_SCHEMAS:
        raise TooManyRecords(did, "schemas", MAX_SCHEMAS)
    registry.put_did(did, replace(record, counts=replace(record.counts, schemas=record.counts.schemas + 1)))
    registry.write(schema, key, encode_schema_record(SchemaRecord(did, registry.now)))
