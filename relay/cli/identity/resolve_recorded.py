"""A did:hutong resolved from a bundle of its records, by the reader's checkpoint of the hub: no resolver is believed."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, MalformedInput, VerificationError
from hutong.relay.cli.audit.options import judged_at_ns
from hutong.relay.cli.common.refusal import UNUSABLE, Refused
from hutong.relay.cli.common.verdicts import failure_sentence

if TYPE_CHECKING:
    from hutong.relay.services.identity.rules.dids.resolution import ResolutionOptions, ResolutionResult
    from hutong.relay.services.identity.rules.jose.strict_json import JsonObject
    from hutong.relay.verify.credentials.identity_records import DidReport

PROOF_TYPE = "HutongRecordBundle"


@dataclass(frozen=True, slots=True)
class RecordOptions:
    """What a did:hutong is resolved from."""

    bundle: Annotated[
        Path | None, typer.Option(help="Records of a did:hutong, as `hutong identity prove` writes them.")
    ] = None
    checkpoint: Annotated[Path | None, typer.Option(help="What you trust of the hub.")] = None
    supplement: Annotated[
        Path | None, typer.Option(help="The supplement of the document, where the record has its hash.")
    ] = None
    max_age: Annotated[int | None, typer.Option(min=1, help="Seconds that the hub's header may be old at --at.")] = None


def resolve_recorded(
    text: str, given: RecordOptions, at: str | None, options: "ResolutionOptions"
) -> "ResolutionResult":
    """The document of a did:hutong at the bundle's height, or why there is none.

    Raises:
        Refused: no bundle or checkpoint was given.
        UnusableInput: a file cannot be read, or is of another hub.
    """
    from hutong.relay.audit.records import Asked
    from hutong.relay.services.identity.rules.dids.did_hutong import parse_hutong_did
    from hutong.relay.services.identity.rules.dids.resolution import ErrorCode, NotResolved
    from hutong.relay.services.identity.rules.dids.syntax import parse_did
    from hutong.relay.verify.bundles.inputs import read_checkpoint
    from hutong.relay.verify.credentials.identity_records import DidQuestion, judge_did_file

    try:
        did = parse_hutong_did(parse_did(text))
    except MalformedInput as error:
        return NotResolved(ErrorCode.INVALID_DID, str(error))
    if options.version_id is not None or options.version_time is not None:
        return NotResolved(ErrorCode.FEATURE_NOT_SUPPORTED, "a bundle is of one height: prove another one")
    if given.bundle is None or given.checkpoint is None:
        raise Refused(
            "did:hutong is resolved from its records: write them with `hutong identity prove` and give them with --bundle,"
            " and what you trust of the hub with --checkpoint",
            UNUSABLE,
        )
    now_ns = judged_at_ns(at, "--at")
    at_s = None if at is None and given.max_age is None else now_ns // NANOSECONDS_PER_SECOND
    question = DidQuestion(did.hub, did.id)
    report = judge_did_file(
        given.bundle, read_checkpoint(given.checkpoint), question, now_ns, Asked(at_s, given.max_age)
    )
    if report.is_refused:
        return NotResolved(ErrorCode.INVALID_DID, _reason(report))
    if report.proven is None:
        return NotResolved(ErrorCode.NOT_FOUND, "it is proven that the hub has no such DID")
    return _resolved(text, given, report, options)


def _reason(report: "DidReport") -> str:
    failure = report.records.failure
    if failure is not None:
        return failure_sentence(failure.subject, failure.check)
    return str(report.checks[-1].error)


def _resolved(text: str, given: RecordOptions, report: "DidReport", options: "ResolutionOptions") -> "ResolutionResult":
    from hutong.relay.services.identity.rules.dids.did_hutong import parse_hutong_did
    from hutong.relay.services.identity.rules.dids.negotiation import best_accepted
    from hutong.relay.services.identity.rules.dids.recorded_document import (
        MAX_SUPPLEMENT_BYTES,
        RecordedDid,
        resolution_of_records,
    )
    from hutong.relay.services.identity.rules.dids.resolution import ErrorCode, NotResolved
    from hutong.relay.services.identity.rules.dids.syntax import parse_did
    from hutong.relay.verify.inputs import read_file

    if report.proven is None:
        raise TypeError("a report without a DID has no document")
    try:
        media_type = best_accepted(options.accept)
    except MalformedInput as error:
        return NotResolved(ErrorCode.INVALID_OPTIONS, str(error))
    if media_type is None:
        return NotResolved(ErrorCode.REPRESENTATION_NOT_SUPPORTED, f"none of {options.accept}")
    supplement = None if given.supplement is None else read_file(given.supplement, MAX_SUPPLEMENT_BYTES)
    keys = report.proven.counting_at(report.time_s)
    recorded = RecordedDid(parse_hutong_did(parse_did(text)), report.proven.record, keys, supplement)
    try:
        return resolution_of_records(recorded, media_type, (_proof(given, report),))
    except VerificationError as error:
        return NotResolved(ErrorCode.INVALID_DID_DOCUMENT, str(error))


def _proof(given: RecordOptions, report: "DidReport") -> "JsonObject":
    """For `didResolutionMetadata.proof`: the bundle itself, which whoever has a checkpoint of the hub judges again."""
    from hutong.relay.archive.record_bundle import MAX_RECORD_BUNDLE_BYTES
    from hutong.relay.verify.inputs import read_file

    bundle = report.records.bundle
    if given.bundle is None or bundle is None:
        raise TypeError("a report that holds has a bundle")
    shown = json.loads(read_file(given.bundle, MAX_RECORD_BUNDLE_BYTES))
    return {"type": PROOF_TYPE, "chainId": bundle.chain.chain_id, "height": str(bundle.height), "bundle": shown}
