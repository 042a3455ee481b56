"""Pages of a catalogue under one head (its number of entries, and a root): nothing between two entries of a page is left out.

The leaves are the entries ascending by their identifiers, so that a page also shows that an identifier between two of its entries is not in
the catalogue. Who says the head is another question: a signature, an anchor on a chain, or a record of the hub.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from hutong.light_clients.crypto import sha256
from hutong.light_clients.interface import Judge, MalformedInput, PredicateFailed, rule
from hutong.light_clients.interface.document import Document
from hutong.light_clients.proofs.merkle import RangeProof, judge_range, leaf_hash, prove_range, root_of_leaves
from hutong.relay.services.directory.rules.entries.catalogues import MAX_CATALOGUE_ENTRIES, entry_name
from hutong.relay.services.directory.rules.entries.document import DOCUMENT_DOMAIN, SPEC
from hutong.relay.services.identity.rules.jcs import canonical_json
from hutong.relay.services.identity.rules.jose.strict_json import JsonObject, read_json_object

PAGE_FORMAT: Final = "hutong-directory-page"
PAGE_VERSION: Final = 1
MAX_PAGE_BYTES: Final = 16 * 2**20
MAX_PAGE_ENTRIES: Final = 1_000
MAX_NODES: Final = 128


@dataclass(frozen=True, slots=True)
class CatalogueHead:
    """How many entries, and the root over them, 32 bytes."""

    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class CataloguePage:
    """Some entries that follow one another, and the proof that they do."""

    entries: tuple[JsonObject, ...]
    proof: RangeProof


def leaf_of(name: str, digest: bytes) -> bytes:
    """The leaf of an entry: the bytes of its identifier after their number in two bytes, then its hash.

    Raises:
        MalformedInput: an identifier of 65 536 bytes or more.
    """
    raw = name.encode()
    if len(raw) >= 2**16:
        raise MalformedInput("catalogue", "an identifier is too long", got=len(raw))
    return len(raw).to_bytes(2, "big") + raw + digest


def catalogue_leaves(catalogue: Mapping[str, bytes]) -> list[bytes]:
    """The hashes of a catalogue's leaves in their order, for `prove_range`."""
    ordered = sorted(catalogue, key=str.encode)
    return [leaf_hash(leaf_of(name, catalogue[name])) for name in ordered]


def head_of(catalogue: Mapping[str, bytes]) -> CatalogueHead:
    """The head of the entries that `read_catalogue` gave."""
    return CatalogueHead(len(catalogue), root_of_leaves(catalogue_leaves(catalogue)))


def make_page(
    entries: Mapping[str, JsonObject], catalogue: Mapping[str, bytes], first: int, count: int
) -> CataloguePage:
    """Entries `first` to `first + count - 1` by their identifiers.

    Args:
        entries: each as it stands, by identifier; `catalogue` has the hashes of the same.

    Raises:
        IndexError: there are no such entries.
    """
    names = sorted(catalogue, key=str.encode)[first : first + count]
    return CataloguePage(tuple(entries[name] for name in names), prove_range(catalogue_leaves(catalogue), first, count))


def encode_page(page: CataloguePage) -> bytes:
    """Canonical JSON with a final line break."""
    proof = page.proof
    said: JsonObject = {"format": PAGE_FORMAT, "version": PAGE_VERSION, "total": proof.total, "first": proof.first}
    return canonical_json(said | {"entries": list(page.entries), "nodes": [node.hex() for node in proof.nodes]}) + b"\n"


def decode_page(data: bytes) -> CataloguePage:
    """A page of any origin; its entries are not judged.

    Raises:
        MalformedInput: not strict JSON, another format, or a member out of its bounds.
    """
    with Document(read_json_object(data, "page", MAX_PAGE_BYTES), "page").of_format(
        "a page", PAGE_FORMAT, PAGE_VERSION
    ) as fields:
        total = fields["total"].integer(1, MAX_CATALOGUE_ENTRIES)
        first = fields["first"].integer(0, MAX_CATALOGUE_ENTRIES)
        nodes = tuple(node.hex(32) for node in fields["nodes"].items(MAX_NODES))
        entries = [entry.value for entry in fields["entries"].items(MAX_PAGE_ENTRIES)]
    for number, entry in enumerate(entries):
        if not isinstance(entry, dict):
            raise MalformedInput(f"page.entries[{number}]", "is not an object", got=entry)
    return CataloguePage(tuple(entries), RangeProof(total, first, len(entries), nodes))


@rule(SPEC)
def page_is_of_this_head(page: CataloguePage, head: CatalogueHead) -> None:
    """The page counts as many entries as the head.

    Raises:
        PredicateFailed: more or fewer, as under an older head.
    """
    if page.proof.total != head.size:
        raise PredicateFailed("page_is_of_this_head", "number of entries", got=page.proof.total, expected=head.size)


@rule(SPEC)
def entries_ascend(page: CataloguePage) -> tuple[bytes, ...]:
    """Identifiers ascend, each once. Returns the leaves.

    Raises:
        PredicateFailed: two are equal or in another order.
        MalformedInput: an entry without an identifier.
    """
    names = [entry_name(entry, number) for number, entry in enumerate(page.entries)]
    for before, after in pairwise(names):
        if before.encode() >= after.encode():
            raise PredicateFailed("entries_ascend", "is not after the one before it", got=after, expected=f"> {before}")
    digests = (sha256(DOCUMENT_DOMAIN + canonical_json(entry)) for entry in page.entries)
    return tuple(leaf_of(name, digest) for name, digest in zip(names, digests, strict=True))


def judge_page(judge: Judge, page: CataloguePage, head: CatalogueHead) -> None:
    """The page shows all entries from its first to its last, as they were when the head was made, and the total is the head's.

    Raises:
        PredicateFailed: the first rule that does not hold.
        MalformedInput: an entry without an identifier.
    """
    judge(page_is_of_this_head, page, head)
    leaves = judge(entries_ascend, page)
    judge_range(judge, page.proof, head.root, leaves)
