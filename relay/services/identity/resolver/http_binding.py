"""The HTTPS binding of DID Resolution: which answer in which media type, with which status (DID Resolution §7)."""

from typing import Final

from fastapi import Response

from hutong.relay.services.identity.rules.dids.negotiation import MAX_ACCEPT_CHARS
from hutong.relay.services.identity.rules.dids.representation import MediaType
from hutong.relay.services.identity.rules.dids.resolution import (
    RESULT_MEDIA_TYPE,
    ErrorCode,
    NotResolved,
    ResolutionResult,
)
from hutong.relay.services.identity.rules.dids.syntax import DidUrl
from hutong.relay.services.identity.rules.jose import JsonObject, JsonValue, write_json

DEREFERENCED_MEDIA_TYPE: Final = "application/did-url-dereferencing"
_OLD_PROFILE: Final = "application/ld+json"
_RESULTS: Final = frozenset({RESULT_MEDIA_TYPE, DEREFERENCED_MEDIA_TYPE, _OLD_PROFILE})
STATUSES: Final = {
    ErrorCode.INVALID_DID: 400,
    ErrorCode.INVALID_OPTIONS: 400,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.REPRESENTATION_NOT_SUPPORTED: 406,
    ErrorCode.HEIGHT_NOT_PROVABLE: 410,
    ErrorCode.INVALID_DID_DOCUMENT: 500,
    ErrorCode.METHOD_NOT_SUPPORTED: 501,
    ErrorCode.FEATURE_NOT_SUPPORTED: 501,
    ErrorCode.HOST_UNREACHABLE: 502,
}
DEACTIVATED: Final = 410


def wants_result(accept: str | None) -> bool:
    """Whether the whole resolution result is asked for, which is so unless a document's media type is, and no result's."""
    named = _named(accept)
    return bool(named & _RESULTS) or not named & {one.value for one in MediaType}


def accept_of(accept: str | None) -> str | None:
    """What is negotiated among representations of the document: None takes any."""
    return None if accept is None or _named(accept) & _RESULTS else accept


def _named(accept: str | None) -> frozenset[str]:
    """The media types of an `Accept`, without their parameters."""
    ranges = [] if accept is None else accept[:MAX_ACCEPT_CHARS].split(",")
    return frozenset(one.partition(";")[0].strip().lower() for one in ranges)


def status_of(found: ResolutionResult) -> int:
    """200, 410 of a deactivated DID, or that of the error."""
    if isinstance(found, NotResolved):
        return STATUSES[found.code]
    return DEACTIVATED if found.document is None and found.metadata.deactivated else 200


def resolution_response(found: ResolutionResult, accept: str | None) -> Response:
    """The document alone where its media type was asked for; the result otherwise, and always where there is no document."""
    document = None if isinstance(found, NotResolved) else found.document
    if document is not None and not isinstance(found, NotResolved) and not wants_result(accept):
        return _response(document, 200, found.media_type.value)
    return _response(found.as_json(), status_of(found), RESULT_MEDIA_TYPE)


def fragment_response(found: ResolutionResult, url: DidUrl) -> Response:
    """Dereferencing of a DID URL with a fragment: the method or service that has this id (DID Resolution §5.5)."""
    if isinstance(found, NotResolved) or found.document is None:
        error = found.as_json()["didResolutionMetadata"]
        code = status_of(found)
        answer: JsonObject = {"dereferencingMetadata": error, "content": None, "contentMetadata": {}}
        return _response(answer, code, DEREFERENCED_MEDIA_TYPE)
    part = part_of(found.document, str(url.did), url.fragment or "")
    if part is None:
        missing = NotResolved(ErrorCode.NOT_FOUND, f"the document has nothing with the id {url}")
        answer = {
            "dereferencingMetadata": missing.as_json()["didResolutionMetadata"],
            "content": None,
            "contentMetadata": {},
        }
        return _response(answer, 404, DEREFERENCED_MEDIA_TYPE)
    about: JsonObject = {"contentType": found.media_type.value}
    if found.proofs:
        about["proof"] = list(found.proofs)
    answer = {"dereferencingMetadata": about, "content": part, "contentMetadata": found.metadata.as_json()}
    return _response(answer, 200, DEREFERENCED_MEDIA_TYPE)


def part_of(document: JsonObject, did: str, fragment: str) -> JsonValue:
    """The object of the document whose id is the fragment; None where there is none."""
    wanted = (f"#{fragment}", f"{did}#{fragment}")
    for value in document.values():
        for item in value if isinstance(value, list) else ():
            if isinstance(item, dict) and item.get("id") in wanted:
                return item
    return None


def _response(body: JsonObject, status: int, media_type: str) -> Response:
    headers = {"cache-control": "no-store", "access-control-allow-origin": "*"}
    return Response(write_json(body), status, headers, media_type=media_type)
