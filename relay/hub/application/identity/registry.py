"""The records of the identity module over one store: typed reads, and writes that are told of."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from hutong.relay.evm.vm.native import NativeCall
from hutong.relay.hub.application.clients import Store
from hutong.relay.hub.application.frame import MeteredStore, frame_of
from hutong.relay.hub.application.identity import interface
from hutong.relay.hub.application.identity.refusals import DidDeactivated, UnknownDid, UnknownKey, UnknownList
from hutong.relay.hub.application.module import emit
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.services.identity.rules.records import (
    keys,
)
from hutong.relay.services.identity.rules.records.accreditation_record import (
    AccreditationRecord,
    decode_accreditation_record,
    encode_accreditation_record,
)
from hutong.relay.services.identity.rules.records.did_record import (
    DidRecord,
    Moment,
    decode_did_record,
    encode_did_record,
)
from hutong.relay.services.identity.rules.records.epoch_record import (
    EpochRecord,
    decode_epoch_record,
    encode_epoch_record,
)
from hutong.relay.services.identity.rules.records.key_record import KeyRecord, decode_key_record, encode_key_record
from hutong.relay.services.identity.rules.records.list_record import ListRecord, decode_list_record, encode_list_record
from hutong.relay.services.identity.rules.records.log_record import LogRecord, decode_log_record, encode_log_record
from hutong.relay.services.identity.rules.records.parameters import (
    DEFAULTS,
    Parameters,
    decode_parameters,
    encode_parameters,
)
from hutong.relay.services.identity.rules.records.policy_record import (
    PolicyRecord,
    decode_policy_record,
    encode_policy_record,
)
from hutong.relay.services.identity.rules.records.recovery_record import (
    RecoveryRecord,
    decode_recovery_record,
    encode_recovery_record,
)

Told = Callable[[bytes, bytes, bytes], None]
"""(DID or schema, key, value) of what was written; no value where a record is gone."""


def tell_nobody(_about: bytes, _key: bytes, _value: bytes) -> None:
    """Of writes outside of a call to the module, which another module's event tells of."""


