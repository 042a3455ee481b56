"""Packet events of a Cosmos SDK chain's blocks, as ibc-go v10 emits them (04-channel/v2/types/events.go)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from google.protobuf.message import DecodeError

from hutong.adapters.cometbft import CometRpc, CommittedBlocks
from hutong.adapters.cometbft.results import BlockResults, Event, block_results, block_transactions
from hutong.adapters.cometbft.search import transactions_with
from hutong.adapters.interface import (
    MAX_EVENT_RANGE,
    BadAnswer,
    HeightUnavailable,
    PacketEvent,
    PacketEventKind,
    RpcRefused,
)
from hutong.adapters.rpc import AnswerTooLarge, Attempt, each_of
from hutong.light_clients.crypto.hashes import sha256
from hutong.light_clients.ibc.packet import (
    MAX_PACKET_BYTES,
    Acknowledgement,
    decode_acknowledgement,
    decode_packet,
)
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.protobuf import cosmos_tx_pb2, ibc_pb2
from hutong.light_clients.protobuf.canonical import parse_canonical
from hutong.light_clients.tendermint.hashing import data_hash
from hutong.light_clients.tendermint.types import Header

KINDS = {
    "send_packet": PacketEventKind.SEND,
    "write_acknowledgement": PacketEventKind.WRITE_ACKNOWLEDGEMENT,
    "acknowledge_packet": PacketEventKind.ACKNOWLEDGE,
    "timeout_packet": PacketEventKind.TIMEOUT,
}
"""Channels of the first version emit events of the same types, without the packet's encoding: those are passed over."""
PACKET, ACKNOWLEDGEMENT = "encoded_packet_hex", "encoded_acknowledgement_hex"
ACKNOWLEDGE_MESSAGE = "/ibc.core.channel.v2.MsgAcknowledgement"
MAX_HEX_CHARS = 2 * MAX_PACKET_BYTES
_SEQUENCE = re.compile(r"[0-9]{1,20}", re.ASCII)
NO_TRANSACTION = bytes(32)
"""Hash of the transaction of an event that the chain emitted at a block's begin or end."""
NO_TRANSACTIONS = data_hash(())
OK = 0

Acknowledged = Mapping[bytes, Acknowledgement]


@dataclass(frozen=True, slots=True)
class PassedOver:
    """An event of a packet that stock chains carry and this side does not (docs/spec/strictness.md)."""

    kind: PacketEventKind
    client_id: str
    sequence: int


@dataclass(frozen=True, slots=True)
class BlockPackets:
    """What the events of one block tell of packets, in order of the chain."""

    events: tuple[PacketEvent, ...]
    passed_over: tuple[PassedOver, ...]


Expectation = Callable[[BlockPackets], None]


def _too_long(event: Event, kind: PacketEventKind, client_key: str) -> PassedOver:
    """ibc-go bounds a payload's value alone, so an app may let anyone send a packet that no other chain reads."""
    client_id, sequence = event.attributes.get(client_key), event.attributes.get("packet_sequence")
    if client_id is None or sequence is None or _SEQUENCE.fullmatch(sequence) is None:
        raise BadAnswer("block_results", f"events[{event.index}].packet_sequence", "no client with a sequence")
    return PassedOver(kind, client_id, int(sequence))


def _hex(event: Event, key: str) -> bytes:
    text = event.attributes[key]
    field = f"events[{event.index}].{key}"
    if text is None:
        raise BadAnswer("block_results", field, "is there more than once")
    try:
        value = bytes.fromhex(text)
    except ValueError:
        raise BadAnswer("block_results", field, "is not hexadecimal", got=text) from None
    if len(value) * 2 != len(text):  # white space is passed over by fromhex
        raise BadAnswer("block_results", field, "is not hexadecimal", got=text)
    return value


def _check_attributes(event: Event, message: ibc_pb2.Packet) -> None:
    """What the event says beside the packet is what the packet says."""
    expected = {
        "packet_source_client": message.source_client,
        "packet_dest_client": message.destination_client,
        "packet_sequence": str(message.sequence),
        "packet_timeout_timestamp": str(message.timeout_timestamp),
    }
    for key, value in expected.items():
        if key in event.attributes and event.attributes[key] != value:
            field = f"events[{event.index}].{key}"
            raise BadAnswer("block_results", field, f"contradicts the packet's {value}", got=event.attributes[key])


