"""Whether what an issuer signed stands under a hub's records: its key, list, status and accreditation, all under one header.

Who signed what is shown elsewhere; that the records stand under the header, and how old it may be, is the caller's to show first.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from hutong.light_clients.interface import Judge, PredicateFailed, rule
from hutong.relay.services.identity.rules.organisations.issued import Judged, Logged, judge_issued
from hutong.relay.services.identity.rules.organisations.resolving import (
    Proven,
    ProvenDid,
    judge_accreditation,
    judge_did,
    record_is_shown,
)
from hutong.relay.services.identity.rules.records import keys
from hutong.relay.services.identity.rules.records.accreditation_record import AccreditationRecord
from hutong.relay.services.identity.rules.records.epoch_record import EpochRecord
from hutong.relay.services.identity.rules.records.key_record import KeyPurpose, KeyRecord, KeyState
from hutong.relay.services.identity.rules.records.list_record import ListRecord, decode_list_record
from hutong.relay.services.identity.rules.seals.accepting import list_is_for_the_schema
from hutong.relay.services.identity.rules.status.chunk_tree import ChunkProof
from hutong.relay.services.identity.rules.status.proven_list import ProvenList, judge_proven_status
from hutong.relay.services.identity.rules.status.statuses import status_is_valid

SPEC: Final = "docs/spec/identity-acceptance.md"


@dataclass(frozen=True, slots=True)
class Ground:
    """What is proven under one header of a hub.

    `hub` is the name in its DIDs, `time_s` the header's time in Unix seconds. `newest_epoch` is the highest of the issuer that
    the reader has seen, 0 where it has seen none.
    """

    hub: str
    proven: Proven
    time_s: int
    newest_epoch: int = 0


@dataclass(frozen=True, slots=True)
class Evidence:
    """What comes with a credential or seal beside the records: the chunk of its status, and its log entry where the key ended."""

    chunk: ChunkProof
    logged: Logged | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What holds: the issuer with its unbroken chain of accreditations, the key that signed, the list."""

    issuer: ProvenDid
    key: KeyRecord
    list: ListRecord


@rule(SPEC)
def issuer_is_registered(found: ProvenDid | None, did: bytes) -> ProvenDid:
    """The hub has the issuer's DID. Returns what is proven of it.

    Raises:
        PredicateFailed: it is proven that it does not.
    """
    if found is None:
        raise PredicateFailed("issuer_is_registered", "the hub has no such DID", got=did)
    return found


@rule(SPEC)
def list_is_recorded(raw: bytes | None, issuer: bytes, number: int) -> bytes:
    """The issuer has opened a list of this number. Returns the record's bytes.

    Raises:
        PredicateFailed: it is proven that it has not.
    """
    if raw is None:
        raise PredicateFailed("list_is_recorded", "the issuer has opened no such list", got=number, expected=issuer)
    return raw


@rule(SPEC)
def log_entry_is_read(issuer: ProvenDid, key: KeyRecord, logged: Logged | None) -> None:
    """A log entry comes where the key has ended, and nowhere else: beside a good key nobody would read it.

    Raises:
        PredicateFailed: it comes beside a key that counts.
    """
    if logged is not None and key.end.state is KeyState.ACTIVE and issuer.record.is_active:
        raise PredicateFailed("log_entry_is_read", "a log entry is shown, and the key that signed has not ended")


@rule(SPEC)
def records_are_needed(proven: Proven, needed: frozenset[bytes]) -> None:
    """Exactly those records are shown that these rules read.

    Raises:
        PredicateFailed: one more.
    """
    more = sorted(proven.keys() - needed)
    if more:
        raise PredicateFailed("records_are_needed", "a record that no rule reads", got=more[0])


def judge_issuer_did(judge: Judge, ground: Ground, did: bytes) -> ProvenDid:
    """The issuer with all its keys, ended ones too.

    Raises:
        PredicateFailed: something is left out, or the DID is not registered.
        MalformedInput: a value is no record.
    """
    return judge(issuer_is_registered, judge_did(judge, did, ground.proven), did)


def judge_list_record(judge: Judge, ground: Ground, issuer: bytes, number: int) -> ListRecord:
    """List `number` of the issuer.

    Raises:
        PredicateFailed: it is not shown, or there is none.
        MalformedInput: the value is no list record.
    """
    raw = judge(record_is_shown, ground.proven, keys.list_key(issuer, number))
    return decode_list_record(judge(list_is_recorded, raw, issuer, number))


def proven_list(record: ListRecord, epoch: EpochRecord, purpose: KeyPurpose) -> ProvenList:
    """The list as `judge_proven_status` takes it: bound to the key of seals where the judged thing is one."""
    bound = record.bound
    for_seals = purpose is KeyPurpose.CONTRACT and any(bound.seal_thumbprint)
    thumbprint = bound.seal_thumbprint if for_seals else bound.key_thumbprint
    return ProvenList(record.shape, record.root, thumbprint, record.token_hash, epoch.number)


def judge_standing(
    judge: Judge, ground: Ground, issuer: ProvenDid, schema: bytes, judged: Judged, evidence: Evidence
) -> Standing:
    """Key, list, status and accreditation of a credential or seal whose signature holds already, at the header's time.

    Raises:
        PredicateFailed: the first rule that does not hold.
        MalformedInput: a record or the log entry is not one.
    """
    key = judge_issued(judge, issuer, judged, ground.time_s, evidence.logged)
    judge(log_entry_is_read, issuer, key, evidence.logged)
    record = judge_list_record(judge, ground, issuer.did, judged.list_number)
    judge(list_is_for_the_schema, record.bound, schema)
    shown = proven_list(record, issuer.epoch, judged.purpose)
    thumbprint = judged.issuance.key_thumbprint
    status = judge_proven_status(judge, shown, judged.index, evidence.chunk, thumbprint, ground.newest_epoch)
    judge(status_is_valid, status)
    return Standing(judge_accredited(judge, ground, issuer, judged.list_number, record), key, record)


def judge_accredited(
    judge: Judge, ground: Ground, issuer: ProvenDid, list_number: int, record: ListRecord
) -> ProvenDid:
    """The issuer's chain of accreditations for the list's schema, at the header's time; nothing else is shown beside what was read.

    Returns:
        The issuer with its chain.

    Raises:
        PredicateFailed: a level is left out or does not hold, or a record is shown that no rule reads.
        MalformedInput: a value is no record.
    """
    schema = record.bound.schema
    chain = judge_accreditation(judge, issuer.did, schema, ground.time_s, ground.proven)
    judge(records_are_needed, ground.proven, frozenset(needed_records(issuer, list_number, schema, chain)))
    return ProvenDid(issuer.did, issuer.record, issuer.policy, issuer.keys, issuer.epoch, chain)


def needed_records(
    issuer: ProvenDid, list_number: int, schema: bytes, chain: tuple[AccreditationRecord, ...]
) -> Iterator[bytes]:
    """Keys of the records that an acceptance reads: of the issuer, its list, and its chain."""
    did = issuer.did
    yield from (keys.did_key(did), keys.policy_key(did), keys.epoch_key(did), keys.list_key(did, list_number))
    yield from (keys.key_key(did, thumbprint) for thumbprint in issuer.keys)
    subject, accredited_for = did, schema
    for level in chain:
        yield keys.accreditation_key(subject, accredited_for)
        if not level.grant.is_root:
            subject, accredited_for = level.grant.accreditor, level.grant.parent_schema
            yield keys.did_key(subject)
