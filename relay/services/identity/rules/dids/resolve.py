"""Resolve a DID from what the caller has at hand: no network, no clock (W3C DID Resolution §4.4, the algorithm)."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from hutong.light_clients.interface.errors import MalformedInput, VerificationError
from hutong.relay.services.identity.rules.dids import did_jwk, did_key
from hutong.relay.services.identity.rules.dids.document import DidDocument
from hutong.relay.services.identity.rules.dids.negotiation import best_accepted
from hutong.relay.services.identity.rules.dids.representation import with_absolute_ids, write_document
from hutong.relay.services.identity.rules.dids.resolution import (
    DocumentMetadata,
    ErrorCode,
    NotResolved,
    ResolutionOptions,
    ResolutionResult,
    Resolved,
)
from hutong.relay.services.identity.rules.dids.syntax import Did, parse_did
from hutong.relay.services.identity.rules.dids.webvh import identifier as webvh
from hutong.relay.services.identity.rules.dids.webvh.resolution import Material, resolve_webvh

_DOCUMENTS: Mapping[str, Callable[[Did], DidDocument]] = MappingProxyType(
    {did_key.METHOD: did_key.document_of_did_key, did_jwk.METHOD: did_jwk.document_of_did_jwk}
)
"""Methods whose identifier is the key: no material, no versions."""


def resolve(text: str, material: Material, now_s: int, options: ResolutionOptions | None = None) -> ResolutionResult:
    """The document of the DID `text` at `now_s`, seconds since 1970, or why there is none. Never raises for bad input."""
    options = options or ResolutionOptions()
    try:
        did = parse_did(text)
    except MalformedInput as error:
        return NotResolved(ErrorCode.INVALID_DID, str(error))
    if options.version_id is not None and options.version_time is not None:
        return NotResolved(ErrorCode.INVALID_OPTIONS, "versionId and versionTime are both given")
    try:
        best_accepted(options.accept)
    except MalformedInput as error:
        return NotResolved(ErrorCode.INVALID_OPTIONS, str(error))
    try:
        if did.method in _DOCUMENTS:
            found = _resolve_generated(_DOCUMENTS[did.method], did, options)
        elif did.method == webvh.METHOD:
            found = resolve_webvh(did, material, now_s, options)
        else:
            return NotResolved(ErrorCode.METHOD_NOT_SUPPORTED, f"did:{did.method} is not key, jwk or webvh")
    except VerificationError as error:
        return NotResolved(ErrorCode.INVALID_DID, str(error))
    if isinstance(found, Resolved) and found.document is not None and options.expand_relative_urls:
        return Resolved(with_absolute_ids(found.document), found.media_type, found.metadata, found.proofs)
    return found


def _resolve_generated(make: Callable[[Did], DidDocument], did: Did, options: ResolutionOptions) -> ResolutionResult:
    if options.version_id is not None or options.version_time is not None:
        return NotResolved(ErrorCode.FEATURE_NOT_SUPPORTED, f"did:{did.method} has no versions")
    media_type = best_accepted(options.accept)
    if media_type is None:
        return NotResolved(ErrorCode.REPRESENTATION_NOT_SUPPORTED, f"none of {options.accept}")
    return Resolved(write_document(make(did), media_type), media_type, DocumentMetadata())
