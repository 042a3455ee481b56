"""A replay as JSON, version 1 (docs/spec/audit-replay.md): for machines, for `audit diff` and for `audit explain`."""

import json
import re
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.document import Document, HexForm, Members
from hutong.light_clients.tendermint.rpc_json import format_time, parse_time_ns
from hutong.relay.archive.bundle import Claim
from hutong.relay.audit.period.entries import Application, Entry, EntryState, Failure, LegFacts, PacketId, Tokens
from hutong.relay.audit.period.findings import Finding, FindingKind
from hutong.relay.audit.period.missing import SentRange
from hutong.relay.audit.period.replay import Inputs, Replay, TrustRoot
from hutong.relay.audit.period.supply import Conservation, SupplyLine
from hutong.relay.audit.period.totals import ChainTotals, DeliveryState, RouteTotals, TokenTotals

REPLAY_FORMAT = "hutong-audit-replay"
REPLAY_VERSION = 1
MAX_REPLAY_BYTES = 1024 * 1024 * 1024
"""A kilobyte for each of the most entries that a source may have."""
MAX_ITEMS = 4_000_000
MAX_TEXT_CHARS = 16_384

Value = TypeVar("Value")
_CHAIN_COUNTS = ("sent", "received", "transfers_sent", "messages_sent", "refused", "timed_out", "open", "settled")
_VERSION = re.compile(r"[0-9][0-9A-Za-z.+!_-]{0,63}", re.ASCII)
"""Of PEP 440, loosely: a report tells its reader to install it."""
_PACKET_ID = re.compile(r"([^/]+)/([^/]+)/([0-9]{1,100})", re.ASCII)
_SUPPLY_AMOUNTS = ("sent", "sent_open", "sent_back", "came_home", "home_open", "home_failed")


def encode_replay(replay: Replay) -> bytes:
    """The replay as JSON with sorted keys, one line, ASCII, with a final line break: the same replay has the same
    bytes.
    """
    return json.dumps(replay_document(replay), sort_keys=True, separators=(",", ":")).encode() + b"\n"


def replay_document(replay: Replay) -> dict[str, Any]:
    """The document as JSON values. Amounts and sequences are decimal texts: they do not fit a double."""
    inputs = replay.inputs
    return {
        "format": REPLAY_FORMAT,
        "version": REPLAY_VERSION,
        "clean": replay.is_clean,
        "inputs": {
            "source": inputs.source,
            "judged_at": format_time(inputs.judged_at_ns),
            "hutong": inputs.version,
            "checkpoints": [
                {
                    "file": root.file,
                    "sha256": root.sha256.hex(),
                    "chain_id": root.chain_id,
                    "kind": root.kind,
                    "height": root.height,
                    "hash": "0x" + root.hash.hex(),
                    "time": format_time(root.time_ns),
                    "expires_at": format_time(root.expires_at_ns),
                }
                for root in inputs.roots
            ],
        },
        "summary": {
            "entries": len(replay.entries),
            **{state.value: replay.count(state) for state in EntryState},
            "deliveries": replay.deliveries,
            "predicates": replay.predicates,
            "findings": len(replay.findings),
        },
        "chains": [
            {"chain_id": one.chain_id} | {name: getattr(one, name) for name in _CHAIN_COUNTS} for one in replay.chains
        ],
        "routes": [
            {
                "chains": list(route.chains),
                "deliveries": route.deliveries,
                "messages": route.messages,
                "transfers": route.transfers,
                "states": {state.value: route.states[state] for state in DeliveryState},
                "tokens": [
                    {
                        "token": row.token,
                        "transfers": row.transfers,
                        "delivered": str(row.delivered),
                        "refunded": str(row.refunded),
                        "open": str(row.open),
                    }
                    for row in route.tokens.values()
                ],
            }
            for route in replay.routes
        ],
        "clients": [
            {
                "chain_id": one.chain_id,
                "client_id": one.client_id,
                "first": str(one.first),
                "last": str(one.last),
                "proven": one.proven,
                "gaps": [[str(first), str(last)] for first, last in one.gaps],
            }
            for one in replay.ranges
        ],
        "supply": [
            {
                "chain_id": line.chain_id,
                "client_id": line.client_id,
                "denom": line.denom,
                "token": line.token,
                "conservation": line.conservation.value,
                "reason": line.reason,
            }
            | {name: str(getattr(line, name)) for name in _SUPPLY_AMOUNTS}
            for line in replay.supply
        ],
        "trust": [{"chain_id": chain_id, "mode": mode} for chain_id, mode in replay.modes],
        "findings": [
            {
                "kind": finding.kind.value,
                "entries": list(finding.entries),
                "packets": list(finding.packets),
                "subject": finding.subject,
                "predicate": finding.predicate,
                "reason": finding.reason,
            }
            for finding in replay.findings
        ],
        "entries": [_entry(entry) for entry in replay.entries],
    }


