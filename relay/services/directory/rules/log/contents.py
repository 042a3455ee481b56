"""What an entry says of its document. Of a restricted one the hash has a salt, so that whoever guesses the document does not find it on the hub."""

from typing import Final

from hutong.light_clients.crypto import sha256
from hutong.light_clients.interface import MalformedInput, PredicateFailed, rule
from hutong.relay.services.directory.rules.entries.document import DatasetDocument
from hutong.relay.services.directory.rules.log.following import SPEC
from hutong.relay.services.directory.rules.log.operations import EntryContent
from hutong.relay.services.directory.rules.records.facets import FacetKind, name_code
from hutong.relay.services.identity.rules.records.encoding import HASH_BYTES, check_bytes

SEALED_DOMAIN: Final = b"hutong/dir/sealed/1"


def open_content(document: DatasetDocument, valid_until_s: int = 0) -> EntryContent:
    """What the entry of an open document says.

    Raises:
        MalformedInput: more than `MAX_FORMATS` formats, or an end that is no number of eight bytes.
    """
    return EntryContent(
        document.hash,
        document.policy_hash,
        False,
        valid_until_s,
        tuple(sorted(name_code(FacetKind.THEME, theme) for theme in document.themes)),
        tuple(sorted(name_code(FacetKind.FORMAT, form) for form in document.formats)),
    )


def sealed_hash(document: DatasetDocument, salt: bytes) -> bytes:
    """32 bytes; the salt is 32 that were drawn for this document."""
    check_bytes("salt", salt)
    return sha256(SEALED_DOMAIN + salt + document.canonical)


def restricted_content(
    document: DatasetDocument, salt: bytes, facets: tuple[tuple[bytes, ...], tuple[bytes, ...]], valid_until_s: int = 0
) -> EntryContent:
    """What the entry of a restricted document says.

    Args:
        facets: codes of themes and of formats by which it may be counted, each ascending; a code of a known name tells the name.

    Raises:
        MalformedInput: a salt of another length or of zero, or a member out of its rule.
    """
    if salt == bytes(HASH_BYTES):
        raise MalformedInput("salt", "is zero")
    return EntryContent(sealed_hash(document, salt), bytes(HASH_BYTES), True, valid_until_s, *facets)


@rule(SPEC)
def document_is_of_the_entry(document: DatasetDocument, content: EntryContent, salt: bytes | None) -> None:
    """The document is the one that the entry has the hash of.

    Raises:
        PredicateFailed: it is another, or a salt is missing or too many.
    """
    name = "document_is_of_the_entry"
    if content.is_restricted != (salt is not None):
        raise PredicateFailed(name, "a restricted entry has a salt, and it alone", got=salt is not None)
    got = document.hash if salt is None else sealed_hash(document, salt)
    if got != content.document:
        raise PredicateFailed(name, "hash of the document", got=got, expected=content.document)
    if salt is None and document.policy_hash != content.policies:
        raise PredicateFailed(name, "hash of the policies", got=document.policy_hash, expected=content.policies)
