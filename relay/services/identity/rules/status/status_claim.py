"""Where a credential says its status stands: the claim `status` (Token Status List §6.2)."""

from dataclasses import dataclass

from hutong.light_clients.interface.errors import MalformedInput, UnsupportedOperation
from hutong.light_clients.interface.judge import rule
from hutong.relay.services.identity.rules.drafts import STATUS_LIST
from hutong.relay.services.identity.rules.jose import MAX_SAFE_INTEGER, JsonValue
from hutong.relay.services.identity.rules.uris import checked_uri


@dataclass(frozen=True, slots=True)
class StatusReference:
    """One status: the list by its URI, as it is written, and the index in it."""

    uri: str
    index: int


@rule(STATUS_LIST + " §6.2")
def status_claim_well_formed(status: JsonValue) -> StatusReference:
    """The claim names one list by its URI, and an index: an integer from 0, written as one.

    Raises:
        MalformedInput: not such an object. 1.0, true and "1" are not the index 1.
        UnsupportedOperation: a status of another kind than `status_list`.
    """
    if not isinstance(status, dict) or not status:
        raise MalformedInput("status", "is not an object that names a list", got=status)
    if "status_list" not in status:
        raise UnsupportedOperation(f"a status without status_list: {min(status)[:64]}")
    reference = status["status_list"]
    if not isinstance(reference, dict):
        raise MalformedInput("status.status_list", "is not an object", got=reference)
    index = reference.get("idx")
    if type(index) is not int or not 0 <= index <= MAX_SAFE_INTEGER:
        raise MalformedInput("status.status_list.idx", "is not an integer from 0", got=index)
    return StatusReference(checked_uri(reference.get("uri"), "status.status_list.uri"), index)
