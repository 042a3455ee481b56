"""A replay as JSON, version 1 (docs/spec/audit-replay.md): for machines, for `audit diff` and for `audit explain`."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from light_clients.interface import MalformedInput
from light_clients.interface.json_text import parse_json
from light_clients.tendermint.rpc_json import format_time, parse_time_ns
from relay.archive.bundle import Claim
from relay.audit.period.entries import Application, Entry, EntryState, Failure, LegFacts, PacketId, Tokens
from relay.audit.period.findings import Finding, FindingKind
from relay.audit.period.missing import SentRange
from relay.audit.period.replay import Inputs, Replay, TrustRoot
from relay.audit.period.supply import Conservation, SupplyLine
from relay.audit.period.totals import ChainTotals, DeliveryState, RouteTotals, TokenTotals

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
_SUPPLY_AMOUNTS = ("sent", "sent_open", "sent_back", "came_home", "home_open", "home_failed")


def encode_replay(replay: Replay) -> bytes:
    """Sorted keys, one line, ASCII: the same replay has the same bytes."""
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
    """Inverse of `encode_replay`, from any layout. What it says is not judged again: it is worth as much as who wrote it.

    `name` is the file's, which the replay keeps so that nobody takes it for judged. `summary` and `clean` follow from the rest and are read over; bytes of packets are not in the document.

    Raises:
        MalformedInput: naming the field.
    """
    document = parse_json(data, "replay", MAX_REPLAY_BYTES)
    if not isinstance(document, dict) or document.get("format") != REPLAY_FORMAT:
        raise MalformedInput("replay.format", "is not a replay", expected=REPLAY_FORMAT)
    version = document.get("version")
    if type(version) is not int or version != REPLAY_VERSION:
        raise MalformedInput("replay.version", "unknown", got=version, expected=REPLAY_VERSION)
    root = _Object(document, "replay")
    entries = root.each("entries", _read_entry)
    chosen = Replay(
        inputs=_read_inputs(root.object("inputs")),
        entries=entries,
        deliveries=root.object("summary").count("deliveries"),
        chains=root.each("chains", _read_chain),
        routes=root.each("routes", _read_route),
        ranges=root.each("clients", _read_range),
        supply=root.each("supply", _read_supply),
        modes=root.each("trust", lambda one: (one.text("chain_id"), one.text("mode"))),
        findings=root.each("findings", _read_finding),
        result_file=name,
    )
    if chosen.is_clean != root.flag("clean"):
        raise MalformedInput("replay.clean", "is not what entries and findings make it", expected=chosen.is_clean)
    return chosen


class _Object:
    """One JSON object whose fields are read by type; every error names the field."""

    def __init__(self, value: Any, field: str) -> None:
        if not isinstance(value, dict):
            raise MalformedInput(field, "is not an object")
        self._value: Mapping[str, Any] = value
        self._field = field

    def _take(self, name: str, kind: type[Value], what: str) -> Value:
        value = self._value.get(name)
        if type(value) is not kind:
            raise MalformedInput(f"{self._field}.{name}", f"is not {what}", got=value)
        return value

    def text(self, name: str) -> str:
        value = self._take(name, str, "a text")
        if len(value) > MAX_TEXT_CHARS:
            raise MalformedInput(f"{self._field}.{name}", f"has more than {MAX_TEXT_CHARS} characters")
        return value

    def count(self, name: str) -> int:
        value = self._take(name, int, "a number")
        if not 0 <= value < 2**63:
            raise MalformedInput(f"{self._field}.{name}", "is out of bounds", got=value)
        return value

    def amount(self, name: str) -> int:
        return _decimal(self._value.get(name), f"{self._field}.{name}")

    def flag(self, name: str) -> bool:
        return self._take(name, bool, "true or false")

    def time_ns(self, name: str) -> int:
        return parse_time_ns(self.text(name), f"{self._field}.{name}")

    def hex(self, name: str) -> bytes:
        text = self.text(name)
        try:
            return bytes.fromhex(text.removeprefix("0x"))
        except ValueError:
            raise MalformedInput(f"{self._field}.{name}", "is not hex", got=text) from None

    def one_of(self, name: str, enumeration: Callable[[str], Value]) -> Value:
        text = self.text(name)
        try:
            return enumeration(text)
        except ValueError:
            raise MalformedInput(f"{self._field}.{name}", "unknown", got=text) from None

    def object(self, name: str) -> "_Object":
        return _Object(self._value.get(name), f"{self._field}.{name}")

    def items(self, name: str) -> list[Any]:
        value: list[Any] = self._take(name, list, "a list")
        if len(value) > MAX_ITEMS:
            raise MalformedInput(f"{self._field}.{name}", f"has more than {MAX_ITEMS} items")
        return value

    def each(self, name: str, read: "Callable[[_Object], Value]") -> tuple[Value, ...]:
        field = f"{self._field}.{name}"
        return tuple(read(_Object(item, f"{field}[{index}]")) for index, item in enumerate(self.items(name)))

    def texts(self, name: str) -> tuple[str, ...]:
        items = self.items(name)
        if not all(type(item) is str and len(item) <= MAX_TEXT_CHARS for item in items):
            raise MalformedInput(f"{self._field}.{name}", "is not a list of texts")
        return tuple(items)


def _decimal(value: Any, field: str) -> int:
    if type(value) is not str or not value.isascii() or not value.isdigit() or len(value) > 100:
        raise MalformedInput(field, "is not a decimal number as a text", got=value)
    return int(value)


def _packet_id(text: str, field: str) -> PacketId:
    chain_id, _, rest = text.partition("/")
    client_id, _, sequence = rest.partition("/")
    if not chain_id or not client_id:
        raise MalformedInput(field, "is not a packet id", got=text)
    return PacketId(chain_id, client_id, _decimal(sequence, field))


def parse_packet_id(text: str) -> PacketId:
    """`chain/client/sequence`. Raises MalformedInput."""
    return _packet_id(text, "packet")


def _read_inputs(one: _Object) -> Inputs:
    version = one.text("hutong")
    if _VERSION.fullmatch(version) is None:
        raise MalformedInput("replay.inputs.hutong", "is not a version", got=version[:80])
    return Inputs(one.text("source"), one.time_ns("judged_at"), one.each("checkpoints", _read_root), version)


def _read_root(one: _Object) -> TrustRoot:
    return TrustRoot(
        one.text("file"),
        one.hex("sha256"),
        one.text("chain_id"),
        one.text("kind"),
        one.count("height"),
        one.hex("hash"),
        one.time_ns("time"),
        one.time_ns("expires_at"),
    )


def _read_chain(one: _Object) -> ChainTotals:
    return ChainTotals(one.text("chain_id"), *(one.count(name) for name in _CHAIN_COUNTS))


def _read_route(one: _Object) -> RouteTotals:
    states = one.object("states")
    return RouteTotals(
        one.texts("chains"),
        one.count("deliveries"),
        one.count("messages"),
        one.count("transfers"),
        {state: states.count(state.value) for state in DeliveryState},
        _by_token(one.each("tokens", _read_token)),
    )


def _read_token(one: _Object) -> TokenTotals:
    amounts = (one.amount(name) for name in ("delivered", "refunded", "open"))
    return TokenTotals(one.text("token"), one.count("transfers"), *amounts)


def _by_token(rows: Iterable[TokenTotals]) -> dict[str, TokenTotals]:
    return {row.token: row for row in rows}


def _read_range(one: _Object) -> SentRange:
    gaps = []
    for gap in one.items("gaps"):
        if not isinstance(gap, list) or len(gap) != 2:
            raise MalformedInput("replay.clients.gaps", "is not a list of first and last", got=gap)
        gaps.append((_decimal(gap[0], "replay.clients.gaps"), _decimal(gap[1], "replay.clients.gaps")))
    return SentRange(
        one.text("chain_id"),
        one.text("client_id"),
        one.amount("first"),
        one.amount("last"),
        one.count("proven"),
        tuple(gaps),
    )


def _read_supply(one: _Object) -> SupplyLine:
    sent, sent_open, sent_back, came_home, home_open, home_failed = (one.amount(name) for name in _SUPPLY_AMOUNTS)
    return SupplyLine(
        one.text("chain_id"),
        one.text("client_id"),
        one.text("denom"),
        one.text("token"),
        sent,
        sent_open,
        sent_back,
        came_home,
        home_open,
        home_failed,
        one.one_of("conservation", Conservation),
        one.text("reason"),
    )


def _read_finding(one: _Object) -> Finding:
    return Finding(
        one.one_of("kind", FindingKind),
        one.texts("entries"),
        one.texts("packets"),
        one.text("reason"),
        one.text("subject"),
        one.text("predicate"),
    )


def _read_entry(one: _Object) -> Entry:
    failure = None
    state = one.one_of("state", EntryState)
    if state is not EntryState.PROVEN:
        said = one.object("failure")
        failure = Failure(said.text("subject"), said.text("predicate"), said.text("source"), said.text("reason"))
    return Entry(
        one.text("name"),
        one.hex("sha256"),
        one.count("size"),
        state,
        one.count("predicates"),
        one.each("legs", _read_leg),
        tuple(_packet_id(text, "replay.entries.claimed") for text in one.texts("claimed")),
        failure,
        (),
        one.text("outcome"),
    )


def _read_leg(one: _Object) -> LegFacts:
    return LegFacts(
        _packet_id(one.text("packet"), "replay.entries.legs.packet"),
        one.text("destination_chain_id"),
        one.text("destination_client"),
        one.hex("packet_sha256"),
        one.one_of("outcome", Claim),
        one.flag("settled"),
        one.flag("error"),
        one.one_of("application", Application),
        one.each("tokens", lambda item: Tokens(item.text("denom"), item.amount("amount"), item.flag("returning"))),
    )
