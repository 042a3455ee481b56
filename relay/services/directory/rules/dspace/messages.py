"""Messages of the protocol from their JSON, by hand after the schemas of DSP 2025-1-err1.

The schemas themselves are not used at run time: three of them have a reference that strict validators refuse, and none has a bound.
Members that the protocol does not know are let in and not looked at, as it demands.
"""

from dataclasses import dataclass
from typing import Final

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.json_text import deeper_than
from hutong.relay.services.directory.rules.dspace.policy_shape import (
    check_agreement,
    check_offer,
    constant,
    list_of,
    object_of,
    text,
)
from hutong.relay.services.directory.rules.dspace.vocabulary import CONTEXT, RECORD, Kind, State
from hutong.relay.services.identity.rules.jose.strict_json import JsonObject, JsonValue, read_json_object

MAX_MESSAGE_BYTES: Final = 128 * 1024
MAX_MESSAGE_DEPTH: Final = 32
MAX_PID_CHARS: Final = 512
MAX_REASONS: Final = 16
MAX_URL_CHARS: Final = 2_048
MAX_PROPERTIES: Final = 64
_EVENTS: Final = {"ACCEPTED": Kind.ACCEPTED, "FINALIZED": Kind.FINALIZED}
_NEGOTIATION_STATES: Final = ["REQUESTED", "OFFERED", "ACCEPTED", "AGREED", "VERIFIED", "FINALIZED", "TERMINATED"]
_TRANSFER_STATES: Final = ["REQUESTED", "STARTED", "TERMINATED", "COMPLETED", "SUSPENDED"]


@dataclass(frozen=True, slots=True)
class Message:
    """A message that moves a process. What its kind does not have is None.

    `offer` and `agreement` have the protocol's shape; what they mean is for the profile to read.
    """

    kind: Kind
    consumer_pid: str | None
    provider_pid: str | None
    callback: str | None = None
    offer: JsonObject | None = None
    agreement: JsonObject | None = None
    agreement_id: str | None = None
    format: str | None = None
    data_address: JsonObject | None = None
    code: str | None = None
    reasons: tuple[str, ...] = ()
    record: JsonValue = None


@dataclass(frozen=True, slots=True)
class ProcessState:
    """What a counterparty says of a negotiation or a transfer."""

    consumer_pid: str
    provider_pid: str
    state: State


def read_message(data: bytes, *allowed: Kind) -> Message:
    """A message from the body of a request.

    Args:
        allowed: the kinds that the end point takes.

    Raises:
        MalformedInput: not strict JSON of at most MAX_MESSAGE_BYTES; another context; another kind; not of its schema's shape.
    """
    fields = _object(data, "message")
    kind = _kind(fields)
    if kind not in allowed:
        raise MalformedInput("message.@type", "does not belong here", kind.value, [one.value for one in allowed])
    if kind in (Kind.REQUEST, Kind.OFFER):
        return _offer_message(fields, kind)
    if kind is Kind.TRANSFER_REQUEST:
        return _transfer_request(fields)
    pids = {name: text(fields.get(name), f"message.{name}", MAX_PID_CHARS) for name in ("consumerPid", "providerPid")}
    address = fields.get("dataAddress") if kind is Kind.TRANSFER_START else None
    stopping = kind in (Kind.TERMINATION, Kind.TRANSFER_TERMINATION, Kind.TRANSFER_SUSPENSION)
    agreement = check_agreement(fields.get("agreement"), "message.agreement") if kind is Kind.AGREEMENT else None
    return Message(
        kind,
        pids["consumerPid"],
        pids["providerPid"],
        agreement=agreement,
        data_address=None if address is None else _data_address(address),
        code=_code(fields) if stopping else None,
        reasons=_reasons(fields, least=1) if stopping else (),
        record=fields.get(RECORD) if kind is Kind.FINALIZED else None,
    )


def read_catalog_request(data: bytes) -> tuple[JsonValue, ...]:
    """The filter of a catalogue request, which each provider defines for itself.

    Raises:
        MalformedInput: not a CatalogRequestMessage.
    """
    fields = _object(data, "message")
    constant(fields.get("@type"), "message.@type", "CatalogRequestMessage")
    return tuple(list_of(fields.get("filter", []), "message.filter"))


def read_dataset_request(data: bytes) -> str:
    """The data set that a DatasetRequestMessage names.

    Raises:
        MalformedInput: another message, or a name of more than 512 characters.
    """
    fields = _object(data, "message")
    constant(fields.get("@type"), "message.@type", "DatasetRequestMessage")
    return text(fields.get("dataset"), "message.dataset", 512)


def read_process(data: bytes, *, is_transfer: bool) -> ProcessState:
    """What a counterparty answers of a negotiation or a transfer.

    Raises:
        MalformedInput: another message, an unknown state, or an identifier that is too long.
    """
    fields = _object(data, "answer")
    constant(fields.get("@type"), "answer.@type", "TransferProcess" if is_transfer else "ContractNegotiation")
    pids = [text(fields.get(name), f"answer.{name}", MAX_PID_CHARS) for name in ("consumerPid", "providerPid")]
    state = text(fields.get("state"), "answer.state", 64)
    if state not in (_TRANSFER_STATES if is_transfer else _NEGOTIATION_STATES):
        raise MalformedInput("answer.state", "is not a state", got=state)
    return ProcessState(pids[0], pids[1], State(state))


