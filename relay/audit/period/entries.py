"""One entry of a period: what its bytes are, whether they are proven, and what they then show of each packet."""

import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from hutong.light_clients.ibc.commitment import acknowledgement_commitment
from hutong.light_clients.ibc.denom import Denom
from hutong.light_clients.ibc.packet import Packet, decode_packet, encode_packet
from hutong.light_clients.ibc.transfer import TRANSFER_PORT, decode_transfer
from hutong.light_clients.interface import VerificationError
from hutong.light_clients.table import LIGHT_CLIENTS
from hutong.relay.archive.bundle import MAX_LEGS, Bundle, ChainKind, Claim, Leg
from hutong.relay.archive.legs import asks_to_forward
from hutong.relay.audit.auditor import Auditor, MissingTrust, outcome_of
from hutong.relay.audit.inquiry import Verdict

MAX_REASON_CHARS = 2_000


class EntryState(StrEnum):
    """PROVEN: every predicate held. REFUSED: one did not. UNJUDGED: the checkpoints do not reach. UNREADABLE: the source
    did not give its bytes."""

    PROVEN = "proven"
    REFUSED = "refused"
    UNJUDGED = "unjudged"
    UNREADABLE = "unreadable"


class Application(StrEnum):
    """What the packet carries."""

    TRANSFER = "transfer"
    MESSAGE = "message"


@dataclass(frozen=True, slots=True)
class PacketId:
    """Chain, client and sequence of the sending end."""

    chain_id: str
    client_id: str
    sequence: int

    def __str__(self) -> str:
        return f"{self.chain_id}/{self.client_id}/{self.sequence}"


@dataclass(frozen=True, slots=True)
class Tokens:
    """One ICS-20 payload: the denomination as the sending chain writes it, the amount in its smallest unit."""

    denom: str
    amount: int
    is_returning: bool
    """A voucher that goes back over the client that it came by."""


@dataclass(frozen=True, slots=True)
class LegFacts:
    """What a leg shows; of an entry that is not proven, only what it claims.

    `packet` (canonical protobuf) is kept of legs alone that may be halves of a delivery over a hub.
    `acknowledgement_commitment`: 32 bytes, as the receiving chain stores them; None where no acknowledgement is shown.
    """

    packet_id: PacketId
    destination_chain_id: str
    destination_client: str
    packet_sha256: bytes
    outcome: Claim
    is_settled: bool
    is_error: bool
    application: Application
    tokens: tuple[Tokens, ...]
    packet: bytes | None = None
    acknowledgement_commitment: bytes | None = None

    @property
    def is_failure(self) -> bool:
        """Whether the tokens of the leg go back to its sender, or its message did nothing."""
        return self.is_error or self.outcome is Claim.TIMED_OUT

    @property
    def progress(self) -> int:
        """How much of the packet's life is shown, 0 to 3: of two bundles of one packet the one that shows
        more counts.
        """
        return 2 * (self.outcome is not Claim.RECEIVED) + self.is_settled


@dataclass(frozen=True, slots=True)
class Failure:
    """Which predicate refused, of what, and why; `source` is the standard that demands it."""

    subject: str
    predicate: str
    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class Entry:
    """`sha256` and `size` are of its bytes, empty and 0 where there were none. `predicates`: how many were asked.

    `claimed`: packets that an entry that is not proven says it is about, as far as its bytes can be read; worth a hint.
    """

    name: str
    sha256: bytes
    size: int
    state: EntryState
    predicates: int
    legs: tuple[LegFacts, ...]
    claimed: tuple[PacketId, ...]
    failure: Failure | None
    trust: tuple[tuple[str, str], ...]
    outcome: str

    @property
    def is_proven(self) -> bool:
        """Whether every predicate held."""
        return self.state is EntryState.PROVEN


def judge_entry(auditor: Auditor, name: str, data: bytes) -> Entry:
    """The verdict on one entry, never an exception: nothing that is wrong with it may stop the rest.

    A failure of the verifier itself is a verdict too, UNJUDGED with the predicate `verifier_failed`.

    Args:
        name: the entry's in its source; an id or a file name in it counts as a claim of an entry that is not proven.
        data: of any origin and size.
    """
    digest = sha256(data).digest()
    try:
        judged = auditor.judge(data)
    except MissingTrust as error:
        failure = Failure("bundle", "checkpoint_given", "docs/spec/checkpoint.md", str(error))
        return _unproven(name, data, digest, EntryState.UNJUDGED, failure, 0)
    except Exception as error:
        # A defect of ours; the entry is not proven, and the reader is told that the verifier is to blame.
        reason = f"the verifier itself failed ({type(error).__name__}): report this file"
        return _unproven(name, data, digest, EntryState.UNJUDGED, Failure("bundle", "verifier_failed", "", reason), 0)
    if judged.failure is not None or judged.bundle is None:
        failure = _failure(judged.failure)
        return _unproven(name, data, digest, EntryState.REFUSED, failure, judged.predicates)
    bundle = judged.bundle
    return Entry(
        name,
        digest,
        len(data),
        EntryState.PROVEN,
        judged.predicates,
        tuple(_facts(leg, bundle) for leg in bundle.legs),
        (),
        None,
        tuple(sorted(judged.trust.items())),
        outcome_of(bundle),
    )


