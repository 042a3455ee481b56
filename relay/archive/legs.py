"""What binds the two legs of a forwarded packet: the hub's stamp, or for tokens what the first leg asked for."""

from typing import TypeAlias

from hutong.light_clients.ibc.denom import Denom
from hutong.light_clients.ibc.forward import (
    FORWARD_PORT,
    MAX_HOPS,
    OriginStamp,
    StampedPayload,
    decode_forward_request,
    decode_stamped_payload,
)
from hutong.light_clients.ibc.packet import Packet
from hutong.light_clients.ibc.transfer import TRANSFER_PORT, decode_forward_memo, decode_transfer
from hutong.light_clients.interface import PredicateFailed, VerificationError


def asks_to_forward(packet: Packet) -> bool:
    """Whether the receiving hub is to send something on. False also for a payload that cannot be read."""
    payload = packet.payloads[0]
    if payload.destination_port == FORWARD_PORT:
        return True
    if payload.destination_port != TRANSFER_PORT:
        return False
    try:
        return decode_forward_memo(decode_transfer(payload.value, payload.encoding).memo) is not None
    except VerificationError:
        return False


def was_sent_on(packet: Packet) -> bool:
    """Whether a hub made the packet of another one, which its stamp or the sender of its tokens names.

    Only ports and the form of the sender are looked at: whether the sending chain is a hub is for the caller to know.
    """
    payload = packet.payloads[0]
    if payload.source_port == FORWARD_PORT:
        return True
    if payload.source_port != TRANSFER_PORT:
        return False
    try:
        return "/" in decode_transfer(payload.value, payload.encoding).sender
    except VerificationError:
        return False


def next_client(packet: Packet) -> str | None:
    """The hub's client over which the packet asks to be sent on; None if it does not ask, or not in a readable way."""
    payload = packet.payloads[0]
    try:
        if payload.destination_port == FORWARD_PORT:
            return decode_forward_request(payload.value).next_client
        if payload.destination_port == TRANSFER_PORT:
            instruction = decode_forward_memo(decode_transfer(payload.value, payload.encoding).memo)
            return None if instruction is None else instruction.next_client
    except VerificationError:
        pass
    return None


Link: TypeAlias = tuple[str, str, int] | tuple[str, str, int, str, str]
"""(`stamp`, the hub's client, sequence) of a message's first leg, or (the hub's client onward, its denom, amount, receiver,
sender) of tokens: what both legs have in common, so that second legs are looked up and not compared one by one."""


def link_of_first(first: Packet) -> Link | None:
    """What every second leg of `first` has for its `link_of_second`; None where it can have none, or cannot be read."""
    payload = first.payloads[0]
    if payload.destination_port == FORWARD_PORT:
        return "stamp", first.destination_client, first.sequence
    try:
        return _tokens_asked_for(first)[0]
    except VerificationError:
        return None


def link_of_second(second: Packet) -> Link | None:
    """What the packet has in common with its first leg (see `link_of_first`); None for one that no hub made
    of another.
    """
    payload = second.payloads[0]
    try:
        if payload.source_port == FORWARD_PORT:
            stamp = decode_stamped_payload(payload.value).stamp
            return "stamp", stamp.client_id, stamp.sequence
        if payload.source_port != TRANSFER_PORT:
            return None
        passed = decode_transfer(payload.value, payload.encoding)
    except VerificationError:
        return None
    return second.source_client, passed.denom, passed.amount, passed.receiver, passed.sender


def is_second_leg(first: Packet, second: Packet) -> bool:
    """Whether `second` is what a hub makes of `first`. Equal transfers are told apart by nothing."""
    try:
        check_second_leg(first, second)
    except VerificationError:
        return False
    return True


def check_second_leg(first: Packet, second: Packet) -> None:
    """`second` is what a hub makes of `first`: exactly its request under a stamp, or the tokens that its memo asked
    for.

    That either was sent is not checked here. Equal transfers are told apart by nothing.

    Raises:
        PredicateFailed: `stamp_matches` or `tokens_match` does not hold.
        MalformedInput: a payload cannot be read.
    """
    if first.payloads[0].destination_port == FORWARD_PORT:
        _stamp_matches(first, second)
    else:
        _tokens_match(first, second)


def _stamp_matches(first: Packet, second: Packet) -> None:
    """The second leg is exactly what the hub makes of the first: its request, under a stamp of its path and sequence."""
    name = "stamp_matches"
    payload, onward = first.payloads[0], second.payloads[0]
    request = decode_forward_request(payload.value)
    expected = StampedPayload(
        OriginStamp(
            1, first.destination_client, payload.source_port, payload.destination_port, first.sequence, hops=MAX_HOPS
        ),
        request.version,
        request.encoding,
        request.value,
    )
    if onward.source_port != FORWARD_PORT or onward.destination_port != request.destination_port:
        raise PredicateFailed(name, "ports differ", onward.destination_port, request.destination_port)
    if second.source_client != request.next_client:
        raise PredicateFailed(name, "sent over another client", second.source_client, request.next_client)
    if second.timeout_timestamp_s != request.timeout_timestamp_s:
        raise PredicateFailed(name, "timeout differs", second.timeout_timestamp_s, request.timeout_timestamp_s)
    stamped = decode_stamped_payload(onward.value)
    if stamped != expected:
        raise PredicateFailed(name, "stamp or payload is of another packet", stamped.stamp, expected.stamp)


def _tokens_match(first: Packet, second: Packet) -> None:
    """The same token and amount, for the receiver that the memo names, over the client that it names."""
    name = "tokens_match"
    onward = second.payloads[0]
    if onward.source_port != TRANSFER_PORT:
        raise PredicateFailed(name, "no transfer", onward.source_port, TRANSFER_PORT)
    (client, denom, amount, receiver, sender), wanted_s = _tokens_asked_for(first)
    passed = decode_transfer(onward.value, onward.encoding)
    for what, got, expected in (
        ("client", second.source_client, client),
        ("denom", passed.denom, denom),
        ("amount", passed.amount, amount),
        ("receiver", passed.receiver, receiver),
        ("sender", passed.sender, sender),
        ("memo", passed.memo, ""),
    ):
        if got != expected:
            raise PredicateFailed(name, f"{what} differs", got, expected)
    if wanted_s is not None and second.timeout_timestamp_s != wanted_s:
        raise PredicateFailed(name, "timeout differs", second.timeout_timestamp_s, wanted_s)


def _tokens_asked_for(first: Packet) -> tuple[tuple[str, str, int, str, str], int | None]:
    """The link of the transfer that the hub is to make of `first`, and its timeout where the memo names one."""
    name = "tokens_match"
    payload = first.payloads[0]
    if payload.destination_port != TRANSFER_PORT:
        raise PredicateFailed(name, "no transfer", payload.destination_port, TRANSFER_PORT)
    sent = decode_transfer(payload.value, payload.encoding)
    instruction = decode_forward_memo(sent.memo)
    if instruction is None:
        raise PredicateFailed(name, "the first leg does not ask to be sent on")
    denom = Denom.parse(sent.denom)
    returning = denom.is_returning(payload.source_port, first.source_client)
    on_hub = denom.stripped() if returning else denom.prefixed(payload.destination_port, first.destination_client)
    sender = f"{first.destination_client}/{sent.sender}"
    return (
        (instruction.next_client, on_hub.path, sent.amount, instruction.receiver, sender),
        instruction.timeout_timestamp_s,
    )
