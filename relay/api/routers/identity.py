"""Organisations of a hub: who is registered, who accredited whom, lists, and one organisation with its history and proofs."""

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import trio
from fastapi import APIRouter, Depends, Path, Query, Response

from hutong.adapters.hub.chain import HubChain
from hutong.adapters.interface import RpcRefused
from hutong.light_clients.interface import MalformedInput, UnsupportedOperation, VerificationError
from hutong.relay.administration.identity.proving import places_of_did
from hutong.relay.administration.identity.reading import identity_page, identity_record, identity_records
from hutong.relay.api.reading.backend import Chains
from hutong.relay.api.reading.organisations import Registry, epoch_of
from hutong.relay.api.reading.public_text import public_text
from hutong.relay.api.requests import BUNDLE_LIMIT_S, InService, Limit, answer, known_parameters, refusals
from hutong.relay.api.routers.records import HubName, hub_named, hub_of
from hutong.relay.api.service import ANSWER_LIMIT_S, Service
from hutong.relay.archive.record_bundle import RecordKey, encode_record_bundle
from hutong.relay.config import HubChainConfig
from hutong.relay.core.archiving.bundling.records import RecordExporter
from hutong.relay.schemas import identity as schemas
from hutong.relay.services.identity.rules.records import keys
from hutong.relay.services.identity.rules.records.did_record import decode_did_record
from hutong.relay.services.identity.rules.records.keys import hub_name
from hutong.relay.web.problems import ApiProblem, Code

router = APIRouter(prefix="/v1/identity", tags=["identity"], dependencies=[Depends(known_parameters)])

_PER_DID = (keys.key_prefix, keys.accreditation_prefix, keys.list_prefix)
Made = TypeVar("Made")

DidPath = Annotated[
    str,
    Path(
        pattern="^did:hutong:[a-z0-9-]{1,64}:[0-9a-f]{64}$",
        description="a DID of the hub",
        examples=["did:hutong:hutong:" + "5e" * 32],
    ),
]
KeyCursor = Annotated[str | None, Query(pattern="^0x(?:[0-9a-f]{2}){1,200}$", description="`next` of the page before")]
SchemaHash = Annotated[
    str | None,
    Query(pattern="^0x[0-9a-f]{64}$", description="show its accreditations for this schema; zeros: for all schemas"),
]
_REFUSALS = refusals(Code.NOT_FOUND, Code.NOT_SUPPORTED, Code.CHAIN_UNAVAILABLE)


@router.get("/organisations", response_model=schemas.OrganisationList, responses=_REFUSALS)
async def organisations(
    service: InService, hub: HubName = None, cursor: KeyCursor = None, limit: Limit = 50
) -> Response:
    """Organisations that are registered on a hub, as its node tells."""

    async def read(chain: HubChain, registry: Registry) -> schemas.OrganisationList:
        page, following = await _page(chain, keys.DID_PREFIX, cursor, limit)
        items = [
            registry.organisation(key.removeprefix(keys.DID_PREFIX), decode_did_record(value)) for key, value in page
        ]
        return schemas.OrganisationList(tuple(items), following)

    return answer(await _asked(service, hub, read))


@router.get("/accreditations", response_model=schemas.AccreditationList, responses=_REFUSALS)
async def accreditations(
    service: InService, hub: HubName = None, cursor: KeyCursor = None, limit: Limit = 50
) -> Response:
    """Who accredited whom, for which schema: revoked ones too."""

    async def read(chain: HubChain, registry: Registry) -> schemas.AccreditationList:
        page, following = await _page(chain, keys.ACCREDITATION_PREFIX, cursor, limit)
        return schemas.AccreditationList(tuple(registry.accreditation(*one) for one in page), following)

    return answer(await _asked(service, hub, read))


@router.get("/lists", response_model=schemas.IssuersLists, responses=_REFUSALS)
async def lists(service: InService, hub: HubName = None, cursor: KeyCursor = None, limit: Limit = 50) -> Response:
    """Status lists of all issuers, with the epoch of each issuer."""

    async def read(chain: HubChain, registry: Registry) -> schemas.IssuersLists:
        page, following = await _page(chain, keys.LIST_PREFIX, cursor, limit)
        epochs: dict[bytes, bytes] = {}
        for issuer in {key.removeprefix(keys.LIST_PREFIX)[:32] for key, _ in page}:
            value = await identity_record(chain.execution, keys.epoch_key(issuer))
            epochs |= {} if value is None else {keys.epoch_key(issuer): value}
        items = [
            registry.status_list(key, value, epoch_of(epochs, key.removeprefix(keys.LIST_PREFIX)[:32]))
            for key, value in page
        ]
        return schemas.IssuersLists(tuple(items), following)

    return answer(await _asked(service, hub, read))


