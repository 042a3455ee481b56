"""What the ledger keeps of a packet, cut from its job: ends, parties, token, and which packet made the hub send it."""

from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256

from hutong.light_clients.ibc.forward import FORWARD_PORT, OriginStamp, decode_forward_request, decode_stamped_payload
from hutong.light_clients.ibc.forward_memo import decode_forward_memo
from hutong.light_clients.ibc.gmp import GMP_GAS_VERSION, GMP_PORT, GMP_VERSION, decode_message, message_id
from hutong.light_clients.ibc.packet import Packet
from hutong.light_clients.ibc.transfer import TRANSFER_PORT, decode_transfer
from hutong.light_clients.interface import VerificationError
from hutong.relay.core.topology.paths import Paths
from hutong.relay.dispatch import Job, JobKind
from hutong.relay.ledger import App, PacketFacts

REMEMBERED_PACKETS = 128
"""Packets of the hub's forwarding that are decoded once for all lines of the log about them: a few batches. 40 MB if each is of
the largest."""


@dataclass(frozen=True, slots=True)
class _Contents:
    """What a payload says; what it does not say or cannot be read stays None."""

    app: App
    sender: str | None = None
    receiver: str | None = None
    denom: str | None = None
    amount: int | None = None
    next_client: str | None = None
    stamp: OriginStamp | None = None
    forward_key: str | None = None


def facts_of(job: Job) -> PacketFacts:
    """What the packet says without its payload being decoded: ends, sequence, ports, size and timeout.

    `refused` is None unless the job carries an acknowledgement.
    """
    packet = job.packet
    payload = packet.payloads[0]
    sender, receiver = (job.source, job.destination)
    if job.kind is not JobKind.RECEIVE:
        sender, receiver = receiver, sender
    return PacketFacts(
        packet_id=job.packet_id,
        source_chain=sender,
        source_client=packet.source_client,
        destination_chain=receiver,
        destination_client=packet.destination_client,
        sequence=packet.sequence,
        source_port=payload.source_port,
        destination_port=payload.destination_port,
        payload_bytes=sum(len(one.value) for one in packet.payloads),
        timeout_timestamp_s=packet.timeout_timestamp_s,
        refused=None if job.acknowledgement is None else job.acknowledgement.is_error,
    )


def first_leg_of(job: Job, paths: Paths) -> str | None:
    """Id of the first packet of the job's message, where the packet tells it: of a general message, and of what a hub
    sent on.

    None of a transfer: its second leg says nothing of its origin, and the ledger pairs the legs.
    """
    port = job.packet.payloads[0].source_port
    if port == GMP_PORT:
        return job.packet_id
    if port != FORWARD_PORT:
        return None
    sender = job.source if job.kind is JobKind.RECEIVE else job.destination
    return _origin(sender, job.packet, _forwarded(job.packet), paths)[1]


def every_fact_of(job: Job, paths: Paths) -> PacketFacts:
    """As `facts_of`, with what the first payload says. What cannot be read stays None; nothing is raised for it.

    Args:
        paths: resolve the ends of a packet that the hub sends on; a client in no path leaves `final_chain` None.
    """
    facts = facts_of(job)
    contents = _contents(job.packet)
    message, leg_1 = _origin(facts.source_chain, job.packet, contents, paths)
    end = None
    if contents.next_client is not None:
        end = paths.counterparty(facts.destination_chain, contents.next_client)
    return replace(
        facts,
        message_id=None if message is None else "0x" + message.hex(),
        leg_of=leg_1,
        forward_key=contents.forward_key,
        app=contents.app.value,
        sender=contents.sender,
        receiver=contents.receiver,
        denom=contents.denom,
        amount=contents.amount,
        next_client=contents.next_client,
        final_chain=None if end is None else end.chain,
        final_client=None if end is None else end.client,
    )


def _contents(packet: Packet) -> _Contents:
    payload = packet.payloads[0]
    if TRANSFER_PORT in (payload.source_port, payload.destination_port):
        return _transfer(packet)
    if FORWARD_PORT in (payload.source_port, payload.destination_port):
        return _forwarded(packet)
    if payload.source_port == GMP_PORT:
        return _message(payload.version, payload.value)
    return _Contents(App.OTHER)


def _transfer(packet: Packet) -> _Contents:
    payload = packet.payloads[0]
    try:
        data = decode_transfer(payload.value, payload.encoding)
    except VerificationError:
        return _Contents(App.TRANSFER)
    said = _Contents(App.TRANSFER, data.sender, data.receiver, data.denom, data.amount)
    try:
        forward = decode_forward_memo(data.memo)
    except VerificationError:
        return said  # the hub refuses it
    if forward is None:
        return replace(said, forward_key=_forward_key(packet.source_client, data.receiver, data.amount))
    key = _forward_key(forward.next_client, forward.receiver, data.amount)
    return replace(said, receiver=forward.receiver, next_client=forward.next_client, forward_key=key)


@lru_cache(REMEMBERED_PACKETS)
def _forwarded(packet: Packet) -> _Contents:
    """A message to the hub's `forward` port, or from it."""
    payload = packet.payloads[0]
    try:
        if payload.source_port == FORWARD_PORT:
            stamped = decode_stamped_payload(payload.value)
            if stamped.stamp.source_port != GMP_PORT:
                return _Contents(App.OTHER, stamp=stamped.stamp)
            return replace(_message(stamped.version, stamped.value), stamp=stamped.stamp)
        request = decode_forward_request(payload.value)
    except VerificationError:
        return _Contents(App.MESSAGE if payload.source_port == GMP_PORT else App.OTHER)
    said = _message(request.version, request.value) if payload.source_port == GMP_PORT else _Contents(App.OTHER)
    return replace(said, next_client=request.next_client)


def _message(version: str, value: bytes) -> _Contents:
    try:
        # every other version is read as the stock one, and is shown as far as that goes
        data, _ = decode_message(version if version == GMP_GAS_VERSION else GMP_VERSION, value)
    except VerificationError:
        return _Contents(App.MESSAGE)
    return _Contents(App.MESSAGE, data.sender, data.receiver)


def _origin(chain: str, packet: Packet, contents: _Contents, paths: Paths) -> tuple[bytes | None, str | None]:
    """(message id, id of leg 1): what the packet says of itself, or what the hub's stamp says of the packet before it."""
    payload = packet.payloads[0]
    stamp = contents.stamp
    if payload.source_port == FORWARD_PORT:
        if stamp is None:
            return None, None
        end = paths.counterparty(chain, stamp.client_id)
        leg_1 = None if end is None else f"{end.chain}/{end.client}/{stamp.sequence}"
        if stamp.source_port != GMP_PORT:
            return None, leg_1
        return message_id(forwarded=True, route=stamp.client_id, sequence=stamp.sequence), leg_1
    if payload.source_port != GMP_PORT:
        return None, None
    if payload.destination_port == FORWARD_PORT:
        return message_id(forwarded=True, route=packet.destination_client, sequence=packet.sequence), None
    route = f"{packet.source_client}/{packet.destination_client}"
    return message_id(forwarded=False, route=route, sequence=packet.sequence), None


def _forward_key(client: str, receiver: str, amount: int) -> str:
    """Equal for both legs of a forwarded transfer: over which client the hub sends what to whom."""
    return sha256(f"{client}\n{receiver}\n{amount}".encode()).hexdigest()
