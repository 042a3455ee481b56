"""Documents and catalogues in files: what `hutong directory entry` and `catalogue` read."""

from pathlib import Path
from typing import Any

from hutong.light_clients.interface import CheckVerdict, MalformedInput, PredicateFailed
from hutong.light_clients.interface.judge import audit
from hutong.relay.services.directory.rules.entries.catalogues import (
    MAX_CATALOGUE_BYTES,
    hashes_of,
    read_catalogue_entries,
)
from hutong.relay.services.directory.rules.entries.document import (
    MAX_DOCUMENT_BYTES,
    DatasetDocument,
    offers_can_be_enforced,
    read_document,
)
from hutong.relay.services.directory.rules.entries.pages import (
    MAX_PAGE_BYTES,
    CatalogueHead,
    CataloguePage,
    decode_page,
    encode_page,
    judge_page,
    make_page,
)
from hutong.relay.services.identity.rules.jose.strict_json import JsonObject
from hutong.relay.verify.directory.policies import policy_fields
from hutong.relay.verify.inputs import UnusableInput, read_file


def read_document_file(path: Path) -> DatasetDocument:
    """The document of a data set.

    Raises:
        UnusableInput: the file cannot be read, or holds something else.
    """
    try:
        return read_document(read_file(path, MAX_DOCUMENT_BYTES))
    except MalformedInput as error:
        raise UnusableInput(f"{path}: {error}") from None


def read_catalogue_file(path: Path) -> dict[str, JsonObject]:
    """Each entry by its identifier.

    Raises:
        UnusableInput: the file cannot be read, or holds no catalogue.
    """
    try:
        return read_catalogue_entries(read_file(path, MAX_CATALOGUE_BYTES))
    except MalformedInput as error:
        raise UnusableInput(f"{path}: {error}") from None


def page_of(path: Path, first: int, count: int) -> bytes:
    """A page of the catalogue in a file, as a file of its own.

    Raises:
        UnusableInput: as `read_catalogue_file`, or there are no such entries.
    """
    entries = read_catalogue_file(path)
    try:
        return encode_page(make_page(entries, hashes_of(entries), first, count))
    except IndexError:
        raise UnusableInput(f"{path} has {len(entries)} entries, not {first} to {first + count - 1}") from None


def judge_page_file(path: Path, head: CatalogueHead) -> tuple[CataloguePage, tuple[CheckVerdict, ...]]:
    """A page of any origin, and what every rule says of it under a head that is believed.

    Raises:
        UnusableInput: the file cannot be read, or holds no page.
    """
    try:
        page = decode_page(read_file(path, MAX_PAGE_BYTES))
        return page, audit(judge_page, page, head)
    except MalformedInput as error:
        raise UnusableInput(f"{path}: {error}") from None


def refusal_of(document: DatasetDocument) -> str | None:
    """Why the document could be published and nobody could use it; None where all its offers can be enforced."""
    try:
        offers_can_be_enforced(document)
    except PredicateFailed as error:
        return str(error)
    return None


def document_fields(document: DatasetDocument) -> dict[str, Any]:
    """As `--json` shows a document."""
    return {
        "id": document.id,
        "hash": document.hash.hex(),
        "policy_hash": document.policy_hash.hex(),
        "themes": list(document.themes),
        "formats": list(document.formats),
        "refusal": refusal_of(document),
        "offers": [{"id": offer.id} | policy_fields(offer) for offer in document.offers],
        "canonical": document.canonical.decode(),
    }
