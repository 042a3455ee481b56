"""What a connector offers: data sets read once, pages of the catalogue made once, and the offers that agreements are bound to."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from hutong.light_clients.crypto import sha256
from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.light_clients.proofs.merkle import prove_range, root_of_leaves
from hutong.relay.services.directory.rules.dspace.vocabulary import CONTEXT, PAGE
from hutong.relay.services.directory.rules.dspace.writing import encode
from hutong.relay.services.directory.rules.entries.catalogues import read_catalogue_entries
from hutong.relay.services.directory.rules.entries.document import (
    DOCUMENT_DOMAIN,
    DatasetDocument,
    offers_can_be_enforced,
    read_document,
)
from hutong.relay.services.directory.rules.entries.pages import catalogue_leaves
from hutong.relay.services.directory.rules.policy.policy import Policy
from hutong.relay.services.directory.rules.policy.reading import policy_of
from hutong.relay.services.identity.rules.jcs import canonical_json
from hutong.relay.services.identity.rules.jose.strict_json import JsonObject, JsonValue, read_json_object


@dataclass(frozen=True, slots=True)
class Published:
    """A data set: as it is served, and its offers by `@id`, each with its assigner."""

    document: DatasetDocument
    served: JsonObject
    offers: Mapping[str, Policy]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All of it. `pages` are whole answers; `root` is over the entries as they are served (docs/spec/directory-documents.md)."""

    datasets: Mapping[str, Published]
    pages: tuple[bytes, ...]
    root: bytes


@dataclass(frozen=True, slots=True)
class Offering:
    """Who offers: the participant's name, the address of its end points, and how many data sets a page has."""

    participant: str
    endpoint: str
    page_size: int


class CatalogueUnusable(Exception):
    """The file of data sets cannot be served; one sentence that names the data set."""


def load_catalogue(path: Path | None, offering: Offering) -> Catalogue:
    """The catalogue of a file; an empty one without a file.

    Raises:
        CatalogueUnusable: it cannot be read, or a data set of it is not a document of the directory, or could never be used.
    """
    if path is None:
        return catalogue_of({}, offering)
    try:
        entries = read_catalogue_entries(path.read_bytes())
    except OSError as error:
        raise CatalogueUnusable(f"{path} cannot be read: {error.strerror}") from None
    except MalformedInput as error:
        raise CatalogueUnusable(f"{path}: {error}") from None
    return catalogue_of(entries, offering)


def catalogue_of(entries: Mapping[str, JsonObject], offering: Offering) -> Catalogue:
    """As `load_catalogue`, of entries that were read.

    Raises:
        CatalogueUnusable: see there.
    """
    datasets = {}
    for name, entry in entries.items():
        try:
            datasets[name] = _published(entry, offering)
        except (MalformedInput, PredicateFailed) as error:
            raise CatalogueUnusable(f"data set {name}: {error}") from None
    ordered = [datasets[name] for name in sorted(datasets, key=str.encode)]
    leaves = catalogue_leaves({one.document.id: _hash(one.served) for one in ordered})
    root = root_of_leaves(leaves)
    pages = tuple(
        _page(ordered, leaves, (first, root), offering) for first in range(0, max(len(ordered), 1), offering.page_size)
    )
    return Catalogue(datasets, pages, root)


def _hash(served: JsonObject) -> bytes:
    return sha256(DOCUMENT_DOMAIN + canonical_json(served))


def _published(entry: JsonObject, offering: Offering) -> Published:
    document = read_document(encode({"@context": [CONTEXT], **entry}))
    offers_can_be_enforced(document)
    offers: dict[str, Policy] = {}
    served = read_json_object(document.canonical, "document", len(document.canonical))
    shown: list[JsonValue] = []
    for offer in document.offers:
        if offer.assigner not in (None, offering.participant):
            raise MalformedInput("document.hasPolicy.assigner", "is another participant", got=offer.assigner)
        if offer.id in offers:
            raise MalformedInput("document.hasPolicy.@id", "two offers have one", got=offer.id)
        fields = read_json_object(offer.canonical, "offer", len(offer.canonical)) | {"assigner": offering.participant}
        offers[str(offer.id)] = policy_of(fields)
        # The protocol leaves the target out in a catalogue: it is the data set.
        shown.append({name: value for name, value in fields.items() if name != "target"})
    served["hasPolicy"] = shown
    served["distribution"] = [
        {"accessService": _service(offering), **cast(JsonObject, one)}
        for one in cast("list[JsonValue]", served["distribution"])
    ]
    return Published(document, served, offers)


def _service(offering: Offering) -> JsonObject:
    return {"@id": f"{offering.participant}#dsp", "@type": "DataService", "endpointURL": offering.endpoint}


def _page(ordered: list[Published], leaves: list[bytes], place: tuple[int, bytes], offering: Offering) -> bytes:
    """An answer to a catalogue request, with what proves under the catalogue's head that nothing between is left out."""
    first, root = place
    shown = ordered[first : first + offering.page_size]
    fields: JsonObject = {
        "@context": [CONTEXT],
        "@id": f"{offering.participant}#catalogue",
        "@type": "Catalog",
        "participantId": offering.participant,
        "service": [_service(offering)],
    }
    if shown:
        proof = prove_range(leaves, first, len(shown))
        fields["dataset"] = [one.served for one in shown]
        fields[PAGE] = {
            "total": proof.total,
            "first": proof.first,
            "root": root.hex(),
            "nodes": [node.hex() for node in proof.nodes],
        }
    return encode(fields)


def own_dataset(catalogue: Catalogue, name: str) -> bytes | None:
    """The answer to a request for one data set; None where there is none of that name."""
    found = catalogue.datasets.get(name)
    return None if found is None else encode({"@context": [CONTEXT], **found.served})


def agreement_under(offer: Policy, name: str, assignee: str, timestamp: str) -> Policy:
    """The agreement that binds an offer as it was published, to one assignee.

    Args:
        timestamp: an instant in UTC.
    """
    fields = read_json_object(offer.canonical, "offer", len(offer.canonical))
    fields |= {"@id": name, "@type": "Agreement", "assignee": assignee, "timestamp": timestamp}
    return policy_of(fields)


def with_assigner(offer: Policy, assigner: str) -> Policy:
    """An offer that leaves its assigner open, as that participant's."""
    if offer.assigner is not None:
        return offer
    fields = read_json_object(offer.canonical, "offer", len(offer.canonical))
    return policy_of(fields | {"assigner": assigner})
