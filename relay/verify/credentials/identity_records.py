"""Records of a DID in a bundle, judged offline from the reader's checkpoint of the hub."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hutong.light_clients.interface import (
    NANOSECONDS_PER_SECOND,
    Audit,
    CheckVerdict,
    MalformedInput,
    VerificationError,
)
from hutong.relay.archive.checkpoint import Checkpoint
from hutong.relay.archive.record_bundle import MAX_RECORD_BUNDLE_BYTES, RecordBundle, RecordKey
from hutong.relay.audit import MissingTrust
from hutong.relay.audit.records import Asked, RecordAuditor, RecordReport
from hutong.relay.services.identity.rules.organisations.key_form import jwk_members
from hutong.relay.services.identity.rules.organisations.resolving import (
    Proven,
    ProvenDid,
    judge_accreditation,
    judge_did,
)
from hutong.relay.services.identity.rules.records.key_record import KeyPurpose, KeyRecord
from hutong.relay.services.identity.rules.records.keys import hub_name
from hutong.relay.verify.inputs import UnusableInput, read_file


@dataclass(frozen=True, slots=True)
class DidQuestion:
    """Which DID, on a hub of which name, and for which schema it has to be accredited; None asks of none."""

    hub: str
    did: bytes
    schema: bytes | None = None


@dataclass(frozen=True, slots=True)
class DidReport:
    """`records` is the bundle's own judgement; `checks` are the rules of identity, and the last one failed if `refused`.

    `proven` is None where the DID is proven not to be registered, or something was refused.
    """

    records: RecordReport
    checks: tuple[CheckVerdict, ...]
    proven: ProvenDid | None
    is_refused: bool

    @property
    def time_s(self) -> int:
        """Of the header under which the records stand, in Unix seconds."""
        if self.records.state is None:
            raise TypeError("a bundle that is refused has no header")
        return self.records.state.time_ns // NANOSECONDS_PER_SECOND


def judge_did_file(file: Path, checkpoint: Checkpoint, question: DidQuestion, now_ns: int, asked: Asked) -> DidReport:
    """Judge a record bundle of a DID: proofs first, then what they say together.

    Args:
        now_ns: time of judgement, nanoseconds of Unix time.

    Raises:
        UnusableInput: the file cannot be read, or the checkpoint is of another hub.
    """
    return judge_did_bundle(read_file(file, MAX_RECORD_BUNDLE_BYTES), str(file), checkpoint, question, now_ns, asked)


def judge_did_bundle(
    data: bytes, name: str, checkpoint: Checkpoint, question: DidQuestion, now_ns: int, asked: Asked
) -> DidReport:
    """As `judge_did_file`, of bytes; `name` is theirs in errors.

    Raises:
        UnusableInput: the checkpoint is of another hub.
    """
    try:
        report = RecordAuditor(checkpoint, now_ns, asked).audit(data)
    except (MissingTrust, MalformedInput) as error:
        raise UnusableInput(f"{name}: {error}") from None
    if report.bundle is None or report.state is None:
        return DidReport(report, (), None, True)
    hub = hub_name(report.bundle.chain.chain_id)
    if hub != question.hub:
        raise UnusableInput(f"{name} is of the hub {hub}, the DID of {question.hub}")
    checks: list[CheckVerdict] = []
    time_s = report.state.time_ns // NANOSECONDS_PER_SECOND
    try:
        proven = _judge(checks.append, question, time_s, proven_values(report.bundle))
    except VerificationError as error:
        if not checks or checks[-1].error is not error:
            checks.append(CheckVerdict("record_well_formed", "docs/spec/identity-records.md", error))
        return DidReport(report, tuple(checks), None, True)
    return DidReport(report, tuple(checks), proven, False)


def _judge(
    tell: Callable[[CheckVerdict], object], question: DidQuestion, time_s: int, proven: Proven
) -> ProvenDid | None:
    judge = Audit(tell)
    found = judge_did(judge, question.did, proven)
    if found is None or question.schema is None:
        return found
    chain = judge_accreditation(judge, question.did, question.schema, time_s, proven)
    return ProvenDid(found.did, found.record, found.policy, found.keys, found.epoch, chain)


def proven_values(bundle: RecordBundle) -> dict[bytes, bytes | None]:
    """What the statements of a bundle say, by key of the hub's state."""
    return {one.what.key: one.value for one in bundle.statements if isinstance(one.what, RecordKey)}


def did_fields(question: DidQuestion, report: DidReport) -> dict[str, Any]:
    """What is proven of a DID, as JSON values."""
    state, bundle = report.records.state, report.records.bundle
    if report.is_refused or state is None or bundle is None:
        return {"valid": False}
    shown: dict[str, Any] = {
        "valid": True,
        "did": f"did:hutong:{question.hub}:{question.did.hex()}",
        "chain_id": bundle.chain.chain_id,
        "height": str(bundle.height),
        "time": report.time_s,
        "registered": report.proven is not None,
    }
    proven = report.proven
    if proven is None:
        return shown
    counting = proven.counting_at(report.time_s)
    return shown | {
        "deactivated": not proven.record.is_active,
        "epoch": proven.epoch.number,
        "sequence": proven.record.sequence,
        "document_hash": proven.record.document.document_hash.hex(),
        "controllers": {
            "threshold": proven.policy.controllers.threshold,
            "accounts": [f"0x{account.hex()}" for account in proven.policy.controllers.accounts],
        },
        "keys": [_key_fields(print_of, key, is_good=print_of in counting) for print_of, key in proven.keys.items()],
        "accreditation": [
            {
                "accreditor": None if one.grant.is_root else one.grant.accreditor.hex(),
                "depth": one.grant.depth,
                "valid_until": one.grant.valid_until_s,
            }
            for one in proven.chain
        ],
    }


def _key_fields(print_of: bytes, record: KeyRecord, *, is_good: bool) -> dict[str, Any]:
    return {
        "thumbprint": print_of.hex(),
        "jwk": jwk_members(record.key),
        "purposes": [one.name.lower() for one in KeyPurpose if one in record.use.purposes and one.name is not None],
        "state": record.end.state.name.lower(),
        "is_good": is_good,
        "valid_from": record.use.valid_from_s,
        "valid_until": record.use.valid_until_s,
        "ended": record.end.ended_s or None,
    }