@router.get("/organisations/{did}", response_model=schemas.OrganisationFile, responses=_REFUSALS)
async def organisation(service: InService, did: DidPath, hub: HubName = None) -> Response:
    """One organisation: keys, accreditations, lists, and what its records say happened, each with its proof."""

    async def read(chain: HubChain, registry: Registry) -> schemas.OrganisationFile:
        raw = _raw(did, registry)
        held: dict[bytes, bytes] = {}
        for place in (keys.did_key(raw), keys.epoch_key(raw), keys.log_key(raw)):
            value = await identity_record(chain.execution, place)
            held |= {} if value is None else {place: value}
        for prefix in _PER_DID if keys.did_key(raw) in held else ():
            held |= await identity_records(chain.execution, prefix(raw))
        found = registry.file(raw, held)
        if found is None:
            raise ApiProblem(Code.NOT_FOUND, f"{registry.hub} has no such DID")
        return found

    return answer(await _asked(service, hub or _hub_of_did(service, did), read))


@router.get(
    "/organisations/{did}/bundle",
    responses={
        200: {
            "description": "docs/spec/identity-records.md; for `hutong identity check`",
            "content": {"application/json": {"schema": {"type": "object"}}},
        },
        **refusals(Code.NOT_FOUND, Code.NOT_SUPPORTED, Code.NOT_EXPORTABLE, Code.CHAIN_UNAVAILABLE),
    },
    response_class=Response,
)
async def organisation_bundle(
    service: InService, did: DidPath, hub: HubName = None, schema: SchemaHash = None
) -> Response:
    """All records of a DID under the newest header, with a schema its chain of accreditations, as an attachment."""
    name, registry = _registry(service, hub or _hub_of_did(service, did))
    raw = _raw(did, registry)

    async def export(chains: Chains) -> bytes:
        async with chains.exporters:
            chain = hub_of(chains, name)
            asked = None if schema is None else bytes.fromhex(schema[2:])
            places = await places_of_did(chain.execution, raw, asked)
            bundle = await (await RecordExporter.of_hub(chain)).export([RecordKey(place) for place in places])
            return await trio.to_thread.run_sync(encode_record_bundle, bundle, limiter=chains.judges)

    try:
        data = await service.backend.ask(export, BUNDLE_LIMIT_S - 5, asks_chains=False)
    except (VerificationError, UnsupportedOperation) as error:
        raise ApiProblem(Code.NOT_EXPORTABLE, public_text(str(error))) from None
    file = f"{raw.hex()[:16]}.record.json"
    headers = {"content-disposition": f'attachment; filename="{file}"', "cache-control": "no-cache"}
    return Response(data, 200, headers, media_type="application/json")


async def _page(
    chain: HubChain, prefix: bytes, cursor: str | None, limit: int
) -> tuple[list[tuple[bytes, bytes]], str | None]:
    """At most `limit` records below the prefix, after the cursor; and the cursor of the next page."""
    after = prefix if cursor is None else bytes.fromhex(cursor[2:])
    if not after.startswith(prefix):
        raise ApiProblem(Code.INVALID_REQUEST, "cursor is of another list", field="cursor", status=422)
    found = sorted((await identity_page(chain.execution, prefix, after)).items())
    page = found[:limit]
    return page, f"0x{page[-1][0].hex()}" if len(found) > limit else None


async def _asked(service: Service, hub: str | None, read: Callable[[HubChain, Registry], Awaitable[Made]]) -> Made:
    name, registry = _registry(service, hub)

    async def ask(chains: Chains) -> Made:
        try:
            return await read(hub_of(chains, name), registry)
        except RpcRefused as error:
            raise ApiProblem(Code.NOT_SUPPORTED, f"{name} keeps no identity: {public_text(str(error))}") from None

    try:
        return await service.backend.ask(ask, ANSWER_LIMIT_S)
    except MalformedInput as error:
        raise ApiProblem(Code.NOT_SUPPORTED, public_text(str(error))) from None


def _registry(service: Service, hub: str | None) -> tuple[str, Registry]:
    name = hub_named(service, hub)
    config = next(one for one in service.config.chains if isinstance(one, HubChainConfig) and one.name == name)
    return name, Registry(name, hub_name(config.chain_id))


def _hub_of_did(service: Service, did: str) -> str | None:
    """The configured hub that a DID names, if there is one."""
    named = did.split(":")[2]
    hubs = [one for one in service.config.chains if isinstance(one, HubChainConfig)]
    return next((one.name for one in hubs if hub_name(one.chain_id) == named), None)


def _raw(did: str, registry: Registry) -> bytes:
    raw = bytes.fromhex(did.rpartition(":")[2])
    if registry.did(raw) != did:
        raise ApiProblem(Code.NOT_FOUND, f"{registry.hub} has DIDs that begin with {registry.did(b'')}")
    return raw
