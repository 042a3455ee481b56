"""Statements of kind `message`: how a packet ended, and what it said, from a proof bundle."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hutong.light_clients.ibc.forward import FORWARD_PORT, decode_forward_request
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, PredicateFailed, rule
from hutong.light_clients.interface.document import Members
from hutong.relay.archive.bundle import Bundle, Claim
from hutong.relay.audit.cases.statements.form import MAX_PACKET_ID_CHARS, SPEC, bundle_id
from hutong.relay.audit.chains import JudgedChain

MESSAGE = "message"


class Fate(StrEnum):
    """How a packet ended, as its sender's chain can know it."""

    DELIVERED = "delivered"
    """Received at the end of its way, and acknowledged there with a success."""
    REFUSED = "refused"
    """Acknowledged with an error: the receiver refused it, or the second leg of a forwarded packet failed or timed out."""
    TIMED_OUT = "timed_out"


@dataclass(frozen=True, slots=True)
class MessageStatement:
    """The packet (`chain id/client/sequence` of its first sender) in the bundle of that id ended so."""

    id: str
    bundle: str
    packet: str
    fate: Fate


@dataclass(frozen=True, slots=True)
class Said:
    """What an application gave its router to send, without the envelope of a hub. `timeout_timestamp_s`: until when the last
    chain takes it."""

    source_port: str
    destination_port: str
    version: str
    encoding: str
    value: bytes
    timeout_timestamp_s: int


@dataclass(frozen=True, slots=True)
class ShownMessage:
    """`times_s`: of each leg, by what whole second of Unix time its sending and its end were in blocks. A proof stands
    under a later header than the event, so the event is not younger than that."""

    statement: MessageStatement
    bundle: Bundle
    said: Said
    times_s: tuple[tuple[int, int], ...]

    @property
    def chain_ids(self) -> tuple[str, str]:
        """Of the first sender and of the last receiver that the bundle names."""
        return self.bundle.legs[0].source_chain_id, self.bundle.legs[-1].destination_chain_id

    @property
    def is_settled(self) -> bool:
        """Whether the sending application was told: the commitment is gone."""
        return self.bundle.legs[0].is_settled


def message_fields(statement: MessageStatement) -> dict[str, Any]:
    """As it stands in JSON, without id and kind."""
    return {"bundle": statement.bundle, "packet": statement.packet, "fate": statement.fate.value}


def read_message(name: str, fields: Members) -> MessageStatement:
    """Inverse of `message_fields`.

    Raises:
        MalformedInput: naming the field.
    """
    packet = fields["packet"].ascii(MAX_PACKET_ID_CHARS, least=1)
    return MessageStatement(name, bundle_id(fields["bundle"]), packet, fields["fate"].choice(Fate))


@rule(SPEC)
def message_ended_so(statement: MessageStatement, bundle: Bundle, chains: Mapping[str, JudgedChain]) -> ShownMessage:
    """The bundle is of the statement's packet, and shows the fate that the statement says.

    Args:
        bundle: judged, with `chains` by chain id.

    Raises:
        PredicateFailed: it is of another packet, shows another fate, or none yet.
        MalformedInput: the request to forward cannot be read.
    """
    name = "message_ended_so"
    if bundle.packet_id != statement.packet:
        raise PredicateFailed(name, "the bundle is of another packet", bundle.packet_id, statement.packet)
    fate = fate_of(bundle)
    if fate is not statement.fate:
        raise PredicateFailed(name, "the bundle shows another end", fate or "no end yet", statement.fate)
    return ShownMessage(statement, bundle, said_by(bundle), _times_s(bundle, chains))


def fate_of(bundle: Bundle) -> Fate | None:
    """How a judged bundle says that the packet ended; None where it has been received alone.

    The first leg decides, since judged legs pass on what the second one brought.
    """
    first = bundle.legs[0]
    if first.outcome is Claim.TIMED_OUT:
        return Fate.TIMED_OUT
    if first.acknowledgement is None:
        return None
    return Fate.REFUSED if first.acknowledgement.is_error else Fate.DELIVERED


def said_by(bundle: Bundle) -> Said:
    """What the first sender's application said.

    Raises:
        MalformedInput: the request to forward cannot be read.
    """
    packet = bundle.legs[0].packet
    payload = packet.payloads[0]
    port, words = payload.source_port, (payload.destination_port, payload.version, payload.encoding, payload.value)
    if payload.destination_port != FORWARD_PORT:
        return Said(port, *words, packet.timeout_timestamp_s)
    asked = decode_forward_request(payload.value)
    return Said(port, asked.destination_port, asked.version, asked.encoding, asked.value, asked.timeout_timestamp_s)


def _times_s(bundle: Bundle, chains: Mapping[str, JudgedChain]) -> tuple[tuple[int, int], ...]:
    times = []
    for leg in bundle.legs:
        heights = {proof.claim: proof.height for proof in leg.proofs}
        sent, ended = (
            chains[leg.chain_id_of(claim)].states[heights[claim]].time_ns // NANOSECONDS_PER_SECOND
            for claim in (Claim.SENT, leg.outcome)
        )
        times.append((sent, ended))
    return tuple(times)
