"""Calls of the router ABI (public ICS26Router, and our `relayBatch`), as bytes."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from hutong.adapters.interface import BadAnswer
from hutong.light_clients.crypto.hashes import keccak256
from hutong.light_clients.ibc.abi import (
    HEIGHT_TUPLE,
    PACKET_TUPLE,
    PAYLOAD_TUPLE,
    decode_canonical,
    encode_abi,
    packet_to_tuple,
)
from hutong.light_clients.ibc.packet import Acknowledgement, Packet, Payload
from hutong.light_clients.interface import Height, MalformedInput

MAX_RETURN_BYTES = 4 * 1024 * 1024


@cache
def selector(signature: str) -> bytes:
    """The first four bytes of Keccak-256 of `name(types)`, the types canonical and without spaces."""
    return keccak256(signature.encode())[:4]


@dataclass(frozen=True, slots=True)
class Function:
    """One function: `encode` makes calldata, `decode` reads what it returned."""

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...] = ()

    @property
    def signature(self) -> str:
        """As it is hashed: name and canonical types, without spaces."""
        return f"{self.name}({','.join(self.inputs)})"

    @property
    def selector(self) -> bytes:
        """The first four bytes of calldata."""
        return selector(self.signature)

    def encode(self, *arguments: Any) -> bytes:
        """Calldata: the selector and the arguments, as many as there are inputs.

        Raises:
            eth_abi.exceptions.EncodingError: an argument is not of its type.
        """
        return self.selector + encode_abi(self.inputs, arguments)

    def decode(self, returned: bytes) -> tuple[Any, ...]:
        """The values that a call returned, as many as there are outputs, from canonical ABI data alone.

        Raises:
            BadAnswer: more than MAX_RETURN_BYTES, or not the canonical encoding of the outputs.
        """
        try:
            return decode_canonical(list(self.outputs), returned, "returned", MAX_RETURN_BYTES)
        except MalformedInput as error:
            raise BadAnswer(self.name, "returned", str(error)) from error


COUNTERPARTY_TUPLE = "(string,bytes[])"
BATCH_CALL_TUPLE = "(uint64,bytes)"

SEND_PACKET = Function("sendPacket", (f"(string,uint64,{PAYLOAD_TUPLE})",), ("uint64",))
RECV_PACKET = Function("recvPacket", (f"({PACKET_TUPLE},bytes,{HEIGHT_TUPLE})",))
ACK_PACKET = Function("ackPacket", (f"({PACKET_TUPLE},bytes,bytes,{HEIGHT_TUPLE})",))
TIMEOUT_PACKET = Function("timeoutPacket", (f"({PACKET_TUPLE},bytes,{HEIGHT_TUPLE})",))
UPDATE_CLIENT = Function("updateClient", ("string", "bytes"), ("uint8",))
SUBMIT_MISBEHAVIOUR = Function("submitMisbehaviour", ("string", "bytes"))
MULTICALL = Function("multicall", ("bytes[]",), ("bytes[]",))
RELAY_BATCH = Function("relayBatch", (f"{BATCH_CALL_TUPLE}[]",), ("bool[]",))
ADD_CLIENT = Function("addClient", (COUNTERPARTY_TUPLE, "address"), ("string",))
GET_CLIENT = Function("getClient", ("string",), ("address",))
GET_COUNTERPARTY = Function("getCounterparty", ("string",), (COUNTERPARTY_TUPLE,))
GET_COMMITMENT = Function("getCommitment", ("bytes32",), ("bytes32",))
PAUSED = Function("paused", (), ("bool",))
GET_NEXT_CLIENT_SEQUENCE = Function("getNextClientSeq", (), ("uint256",))


def _height(height: Height) -> tuple[int, int]:
    return (height.revision_number, height.revision_height)


def _only_payload(packet: Packet) -> Packet:
    if len(packet.payloads) != 1:
        raise MalformedInput("packet.payloads", "routers take one payload a packet", got=len(packet.payloads))
    return packet


def encode_send_packet(source_client: str, timeout_timestamp_s: int, payload: Payload) -> bytes:
    """Calldata of `sendPacket`. Only the app that owns the payload's source port may call it.

    Args:
        source_client: client of the chain that is called.
        timeout_timestamp_s: Unix seconds on the destination chain's clock.
    """
    fields = (payload.source_port, payload.destination_port, payload.version, payload.encoding, payload.value)
    return SEND_PACKET.encode((source_client, timeout_timestamp_s, fields))


def encode_recv_packet(packet: Packet, proof: bytes, proof_height: Height) -> bytes:
    """Calldata of `recvPacket`.

    Args:
        proof: of the packet's commitment, in the form that the client contract reads.
        proof_height: height of the consensus state that the proof is for.

    Raises:
        MalformedInput: the packet has not exactly one payload.
    """
    return RECV_PACKET.encode((packet_to_tuple(_only_payload(packet)), proof, _height(proof_height)))


def encode_ack_packet(packet: Packet, acknowledgement: Acknowledgement, proof: bytes, proof_height: Height) -> bytes:
    """Calldata of `ackPacket`. The router takes the single app acknowledgement bare, and rebuilds the list of one.

    Args:
        proof: of the acknowledgement's commitment, in the form that the client contract reads.
        proof_height: height of the consensus state that the proof is for.

    Raises:
        MalformedInput: packet or acknowledgement has not exactly one entry.
    """
    if len(acknowledgement.app_acknowledgements) != 1:
        raise MalformedInput("acknowledgement", "routers take one entry", got=len(acknowledgement.app_acknowledgements))
    (entry,) = acknowledgement.app_acknowledgements
    return ACK_PACKET.encode((packet_to_tuple(_only_payload(packet)), entry, proof, _height(proof_height)))


def encode_timeout_packet(packet: Packet, proof: bytes, proof_height: Height) -> bytes:
    """Calldata of `timeoutPacket`.

    Args:
        proof: that the packet's receipt is absent, in the form that the client contract reads.
        proof_height: height of the consensus state that the proof is for.

    Raises:
        MalformedInput: the packet has not exactly one payload.
    """
    return TIMEOUT_PACKET.encode((packet_to_tuple(_only_payload(packet)), proof, _height(proof_height)))


def encode_update_client(client_id: str, update: bytes) -> bytes:
    """Calldata of `updateClient`. `update` is a header in the form that the client contract reads."""
    return UPDATE_CLIENT.encode(client_id, update)


def encode_submit_misbehaviour(client_id: str, misbehaviour: bytes) -> bytes:
    """Calldata of `submitMisbehaviour`. `misbehaviour` is evidence in the form that the client contract reads."""
    return SUBMIT_MISBEHAVIOUR.encode(client_id, misbehaviour)
