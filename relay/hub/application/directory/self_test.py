"""Vectors of the self-test for what this module judges; the corpus is run with all others (relay/hub/application/self_test.py)."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from hutong.light_clients.interface import VerificationError
from hutong.relay.services.directory.rules.log.following import changed_facets, next_head, operation_follows
from hutong.relay.services.directory.rules.log.operations import decode_logged, decode_operations, encode_logged
from hutong.relay.services.directory.rules.records.facets import decode_head, encode_head


def _operations(vector: Mapping[str, Any]) -> str:
    """Kinds of the operations of a call."""
    try:
        return " ".join(one.kind.name for one in decode_operations(bytes.fromhex(vector["operations"])))
    except VerificationError as error:
        return f"refused: {type(error).__name__}"


def _head(vector: Mapping[str, Any]) -> str:
    """The first facet's head after an operation on an entry, and how many facets it touches."""
    raw = vector["standing"]
    try:
        standing = None if raw is None else decode_logged(bytes.fromhex(raw))
        (given,) = decode_operations(bytes.fromhex(vector["given"]))
        operation_follows(given, standing)
        made = decode_logged(bytes.fromhex(vector["logged"]))
        facets = changed_facets(standing, made)
        head = next_head(decode_head(bytes.fromhex(vector["head"])), facets[0], standing, made)
    except VerificationError as error:
        return f"refused: {type(error).__name__}"
    return f"{encode_head(head).hex()} {len(facets)} {encode_logged(made).hex() == vector['logged']}"


RUNNERS: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "directory_operations": _operations,
    "directory_head": _head,
}
