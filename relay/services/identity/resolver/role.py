"""The resolver as a role of the daemon."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Annotated

import trio
from fastapi import APIRouter, Query, Request, Response

from hutong.light_clients.interface import MalformedInput, VerificationError
from hutong.relay.services.identity.daemon.errors import RoleUnusable
from hutong.relay.services.identity.daemon.record_bundles import BundledRecords, HubSilent, HubSource
from hutong.relay.services.identity.daemon.role import Common, Role
from hutong.relay.services.identity.resolver.http_binding import accept_of, fragment_response, resolution_response
from hutong.relay.services.identity.resolver.recorded import Supplement, resolve_recorded
from hutong.relay.services.identity.resolver.settings import ResolverConfig
from hutong.relay.services.identity.resolver.webvh_logs import TooManyFetches, WebvhLogs, fetching_logs
from hutong.relay.services.identity.rules.dids import did_hutong
from hutong.relay.services.identity.rules.dids.recorded_document import MAX_SUPPLEMENT_BYTES
from hutong.relay.services.identity.rules.dids.resolution import (
    ErrorCode,
    NotResolved,
    ResolutionOptions,
    ResolutionResult,
)
from hutong.relay.services.identity.rules.dids.resolve import resolve
from hutong.relay.services.identity.rules.dids.syntax import MAX_DID_URL_CHARS, Did, DidUrl, parse_did_url
from hutong.relay.services.identity.rules.dids.webvh import identifier as webvh
from hutong.relay.services.identity.rules.dids.webvh.resolution import Material
from hutong.relay.web.problems import ApiProblem, Code

_HASH_CHARS = 64


@asynccontextmanager
async def resolver_role(config: ResolverConfig, common: Common) -> AsyncIterator[Role]:
    """The resolver of a configuration.

    Raises:
        RoleUnusable: the table names a hub, and nothing was given that reads hubs, or the hub is not the configured one.
    """
    async with AsyncExitStack() as stack:
        logs, records = None, None
        if config.fetch_webvh:
            logs = await stack.enter_async_context(fetching_logs(common, config.webvh_addresses))
        if config.relay is not None:
            if common.open_records is None:
                raise RoleUnusable("[resolver] names a hub, and this process was started without what reads hubs")
            source = HubSource(config.relay, config.hub, config.checkpoint)
            records = await stack.enter_async_context(common.open_records(source))
        yield Role("resolver", resolver_router(records, common, supplements_in(config.supplements), logs))


def supplements_in(folder: Path | None) -> Supplement:
    """Supplements by their hash, each a file `<sha256>.json` of the folder."""

    def find(document_hash: bytes) -> bytes | None:
        if folder is None:
            return None
        try:
            with (folder / f"{document_hash.hex()}.json").open("rb") as file:
                return file.read(MAX_SUPPLEMENT_BYTES + 1)
        except OSError:
            return None

    return find


def resolver_router(
    records: BundledRecords | None, common: Common, supplement: Supplement, logs: WebvhLogs | None = None
) -> APIRouter:
    """`GET /1.0/identifiers/{did}`, of a DID or of a DID URL with a fragment."""
    router = APIRouter(tags=["resolver"])

    @router.get("/1.0/identifiers/{did_url:path}")
    async def identifiers(
        request: Request,
        did_url: str,
        version_id: Annotated[str | None, Query(alias="versionId", max_length=256)] = None,
        version_time: Annotated[str | None, Query(alias="versionTime", max_length=64)] = None,
        expand: Annotated[bool, Query(alias="expandRelativeUrls")] = False,
        schema: Annotated[str | None, Query(alias="accreditedFor", max_length=_HASH_CHARS)] = None,
    ) -> Response:
        """Resolve a DID (DID Resolution §7.1), or dereference a DID URL with a fragment."""
        accept = request.headers.get("accept")
        try:
            url = parse_did_url(did_url[: MAX_DID_URL_CHARS + 1])
        except MalformedInput as error:
            return resolution_response(NotResolved(ErrorCode.INVALID_DID, str(error)), None)
        options = ResolutionOptions(accept_of(accept), version_id, version_time, expand)
        found = await answer(url, options, schema)
        return resolution_response(found, accept) if url.fragment is None else fragment_response(found, url)

    async def answer(url: DidUrl, options: ResolutionOptions, schema: str | None) -> ResolutionResult:
        if url.path or url.query is not None:
            return NotResolved(ErrorCode.FEATURE_NOT_SUPPORTED, "paths and queries of DID URLs")
        if url.did.method == webvh.METHOD:
            return await resolve_webvh_over_https(logs, url.did, common.now_s(), options)
        if url.did.method != did_hutong.METHOD:
            return resolve(str(url.did), Material(), common.now_s(), options)
        if records is None:
            return NotResolved(ErrorCode.METHOD_NOT_SUPPORTED, "did:hutong: this resolver reads no hub")
        try:
            did, asked = did_hutong.parse_hutong_did(url.did), schema_of(schema)
        except MalformedInput as error:
            return NotResolved(ErrorCode.INVALID_DID, str(error))
        try:
            return await resolve_recorded(records, did, options, asked, supplement)
        except HubSilent as error:
            raise ApiProblem(Code.CHAIN_UNAVAILABLE, str(error)) from None

    return router


async def resolve_webvh_over_https(
    logs: WebvhLogs | None, did: Did, now_s: int, options: ResolutionOptions
) -> ResolutionResult:
    """The log fetched from the host that the DID names, and judged; `logs` None where the operator has not let that be.

    The judgement is in a thread: a log may be of a thousand entries.
    """
    if logs is None:
        said = "did:webvh is not fetched here: fetch its log, and give it to `hutong identity resolve --log`"
        return NotResolved(ErrorCode.METHOD_NOT_SUPPORTED, said)
    try:
        named = webvh.parse_webvh_did(did)
    except VerificationError as error:
        return NotResolved(ErrorCode.INVALID_DID, str(error))
    try:
        material = await logs.material(named)
    except TooManyFetches:
        raise ApiProblem(Code.BUSY, "too many logs of did:webvh are being fetched; ask again later") from None
    if isinstance(material, NotResolved):
        return material
    return await trio.to_thread.run_sync(resolve, str(did), material, now_s, options, limiter=logs.limit)


def schema_of(text: str | None) -> bytes | None:
    """The SHA-256 of a schema.

    Raises:
        MalformedInput: it is not one.
    """
    if text is None:
        return None
    if len(text) != _HASH_CHARS or set(text) - set("0123456789abcdef"):
        raise MalformedInput("accreditedFor", "is not the SHA-256 of a schema", got=text)
    return bytes.fromhex(text)
