"""The S3 door as an ASGI application: who signed, which call it is, and every refusal in S3's words."""

import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from hutong.light_clients.interface import VERIFY, MalformedInput, PredicateFailed, UnsupportedOperation
from hutong.relay.base.http import Receive, Send
from hutong.relay.services.storage.catalogue.database import CatalogueUnavailable
from hutong.relay.services.storage.catalogue.rows import BucketMissing, BucketNotEmpty, BucketTaken
from hutong.relay.services.storage.gateway.committing import Unavailable
from hutong.relay.services.storage.gateway.pack_reading import Unreadable
from hutong.relay.services.storage.gateway.reading import Reader
from hutong.relay.services.storage.gateway.s3.answers import S3Answer, send_answer
from hutong.relay.services.storage.gateway.s3.bucket_calls import OWNER_ID, BucketCalls
from hutong.relay.services.storage.gateway.s3.call import S3Call, name_of, request_of
from hutong.relay.services.storage.gateway.s3.errors import XML, S3Refused, error_document
from hutong.relay.services.storage.gateway.s3.object_calls import ObjectCalls
from hutong.relay.services.storage.gateway.s3.signature_words import refusal_of
from hutong.relay.services.storage.gateway.s3.upload_calls import UploadCalls
from hutong.relay.services.storage.gateway.staging import TooLarge
from hutong.relay.services.storage.gateway.store import (
    ConditionFailed,
    InvalidPart,
    NoSuchUpload,
    ObjectStore,
    PartTooSmall,
    Retained,
)
from hutong.relay.services.storage.rules.s3.request import S3Request
from hutong.relay.services.storage.rules.s3.sigv4 import Authorization, chunk_seed, judge_request
from hutong.relay.telemetry import get_logger

Handler = Callable[[S3Call], Awaitable[S3Answer]]
_ERRORS: Mapping[type[Exception], str] = MappingProxyType(
    {
        BucketMissing: "NoSuchBucket",
        BucketTaken: "BucketAlreadyOwnedByYou",
        BucketNotEmpty: "BucketNotEmpty",
        ConditionFailed: "PreconditionFailed",
        Retained: "AccessDenied",
        NoSuchUpload: "NoSuchUpload",
        InvalidPart: "InvalidPart",
        PartTooSmall: "EntityTooSmall",
        TooLarge: "EntityTooLarge",
        Unavailable: "ServiceUnavailable",
        CatalogueUnavailable: "ServiceUnavailable",
        Unreadable: "ServiceUnavailable",
    }
)
_PLAIN: Final = frozenset(
    (
        "list-type", "prefix", "delimiter", "marker", "max-keys", "encoding-type", "continuation-token", "start-after",
        "fetch-owner", "partNumber", "uploadId", "part-number-marker", "max-parts", "versionId", "x-id",
        "key-marker", "upload-id-marker", "max-uploads", "x-amz-checksum-mode",
    )
)  # fmt: skip
"""Parameters that say how a call is done; any other, which is not of a signature, is a call of its own."""


@dataclass(frozen=True, slots=True)
class S3Settings:
    """The gateway's region, and the secret key of each access key."""

    region: str
    secret_of: Callable[[str], str | None]
    now_s: Callable[[], int]