def _entry(entry: Entry) -> dict[str, Any]:
    failure = entry.failure
    return {
        "name": entry.name,
        "sha256": entry.sha256.hex(),
        "size": entry.size,
        "state": entry.state.value,
        "predicates": entry.predicates,
        "outcome": entry.outcome,
        "legs": [
            {
                "packet": str(leg.packet_id),
                "packet_sha256": leg.packet_sha256.hex(),
                "destination_chain_id": leg.destination_chain_id,
                "destination_client": leg.destination_client,
                "outcome": leg.outcome.value,
                "error": leg.is_error,
                "settled": leg.is_settled,
                "application": leg.application.value,
                "tokens": [
                    {"denom": one.denom, "amount": str(one.amount), "returning": one.is_returning} for one in leg.tokens
                ],
            }
            for leg in entry.legs
        ],
        "claimed": [str(packet_id) for packet_id in entry.claimed],
        "failure": None
        if failure is None
        else {
            "subject": failure.subject,
            "predicate": failure.predicate,
            "source": failure.source,
            "reason": failure.reason,
        },
    }


def decode_replay(data: bytes, name: str = "a result file") -> Replay:
    """Inverse of `encode_replay`, from any layout. It is not judged again: it is worth as much as its writer's word.

    `summary` is read over, since it follows from the rest. Bytes of packets are not in the document.

    Args:
        name: the file's, which the replay keeps so that nobody takes it for judged.

    Raises:
        MalformedInput: naming the field; `clean` is one if it does not follow from entries and findings.
    """
    document = Document.parse(data, "replay", MAX_REPLAY_BYTES)
    # What a later hutong says besides is passed over, here and below: members are not taken within a `with`.
    root = document.of_format("a replay", REPLAY_FORMAT, REPLAY_VERSION)
    chosen = Replay(
        inputs=_read_inputs(root["inputs"].members()),
        entries=_each(root["entries"], _read_entry),
        deliveries=_count(root["summary"].members()["deliveries"]),
        chains=_each(root["chains"], _read_chain),
        routes=_each(root["routes"], _read_route),
        ranges=_each(root["clients"], _read_range),
        supply=_each(root["supply"], _read_supply),
        modes=_each(root["trust"], lambda one: (_text(one["chain_id"]), _text(one["mode"]))),
        findings=_each(root["findings"], _read_finding),
        result_file=name,
    )
    if chosen.is_clean != root["clean"].flag():
        raise MalformedInput("replay.clean", "is not what entries and findings make it", expected=chosen.is_clean)
    return chosen


def _text(document: Document) -> str:
    return document.text(MAX_TEXT_CHARS)


def _texts(document: Document) -> tuple[str, ...]:
    return tuple(_text(item) for item in document.items(MAX_ITEMS))


def _count(document: Document) -> int:
    return document.integer(0, 2**63 - 1)


def _amount(document: Document) -> int:
    return document.decimal()


def _time_ns(document: Document) -> int:
    return parse_time_ns(_text(document), document.path)


def _hash(document: Document) -> bytes:
    return document.hex_of_at_most(MAX_TEXT_CHARS)


def _each(document: Document, read: Callable[[Members], Value]) -> tuple[Value, ...]:
    return tuple(read(item.members()) for item in document.items(MAX_ITEMS))


def _packet_id(document: Document) -> PacketId:
    match = _PACKET_ID.fullmatch(_text(document))
    if match is None:
        raise document.refused("is not a packet id", document.value)
    return PacketId(match[1], match[2], int(match[3]))


