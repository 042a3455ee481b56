"""The operator API as an ASGI application (docs/spec/storage-operator-api.md)."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import trio
from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from hutong.light_clients.interface import VERIFY, MalformedInput, PredicateFailed
from hutong.light_clients.interface.document import Document
from hutong.relay.base.http import JSON, BodyTooLarge, Receive, Send, read_body, respond
from hutong.relay.services.storage.engines.engine import EngineUnavailable
from hutong.relay.services.storage.hub.refusals import HubSilent
from hutong.relay.services.storage.operator.answering import (
    Answering,
    NoSuchAudit,
    ProbeLost,
    answers_struct,
)
from hutong.relay.services.storage.operator.desk import OperatorDesk, ShardAsked
from hutong.relay.services.storage.operator.index import HeldShard, Holding, ShardKey
from hutong.relay.services.storage.operator.requests import (
    Target,
    headers_of,
    read_client,
    read_hash,
    read_length,
    read_number,
    read_shard_number,
    read_target,
    read_token,
)
from hutong.relay.services.storage.rules.audits.answers import MAX_ANSWERS, encode_answers
from hutong.relay.services.storage.rules.audits.probes import MAX_PROBES, Challenge
from hutong.relay.services.storage.rules.commitments.entries import encode_log_entry, encode_shard_entry
from hutong.relay.services.storage.rules.operator_api.access import Rights, decode_token, judge_access
from hutong.relay.services.storage.rules.operator_api.documents import (
    MAX_JSON_BYTES,
    MAX_LISTED,
    ShardState,
    decode_part_asked,
    deletion_members,
    encode_deletion,
    encode_part,
    encode_receipt,
    receipt_members,
)
from hutong.relay.services.storage.rules.operator_api.refusals import (
    PROBLEM_TYPE,
    RefusalCode,
    RequestRefused,
    encode_problem,
)
from hutong.relay.services.storage.rules.operator_api.spans import spans_of
from hutong.relay.services.storage.rules.packs.shape import LEAF_BYTES, MAX_HEIGHT
from hutong.relay.telemetry import get_logger
from hutong.relay.web.request_heads import Incoming

OCTETS: Final = b"application/octet-stream"
PUT_BODY_S: Final = 60.0
BODY_S: Final = 10.0
MAX_DROPPED_BYTES: Final = LEAF_BYTES << MAX_HEIGHT
"""Of a put that is refused: a connection that closes over unread bytes takes the refusal with it."""
MAX_LOGGED: Final = 1_024
MAX_LOGGED_SHARDS: Final = 4_096
RETRY_AFTER_S: Final = 1
_STATES: Mapping[Holding, ShardState] = MappingProxyType(
    {
        Holding.PENDING: ShardState.PENDING,
        Holding.SIGNED: ShardState.SIGNED,
        Holding.PLACED: ShardState.PLACED,
        Holding.REMOVED: ShardState.REMOVED,
    }
)
_METHODS: Mapping[str, str] = MappingProxyType(
    {"shards": "GET, PUT, DELETE", "parts": "POST", "probes": "POST", "log": "GET", "answers": "GET", "operator": "GET"}
)


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer as it is sent."""

    body: bytes
    status: int = 200
    content_type: bytes = JSON


@dataclass(frozen=True, slots=True)
class OperatorStatus:
    """What an operator says of itself, and why it is not ready, if so."""

    document: Mapping[str, Any]
    not_ready: str | None


@dataclass(frozen=True, slots=True)
class Doors:
    """What the application answers by."""

    desk: OperatorDesk
    answering: Answering
    status: Callable[[], Awaitable[OperatorStatus]]
    registry: CollectorRegistry
    shows_metrics: bool
    """Where nobody but this machine can ask."""
    is_behind_proxy: bool = False
    """Who asks is what the proxy says of them."""


@dataclass(frozen=True, slots=True)
class _Caller:
    writer: bytes
    owner: bytes


