"""Every request of the API, described once for both clients: what is sent, and how its answer is read."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypedDict, TypeVar
from urllib.parse import quote

from hutong.relay.schemas.cases import CaseList
from hutong.relay.schemas.identity import OrganisationFile, OrganisationList
from hutong.relay.schemas.messages import (
    DeadLetterList,
    Message,
    MessageList,
    ProofList,
    SearchResult,
    TransactionStatus,
    Why,
)
from hutong.relay.schemas.network import ChainList, ClientList, PathList, RouteList, TokenList
from hutong.relay.schemas.operation import Series, Status, Totals
from hutong.relay.schemas.records import ObservationList, ReaderProof, Record
from hutong.relay.schemas.sending import Prepared, Submitted
from hutong.relay.schemas.words import App, MessageState
from hutong.relay.sdk.answers import reader
from hutong.relay.sdk.errors import InvalidArgument
from hutong.relay.sdk.sending import Demand, TransferDemand

MAX_ANSWER_BYTES = 8 * 1024 * 1024
"""A page of 100 messages has some 100 KB."""
MAX_BUNDLE_BYTES = 64 * 1024 * 1024
"""As docs/spec/bundle.md bounds one."""
MAX_RECORD_BUNDLE_BYTES = 1024 * 1024
MAX_RECORD_KEY_BYTES = 200
"""Both as docs/spec/records.md has them."""
MAX_READ_KEYS = 16
MAX_EVIDENCE_BYTES = 64 * 1024 * 1024
"""As docs/spec/case-evidence.md bounds one."""
BUNDLE_LIMIT_S = 75.0
"""The server itself gives a bundle 60 s."""
MAX_PAYLOAD_BYTES = 65_536
MAX_RECEIVE_GAS = 10_000_000
"""MAX_RECEIVE_GAS of Mailbox."""

Result = TypeVar("Result")

_CHAIN = re.compile(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?", re.ASCII)
_PACKET = re.compile(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?/[\w+-]{1,64}/[1-9][0-9]{0,19}", re.ASCII)
_CASE = re.compile(r"[a-z0-9][a-z0-9-]{0,63}", re.ASCII)
_DID = re.compile(r"did:hutong:[a-z0-9-]{1,64}:[0-9a-f]{64}", re.ASCII)
_HASH = re.compile(r"0x[0-9a-fA-F]{64}", re.ASCII)
_IDEMPOTENCY_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_RAW = re.compile(r"0x([0-9a-fA-F]{2})+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Call(Generic[Result]):
    """One request. All of the API's that are here may be repeated: reads, preparations, and what has an idempotency
    key.
    """

    what: str
    """For errors: "the message"."""
    method: str
    path: str
    read: Callable[[bytes], Result]
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    max_bytes: int = MAX_ANSWER_BYTES
    limit_s: float = 0.0
    """At least so long is waited for it."""


def _get(what: str, path: str, kind: type[Result], **query: str | None) -> Call[Result]:
    given = {name.rstrip("_"): value for name, value in query.items() if value is not None}
    return Call(what, "GET", path, reader(what, kind), given)


def status() -> Call[Status]:
    """`GET /v1/status`."""
    return _get("the status", "/v1/status", Status)


def totals() -> Call[Totals]:
    """`GET /v1/totals`; the sums are at most some seconds old, as `as_of` says."""
    return _get("the totals", "/v1/totals", Totals)


def series(window: str) -> Call[Series]:
    """`GET /v1/series`.

    Args:
        window: `1h`, `24h` or `7d` up to now.

    Raises:
        InvalidArgument: any other window.
    """
    if window not in ("1h", "24h", "7d"):
        raise InvalidArgument("window", 'must be "1h", "24h" or "7d"')
    return _get("the series", "/v1/series", Series, window=window)


def dead_letters(cursor: str | None, limit: int) -> Call[DeadLetterList]:
    """One page of `GET /v1/dead-letters`, newest first.

    Args:
        cursor: `next` of the page before; None for the first page.
        limit: 1 to 100 items, which the server checks.
    """
    return _get("the list of dead letters", "/v1/dead-letters", DeadLetterList, cursor=cursor, limit=str(limit))


def chains() -> Call[ChainList]:
    """`GET /v1/chains`."""
    return _get("the chains", "/v1/chains", ChainList)


def clients() -> Call[ClientList]:
    """`GET /v1/clients`."""
    return _get("the clients", "/v1/clients", ClientList)


def paths() -> Call[PathList]:
    """`GET /v1/paths`."""
    return _get("the paths", "/v1/paths", PathList)


def routes(source: str, destination: str) -> Call[RouteList]:
    """`GET /v1/routes` between two configured chains; the server refuses any other name."""
    return _get("the routes", "/v1/routes", RouteList, from_=source, to=destination)


def tokens(chain: str | None) -> Call[TokenList]:
    """`GET /v1/tokens`; with `chain` (a configured name), only those that the chain has."""
    return _get("the tokens", "/v1/tokens", TokenList, chain=chain)


class FilterFields(TypedDict, total=False):
    """Of a list of messages. `since` is in the range, `until` is not."""

    state: MessageState
    app: App
    source: str
    destination: str
    sender: str
    receiver: str
    transaction: str
    message_id: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Filters:
    """All that is set must hold."""

    state: MessageState | None = None
    app: App | None = None
    source: str | None = None
    destination: str | None = None
    sender: str | None = None
    receiver: str | None = None
    transaction: str | None = None
    message_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def messages(filters: Filters, cursor: str | None, limit: int) -> Call[MessageList]:
    """One page of `GET /v1/messages`, newest first.

    Args:
        cursor: `next` of the page before; None for the first page.
        limit: 1 to 100 items, which the server checks.

    Raises:
        InvalidArgument: `since` or `until` has no time zone.
    """
    query = {name: getattr(filters, name) for name in FilterFields.__annotations__}
    for name in ("since", "until"):
        if query[name] is not None:
            query[name] = _instant(name, query[name])
    return _get("the list of messages", "/v1/messages", MessageList, **query, cursor=cursor, limit=str(limit))


def message(name: str) -> Call[Message]:
    """`GET /v1/messages/…` of one message.

    Raises:
        InvalidArgument: as `checked_name`.
    """
    return _get("the message", _message_path(name), Message)


def why(name: str) -> Call[Why]:
    """`GET /v1/messages/…/why`.

    Raises:
        InvalidArgument: as `checked_name`.
    """
    return _get("the reason", f"{_message_path(name)}/why", Why)


def proofs(name: str) -> Call[ProofList]:
    """`GET /v1/messages/…/proofs`.

    Raises:
        InvalidArgument: as `checked_name`.
    """
    return _get("the proofs", f"{_message_path(name)}/proofs", ProofList)


def bundle(name: str) -> Call[bytes]:
    """`GET /v1/messages/…/bundle`: at most MAX_BUNDLE_BYTES, not parsed. It waits for BUNDLE_LIMIT_S at least.

    Raises:
        InvalidArgument: as `checked_name`.
    """
    path = f"{_message_path(name)}/bundle"
    return Call("the bundle", "GET", path, bytes, max_bytes=MAX_BUNDLE_BYTES, limit_s=BUNDLE_LIMIT_S)


def observations(hub: str | None, cursor: str | None, limit: int) -> Call[ObservationList]:
    """`GET /v1/observations`: a page; `hub` may be None where one is configured."""
    return _get("the observations", "/v1/observations", ObservationList, hub=hub, cursor=cursor, limit=str(limit))


def record(key: str, hub: str | None) -> Call[Record]:
    """`GET /v1/records/{key}`.

    Raises:
        InvalidArgument: the key is not `0x` and 1 to MAX_RECORD_KEY_BYTES bytes in hex.
    """
    return _get("the record", f"/v1/records/{_record_key(key)}", Record, hub=hub)


def record_bundle(key: str, hub: str | None) -> Call[bytes]:
    """`GET /v1/records/{key}/bundle`: at most MAX_RECORD_BUNDLE_BYTES, not parsed.

    Raises:
        InvalidArgument: as `record`.
    """
    path, query = f"/v1/records/{_record_key(key)}/bundle", {} if hub is None else {"hub": hub}
    return Call(
        "the record's bundle", "GET", path, bytes, query, max_bytes=MAX_RECORD_BUNDLE_BYTES, limit_s=BUNDLE_LIMIT_S
    )


def reads(chain: str, keys: Sequence[str], client: str | None) -> Call[ReaderProof]:
    """`GET /v1/reads`.

    Raises:
        InvalidArgument: not 1 to MAX_READ_KEYS keys, or one that is not a key as for `record`.
    """
    if not 1 <= len(keys) <= MAX_READ_KEYS:
        raise InvalidArgument("keys", f"must be 1 to {MAX_READ_KEYS}")
    texts = ",".join(_record_key(key) for key in keys)
    return _get("the records with their proof", "/v1/reads", ReaderProof, chain=chain, keys=texts, client=client)


def organisations(hub: str | None, cursor: str | None, limit: int) -> Call[OrganisationList]:
    """`GET /v1/identity/organisations`: a page; `hub` may be None where one is configured."""
    path = "/v1/identity/organisations"
    return _get("the organisations", path, OrganisationList, hub=hub, cursor=cursor, limit=str(limit))


def organisation(did: str, hub: str | None) -> Call[OrganisationFile]:
    """`GET /v1/identity/organisations/{did}`.

    Raises:
        InvalidArgument: not a `did:hutong`.
    """
    return _get(
        "the organisation", f"/v1/identity/organisations/{_checked('did', did, _DID)}", OrganisationFile, hub=hub
    )


def organisation_bundle(did: str, schema: str | None, hub: str | None) -> Call[bytes]:
    """`GET /v1/identity/organisations/{did}/bundle`: at most MAX_RECORD_BUNDLE_BYTES, not parsed.

    Raises:
        InvalidArgument: not a `did:hutong`, or a schema that is not `0x` and 32 bytes in hex.
    """
    path = f"/v1/identity/organisations/{_checked('did', did, _DID)}/bundle"
    query = {} if hub is None else {"hub": hub}
    if schema is not None:
        query["schema"] = _checked("schema", schema, _HASH)
    return Call(
        "the organisation's bundle",
        "GET",
        path,
        bytes,
        query,
        max_bytes=MAX_RECORD_BUNDLE_BYTES,
        limit_s=BUNDLE_LIMIT_S,
    )


def cases() -> Call[CaseList]:
    """`GET /v1/cases`."""
    return _get("the cases", "/v1/cases", CaseList)


def case_evidence(name: str) -> Call[bytes]:
    """`GET /v1/cases/{name}/evidence`: at most MAX_EVIDENCE_BYTES, not parsed.

    Raises:
        InvalidArgument: not the name of a case.
    """
    path = f"/v1/cases/{_checked('name', name, _CASE)}/evidence"
    return Call("the case's evidence", "GET", path, bytes, max_bytes=MAX_EVIDENCE_BYTES, limit_s=BUNDLE_LIMIT_S)


def _record_key(key: str) -> str:
    if len(key) > 2 + 2 * MAX_RECORD_KEY_BYTES:
        raise InvalidArgument("key", f"must have at most {MAX_RECORD_KEY_BYTES} bytes")
    return _checked("key", key, _RAW)


def search(text: str) -> Call[SearchResult]:
    """`GET /v1/search`; the server decides what `text` is taken for."""
    return _get("the search", "/v1/search", SearchResult, q=text)


def transaction(chain: str, transaction_hash: str) -> Call[TransactionStatus]:
    """`GET /v1/transactions/{chain}/{hash}`.

    Args:
        chain: a configured name, which the server checks.
        transaction_hash: `0x` and 64 hex digits.

    Raises:
        InvalidArgument: the chain's name or the hash does not look like one.
    """
    path = f"/v1/transactions/{_checked('chain', chain, _CHAIN)}/{_checked('hash', transaction_hash, _HASH)}"
    return _get("the transaction", path, TransactionStatus)


def prepare(demand: Demand) -> Call[Prepared]:
    """`POST /v1/transfers/prepare` or `/v1/messages/prepare`, by the kind of `demand`. It may be repeated.

    Raises:
        InvalidArgument: the amount is not an int of at least 1, the payload is not 1 to MAX_PAYLOAD_BYTES bytes, or
            `receive_gas` is not 1 to MAX_RECEIVE_GAS. Everything else is for the server to refuse.
    """
    wanted: dict[str, Any] = {
        "source": demand.source,
        "destination": demand.destination,
        "sender": demand.sender,
        "receiver": demand.receiver,
        "timeout_s": demand.timeout_s,
        "via": demand.via,
    }
    # A server of before these fields refuses what it does not know.
    parallel = {"client": demand.client, "next_client": demand.next_client}
    wanted |= {name: value for name, value in parallel.items() if value is not None}
    if isinstance(demand, TransferDemand):
        # A text or a float would be an easy mistake: whoever means 1.5 tokens must say how many units that is.
        if type(demand.amount) is not int or demand.amount < 1:
            raise InvalidArgument("amount", "must be an int, the number of smallest units, at least 1")
        path = "/v1/transfers/prepare"
        wanted |= {"token": demand.token, "amount": str(demand.amount), "memo": demand.memo}
    else:
        if not isinstance(demand.payload, bytes | bytearray | memoryview):
            raise InvalidArgument("payload", "must be bytes: encode a text, or use bytes.fromhex")
        if not 1 <= len(demand.payload) <= MAX_PAYLOAD_BYTES:
            raise InvalidArgument("payload", f"must have 1 to {MAX_PAYLOAD_BYTES} bytes")
        path = "/v1/messages/prepare"
        wanted |= {"payload": f"0x{demand.payload.hex()}"}
        if demand.receive_gas is not None:
            if type(demand.receive_gas) is not int or not 1 <= demand.receive_gas <= MAX_RECEIVE_GAS:
                raise InvalidArgument("receive_gas", f"must be an int from 1 to {MAX_RECEIVE_GAS}")
            wanted |= {"receive_gas": demand.receive_gas}
    return _post("the preparation", path, wanted, Prepared)


def submit(chain: str, raw: bytes | str, idempotency_key: str) -> Call[Submitted]:
    """`POST /v1/transactions`: it may be repeated, since the key makes it one submission.

    Args:
        raw: the signed bytes, or `0x` and their hex.
        idempotency_key: 1 to 64 of `A-Za-z0-9_-`.

    Raises:
        InvalidArgument: `raw` or the key does not look like one.
    """
    text = raw if isinstance(raw, str) else f"0x{bytes(raw).hex()}"
    body = {"chain": chain, "raw": _checked("raw", text, _RAW)}
    key = _checked("idempotency_key", idempotency_key, _IDEMPOTENCY_KEY)
    return _post("the submission", "/v1/transactions", body, Submitted, {"Idempotency-Key": key})


def events(message: str | None, after: str | None) -> Call[None]:
    """`GET /v1/events`, a stream: it has no answer to read.

    Args:
        message: follow this one alone; None for all messages and the heads of chains.
        after: cursor of the last event that was seen; None for what happens from now on.

    Raises:
        InvalidArgument: as `checked_name`.
    """
    query = {} if message is None else {"message": checked_name(message)}
    headers = {"Accept": "text/event-stream"} | ({} if after is None else {"Last-Event-ID": after})
    return Call("the event stream", "GET", "/v1/events", lambda _body: None, query, None, headers)


def _post(
    what: str, path: str, body: Mapping[str, Any], kind: type[Result], headers: Mapping[str, str] | None = None
) -> Call[Result]:
    data = json.dumps(body).encode()
    return Call(
        what, "POST", path, reader(what, kind), {}, data, {"Content-Type": "application/json", **(headers or {})}
    )


def checked_name(name: str) -> str:
    """`name`, if it is a packet id (`chain/client/sequence`) or a Mailbox id (`0x` and 64 hex digits).

    Raises:
        InvalidArgument: it is neither. Whether there is such a message, the server says.
    """
    if _PACKET.fullmatch(name) is None and _HASH.fullmatch(name) is None:
        raise InvalidArgument("message", "must be chain/client/sequence, or 0x and 64 hex digits")
    return name


def _message_path(name: str) -> str:
    return f"/v1/messages/{quote(checked_name(name), safe='/')}"


def _checked(field: str, text: str, pattern: re.Pattern[str]) -> str:
    if pattern.fullmatch(text) is None:
        raise InvalidArgument(field, f"must match {pattern.pattern}")
    return text


def _instant(field: str, at: datetime) -> str:
    if at.tzinfo is None:
        raise InvalidArgument(field, "must say its time zone")
    return at.isoformat(timespec="microseconds")
