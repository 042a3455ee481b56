"""The document of a did:hutong, made of the hub's records of one moment (docs/spec/identity-dids.md).

That the records stand under the hub's root, and that no key is left out, is the caller's to show first. The supplement comes
from anywhere: its hash is recorded.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from hutong.light_clients.crypto.hashes import sha256
from hutong.light_clients.interface import rule
from hutong.light_clients.interface.errors import MalformedInput, PredicateFailed
from hutong.relay.services.identity.rules.dids.did_hutong import HutongDid
from hutong.relay.services.identity.rules.dids.document import DidDocument, Relationship, read_document
from hutong.relay.services.identity.rules.dids.instants import write_instant
from hutong.relay.services.identity.rules.dids.representation import MediaType, write_document
from hutong.relay.services.identity.rules.dids.resolution import DocumentMetadata, Resolved
from hutong.relay.services.identity.rules.dids.syntax import Did
from hutong.relay.services.identity.rules.dids.verification_method import JSON_WEB_KEY, JWK_MEMBER, VerificationMethod
from hutong.relay.services.identity.rules.jcs import canonical_json
from hutong.relay.services.identity.rules.jose.base64url import encode_base64url
from hutong.relay.services.identity.rules.jose.strict_json import JsonObject, read_json_object
from hutong.relay.services.identity.rules.organisations.key_form import jwk_members
from hutong.relay.services.identity.rules.records.did_record import DidRecord
from hutong.relay.services.identity.rules.records.key_record import KeyPurpose, KeyRecord

SPEC: Final = "docs/spec/identity-dids.md"
MAX_SUPPLEMENT_BYTES: Final = 64 * 1024
SUPPLEMENT_MEMBERS: Final = frozenset({"alsoKnownAs", "service"})
"""What records do not say. Keys and controllers are the records' alone."""
NO_SUPPLEMENT: Final = bytes(32)
RELATIONSHIPS: Final[Mapping[Relationship, KeyPurpose]] = MappingProxyType(
    {
        Relationship.AUTHENTICATION: KeyPurpose.PRESENTATION,
        Relationship.ASSERTION: KeyPurpose.SIGNING | KeyPurpose.CONTRACT,
        Relationship.KEY_AGREEMENT: KeyPurpose.SEAL,
        Relationship.CAPABILITY_INVOCATION: KeyPurpose.LOG,
    }
)
"""A key stands under a relationship where it has one of these purposes."""


@dataclass(frozen=True, slots=True)
class RecordedDid:
    """Records of one moment. `keys`, by RFC 7638 thumbprint, are those that are active and within their window then.

    `supplement` is None where nobody gave one.
    """

    did: HutongDid
    record: DidRecord
    keys: Mapping[bytes, KeyRecord]
    supplement: bytes | None = None


@rule(SPEC)
def supplement_is_the_recorded_one(record: DidRecord, supplement: bytes | None) -> JsonObject:
    """The canonical JSON whose SHA-256 the record holds, of the two members that records do not say; none where it is zero."""
    expected = record.document.document_hash
    if expected == NO_SUPPLEMENT:
        if supplement is not None:
            raise PredicateFailed("supplement_is_the_recorded_one", "the record has none")
        return {}
    if supplement is None or sha256(supplement) != expected:
        raise PredicateFailed(
            "supplement_is_the_recorded_one",
            "is missing" if supplement is None else "another hash",
            got=None if supplement is None else sha256(supplement),
            expected=expected,
        )
    value = read_json_object(supplement, "supplement", MAX_SUPPLEMENT_BYTES)
    if canonical_json(value) != supplement:
        raise MalformedInput("supplement", "is not canonical JSON (RFC 8785)")
    if unknown := sorted(value.keys() - SUPPLEMENT_MEMBERS):
        raise MalformedInput(f"supplement.{unknown[0][:64]}", "is not a member of a supplement")
    return value


def document_of_records(recorded: RecordedDid) -> DidDocument:
    """A `JsonWebKey` for each key, in order of thumbprints, and what the supplement says.

    Raises:
        PredicateFailed: another supplement than the record's.
        MalformedInput: a supplement that is not one.
    """
    said = supplement_is_the_recorded_one(recorded.record, recorded.supplement)
    did = recorded.did.did
    supplement = read_document({"id": str(did), **said}, did, "supplement")
    keys = dict(sorted(recorded.keys.items()))
    methods = {name: _method(did, name, key) for name, key in keys.items()}
    relationships: Mapping[Relationship, tuple[str | VerificationMethod, ...]] = {
        relationship: ids
        for relationship, purposes in RELATIONSHIPS.items()
        if (ids := tuple(methods[name].id for name, key in keys.items() if key.use.purposes & purposes))
    }
    return DidDocument(
        did,
        also_known_as=supplement.also_known_as,
        methods=tuple(methods.values()),
        relationships=MappingProxyType(relationships),
        services=supplement.services,
    )


def resolution_of_records(
    recorded: RecordedDid, media_type: MediaType, proofs: tuple[JsonObject, ...] = ()
) -> Resolved:
    """The result: a deactivated DID has no document; the version is the height of the block that last changed it.

    Raises:
        PredicateFailed, MalformedInput: as `document_of_records`.
    """
    record = recorded.record
    document = write_document(document_of_records(recorded), media_type) if record.is_active else None
    changed = record.changed.height != record.registered.height
    metadata = DocumentMetadata(
        created=write_instant(record.registered.time_s),
        updated=write_instant(record.changed.time_s) if changed else None,
        deactivated=not record.is_active,
        version_id=str(record.changed.height),
    )
    return Resolved(document, media_type, metadata, proofs)


def _method(did: Did, name: bytes, key: KeyRecord) -> VerificationMethod:
    method_id = f"{did}#{encode_base64url(name)}"
    jwk: JsonObject = {**jwk_members(key.key)}
    value: JsonObject = {"id": method_id, "type": JSON_WEB_KEY, "controller": str(did), JWK_MEMBER: jwk}
    return VerificationMethod(method_id, JSON_WEB_KEY, did, None, value)