class S3App:
    """An ASGI application."""

    def __init__(self, settings: S3Settings, store: ObjectStore, reader: Reader) -> None:
        self._settings = settings
        objects, uploads, buckets = ObjectCalls(store, reader), UploadCalls(store), BucketCalls(store, settings.region)
        self._log = get_logger("storage_gateway")
        self._calls: Mapping[tuple[str, str, str], Handler] = {
            ("GET", "service", ""): buckets.all,
            ("PUT", "bucket", ""): buckets.create,
            ("HEAD", "bucket", ""): buckets.head,
            ("DELETE", "bucket", ""): buckets.delete,
            ("GET", "bucket", ""): buckets.list_v1,
            ("GET", "bucket", "list-type"): buckets.list_v2,
            ("GET", "bucket", "location"): buckets.location,
            ("GET", "bucket", "versioning"): buckets.versioning,
            ("POST", "bucket", "delete"): objects.delete_many,
            ("PUT", "object", ""): objects.put,
            ("GET", "object", ""): objects.get,
            ("HEAD", "object", ""): objects.get,
            ("DELETE", "object", ""): objects.delete,
            ("GET", "object", "retention"): objects.retention,
            ("POST", "object", "uploads"): uploads.begin,
            ("PUT", "object", "uploadId"): uploads.part,
            ("POST", "object", "uploadId"): uploads.complete,
            ("DELETE", "object", "uploadId"): uploads.abort,
            ("GET", "object", "uploadId"): uploads.parts,
            ("GET", "bucket", "uploads"): uploads.uploads,
        }

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request_id = os.urandom(8).hex().upper()
        common = ((b"x-amz-request-id", request_id.encode()), (b"server", b"hutong"))
        started = False

        async def tell(message: Any) -> None:
            nonlocal started
            started = True
            await send(message)

        is_head = scope["method"] == "HEAD"
        try:
            answer = await self._answer(scope, receive)
            await send_answer(answer, tell, common, is_head=is_head)
        except Exception as error:
            refused = self._refusal(error, scope)
            if started:
                raise  # the body is cut short, and the connection with it
            body = b"" if refused.status == 304 else error_document(refused, _path(scope), request_id)
            headers = (*refused.headers, *(() if refused.status == 304 else ((b"content-type", XML),)))
            # What was not read of the body would be taken for the next request.
            closing = ((b"connection", b"close"),) if scope["method"] in ("PUT", "POST") else ()
            answer = S3Answer(refused.status, (*headers, *closing), body)
            await send_answer(answer, tell, common, is_head=is_head)

    async def _answer(self, scope: Any, receive: Receive) -> S3Answer:
        request = request_of(scope)
        authorization = self._judged(request)
        bucket, key = name_of(request.key_path)
        parameters = _parameters(request)
        headers = _headers(request)
        secret = self._settings.secret_of(authorization.access_key) or ""
        seed = chunk_seed(authorization, secret)
        call = S3Call(
            request, authorization, headers, parameters, bucket, key, receive, seed, scope.get("scheme", "http")
        )
        owner = headers.get("x-amz-expected-bucket-owner", OWNER_ID)
        if owner not in (OWNER_ID, authorization.access_key):
            raise S3Refused("AccessDenied", "Access Denied.")
        level = "object" if key else "bucket" if bucket else "service"
        handler = self._calls.get((request.method, level, _named_call(request.method, level, parameters)))
        if handler is None:
            raise S3Refused("NotImplemented", f"{request.method} of this kind is not supported by this gateway")
        return await handler(call)

    def _judged(self, request: S3Request) -> Authorization:
        settings = self._settings
        try:
            return judge_request(VERIFY, request, settings.region, settings.now_s(), settings.secret_of)
        except (PredicateFailed, UnsupportedOperation, MalformedInput) as error:
            raise refusal_of(request, settings.region, error) from None

    def _refusal(self, error: Exception, scope: Any) -> S3Refused:
        if isinstance(error, S3Refused):
            return error
        code = _ERRORS.get(type(error))
        if code == "ServiceUnavailable":
            self._log.warning("a request was not done", method=scope["method"], reason=str(error))
        if code is not None:
            return S3Refused(code, str(error))
        if isinstance(error, MalformedInput):
            return S3Refused("InvalidArgument", str(error))
        self._log.exception("a request failed", method=scope["method"])
        return S3Refused("InternalError", "the gateway failed at this request; its log says why")


def _named_call(method: str, level: str, parameters: Mapping[str, str]) -> str:
    """Which of the calls of one method this is; a name that no call has where nothing is known of a parameter."""
    for name in parameters:
        if name not in _PLAIN and not name.startswith(("X-Amz-", "response-")):
            return name
    if level == "bucket" and parameters.get("list-type") == "2" and method == "GET":
        return "list-type"
    if level == "object" and "uploadId" in parameters:
        return "uploadId"
    return ""


def _parameters(request: S3Request) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in request.parameters():
        try:
            word, said = name.decode(), value.decode()
        except UnicodeDecodeError:
            raise S3Refused("InvalidArgument", "a parameter is not UTF-8") from None
        if word in found:
            raise S3Refused("InvalidArgument", "a parameter stands twice")
        found[word] = said
    return found


def _headers(request: S3Request) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in request.headers:
        found[name] = f"{found[name]},{value.strip()}" if name in found else value.strip()
    return found


def _path(scope: Any) -> str:
    return str(scope["path"])[:1_024]