def _message(event: Event) -> ibc_pb2.Packet:
    encoded = _hex(event, PACKET)
    try:
        message = parse_canonical(ibc_pb2.Packet, encoded, "packet", MAX_PACKET_BYTES)
    except MalformedInput as error:
        raise BadAnswer("block_results", f"events[{event.index}].{PACKET}", str(error)) from error
    _check_attributes(event, message)
    return message


def _acknowledgement(event: Event) -> bytes:
    if ACKNOWLEDGEMENT not in event.attributes:
        raise BadAnswer("block_results", f"events[{event.index}].{ACKNOWLEDGEMENT}", "is missing")
    encoded = _hex(event, ACKNOWLEDGEMENT)
    try:
        parse_canonical(ibc_pb2.Acknowledgement, encoded, "acknowledgement", MAX_PACKET_BYTES)
    except MalformedInput as error:
        raise BadAnswer("block_results", f"events[{event.index}].{ACKNOWLEDGEMENT}", str(error)) from error
    return encoded


def acknowledged_in(transaction: bytes) -> dict[bytes, Acknowledgement]:
    """Encoded packet to acknowledgement, of the transaction's own messages: the event of a settled packet has none.

    What another message carries inside (as of x/authz) is not looked for.
    """
    found: dict[bytes, Acknowledgement] = {}
    try:
        raw = cosmos_tx_pb2.TxRaw.FromString(transaction)
        body = cosmos_tx_pb2.TxBody.FromString(raw.body_bytes)
        for packed in body.messages:
            if packed.type_url == ACKNOWLEDGE_MESSAGE:
                message = cosmos_tx_pb2.MsgAcknowledgement.FromString(packed.value)
                encoded = message.packet.SerializeToString(deterministic=True)
                acknowledgement = message.acknowledgement.SerializeToString(deterministic=True)
                found[encoded] = decode_acknowledgement(acknowledgement)
    except (DecodeError, MalformedInput):
        return found
    return found


@dataclass(frozen=True, slots=True)
class _Place:
    """Where events were found."""

    height: int
    time_ns: int
    transaction_hash: bytes
    acknowledged: Acknowledged

    def event(self, event: Event) -> PacketEvent | PassedOver:
        """Raises BadAnswer for an event that contradicts itself: no honest chain emits it."""
        kind = KINDS[event.type]
        written = kind is PacketEventKind.WRITE_ACKNOWLEDGEMENT
        if len(event.attributes[PACKET] or "") > MAX_HEX_CHARS:
            return _too_long(event, kind, "packet_dest_client" if written else "packet_source_client")
        message = _message(event)
        encoded = message.SerializeToString(deterministic=True)
        if written and len(event.attributes.get(ACKNOWLEDGEMENT) or "") > MAX_HEX_CHARS:
            return PassedOver(kind, message.destination_client, message.sequence)
        stated = _acknowledgement(event) if written else None
        try:
            packet = decode_packet(encoded)
            acknowledgement = self.acknowledged.get(encoded) if stated is None else decode_acknowledgement(stated)
        except MalformedInput:
            client_id = message.destination_client if written else message.source_client
            return PassedOver(kind, client_id, message.sequence)
        return PacketEvent(kind, self.height, self.time_ns, self.transaction_hash, event.index, packet, acknowledgement)


