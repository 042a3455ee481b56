"""Plain HTTP: `PUT`, `GET` with Range, `HEAD`, `DELETE` of `/v1/objects/BUCKET/KEY` (docs/spec/storage-gateway-api.md).

A key of the gateway's file is asked for by every request: `Authorization: Bearer hk_…`; one of scope `write` to change anything.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import parse_qsl, unquote_to_bytes

from hutong.light_clients.interface import MalformedInput
from hutong.relay.base.http import Receive, Send, respond
from hutong.relay.services.storage.catalogue import packs
from hutong.relay.services.storage.catalogue.database import CatalogueDatabase, CatalogueUnavailable, Statements
from hutong.relay.services.storage.catalogue.listing import Asked
from hutong.relay.services.storage.catalogue.rows import (
    MAX_LISTED,
    MAX_RETAIN_UNTIL_S,
    BucketMissing,
    BucketTaken,
    ObjectRow,
)
from hutong.relay.services.storage.gateway.committing import Unavailable
from hutong.relay.services.storage.gateway.notes import NoteTooLarge, note_of
from hutong.relay.services.storage.gateway.pack_reading import Unreadable
from hutong.relay.services.storage.gateway.plain.body import DigestedBody
from hutong.relay.services.storage.gateway.plain.uploads import VERSION, ResumableUploads
from hutong.relay.services.storage.gateway.reading import Reader
from hutong.relay.services.storage.gateway.s3.answers import S3Answer, header, send_answer
from hutong.relay.services.storage.gateway.s3.call import name_of
from hutong.relay.services.storage.gateway.s3.errors import S3Refused
from hutong.relay.services.storage.gateway.s3.object_calls import object_headers
from hutong.relay.services.storage.gateway.s3.ranges import check_conditions, range_of
from hutong.relay.services.storage.gateway.staging import TooLarge
from hutong.relay.services.storage.gateway.store import (
    Condition,
    ConditionFailed,
    NoSuchUpload,
    ObjectAsked,
    ObjectStore,
    Retained,
    etag_of,
)
from hutong.relay.telemetry import get_logger
from hutong.relay.web.api_keys import ApiKey, KeyRing, KeysUnusable, Scope
from hutong.relay.web.problems import ApiProblem, Code

OBJECTS: Final = "/v1/objects/"
BUCKETS: Final = "/v1/buckets/"
UPLOADS: Final = "/v1/uploads/"
REMEMBERED_S: Final = 86_400
MAX_IDEMPOTENCY_CHARS: Final = 128
_CODES: Mapping[type[Exception], tuple[Code, int]] = MappingProxyType(
    {
        BucketMissing: (Code.NOT_FOUND, 404),
        BucketTaken: (Code.CONFLICT, 409),
        ConditionFailed: (Code.CONFLICT, 412),
        Retained: (Code.FORBIDDEN, 403),
        NoSuchUpload: (Code.NOT_FOUND, 404),
        TooLarge: (Code.TOO_LARGE, 413),
        NoteTooLarge: (Code.TOO_LARGE, 413),
        Unavailable: (Code.BUSY, 503),
        Unreadable: (Code.BUSY, 503),
        CatalogueUnavailable: (Code.BUSY, 503),
        MalformedInput: (Code.INVALID_REQUEST, 400),
    }
)
_S3_CODES: Mapping[str, Code] = MappingProxyType(
    {
        "InvalidRange": Code.INVALID_REQUEST,
        "PreconditionFailed": Code.CONFLICT,
        "InvalidBucketName": Code.INVALID_REQUEST,
        "KeyTooLongError": Code.INVALID_REQUEST,
        "InvalidArgument": Code.INVALID_REQUEST,
    }
)


@dataclass(frozen=True, slots=True)
class PlainDoors:
    """What the door answers by."""

    store: ObjectStore
    reader: Reader
    catalogue: CatalogueDatabase
    keys: KeyRing
    now_s: Callable[[], int]


class PlainApp:
    """An ASGI application."""

    def __init__(self, doors: PlainDoors) -> None:
        self._doors = doors
        self._uploads = ResumableUploads(doors.store, doors.catalogue, doors.now_s)
        self._log = get_logger("storage_gateway")

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        started = False

        async def tell(message: Any) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            answer = await self._answer(scope, receive)
            await send_answer(answer, tell, (), is_head=scope["method"] == "HEAD")
        except Exception as error:
            if started:
                raise  # the body is cut short, and the connection with it
            if isinstance(error, S3Refused) and error.code == "NotModified":
                await send_answer(S3Answer(304, error.headers), tell, (), is_head=True)
                return
            await self._refuse(self._problem(error), tell, error)

    async def is_let_in(self, scope: Any, send: Send) -> bool:
        """Whether the request has a key of the gateway; if not, it is answered."""
        try:
            self._key(scope, writes=False)
        except ApiProblem as problem:
            await self._refuse(problem, send, problem)
            return False
        return True

    async def _answer(self, scope: Any, receive: Receive) -> S3Answer:
        method = scope["method"]
        key = self._key(scope, writes=method not in ("GET", "HEAD", "OPTIONS"))
        raw = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
        headers = {one.decode("latin-1").lower(): value.decode("latin-1") for one, value in scope["headers"]}
        if raw.startswith(UPLOADS) or raw == UPLOADS.rstrip("/"):
            return await self._uploaded(scope, raw, headers, receive)
        if not raw.startswith(OBJECTS):
            return await self._listed(method, raw, scope["query_string"])
        bucket, name = name_of(b"/" + unquote_to_bytes(raw.removeprefix(OBJECTS)))
        if not bucket or not name:
            raise ApiProblem(Code.NOT_FOUND, "name a bucket and a key: /v1/objects/BUCKET/KEY")
        if method == "PUT":
            return await self._put((bucket, name), headers, receive, key)
        if method in ("GET", "HEAD"):
            return await self._get((bucket, name), headers, is_head=method == "HEAD")
        if method == "DELETE":
            return await self._delete((bucket, name), headers, key)
        raise ApiProblem(Code.METHOD_NOT_ALLOWED, "this address takes GET, HEAD, PUT, DELETE")

    async def _uploaded(self, scope: Any, raw: str, headers: Mapping[str, str], receive: Receive) -> S3Answer:
        """tus: an upload of an object, by its address and its id."""
        method, said = scope["method"], _query(scope["query_string"])
        if method == "OPTIONS":
            return self._uploads.options()
        if (method, raw) == ("GET", UPLOADS.rstrip("/")):
            return _json({"uploads": await self._uploads.listed(said.get("bucket", ""), said.get("key", "").encode())})
        place = name_of(b"/" + unquote_to_bytes(raw.removeprefix(UPLOADS)))
        if not all(place):
            raise ApiProblem(Code.NOT_FOUND, "name a bucket and a key: /v1/uploads/BUCKET/KEY")
        if headers.get("tus-resumable") != VERSION:
            version = {"Tus-Version": VERSION}
            raise ApiProblem(Code.CONFLICT, f"send Tus-Resumable: {VERSION}", status=412, headers=version)
        if method == "POST":
            return await self._uploads.begin(raw, _asked(place, headers), headers)
        if "id" not in said:
            raise ApiProblem(Code.NOT_FOUND, "this is no upload: it has an id")
        if method == "HEAD":
            return await self._uploads.offset(place, said["id"])
        if method == "PATCH":
            return await self._uploads.append(place, said["id"], headers, receive)
        if method == "DELETE":
            return await self._uploads.end(place, said["id"])
        raise ApiProblem(Code.METHOD_NOT_ALLOWED, "this address takes OPTIONS, POST, HEAD, PATCH, DELETE")

    async def _listed(self, method: str, path: str, query: bytes) -> S3Answer:
        store = self._doors.store
        if (method, path) == ("GET", "/v1/buckets"):
            found = [{"name": one.name, "created": one.created_s} for one in await store.buckets()]
            return _json({"buckets": found})
        if method == "PUT" and path.startswith(BUCKETS):
            bucket, _ = name_of(b"/" + unquote_to_bytes(path.removeprefix(BUCKETS)) + b"/")
            await store.make_bucket(bucket)
            return S3Answer(201, ((b"content-type", b"application/json"),), json.dumps({"name": bucket}).encode())
        if (method, path) == ("GET", "/v1/keys"):
            said = _query(query)
            prefix, delimiter, after = (said.get(one, "").encode() for one in ("prefix", "delimiter", "after"))
            page = await store.page(said.get("bucket", ""), Asked(prefix, delimiter, after, MAX_LISTED))
            rows = [
                {"key": row.key.decode(), "size": row.size, "id": etag_of(row), "modified_ms": row.modified_ms}
                for row in page.rows
            ]
            following = None if page.last is None else page.last.decode()
            return _json({"objects": rows, "prefixes": [one.decode() for one in page.prefixes], "next": following})
        raise ApiProblem(Code.NOT_FOUND, "there is nothing here")

    async def _put(
        self, place: tuple[str, bytes], headers: Mapping[str, str], receive: Receive, key: ApiKey
    ) -> S3Answer:
        word = headers.get("idempotency-key")
        name = None if word is None else _idempotency_name(word, key, place)
        known = await self._remembered(name)
        if known is not None:
            return S3Answer(200, ((b"content-type", b"application/json"),), known)
        body = DigestedBody(receive, headers)
        row = await self._doors.store.put(_asked(place, headers), body.read)
        answer = json.dumps(_described(place, row)).encode()
        if name is not None:
            now_s = self._doors.now_s()
            await self._doors.catalogue.run(
                lambda one: packs.remember_answer(one, name, answer, now_s + REMEMBERED_S, now_s)
            )
        return S3Answer(201, ((b"content-type", b"application/json"), header("etag", f'"{etag_of(row)}"')), answer)

    async def _delete(self, place: tuple[str, bytes], headers: Mapping[str, str], key: ApiKey) -> S3Answer:
        """A removal; one that is asked for again under its idempotency key was done, whatever was put there since."""
        word = headers.get("idempotency-key")
        name = None if word is None else _idempotency_name(word, key, place, "DELETE")
        if await self._remembered(name) is not None:
            return S3Answer(204)
        now_s = self._doors.now_s()

        def remember(one: Statements) -> None:
            if name is not None:
                packs.remember_answer(one, name, b"", now_s + REMEMBERED_S, now_s)

        condition = Condition(etag=_quoted(headers.get("if-match")))
        try:
            if not await self._doors.store.remove(*place, condition, remember):
                raise ApiProblem(Code.NOT_FOUND, "there is no object of this key")
        except (ApiProblem, ConditionFailed):
            # Two of the same removal may cross: the later one waited for the earlier, and finds no object.
            if await self._remembered(name) is None:
                raise
        return S3Answer(204)

    async def _remembered(self, name: str | None) -> bytes | None:
        if name is None:
            return None
        now_s = self._doors.now_s()
        return await self._doors.catalogue.run(lambda one: packs.remembered_answer(one, name, now_s))

    async def _get(self, place: tuple[str, bytes], headers: Mapping[str, str], *, is_head: bool) -> S3Answer:
        row = await self._doors.store.find(*place)
        if row is None:
            raise ApiProblem(Code.NOT_FOUND, "there is no object of this key")
        check_conditions(headers, etag_of(row), row.modified_ms)
        cut = range_of(headers.get("range"), row.size)
        start, end = cut or (0, row.size)
        told = [*object_headers(row, {}), header("content-length", str(end - start))]
        if cut is not None:
            told.append(header("content-range", f"bytes {start}-{end - 1}/{row.size}"))
        found = None if is_head else await self._doors.reader.open(row)

        async def stream(write: Callable[[bytes], Awaitable[None]]) -> None:
            if found is not None:
                await self._doors.reader.read(found, start, end, write)

        return S3Answer(200 if cut is None else 206, tuple(told), stream=stream)

    def _key(self, scope: Any, *, writes: bool) -> ApiKey:
        offered = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        scheme, _, word = offered.partition(b" ")
        try:
            key = (
                self._doors.keys.find(word.strip().decode("ascii", "replace")) if scheme.lower() == b"bearer" else None
            )
        except KeysUnusable:
            raise ApiProblem(
                Code.BUSY, "the gateway's keys cannot be read; its operator must repair the file"
            ) from None
        if key is None:
            raise ApiProblem(
                Code.UNAUTHORIZED, "send `Authorization: Bearer hk_…`", headers={"WWW-Authenticate": "Bearer"}
            )
        if writes and Scope.WRITE not in key.scopes:
            raise ApiProblem(Code.FORBIDDEN, "this key reads alone; the scope `write` is needed")
        return key

    def _problem(self, error: Exception) -> ApiProblem:
        if isinstance(error, ApiProblem):
            return error
        if isinstance(error, S3Refused):
            code = _S3_CODES.get(error.code, Code.INVALID_REQUEST)
            return ApiProblem(code, error.sentence, status=error.status)
        found = _CODES.get(type(error))
        if found is not None:
            code, status = found
            return ApiProblem(code, str(error), status=status)
        self._log.exception("a request failed")
        return ApiProblem(Code.INTERNAL_ERROR, "the gateway failed at this request; its log says why")

    async def _refuse(self, problem: ApiProblem, send: Send, error: Exception) -> None:
        extra = error.headers if isinstance(error, S3Refused) else ()
        headers = [pair for pair in problem.header_list() if pair[0] != b"content-type"]
        await respond(
            send,
            problem.status,
            problem.body(),
            b"application/problem+json",
            [*headers, *extra, (b"connection", b"close")],
        )


def _asked(place: tuple[str, bytes], headers: Mapping[str, str]) -> ObjectAsked:
    """What a request that stores an object asks for in its headers."""
    condition = Condition(headers.get("if-none-match") == "*", _quoted(headers.get("if-match")))
    kept = {one: value for one, value in headers.items() if not one.startswith("x-amz-object-lock")}
    return ObjectAsked(*place, note_of(kept), _retain_until(headers), condition)


def _query(octets: bytes) -> dict[str, str]:
    return dict(parse_qsl(octets.decode("latin-1"), keep_blank_values=True, max_num_fields=8))


def _idempotency_name(word: str, key: ApiKey, place: tuple[str, bytes], *method: str) -> str:
    """`method`: named by all but puts, whose names are as they always were."""
    if not 1 <= len(word) <= MAX_IDEMPOTENCY_CHARS or not word.isprintable():
        raise ApiProblem(Code.INVALID_REQUEST, f"Idempotency-Key has 1 to {MAX_IDEMPOTENCY_CHARS} characters")
    return hashlib.sha256(json.dumps([word, key.name, place[0], place[1].hex(), *method]).encode()).hexdigest()


def _retain_until(headers: Mapping[str, str]) -> int:
    said = headers.get("retain-until")
    if said is None:
        return 0
    if not said.isdecimal() or len(said) > 12 or int(said) > MAX_RETAIN_UNTIL_S:
        raise ApiProblem(Code.INVALID_REQUEST, f"Retain-Until is Unix seconds, up to {MAX_RETAIN_UNTIL_S}")
    return int(said)


def _quoted(said: str | None) -> str | None:
    return None if said is None else said.strip().strip('"')


def _described(place: tuple[str, bytes], row: ObjectRow) -> dict[str, Any]:
    return {
        "state": "stored",
        "bucket": place[0],
        "key": place[1].decode(),
        "id": etag_of(row),
        "size": row.size,
        "modified_ms": row.modified_ms,
        "retain_until": row.retain_until_s,
    }


def _json(document: Mapping[str, Any]) -> S3Answer:
    return S3Answer(200, ((b"content-type", b"application/json"),), json.dumps(document).encode())
