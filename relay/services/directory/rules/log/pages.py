"""Pages of a facet: operations that follow one another under its head, and the proof that nothing between them is missing."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from hutong.light_clients.interface import Judge, PredicateFailed, rule
from hutong.light_clients.interface.document import Document
from hutong.light_clients.proofs.merkle import RangeProof, judge_range, prove_range
from hutong.relay.services.directory.rules.log.following import SPEC
from hutong.relay.services.directory.rules.log.operations import LoggedOperation, decode_logged, encode_logged
from hutong.relay.services.directory.rules.records.facets import Facet, FacetHead, facet_kind
from hutong.relay.services.identity.rules.jcs import canonical_json
from hutong.relay.services.identity.rules.jose.strict_json import JsonObject, read_json_object

PAGE_FORMAT: Final = "hutong-directory-operations"
PAGE_VERSION: Final = 1
MAX_PAGE_BYTES: Final = 4 * 2**20
MAX_PAGE_OPERATIONS: Final = 1_000
MAX_NODES: Final = 128
MAX_LOGGED_BYTES: Final = 2_048
MAX_SIZE: Final = 2**53 - 1


@dataclass(frozen=True, slots=True)
class OperationsPage:
    """Some operations of a facet that follow one another; `proof.total` is how many there are under the head."""

    facet: Facet
    operations: tuple[LoggedOperation, ...]
    proof: RangeProof


def make_operations_page(facet: Facet, operations: Sequence[LoggedOperation], first: int, count: int) -> OperationsPage:
    """Operations `first` to `first + count - 1` of a facet.

    Args:
        operations: all under its head, in their order.

    Raises:
        IndexError: there are no such operations.
    """
    proof = prove_range([one.leaf for one in operations], first, count)
    return OperationsPage(facet, tuple(operations[first : first + count]), proof)


def encode_operations_page(page: OperationsPage) -> bytes:
    """Canonical JSON with a final line break."""
    proof, facet = page.proof, page.facet
    said: JsonObject = {
        "format": PAGE_FORMAT,
        "version": PAGE_VERSION,
        "facet": {"kind": int(facet.kind), "code": facet.code.hex()},
        "total": proof.total,
        "first": proof.first,
        "operations": [encode_logged(one).hex() for one in page.operations],
        "nodes": [node.hex() for node in proof.nodes],
    }
    return canonical_json(said) + b"\n"


def decode_operations_page(data: bytes) -> OperationsPage:
    """A page of any origin; nothing of it is judged.

    Raises:
        MalformedInput: not strict JSON, another format, or a member out of its bounds.
    """
    with Document(read_json_object(data, "page", MAX_PAGE_BYTES), "page").of_format(
        "a page of operations", PAGE_FORMAT, PAGE_VERSION
    ) as fields:
        total = fields["total"].integer(1, MAX_SIZE)
        first = fields["first"].integer(0, MAX_SIZE)
        nodes = tuple(node.hex(32) for node in fields["nodes"].items(MAX_NODES))
        leaves = [one.hex_of_at_most(MAX_LOGGED_BYTES) for one in fields["operations"].items(MAX_PAGE_OPERATIONS)]
        with fields["facet"].members() as members:
            facet = Facet(facet_kind(members["kind"].integer(0, 255)), members["code"].hex(32))
    operations = tuple(map(decode_logged, leaves))
    return OperationsPage(facet, operations, RangeProof(total, first, len(operations), nodes))


@rule(SPEC)
def page_is_of_this_facet(page: OperationsPage, facet: Facet) -> None:
    """The page is of the facet that was asked for.

    Raises:
        PredicateFailed: it is of another.
    """
    if page.facet != facet:
        raise PredicateFailed("page_is_of_this_facet", "facet", got=page.facet.code, expected=facet.code)


@rule(SPEC)
def page_counts_as_its_head(page: OperationsPage, head: FacetHead) -> None:
    """The page counts as many operations as the head.

    Raises:
        PredicateFailed: more or fewer, as under an older head.
    """
    if page.proof.total != head.size:
        raise PredicateFailed(
            "page_counts_as_its_head", "number of operations", got=page.proof.total, expected=head.size
        )


@rule(SPEC)
def operations_ascend(page: OperationsPage) -> tuple[bytes, ...]:
    """Places in the log ascend. Returns the leaves.

    Raises:
        PredicateFailed: two are equal or in another order.
    """
    for before, after in pairwise(page.operations):
        if before.sequence >= after.sequence:
            raise PredicateFailed(
                "operations_ascend", "place in the log", got=after.sequence, expected=f"> {before.sequence}"
            )
    return tuple(encode_logged(one) for one in page.operations)


def judge_operations_page(judge: Judge, page: OperationsPage, facet: Facet, head: FacetHead) -> None:
    """The page shows all operations of the facet from its first to its last; `head` is believed.

    Raises:
        PredicateFailed: the first rule that does not hold.
    """
    judge(page_is_of_this_facet, page, facet)
    judge(page_counts_as_its_head, page, head)
    leaves = judge(operations_ascend, page)
    judge_range(judge, page.proof, head.root, leaves)
