"""The file that shows an operator's answers offline, and its judgement under what the hub's records say (docs/spec/storage-records.md).

That the records stand under a header that is believed, and how old it is, is shown by the bundle in the file and judged by the audit.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from hutong.light_clients.ibc.abi import decode_canonical, encode_abi
from hutong.light_clients.interface import Judge, MalformedInput, PredicateFailed, rule
from hutong.relay.services.identity.rules.records.encoding import check_number, check_some_hash
from hutong.relay.services.identity.rules.seals.signatures import SIGNATURE_BYTES
from hutong.relay.services.storage.rules.audits.answers import MAX_ANSWERS, decode_answers
from hutong.relay.services.storage.rules.audits.judging import AuditCount, Removed, judge_answers
from hutong.relay.services.storage.rules.audits.probes import Challenge
from hutong.relay.services.storage.rules.lifecycle.signed import ProbeAnswers, struct_is_signed_by
from hutong.relay.services.storage.rules.records.keys import SPEC
from hutong.relay.services.storage.rules.records.values import RemovalRecord, SeedRecord, SetRecord, VerdictRecord

VERSION: Final = 1
MAX_AUDIT_FILE_BYTES: Final = 4 * 2**20
_STRUCT: Final = "(uint8,bytes32,uint64,uint32,uint32,bytes,bytes,bytes)"


@dataclass(frozen=True, slots=True)
class AuditFile:
    """Answers of one operator to `count` probes of an epoch from probe `first` on, signed by it.

    `answers` are their bytes, `signature` has 65, and `records` is the bundle that shows seed, set and what else is needed.
    """

    operator: bytes
    epoch: int
    first: int
    count: int
    answers: bytes
    signature: bytes
    records: bytes

    def __post_init__(self) -> None:
        check_some_hash("audit_file.operator", self.operator)
        check_number("audit_file.epoch", self.epoch)
        check_number("audit_file.first", self.first, most=2**32 - 1)
        check_number("audit_file.count", self.count, least=1, most=MAX_ANSWERS)
        if len(self.signature) != SIGNATURE_BYTES:
            raise MalformedInput("audit_file.signature", f"has {SIGNATURE_BYTES} bytes", got=len(self.signature))


@dataclass(frozen=True, slots=True)
class AuditRecords:
    """What the hub says of the epoch: `verdict` is None before there is one, `removals` are by batch and pack."""

    seed: SeedRecord
    set_record: SetRecord
    verdict: VerdictRecord | None
    removals: Mapping[tuple[int, bytes], RemovalRecord]


def encode_audit_file(file: AuditFile) -> bytes:
    """`abi.encode` of one struct.

    Raises:
        MalformedInput: longer than `MAX_AUDIT_FILE_BYTES`.
    """
    numbers = (VERSION, file.operator, file.epoch, file.first, file.count)
    octets = encode_abi((_STRUCT,), [(*numbers, file.answers, file.signature, file.records)])
    if len(octets) > MAX_AUDIT_FILE_BYTES:
        raise MalformedInput("audit_file", f"more than {MAX_AUDIT_FILE_BYTES} bytes", got=len(octets))
    return octets


def decode_audit_file(octets: bytes) -> AuditFile:
    """Inverse of `encode_audit_file`.

    Raises:
        MalformedInput: too long, not canonical, of another version, or a member out of its bounds.
    """
    ((version, *members),) = decode_canonical([_STRUCT], octets, "audit_file", MAX_AUDIT_FILE_BYTES)
    if version != VERSION:
        raise MalformedInput("audit_file.version", "is unknown", got=version, expected=VERSION)
    return AuditFile(*members)


@rule(SPEC)
def verdict_is_of_this_audit(records: AuditRecords) -> None:
    """The hub's verdict, where there is one, names this seed, set and number of probes.

    Raises:
        PredicateFailed: it names another.
    """
    verdict, seed = records.verdict, records.seed
    if verdict is None:
        return
    said = (verdict.seed, verdict.set_root, verdict.asked, verdict.reveals)
    held = (seed.seed, records.set_record.operator_set.root, seed.probes, seed.reveals)
    if said != held:
        raise PredicateFailed("verdict_is_of_this_audit", "of another audit", got=said[0], expected=held[0])


@rule(SPEC)
def set_is_older_than_header(records: AuditRecords) -> None:
    """The set stood before the header that the seed holds: nothing was added for the probes.

    Raises:
        PredicateFailed: it is of the header's height or later.
    """
    height, header = records.set_record.height, records.seed.header_height
    if height >= header:
        raise PredicateFailed("set_is_older_than_header", "the set is not older", got=height, expected=f"< {header}")


def judge_audit_file(judge: Judge, hub: bytes, file: AuditFile, records: AuditRecords, account: bytes) -> AuditCount:
    """That the operator answered each probe of the file, and signed that.

    Args:
        hub: see `hub_id`.
        account: the operator's, 20 bytes.

    Raises:
        PredicateFailed: the first rule that does not hold.
        MalformedInput: answers that are not an encoding.
    """
    judge(set_is_older_than_header, records)
    judge(verdict_is_of_this_audit, records)
    digest = sha256(file.answers).digest()
    signed = ProbeAnswers(hub, file.operator, file.epoch, file.first, file.count, digest)
    judge(struct_is_signed_by, signed, file.signature, account)
    operator_set = records.set_record.operator_set
    challenge = Challenge(records.seed.seed, file.operator, operator_set, records.seed.probes)
    answers = decode_answers(file.answers, operator_set.size, file.count)
    removals = {place: Removed(record.shards, record.time_s) for place, record in records.removals.items()}
    return judge_answers(judge, challenge, file.first, answers, removals)