def unreadable_entry(name: str, reason: str) -> Entry:
    """An entry that its source names and does not give; `reason` is cut to MAX_REASON_CHARS."""
    failure = Failure("entry", "entry_readable", "docs/spec/audit-replay.md", reason[:MAX_REASON_CHARS])
    claimed = tuple(_named(name))
    return Entry(name, b"", 0, EntryState.UNREADABLE, 0, (), claimed, failure, (), "")


def _unproven(name: str, data: bytes, digest: bytes, state: EntryState, failure: Failure, predicates: int) -> Entry:
    claimed = dict.fromkeys([*_claims(data), *_named(name)])
    return Entry(name, digest, len(data), state, predicates, (), tuple(claimed), failure, (), "")


def _failure(verdict: Verdict | None) -> Failure:
    if verdict is None:
        raise ValueError("refused by nothing")
    check = verdict.check
    reason = str(check.error).removeprefix(f"{check.name}: ")
    return Failure(verdict.subject, check.name, check.source, reason[:MAX_REASON_CHARS])


def _facts(leg: Leg, bundle: Bundle) -> LegFacts:
    packet = leg.packet
    payload = packet.payloads[0]
    encoded = encode_packet(packet)
    is_transfer = TRANSFER_PORT in (payload.source_port, payload.destination_port)
    return LegFacts(
        PacketId(leg.source_chain_id, packet.source_client, packet.sequence),
        leg.destination_chain_id,
        packet.destination_client,
        sha256(encoded).digest(),
        leg.outcome,
        leg.is_settled,
        leg.acknowledgement is not None and leg.acknowledgement.is_error,
        Application.TRANSFER if is_transfer else Application.MESSAGE,
        tuple(_tokens(packet)),
        encoded if len(bundle.legs) == 1 and _may_be_a_half(leg, bundle) else None,
        None if leg.acknowledgement is None else acknowledgement_commitment(leg.acknowledgement),
    )


def _may_be_a_half(leg: Leg, bundle: Bundle) -> bool:
    kinds = {chain.chain_id: chain.kind for chain in bundle.chains}
    if kinds[leg.source_chain_id] is ChainKind.TENDERMINT:
        return True
    return kinds[leg.destination_chain_id] is ChainKind.TENDERMINT and asks_to_forward(leg.packet)


def _tokens(packet: Packet) -> Iterator[Tokens]:
    for payload in packet.payloads:
        if payload.source_port != TRANSFER_PORT or payload.destination_port != TRANSFER_PORT:
            continue
        try:
            sent = decode_transfer(payload.value, payload.encoding)
            returning = Denom.parse(sent.denom).is_returning(payload.source_port, packet.source_client)
        except VerificationError:
            continue  # no receiver can read it either: it is acknowledged with an error
        yield Tokens(sent.denom, sent.amount, returning)


_LEG = b'"destination_chain_id":"'
_PACKET = re.compile(rb'[^"]{1,64}","packet":"([A-Za-z0-9+/=]{1,200000})"')
_SOURCE = re.compile(rb'"source_chain_id":"([A-Za-z0-9_.-]{1,50})"')
CLIENTS_OF_CONTRACTS = "client"
"""What the Solidity router calls its clients, whatever their type."""
_ID = re.compile(r"([^/]{1,50})/([^/]{1,64})/([0-9]{1,20})", re.ASCII)


def _claims(data: bytes) -> Iterator[PacketId]:
    """Packets of a bundle that may be damaged anywhere."""
    for part in data.split(_LEG, MAX_LEGS)[1:]:
        found, source = _PACKET.match(part), _SOURCE.search(part)
        if found is None or source is None:
            continue
        try:
            packet = decode_packet(b64decode(found[1], validate=True))
        except (ValueError, VerificationError):
            continue
        yield PacketId(source[1].decode(), packet.source_client, packet.sequence)


def _named(name: str) -> Iterator[PacketId]:
    """The packet that the exporter names the file for, and an archive its entry."""
    kinds = "|".join(map(re.escape, (CLIENTS_OF_CONTRACTS, *LIGHT_CLIENTS)))
    file = rf"(.{{1,50}})-((?:{kinds})-[0-9]{{1,20}})-([0-9]{{1,20}})\.bundle\.json"
    match = re.fullmatch(file, name, re.ASCII) or _ID.fullmatch(name)
    if match is not None:
        yield PacketId(match[1], match[2], int(match[3]))
