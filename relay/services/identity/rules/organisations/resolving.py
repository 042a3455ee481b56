"""What a hub's records say of a DID, from proven statements alone: whoever shows them can leave nothing out.

The values come in as they were proven under one root; None is a proven absence. Which root, and how old it may be, the caller
has judged.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from hutong.light_clients.interface import Judge, PredicateFailed, cited, rule
from hutong.relay.services.identity.rules.organisations.accrediting import chain_of
from hutong.relay.services.identity.rules.organisations.approvals import SPEC
from hutong.relay.services.identity.rules.organisations.key_form import thumbprint
from hutong.relay.services.identity.rules.records import keys
from hutong.relay.services.identity.rules.records.accreditation_record import (
    AccreditationRecord,
    decode_accreditation_record,
)
from hutong.relay.services.identity.rules.records.did_record import DidRecord, decode_did_record
from hutong.relay.services.identity.rules.records.epoch_record import EpochRecord, decode_epoch_record
from hutong.relay.services.identity.rules.records.key_record import KeyRecord, decode_key_record
from hutong.relay.services.identity.rules.records.policy_record import PolicyRecord, decode_policy_record

Proven = Mapping[bytes, bytes | None]
"""By key of the hub's state: the value that is proven there, None where it is proven that there is none."""


@dataclass(frozen=True, slots=True)
class ProvenDid:
    """All that belongs to a registered DID at one height.

    `keys` by thumbprint, ended ones too. `chain` is the unbroken chain of accreditations that was asked for, its own first.
    """

    did: bytes
    record: DidRecord
    policy: PolicyRecord
    keys: Mapping[bytes, KeyRecord]
    epoch: EpochRecord
    chain: tuple[AccreditationRecord, ...] = ()

    def counting_at(self, time_s: int) -> dict[bytes, KeyRecord]:
        """The keys that are active and within their window; none of a deactivated DID."""
        if not self.record.is_active:
            return {}
        return {print_of: key for print_of, key in self.keys.items() if key.counts_at(time_s)}


@rule(SPEC)
def record_is_shown(proven: Proven, key: bytes) -> bytes | None:
    """Something is proven about this key: a value, or that there is none. Returns it.

    Raises:
        PredicateFailed: nothing is.
    """
    if key not in proven:
        raise PredicateFailed("record_is_shown", "nothing is shown of a record that is needed", got=key)
    return proven[key]


@rule(SPEC)
def record_is_present(value: bytes | None, key: bytes) -> bytes:
    """A record that a registered DID always has is there. Returns its value.

    Raises:
        PredicateFailed: it is proven that it is not.
    """
    if value is None:
        raise PredicateFailed("record_is_present", "a registered DID has this record", got=key)
    return value


@rule(SPEC)
def every_key_is_shown(record: DidRecord, shown: Mapping[bytes, KeyRecord]) -> None:
    """As many keys are shown as the DID's record counts, and as many active ones: so none is kept back.

    Raises:
        PredicateFailed: fewer or more.
    """
    active = sum(key.counts_at(key.use.valid_from_s) for key in shown.values())
    got, expected = (len(shown), active), (record.counts.keys, record.counts.active_keys)
    if got != expected:
        raise PredicateFailed("every_key_is_shown", "keys and active keys of the DID", got=got, expected=expected)


@rule("RFC 7638")
def key_is_under_its_thumbprint(print_of: bytes, record: KeyRecord) -> None:
    """A key stands under its own thumbprint.

    Raises:
        PredicateFailed: under another one.
    """
    found = thumbprint(record.key)
    if found != print_of:
        raise PredicateFailed("key_is_under_its_thumbprint", "the key has another thumbprint", print_of, found)


def judge_did(judge: Judge, did: bytes, proven: Proven) -> ProvenDid | None:
    """What the records say of a DID; None where it is proven that it is not registered.

    Raises:
        PredicateFailed: something is left out, or is of another DID.
        MalformedInput: a value is no record.
    """
    raw = judge(record_is_shown, proven, keys.did_key(did))
    if raw is None:
        return None
    record = decode_did_record(raw)

    def present(key: bytes) -> bytes:
        return judge(record_is_present, judge(record_is_shown, proven, key), key)

    policy = decode_policy_record(present(keys.policy_key(did)))
    epoch = decode_epoch_record(present(keys.epoch_key(did)))
    prefix = keys.key_prefix(did)
    shown: dict[bytes, KeyRecord] = {}
    for key, value in sorted(proven.items()):
        if key.startswith(prefix) and value is not None:
            print_of = key[len(prefix) :]
            shown[print_of] = decode_key_record(value)
            judge.tacitly(key_is_under_its_thumbprint, print_of, shown[print_of])
    judge(every_key_is_shown, record, shown)
    return ProvenDid(did, record, policy, shown, epoch)


def judge_accreditation(
    judge: Judge, subject: bytes, schema: bytes, time_s: int, proven: Proven
) -> tuple[AccreditationRecord, ...]:
    """The unbroken chain of a subject for a schema at a time, from proven records alone.

    Raises:
        PredicateFailed: a level is left out, or does not hold.
        MalformedInput: a value is no record.
    """

    def find(accredited: bytes, accredited_for: bytes) -> AccreditationRecord | None:
        raw = judge(record_is_shown, proven, keys.accreditation_key(accredited, accredited_for))
        return None if raw is None else decode_accreditation_record(raw)

    def is_active(did: bytes) -> bool:
        raw = judge(record_is_shown, proven, keys.did_key(did))
        return raw is not None and decode_did_record(raw).is_active

    return judge(accreditation_holds, subject, schema, time_s, find, is_active)


accreditation_holds = cited(chain_of, SPEC, "accreditation_holds")