class BlockEvents:
    """Reads whole blocks. Every block's results are looked at: a module may send at a block's begin or end."""

    def __init__(self, chain: str, comet: CometRpc, blocks: CommittedBlocks) -> None:
        self._chain = chain
        self._comet = comet
        self._blocks = blocks

    async def packet_events(self, first: int, last: int, head: int) -> tuple[PacketEvent, ...]:
        """See ChainAdapter. Packets that stock chains carry and this side does not are left out.

        Args:
            head: height of the final head; the header after `last`, which holds its results' hash, is read up to there.

        Raises:
            ValueError: not 1 to MAX_EVENT_RANGE blocks.
            HeightUnavailable: `last` is above the head, or the results of a block are not kept.
            EndpointUnavailable: no endpoint gave results that fit the headers.
        """
        if not 0 <= first <= last or last - first >= MAX_EVENT_RANGE:
            raise ValueError(f"a range of 1 to {MAX_EVENT_RANGE} blocks, not {first} to {last}")
        if last > head:
            raise HeightUnavailable(self._chain, last, f"the final head is {head}")

        headers = await self._blocks.bare_headers(max(first, 1), min(last + 1, head))

        async def read(height: int) -> BlockPackets:
            return await self._read(headers[height], headers.get(height + 1), None)

        found = await each_of(read, range(max(first, 1), last + 1))
        return tuple(event for packets in found for event in packets.events)

    async def of_block(self, height: int, head: int, expect: Expectation | None = None) -> BlockPackets:
        """What the events of one block tell of packets.

        Args:
            head: height of the final head; below it the results are checked against the next header's hash.
            expect: raises BadAnswer if the events cannot be all; another endpoint is then asked.

        Raises:
            HeightUnavailable: the block or its results are not kept.
            EndpointUnavailable: no endpoint gave results that fit, or that `expect` takes.
        """
        headers = await self._blocks.bare_headers(height, min(height + 1, head))
        return await self._read(headers[height], headers.get(height + 1), expect)

    async def _read(self, header: Header, following: Header | None, expect: Expectation | None) -> BlockPackets:
        height = header.height

        async def work(attempt: Attempt) -> BlockPackets:
            try:
                results = await block_results(self._comet, attempt, height, KINDS)
            except AnswerTooLarge as error:
                return checked(await self._indexed(attempt, header, error))
            if following is not None and following.last_results_hash != results.hash:
                raise BadAnswer(
                    "block_results", "txs_results", "do not hash to the next header's results", results.hash
                )
            if bool(results.transactions) is (header.data_hash == NO_TRANSACTIONS):
                raise BadAnswer(
                    "block_results", "txs_results", "contradict the header's data", got=len(results.transactions)
                )
            transactions: tuple[bytes, ...] = ()
            if any(result.code == OK and result.events for result in results.transactions):
                try:
                    transactions = await block_transactions(self._comet, attempt, height, header.data_hash)
                except AnswerTooLarge as error:
                    return checked(await self._indexed(attempt, header, error))
                if len(transactions) != len(results.transactions):
                    raise BadAnswer(
                        "block_results", "txs_results", f"are not {len(transactions)}", len(results.transactions)
                    )
            return checked(_packets(height, header.time_ns, results, transactions))

        def checked(packets: BlockPackets) -> BlockPackets:
            if expect is not None:
                expect(packets)
            return packets

        return await self._comet.client.run("block_results", work, at_height=height)

    async def _indexed(self, attempt: Attempt, header: Header, error: AnswerTooLarge) -> BlockPackets:
        """Without the events of the block's begin and end, which the index of transactions does not have."""
        try:
            found = await transactions_with(attempt, header.height, KINDS, PACKET)
        except RpcRefused:
            raise error from None
        results = BlockResults(tuple(result for _, result in found), (), b"")
        return _packets(header.height, header.time_ns, results, tuple(raw for raw, _ in found))


def _packets(height: int, time_ns: int, results: BlockResults, transactions: tuple[bytes, ...]) -> BlockPackets:
    """What a failed transaction emitted did not happen."""
    places = [
        (_Place(height, time_ns, sha256(transaction), acknowledged_in(transaction)), result.events)
        for transaction, result in zip(transactions, results.transactions, strict=False)
        if result.code == OK and result.events
    ]
    places.append((_Place(height, time_ns, NO_TRANSACTION, {}), results.block_events))
    found = [place.event(event) for place, events in places for event in events if PACKET in event.attributes]
    return BlockPackets(
        tuple(event for event in found if isinstance(event, PacketEvent)),
        tuple(event for event in found if isinstance(event, PassedOver)),
    )
