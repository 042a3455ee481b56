"""What a log that was judged answers: the version that is asked for, and what is said about it."""

from dataclasses import dataclass

from hutong.light_clients.interface.errors import MalformedInput, VerificationError
from hutong.relay.services.identity.rules.dids.document import read_document
from hutong.relay.services.identity.rules.dids.instants import NANOSECONDS, parse_instant_ns, write_instant
from hutong.relay.services.identity.rules.dids.negotiation import is_accepted
from hutong.relay.services.identity.rules.dids.representation import media_type_of
from hutong.relay.services.identity.rules.dids.resolution import (
    DocumentMetadata,
    ErrorCode,
    NotResolved,
    ResolutionOptions,
    ResolutionResult,
    Resolved,
)
from hutong.relay.services.identity.rules.dids.syntax import Did
from hutong.relay.services.identity.rules.dids.webvh.anchor import LogAnchor, log_reaches_its_anchor
from hutong.relay.services.identity.rules.dids.webvh.identifier import parse_webvh_did
from hutong.relay.services.identity.rules.dids.webvh.log import LogVersion, VerifiedLog, verify_log
from hutong.relay.services.identity.rules.jose.strict_json import JsonObject


@dataclass(frozen=True, slots=True)
class Material:
    """What a DID is resolved from: bytes as its host serves them, None where there are none; what a hub's record anchors."""

    log: bytes | None = None
    witness_file: bytes | None = None
    anchor: LogAnchor | None = None


def resolve_webvh(did: Did, material: Material, now_s: int, options: ResolutionOptions) -> ResolutionResult:
    """The version that `options` ask for, the newest where they do not.

    Raises:
        VerificationError: the DID or its log is refused; see `verify_log`.
    """
    named = parse_webvh_did(did)
    if material.log is None:
        return NotResolved(ErrorCode.NOT_FOUND, f"no log of {did}; it lies at {named.log_url}")
    verified = verify_log(named, material.log, material.witness_file, now_s)
    if material.anchor is not None:
        log_reaches_its_anchor(material.log, material.anchor)
    try:
        version = version_asked_for(verified, options, now_s)
    except MalformedInput as error:
        return NotResolved(ErrorCode.INVALID_OPTIONS, str(error))
    if version is None:
        return NotResolved(ErrorCode.NOT_FOUND, "the log has no such version at that time")
    if version.document_id != str(did):
        return NotResolved(ErrorCode.NOT_FOUND, f"version {version.version_id} is of {version.document_id}")
    return _answer(verified, version, did, options)


def version_asked_for(log: VerifiedLog, options: ResolutionOptions, now_s: int) -> LogVersion | None:
    """By its whole id, or the newest at a time; None where there is none. What comes after `now_s` nobody can say.

    Raises:
        MalformedInput: `version_time` is no instant in UTC.
    """
    if options.version_id is not None:
        return next((version for version in log.versions if version.version_id == options.version_id), None)
    if options.version_time is None:
        return log.latest
    time_ns = parse_instant_ns(options.version_time, "versionTime")
    if time_ns > now_s * NANOSECONDS:
        return None
    return next((version for version in reversed(log.versions) if version.version_time_ns <= time_ns), None)


def _answer(log: VerifiedLog, version: LogVersion, did: Did, options: ResolutionOptions) -> ResolutionResult:
    metadata = _metadata(log, version)
    media_type = media_type_of(version.document)
    if log.latest.parameters.deactivated and version is log.latest:
        return Resolved(None, media_type, metadata)
    try:
        read_document(version.document, did)
    except VerificationError as error:
        return NotResolved(ErrorCode.INVALID_DID_DOCUMENT, str(error))
    if not is_accepted(media_type, options.accept):
        return NotResolved(ErrorCode.REPRESENTATION_NOT_SUPPORTED, f"the log holds {media_type.value}")
    return Resolved(version.document, media_type, metadata)


def _metadata(log: VerifiedLog, version: LogVersion) -> DocumentMetadata:
    following = log.versions[version.number] if version.number < len(log.versions) else None
    return DocumentMetadata(
        created=_instant(log.versions[0]),
        updated=_instant(version) if version.number > 1 else None,
        deactivated=log.latest.parameters.deactivated,
        version_id=version.version_id,
        next_version_id=None if following is None else following.version_id,
        next_update=None if following is None else _instant(following),
        of_method=_of_method(log),
    )


def _instant(version: LogVersion) -> str:
    return write_instant(version.version_time_ns // NANOSECONDS)


def _of_method(log: VerifiedLog) -> JsonObject:
    """What did:webvh adds, as the newest version has it; numbers are texts, since metadata hold none."""
    active = log.latest.parameters
    added: JsonObject = {
        "scid": active.scid,
        "portable": active.portable,
        "ttl": str(active.ttl_s),
        "watchers": list(active.watchers),
    }
    if active.witness is not None:
        added["witness"] = {
            "threshold": str(active.witness.threshold),
            "witnesses": [{"id": f"did:key:{witness}"} for witness in active.witness.witnesses],
        }
    return added
