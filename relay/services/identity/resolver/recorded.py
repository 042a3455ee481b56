"""A did:hutong resolved from its hub's records, with the bundle that shows the answer to whoever has a checkpoint."""

import json
from collections.abc import Callable

from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, MalformedInput, VerificationError
from hutong.light_clients.interface.judge import VERIFY
from hutong.light_clients.tendermint.codec import decode_header
from hutong.relay.archive.record_bundle import RecordBundle, RecordKey, encode_record_bundle
from hutong.relay.services.identity.daemon.record_bundles import BundledRecords, HeightNotProvable, HubSilent, Moment
from hutong.relay.services.identity.rules.dids.did_hutong import HutongDid
from hutong.relay.services.identity.rules.dids.instants import parse_instant_ns
from hutong.relay.services.identity.rules.dids.negotiation import best_accepted
from hutong.relay.services.identity.rules.dids.recorded_document import RecordedDid, resolution_of_records
from hutong.relay.services.identity.rules.dids.resolution import (
    ErrorCode,
    NotResolved,
    ResolutionOptions,
    ResolutionResult,
)
from hutong.relay.services.identity.rules.jose import JsonObject
from hutong.relay.services.identity.rules.organisations.resolving import ProvenDid, judge_did

PROOF_TYPE = "HutongRecordBundle"
Supplement = Callable[[bytes], bytes | None]
"""From a document hash to the supplement's bytes, None where it is not kept here."""


async def resolve_recorded(
    records: BundledRecords, did: HutongDid, options: ResolutionOptions, schema: bytes | None, supplement: Supplement
) -> ResolutionResult:
    """The document at the moment that was asked for, or why there is none.

    Raises:
        HubSilent: the hub's node does not answer.
    """
    if did.hub != records.hub:
        return NotResolved(ErrorCode.NOT_FOUND, f"this resolver reads the hub {records.hub}, the DID is of {did.hub}")
    moment = moment_of(options)
    if isinstance(moment, NotResolved):
        return moment
    if schema is not None and not moment.is_newest:
        return NotResolved(ErrorCode.FEATURE_NOT_SUPPORTED, "accreditations of an older moment")
    try:
        media_type = best_accepted(options.accept)
    except MalformedInput as error:
        return NotResolved(ErrorCode.INVALID_OPTIONS, str(error))
    if media_type is None:
        return NotResolved(ErrorCode.REPRESENTATION_NOT_SUPPORTED, f"none of {options.accept}")
    try:
        bundle = await records.of_did(did.id, moment, schema)
    except HeightNotProvable as error:
        return NotResolved(ErrorCode.HEIGHT_NOT_PROVABLE, str(error))
    proofs = (proof_of(bundle),)
    try:
        found, time_s = read_bundle(bundle, did.id)
    except VerificationError as error:
        raise HubSilent(f"the hub's node gave records that do not hold: {error}") from None
    if found is None:
        return NotResolved(ErrorCode.NOT_FOUND, "the hub has no such DID", proofs)
    if moment.height is not None and found.record.changed.height != moment.height:
        return NotResolved(ErrorCode.NOT_FOUND, f"no version {moment.height}", proofs)
    document_hash = found.record.document.document_hash
    kept = supplement(document_hash) if any(document_hash) else None
    try:
        recorded = RecordedDid(did, found.record, found.counting_at(time_s), kept)
        return resolution_of_records(recorded, media_type, proofs)
    except VerificationError as error:
        return NotResolved(ErrorCode.INVALID_DID_DOCUMENT, str(error), proofs)


def moment_of(options: ResolutionOptions) -> Moment | NotResolved:
    """The moment that `versionId`, a height, or `versionTime` names."""
    if options.version_id is not None and options.version_time is not None:
        return NotResolved(ErrorCode.INVALID_OPTIONS, "versionId and versionTime are both given")
    if options.version_id is not None:
        text = options.version_id
        if not (text.isascii() and text.isdigit()) or len(text) > 19 or text[:1] == "0":
            return NotResolved(ErrorCode.NOT_FOUND, "a version of a did:hutong is the height of a block")
        return Moment(height=int(text))
    if options.version_time is None:
        return Moment()
    try:
        return Moment(time_s=parse_instant_ns(options.version_time, "versionTime") // NANOSECONDS_PER_SECOND)
    except MalformedInput as error:
        return NotResolved(ErrorCode.INVALID_OPTIONS, str(error))


def read_bundle(bundle: RecordBundle, did: bytes) -> tuple[ProvenDid | None, int]:
    """What the records say of the DID, and the time of their header in Unix seconds. The proofs are for the reader to judge.

    Raises:
        VerificationError: records are missing, or cannot be read.
    """
    values = {one.what.key: one.value for one in bundle.statements if isinstance(one.what, RecordKey)}
    headers = [decode_header(entry.header) for entry in bundle.chain.headers]
    shown = [header for header in headers if header.height == bundle.height.revision_height]
    if not shown:
        raise MalformedInput("bundle.headers", "has no header of its height", got=bundle.height.revision_height)
    return judge_did(VERIFY, did, values), shown[0].time_ns // NANOSECONDS_PER_SECOND


def proof_of(bundle: RecordBundle) -> JsonObject:
    """For `didResolutionMetadata.proof` (docs/spec/identity-dids.md)."""
    shown = json.loads(encode_record_bundle(bundle))
    return {"type": PROOF_TYPE, "chainId": bundle.chain.chain_id, "height": str(bundle.height), "bundle": shown}