def parse_packet_id(text: str) -> PacketId:
    """`chain/client/sequence`, the sequence in at most 100 digits. That there is such a packet is not checked.

    Raises:
        MalformedInput: the text has another form.
    """
    return _packet_id(Document(text, "packet"))


def _read_inputs(one: Members) -> Inputs:
    source, judged_at = _text(one["source"]), _time_ns(one["judged_at"])
    return Inputs(
        source, judged_at, _each(one["checkpoints"], _read_root), one["hutong"].matching(_VERSION, "a version")
    )


def _read_root(one: Members) -> TrustRoot:
    return TrustRoot(
        _text(one["file"]),
        _hash(one["sha256"]),
        _text(one["chain_id"]),
        _text(one["kind"]),
        _count(one["height"]),
        one["hash"].hex_of_at_most(MAX_TEXT_CHARS, HexForm.PREFIXED),
        _time_ns(one["time"]),
        _time_ns(one["expires_at"]),
    )


def _read_chain(one: Members) -> ChainTotals:
    return ChainTotals(_text(one["chain_id"]), *(_count(one[name]) for name in _CHAIN_COUNTS))


def _read_route(one: Members) -> RouteTotals:
    states = one["states"].members()
    return RouteTotals(
        _texts(one["chains"]),
        _count(one["deliveries"]),
        _count(one["messages"]),
        _count(one["transfers"]),
        {state: _count(states[state.value]) for state in DeliveryState},
        _by_token(_each(one["tokens"], _read_token)),
    )


def _read_token(one: Members) -> TokenTotals:
    amounts = (_amount(one[name]) for name in ("delivered", "refunded", "open"))
    return TokenTotals(_text(one["token"]), _count(one["transfers"]), *amounts)


def _by_token(rows: Iterable[TokenTotals]) -> dict[str, TokenTotals]:
    return {row.token: row for row in rows}


def _read_gap(document: Document) -> tuple[int, int]:
    first, last = document.items(2, least=2)
    return _amount(first), _amount(last)


def _read_range(one: Members) -> SentRange:
    return SentRange(
        _text(one["chain_id"]),
        _text(one["client_id"]),
        _amount(one["first"]),
        _amount(one["last"]),
        _count(one["proven"]),
        tuple(_read_gap(gap) for gap in one["gaps"].items(MAX_ITEMS)),
    )


def _read_supply(one: Members) -> SupplyLine:
    sent, sent_open, sent_back, came_home, home_open, home_failed = (_amount(one[name]) for name in _SUPPLY_AMOUNTS)
    return SupplyLine(
        _text(one["chain_id"]),
        _text(one["client_id"]),
        _text(one["denom"]),
        _text(one["token"]),
        sent,
        sent_open,
        sent_back,
        came_home,
        home_open,
        home_failed,
        one["conservation"].choice(Conservation),
        _text(one["reason"]),
    )


def _read_finding(one: Members) -> Finding:
    return Finding(
        one["kind"].choice(FindingKind),
        _texts(one["entries"]),
        _texts(one["packets"]),
        _text(one["reason"]),
        _text(one["subject"]),
        _text(one["predicate"]),
    )


def _read_entry(one: Members) -> Entry:
    failure = None
    state = one["state"].choice(EntryState)
    if state is not EntryState.PROVEN:
        said = one["failure"].members()
        failure = Failure(*(_text(said[name]) for name in ("subject", "predicate", "source", "reason")))
    return Entry(
        _text(one["name"]),
        _hash(one["sha256"]),
        _count(one["size"]),
        state,
        _count(one["predicates"]),
        _each(one["legs"], _read_leg),
        tuple(_packet_id(item) for item in one["claimed"].items(MAX_ITEMS)),
        failure,
        (),
        _text(one["outcome"]),
    )


def _read_leg(one: Members) -> LegFacts:
    return LegFacts(
        _packet_id(one["packet"]),
        _text(one["destination_chain_id"]),
        _text(one["destination_client"]),
        _hash(one["packet_sha256"]),
        one["outcome"].choice(Claim),
        one["settled"].flag(),
        one["error"].flag(),
        one["application"].choice(Application),
        _each(one["tokens"], _read_tokens),
    )


def _read_tokens(one: Members) -> Tokens:
    return Tokens(_text(one["denom"]), _amount(one["amount"]), one["returning"].flag())