class OperatorApp:
    """An ASGI application; whatever is refused is a problem document."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._log = get_logger("storage_operator")
        self._requests = Counter(
            "hutong_storage_operator_requests", "Requests by what was asked and the answer's status.", ["asked", "status"],
            registry=doors.registry,
        )  # fmt: skip

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        asked = "none"
        headers: list[tuple[bytes, bytes]] = []
        incoming = Incoming(receive)
        try:
            target = read_target(scope)
            asked = _named(target)
            answered = await self._answer(target, scope, incoming)
        except RequestRefused as refused:
            answered, headers = _refused(refused), _refusal_headers(refused, asked)
            await incoming.drop(MAX_DROPPED_BYTES)
        except Exception:
            # Neither target nor header is logged: a token is a secret.
            self._log.exception("a request failed", asked=asked)
            sentence = "the operator failed at this request; its log says why"
            answered = _refused(RequestRefused(RefusalCode.INTERNAL_ERROR, sentence))
        self._requests.labels(asked, answered.status).inc()
        body = b"" if scope["method"] == "HEAD" else answered.body
        await respond(send, answered.status, body, answered.content_type, [*headers, (b"cache-control", b"no-store")])

    async def _answer(self, target: Target, scope: Any, receive: Receive) -> Answered:
        match (target.method, *target.parts):
            case ("GET", "healthz"):
                return Answered(b'{"status":"ok"}')
            case ("GET", "readyz"):
                return await self._ready()
            case ("GET", "metrics") if self._doors.shows_metrics:
                return Answered(generate_latest(self._doors.registry), 200, CONTENT_TYPE_LATEST.encode())
            case ("GET", "v1", "operator"):
                return _json((await self._doors.status()).document)
            case ("GET", "v1", "log"):
                return await self._logged(target, self._client(scope))
            case ("GET", "v1", "answers", epoch):
                return await self._epoch_answers(target, read_number(epoch, "epoch"), self._client(scope))
            case (_, "v1", "shards", *rest) if target.method in ("GET", "PUT", "DELETE"):
                return await self._shards(target, tuple(rest), scope, receive)
            case ("POST", "v1", "parts"):
                return await self._part(target, scope, receive)
            case ("POST", "v1", "probes"):
                return await self._probes(scope, receive)
        if target.parts[:1] == ("v1",) and target.parts[1:2] and target.parts[1] in _METHODS:
            raise RequestRefused(RefusalCode.METHOD_NOT_ALLOWED, f"this address takes {_METHODS[target.parts[1]]}")
        raise RequestRefused(RefusalCode.NOT_FOUND, "there is nothing here")

    async def _shards(self, target: Target, rest: tuple[str, ...], scope: Any, receive: Receive) -> Answered:
        match (target.method, *rest):
            case ("GET",):
                caller = await self._caller(scope, Rights.READ, target)
                return await self._listed(target, caller)
            case ("PUT", pack, shard):
                caller = await self._caller(scope, Rights.WRITE, target)
                return await self._put(target, _key(caller, pack, shard), scope, receive)
            case ("DELETE", pack, shard):
                caller = await self._caller(scope, Rights.WRITE, target)
                target.only("owner")
                return Answered(encode_deletion(await self._doors.desk.delete(_key(caller, pack, shard))))
            case ("GET", pack, shard):
                caller = await self._caller(scope, Rights.READ, target)
                target.only("owner")
                return _json(self._state(await self._doors.desk.held(_key(caller, pack, shard)), with_receipt=True))
            case ("GET", pack, shard, "spans"):
                caller = await self._caller(scope, Rights.READ, target)
                target.only("first", "count", "outboard", "owner")
                first, count = (
                    target.number("first", spans_of(MAX_HEIGHT)),
                    target.number("count", spans_of(MAX_HEIGHT)),
                )
                with_outboard = target.number("outboard", 1, default=1) == 1
                key = _key(caller, pack, shard)
                found = await self._doors.desk.spans(key, first, count, with_outboard=with_outboard)
                return Answered(found, 200, OCTETS)
            case ("GET", pack, shard, "placed"):
                caller = await self._caller(scope, Rights.READ, target)
                target.only("size", "owner")
                size = target.number("size") if "size" in target.parameters else None
                return Answered(await self._doors.desk.placed(_key(caller, pack, shard), size), 200, OCTETS)
        raise RequestRefused(RefusalCode.NOT_FOUND, "there is nothing here")

    async def _put(self, target: Target, key: ShardKey, scope: Any, receive: Receive) -> Answered:
        target.only("height", "root", "retain_until", "owner")
        height = target.number("height", MAX_HEIGHT)
        asked = ShardAsked(key, height, target.hash("root"), target.number("retain_until"))
        expected = LEAF_BYTES << height
        read_length(scope, expected)
        _check_type(scope, OCTETS)
        async with self._doors.desk.putting():
            shard = await _body(receive, expected, PUT_BODY_S)
            if len(shard) != expected:
                raise RequestRefused(RefusalCode.BAD_REQUEST, f"{len(shard)} bytes arrived of {expected}")
            receipt, is_new = await self._doors.desk.put(asked, shard)
        return Answered(encode_receipt(receipt), 201 if is_new else 200)

    async def _part(self, target: Target, scope: Any, receive: Receive) -> Answered:
        target.only("owner")
        caller = await self._caller(scope, Rights.WRITE, target)
        _check_type(scope, JSON)
        try:
            asked = decode_part_asked(await _body(receive, MAX_JSON_BYTES, BODY_S))
        except MalformedInput as error:
            raise RequestRefused(RefusalCode.BAD_REQUEST, str(error)) from None
        return Answered(encode_part(await self._doors.desk.sign_part(caller.writer, caller.owner, asked)))

    async def _listed(self, target: Target, caller: _Caller) -> Answered:
        target.only("after", "count", "owner")
        count = target.number("count", MAX_LISTED, default=MAX_LISTED)
        after = target.hash("after") if "after" in target.parameters else b""
        index = self._doors.desk.parts.index
        # One more than is shown, to know whether there is more; a pack's shards are not torn apart.
        rows = await trio.to_thread.run_sync(index.shards_of, caller.owner, after, count + 1)
        shown, rest = rows[:count], rows[count:]
        if rest:
            shown = [row for row in shown if row.key.pack != rest[0].key.pack]
        following = shown[-1].key.pack.hex() if rest and shown else None
        return _json({"shards": [self._state(row, with_receipt=False) for row in shown], "next": following})

    def _state(self, held: HeldShard, *, with_receipt: bool) -> dict[str, Any]:
        damaged = held.damaged_at_s is not None and held.holding is not Holding.REMOVED
        members: dict[str, Any] = {
            "state": (ShardState.DAMAGED if damaged else _STATES[held.holding]).value,
            "pack": held.key.pack.hex(),
            "shard": held.key.shard,
            "height": held.height,
            "root": held.root.hex(),
            "retain_until": held.retain_until_s,
        }
        if with_receipt:
            desk = self._doors.desk
            is_removed = held.holding is Holding.REMOVED
            members["receipt"] = (
                deletion_members(desk.deletion_of(held)) if is_removed else receipt_members(desk.receipt_of(held))
            )
        return members

    async def _logged(self, target: Target, client: str) -> Answered:
        target.only("first", "count")
        first, count = target.number("first", default=0), target.number("count", MAX_LOGGED, default=MAX_LOGGED)
        log = self._doors.desk.parts.log

        def read() -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = []
            shards = 0
            for position, entry in enumerate(log.entries(first, count), first):
                shards += entry.entries
                if found and shards > MAX_LOGGED_SHARDS:
                    break
                part = log.part(position)
                entries = [encode_shard_entry(one).hex() for one in part.entries]
                said = {"log": encode_log_entry(entry).hex(), "writer": part.writer.hex(), "sequence": part.sequence}
                found.append({**said, "shards": entries})
            return found

        async with self._doors.desk.showing(client):
            return _json({"size": log.size, "entries": await trio.to_thread.run_sync(read)})

    async def _probes(self, scope: Any, receive: Receive) -> Answered:
        caller = await self._caller(scope, Rights.READ, None)
        _check_type(scope, JSON)
        try:
            with Document.parse(
                await _body(receive, MAX_JSON_BYTES, BODY_S), "probes", MAX_JSON_BYTES
            ).members() as fields:
                seed, probes = fields["seed"].hex(32), fields["probes"].integer(1, MAX_PROBES)
                first, count = fields["first"].integer(0, probes - 1), fields["count"].integer(1, MAX_ANSWERS)
            if first + count > probes:
                raise MalformedInput("probes.count", "goes beyond the probes", first + count, probes)
        except MalformedInput as error:
            raise RequestRefused(RefusalCode.BAD_REQUEST, str(error)) from None
        try:
            challenge = await trio.to_thread.run_sync(self._doors.answering.newest, seed, probes)
        except NoSuchAudit as error:
            raise RequestRefused(RefusalCode.NOT_PLACED, str(error)) from None
        octets = await self._encoded_answers(challenge, first, count, f"writer {caller.writer.hex()}")
        asked = challenge.operator_set
        ahead = asked.root + asked.size.to_bytes(8, "big") + asked.leaves.to_bytes(8, "big")
        return Answered(ahead + octets, 200, OCTETS)

    async def _epoch_answers(self, target: Target, epoch: int, client: str) -> Answered:
        target.only("first", "count")
        first, count = target.number("first", MAX_PROBES), target.number("count", MAX_ANSWERS)
        parts = self._doors.desk.parts
        if parts.hub is None:
            raise RequestRefused(RefusalCode.NOT_FOUND, "this operator follows no hub")
        try:
            audit = await self._doors.answering.audit(parts.hub, epoch)
        except NoSuchAudit as error:
            raise RequestRefused(RefusalCode.NOT_FOUND, str(error)) from None
        except HubSilent as error:
            raise RequestRefused(RefusalCode.HUB_UNAVAILABLE, str(error)) from None
        if not 1 <= count <= audit.challenge.probes - first:
            raise RequestRefused(RefusalCode.BAD_REQUEST, f"the epoch has {audit.challenge.probes} probes")
        octets = await self._encoded_answers(audit.challenge, first, count, client)
        struct = answers_struct(parts.identity.hub, audit, first, count, octets)
        signature = await self._doors.desk.sign(struct)
        return Answered(signature + octets, 200, OCTETS)

    async def _encoded_answers(self, challenge: Challenge, first: int, count: int, client: str) -> bytes:
        parts, answering = self._doors.desk.parts, self._doors.answering
        numbers = range(first, first + count)
        try:
            async with self._doors.desk.showing(client):
                removals = {} if parts.hub is None else await answering.removals(parts.hub, challenge, numbers)
                answers = await trio.to_thread.run_sync(answering.answers, challenge, first, count, removals)
        except HubSilent as error:
            raise RequestRefused(RefusalCode.HUB_UNAVAILABLE, str(error)) from None
        except ProbeLost as error:
            raise RequestRefused(RefusalCode.LOST, str(error)) from None
        except EngineUnavailable as error:
            raise RequestRefused(RefusalCode.ENGINE_UNAVAILABLE, str(error)) from None
        return encode_answers(answers)

    def _client(self, scope: Any) -> str:
        return read_client(scope, is_behind_proxy=self._doors.is_behind_proxy)

    async def _ready(self) -> Answered:
        reason = (await self._doors.status()).not_ready
        return Answered(json.dumps({"ready": reason is None, "reason": reason}).encode(), 503 if reason else 200)

    async def _caller(self, scope: Any, right: Rights, target: Target | None) -> _Caller:
        """Whose token it is, and whose shards are asked for: its own, or of a repairer those of a named owner."""
        parts = self._doors.desk.parts
        try:
            signed = decode_token(read_token(scope), parts.identity.hub, parts.identity.operator)
        except MalformedInput as error:
            raise RequestRefused(RefusalCode.UNAUTHORIZED, str(error)) from None
        known = await parts.writers.known(signed.access.writer)
        try:
            judge_access(VERIFY, signed, right, known.account, parts.now_s())
        except PredicateFailed as error:
            is_right = error.predicate == "access_gives_the_right"
            raise RequestRefused(RefusalCode.FORBIDDEN if is_right else RefusalCode.UNAUTHORIZED, str(error)) from None
        owner = None if target is None else target.parameters.get("owner")
        if owner is None:
            return _Caller(signed.access.writer, signed.access.writer)
        if not known.served.is_repairer:
            raise RequestRefused(RefusalCode.FORBIDDEN, "only a repairer names an owner of shards")
        return _Caller(signed.access.writer, read_hash(owner, "owner"))


def _key(caller: _Caller, pack: str, shard: str) -> ShardKey:
    return ShardKey(caller.owner, read_hash(pack, "pack"), read_shard_number(shard))


def _check_type(scope: Any, expected: bytes) -> None:
    given = headers_of(scope, b"content-type")
    if len(given) != 1 or given[0].partition(b";")[0].strip().lower() != expected:
        raise RequestRefused(RefusalCode.BAD_REQUEST, f"send the body as {expected.decode()}")


async def _body(receive: Receive, most: int, within_s: float) -> bytes:
    with trio.move_on_after(within_s):
        try:
            return await read_body(receive, most) or b""
        except BodyTooLarge as error:
            raise RequestRefused(RefusalCode.TOO_LARGE, str(error)) from None
    raise RequestRefused(RefusalCode.BAD_REQUEST, f"the body did not arrive in {within_s:g} s")


def _refused(refused: RequestRefused) -> Answered:
    return Answered(encode_problem(refused), refused.status, PROBLEM_TYPE.encode())


def _refusal_headers(refused: RequestRefused, asked: str) -> list[tuple[bytes, bytes]]:
    if refused.code is RefusalCode.BUSY:
        return [(b"retry-after", str(RETRY_AFTER_S).encode())]
    if refused.code is RefusalCode.UNAUTHORIZED:
        return [(b"www-authenticate", b"Bearer")]
    if refused.code is RefusalCode.METHOD_NOT_ALLOWED:
        return [(b"allow", _METHODS[asked.partition(" ")[2]].encode())]
    return []


def _named(target: Target) -> str:
    """For metrics: the method and the first word, never what a client wrote."""
    word = target.parts[1] if target.parts[:1] == ("v1",) and len(target.parts) > 1 else target.parts[0]
    known = word in _METHODS or word in ("healthz", "readyz", "metrics")
    method = target.method if target.method in ("GET", "HEAD", "PUT", "POST", "DELETE") else "other"
    return f"{method} {word}" if known else "none"


def _json(document: Mapping[str, Any]) -> Answered:
    return Answered(json.dumps(document, separators=(",", ":")).encode())