def read_error(data: bytes) -> str:
    """Code and reasons of an error of the protocol, in one line for people.

    Raises:
        MalformedInput: no error of the protocol.
    """
    fields = _object(data, "error")
    name = fields.get("@type")
    if name not in ("ContractNegotiationError", "TransferError", "CatalogError"):
        raise MalformedInput("error.@type", "is not an error of the protocol", got=name)
    if name != "CatalogError":
        for member in ("consumerPid", "providerPid"):
            text(fields.get(member), f"error.{member}", MAX_PID_CHARS)
    least = 0 if name == "CatalogError" else 1
    return ": ".join(part for part in (_code(fields), "; ".join(_reasons(fields, least))) if part)


def _object(data: bytes, path: str) -> JsonObject:
    if deeper_than(data[:MAX_MESSAGE_BYTES], MAX_MESSAGE_DEPTH):
        raise MalformedInput(path, f"nested deeper than {MAX_MESSAGE_DEPTH}")
    fields = read_json_object(data, path, MAX_MESSAGE_BYTES)
    contexts = [text(one, f"{path}.@context") for one in list_of(fields.get("@context"), f"{path}.@context", least=1)]
    if CONTEXT not in contexts:
        raise MalformedInput(f"{path}.@context", "is not the protocol's", got=contexts, expected=[CONTEXT])
    return fields


def _kind(fields: JsonObject) -> Kind:
    type_ = text(fields.get("@type"), "message.@type", 64)
    if type_ == "ContractNegotiationEventMessage":
        event = _EVENTS.get(text(fields.get("eventType"), "message.eventType", 64))
        if event is None:
            raise MalformedInput("message.eventType", "is no event", got=fields["eventType"], expected=list(_EVENTS))
        return event
    for kind in Kind:
        if kind.value == type_:
            return kind
    raise MalformedInput("message.@type", "is not a message of a process", got=type_)


def _offer_message(fields: JsonObject, kind: Kind) -> Message:
    """A first message names the address for answers, and a later one the counterparty's process: one of both."""
    of_request = kind is Kind.REQUEST
    own, theirs = ("consumerPid", "providerPid") if of_request else ("providerPid", "consumerPid")
    if ("callbackAddress" in fields) is (theirs in fields):
        raise MalformedInput("message", f"has either callbackAddress or {theirs}")
    pids = {own: text(fields.get(own), f"message.{own}", MAX_PID_CHARS)}
    if theirs in fields:
        pids[theirs] = text(fields[theirs], f"message.{theirs}", MAX_PID_CHARS)
    return Message(
        kind,
        pids.get("consumerPid"),
        pids.get("providerPid"),
        callback=_address(fields, "callbackAddress") if "callbackAddress" in fields else None,
        offer=check_offer(fields.get("offer"), "message.offer", has_target=not of_request),
    )


def _transfer_request(fields: JsonObject) -> Message:
    address = fields.get("dataAddress")
    return Message(
        Kind.TRANSFER_REQUEST,
        text(fields.get("consumerPid"), "message.consumerPid", MAX_PID_CHARS),
        None,
        callback=_address(fields, "callbackAddress"),
        agreement_id=text(fields.get("agreementId"), "message.agreementId", 512),
        format=text(fields.get("format"), "message.format", 512),
        data_address=None if address is None else _data_address(address),
    )


def _address(fields: JsonObject, name: str) -> str:
    return text(fields.get(name), f"message.{name}", MAX_URL_CHARS)


def _data_address(value: JsonValue) -> JsonObject:
    path = "message.dataAddress"
    fields = object_of(value, path)
    constant(fields.get("@type"), f"{path}.@type", "DataAddress")
    text(fields.get("endpointType"), f"{path}.endpointType", MAX_URL_CHARS)
    if "endpoint" in fields:
        text(fields["endpoint"], f"{path}.endpoint", MAX_URL_CHARS)
    if "endpointProperties" in fields:
        for one in list_of(fields["endpointProperties"], f"{path}.endpointProperties", 1, MAX_PROPERTIES):
            stated = object_of(one, f"{path}.endpointProperties")
            constant(stated.get("@type"), f"{path}.endpointProperties.@type", "EndpointProperty")
            for name in ("name", "value"):
                text(stated.get(name), f"{path}.endpointProperties.{name}", 16_384)
    return fields


def _code(fields: JsonObject) -> str | None:
    return text(fields["code"], "message.code", 512) if "code" in fields else None


def _reasons(fields: JsonObject, least: int) -> tuple[str, ...]:
    """Texts as they stand; of anything else only that it is there, because the schemas allow everything."""
    if "reason" not in fields:
        return ()
    found = list_of(fields["reason"], "message.reason", least, MAX_REASONS)
    return tuple(one[:1_024] if isinstance(one, str) else "(not a text)" for one in found)
