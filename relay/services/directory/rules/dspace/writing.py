"""What we send and answer, as JSON of the protocol."""

import json
from collections.abc import Sequence
from typing import Final

from hutong.relay.services.directory.rules.dspace.vocabulary import CONTEXT, RECORD, Kind, Role, State
from hutong.relay.services.identity.rules.jose.strict_json import JsonObject, JsonValue

MAX_REASON_CHARS: Final = 500


def encode(document: JsonObject) -> bytes:
    """JSON in UTF-8, without spaces."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def message(kind: Kind, consumer_pid: str | None, provider_pid: str | None, **members: JsonValue) -> JsonObject:
    """A message of a process; a pid that is None is left out, and so are members that are None."""
    fields: JsonObject = {"@context": [CONTEXT], "@type": kind.type}
    if kind in (Kind.ACCEPTED, Kind.FINALIZED):
        fields["eventType"] = kind.value.partition(":")[2]
    stated = {"consumerPid": consumer_pid, "providerPid": provider_pid, **members}
    if "record" in stated:
        stated[RECORD] = stated.pop("record")
    return {**fields, **{name: value for name, value in stated.items() if value is not None}}


def process(consumer_pid: str, provider_pid: str, state: State, *, is_transfer: bool) -> JsonObject:
    """A negotiation or a transfer as it stands."""
    type_ = "TransferProcess" if is_transfer else "ContractNegotiation"
    pids: JsonObject = {"consumerPid": consumer_pid, "providerPid": provider_pid}
    return {"@context": [CONTEXT], "@type": type_, **pids, "state": state.value}


def process_error(
    consumer_pid: str, provider_pid: str, code: str, reasons: Sequence[str], *, is_transfer: bool
) -> JsonObject:
    """A refusal at the end points of negotiations and transfers. A pid that nobody knows is an empty text."""
    type_ = "TransferError" if is_transfer else "ContractNegotiationError"
    pids: JsonObject = {"consumerPid": consumer_pid, "providerPid": provider_pid}
    return {"@context": [CONTEXT], "@type": type_, **pids, "code": code, "reason": _shortened(reasons)}


def catalog_error(code: str, reasons: Sequence[str]) -> JsonObject:
    """A refusal at the end points of the catalogue."""
    return {"@context": [CONTEXT], "@type": "CatalogError", "code": code, "reason": _shortened(reasons)}


def pids_of(role: Role, own: str, theirs: str | None) -> tuple[str | None, str | None]:
    """(consumerPid, providerPid) of a process in which we are `role`."""
    return (own, theirs) if role is Role.CONSUMER else (theirs, own)


def _shortened(reasons: Sequence[str]) -> list[JsonValue]:
    return [one[:MAX_REASON_CHARS] for one in reasons]