@dataclass(frozen=True, slots=True)
class Registry:
    """Records as of a running block, whose moment is `now`. Where no key is added, its rules may be left out."""

    store: Store
    now: Moment
    tell: Told = tell_nobody
    rules_version: int = rules_versions.IDENTITY

    def write(self, about: bytes, key: bytes, value: bytes) -> None:
        """Write a record that anybody may prove, and tell of it."""
        self.store.set(key, value)
        self.tell(about, key, value)

    def erase(self, about: bytes, key: bytes) -> None:
        """Take a record out, and tell of it."""
        self.store.delete(key)
        self.tell(about, key, b"")

    def parameters(self) -> Parameters:
        """What governance says of the module; its defaults where it has said nothing."""
        raw = self.store.get(keys.PARAMETERS_KEY)
        return DEFAULTS if raw is None else decode_parameters(raw)

    def set_parameters(self, parameters: Parameters) -> None:
        """Write what governance says."""
        self.store.set(keys.PARAMETERS_KEY, encode_parameters(parameters))

    def find_did(self, did: bytes) -> DidRecord | None:
        """The record of a DID, None where it is not registered."""
        raw = self.store.get(keys.did_key(did))
        return None if raw is None else decode_did_record(raw)

    def is_active(self, did: bytes) -> bool:
        """Whether a DID is registered and not deactivated."""
        found = self.find_did(did)
        return found is not None and found.is_active

    def did(self, did: bytes) -> DidRecord:
        """The record of a DID that is not deactivated.

        Raises:
            UnknownDid, DidDeactivated: there is none.
        """
        found = self.find_did(did)
        if found is None:
            raise UnknownDid(did)
        if not found.is_active:
            raise DidDeactivated(did)
        return found

    def put_did(self, did: bytes, record: DidRecord) -> None:
        """Write the record of a DID as changed now."""
        self.write(did, keys.did_key(did), encode_did_record(replace(record, changed=self.now)))

    def policy(self, did: bytes) -> PolicyRecord:
        """The policy of a registered DID.

        Raises:
            UnknownDid: it is not registered.
        """
        raw = self.store.get(keys.policy_key(did))
        if raw is None:
            raise UnknownDid(did)
        return decode_policy_record(raw)

    def put_policy(self, did: bytes, record: PolicyRecord) -> None:
        """Write the policy of a DID."""
        self.write(did, keys.policy_key(did), encode_policy_record(record))

    def find_key(self, did: bytes, thumbprint: bytes) -> KeyRecord | None:
        """The record of a key, None where the DID never had it."""
        raw = self.store.get(keys.key_key(did, thumbprint))
        return None if raw is None else decode_key_record(raw)

    def key(self, did: bytes, thumbprint: bytes) -> KeyRecord:
        """The record of a key.

        Raises:
            UnknownKey: the DID never had it.
        """
        found = self.find_key(did, thumbprint)
        if found is None:
            raise UnknownKey(did, thumbprint)
        return found

    def put_key(self, did: bytes, thumbprint: bytes, record: KeyRecord) -> None:
        """Write the record of a key."""
        self.write(did, keys.key_key(did, thumbprint), encode_key_record(record))

    def find_accreditation(self, subject: bytes, schema: bytes) -> AccreditationRecord | None:
        """The accreditation of a subject for exactly this schema, None where there is none."""
        raw = self.store.get(keys.accreditation_key(subject, schema))
        return None if raw is None else decode_accreditation_record(raw)

    def put_accreditation(self, subject: bytes, schema: bytes, record: AccreditationRecord) -> None:
        """Write an accreditation."""
        self.write(subject, keys.accreditation_key(subject, schema), encode_accreditation_record(record))

    def list(self, issuer: bytes, number: int) -> ListRecord:
        """The record of a status list.

        Raises:
            UnknownList: the issuer has none of this number.
        """
        raw = self.store.get(keys.list_key(issuer, number))
        if raw is None:
            raise UnknownList(issuer, number)
        return decode_list_record(raw)

    def put_list(self, issuer: bytes, number: int, record: ListRecord) -> None:
        """Write the record of a status list as changed now."""
        value = encode_list_record(replace(record, changed=self.now))
        self.write(issuer, keys.list_key(issuer, number), value)

    def find_log(self, issuer: bytes) -> LogRecord | None:
        """The issuance log, None where nothing is logged."""
        raw = self.store.get(keys.log_key(issuer))
        return None if raw is None else decode_log_record(raw)

    def put_log(self, issuer: bytes, record: LogRecord) -> None:
        """Write the record of a log."""
        self.write(issuer, keys.log_key(issuer), encode_log_record(record))

    def find_recovery(self, did: bytes) -> RecoveryRecord | None:
        """The recovery that waits, None where none does."""
        raw = self.store.get(keys.recovery_key(did))
        return None if raw is None else decode_recovery_record(raw)

    def put_recovery(self, did: bytes, record: RecoveryRecord) -> None:
        """Write a recovery that waits."""
        self.write(did, keys.recovery_key(did), encode_recovery_record(record))

    def raise_epoch(self, issuer: bytes) -> None:
        """Begin the issuer's next epoch: what was cached of it may no longer be so."""
        key = keys.epoch_key(issuer)
        raw = self.store.get(key)
        number = 1 if raw is None else decode_epoch_record(raw).number + 1
        self.write(issuer, key, encode_epoch_record(EpochRecord(number, self.now)))


def registry_of(call: NativeCall) -> Registry:
    """The records in the state of a running block, each read and write paid for by the call, which tells of writes."""
    frame = frame_of(call)

    def tell(about: bytes, key: bytes, value: bytes) -> None:
        emit(call, interface.RECORDED_EVENT, (about,), (key, value))

    return Registry(MeteredStore(call, frame), Moment(frame.height, frame.now_s), tell, frame.rules_version)
