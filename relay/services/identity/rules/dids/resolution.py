"""The result of resolving a DID (W3C DID Resolution, Candidate Recommendation of 2026), as a value and as JSON."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from hutong.relay.services.identity.rules.dids.representation import MediaType
from hutong.relay.services.identity.rules.jose.strict_json import JsonObject

ERROR_TYPES: Final = "https://www.w3.org/ns/did#"
OWN_ERROR_TYPES: Final = "urn:hutong:did-resolution:"
RESULT_MEDIA_TYPE: Final = "application/did-resolution"


class ErrorCode(Enum):
    """Why nothing was resolved; the `type` of the error is this after `ERROR_TYPES`. Its words are the `title`."""

    INVALID_DID = "INVALID_DID"
    INVALID_DID_DOCUMENT = "INVALID_DID_DOCUMENT"
    NOT_FOUND = "NOT_FOUND"
    REPRESENTATION_NOT_SUPPORTED = "REPRESENTATION_NOT_SUPPORTED"
    METHOD_NOT_SUPPORTED = "METHOD_NOT_SUPPORTED"
    INVALID_OPTIONS = "INVALID_OPTIONS"
    FEATURE_NOT_SUPPORTED = "FEATURE_NOT_SUPPORTED"
    HEIGHT_NOT_PROVABLE = "HEIGHT_NOT_PROVABLE"
    """Ours: the records of that moment are not to be had, which says nothing of the DID."""
    HOST_UNREACHABLE = "HOST_UNREACHABLE"
    """Ours: the host that keeps the DID's log does not answer, which says nothing of the DID."""

    @property
    def type(self) -> str:
        """The URI that stands in an error."""
        is_own = self in {ErrorCode.HEIGHT_NOT_PROVABLE, ErrorCode.HOST_UNREACHABLE}
        return (OWN_ERROR_TYPES if is_own else ERROR_TYPES) + self.value

    @property
    def title(self) -> str:
        """A short sentence for people."""
        return _TITLES[self]


_TITLES: Final = {
    ErrorCode.INVALID_DID: "The DID is invalid.",
    ErrorCode.INVALID_DID_DOCUMENT: "The DID document is malformed.",
    ErrorCode.NOT_FOUND: "There is no such DID or version.",
    ErrorCode.REPRESENTATION_NOT_SUPPORTED: "The representation is not supported.",
    ErrorCode.METHOD_NOT_SUPPORTED: "The DID method is not supported.",
    ErrorCode.INVALID_OPTIONS: "The options are invalid.",
    ErrorCode.FEATURE_NOT_SUPPORTED: "The feature is not supported.",
    ErrorCode.HEIGHT_NOT_PROVABLE: "The records of that moment cannot be proven here.",
    ErrorCode.HOST_UNREACHABLE: "The host of the DID does not answer.",
}


@dataclass(frozen=True, slots=True)
class ResolutionOptions:
    """What a caller asks for. At most one of `version_id` and `version_time` (RFC 3339, UTC)."""

    accept: str | None = None
    version_id: str | None = None
    version_time: str | None = None
    expand_relative_urls: bool = False


@dataclass(frozen=True, slots=True)
class DocumentMetadata:
    """About the version that was resolved; instants are RFC 3339 texts. `of_method` is what the method adds."""

    created: str | None = None
    updated: str | None = None
    deactivated: bool = False
    version_id: str | None = None
    next_version_id: str | None = None
    next_update: str | None = None
    of_method: JsonObject = field(default_factory=dict)

    def as_json(self) -> JsonObject:
        """Members that are there; `deactivated` only where it is true."""
        members: JsonObject = {
            "created": self.created,
            "updated": self.updated,
            "deactivated": True if self.deactivated else None,
            "versionId": self.version_id,
            "nextVersionId": self.next_version_id,
            "nextUpdate": self.next_update,
        }
        return {**{name: value for name, value in members.items() if value is not None}, **self.of_method}


@dataclass(frozen=True, slots=True)
class Resolved:
    """A document with its metadata. `document` is None where the DID is deactivated and no older version was asked for.

    `proofs` are for `didResolutionMetadata.proof`: what shows the answer to whoever does not trust the resolver.
    """

    document: "JsonObject | None"
    media_type: MediaType
    metadata: DocumentMetadata
    proofs: tuple[JsonObject, ...] = ()

    def as_json(self) -> JsonObject:
        """The resolution result."""
        about: JsonObject = {} if self.document is None else {"contentType": self.media_type.value}
        if self.proofs:
            about["proof"] = list(self.proofs)
        return {
            "didResolutionMetadata": about,
            "didDocument": self.document,
            "didDocumentMetadata": self.metadata.as_json(),
        }


@dataclass(frozen=True, slots=True)
class NotResolved:
    """Nothing, and why: the code that the specification names, and a sentence with what was got and expected.

    `proofs` as of `Resolved`: that a hub has no such DID is shown too.
    """

    code: ErrorCode
    detail: str
    proofs: tuple[JsonObject, ...] = ()

    def as_json(self) -> JsonObject:
        """The resolution result with an error as RFC 9457 shapes it."""
        error: JsonObject = {
            "type": self.code.type,
            "title": self.code.title,
            "detail": self.detail,
        }
        about: JsonObject = {"error": error}
        if self.proofs:
            about["proof"] = list(self.proofs)
        return {"didResolutionMetadata": about, "didDocument": None, "didDocumentMetadata": {}}


ResolutionResult = Resolved | NotResolved
