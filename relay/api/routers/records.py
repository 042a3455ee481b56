"""What the configured hubs observe of other chains, and records of their state with their bundles."""

import time
from typing import Annotated

import trio
from fastapi import APIRouter, Depends, Path, Query, Response

from hutong.adapters.hub.chain import HubChain
from hutong.adapters.hub.observations import FIRST_KEY, Observed, observed_page
from hutong.adapters.interface import RpcRefused
from hutong.light_clients.ibc.commitment import merkle_path
from hutong.light_clients.interface import (
    NANOSECONDS_PER_SECOND,
    MalformedInput,
    UnsupportedOperation,
    VerificationError,
)
from hutong.light_clients.records import (
    AccountField,
    Observation,
    ObservationKey,
    PlaceKind,
    TrustKind,
    decode_epoch,
    decode_observation_of,
    epoch_key,
    parse_observation_key,
)
from hutong.relay.api.models.instants import instant
from hutong.relay.api.reading.backend import Chains
from hutong.relay.api.reading.public_text import public_text
from hutong.relay.api.requests import BUNDLE_LIMIT_S, InService, Limit, answer, known_parameters, refusals
from hutong.relay.api.service import ANSWER_LIMIT_S, Service
from hutong.relay.archive.record_bundle import MAX_RECORD_KEY_BYTES, RecordKey, encode_record_bundle
from hutong.relay.config import HubChainConfig, PathEnd
from hutong.relay.core.archiving.bundling.records import RecordExporter
from hutong.relay.schemas import records as schemas
from hutong.relay.web.problems import ApiProblem, Code

router = APIRouter(prefix="/v1", tags=["records"], dependencies=[Depends(known_parameters)])

ADDRESS_BYTES = 20

Key = Annotated[
    str,
    Path(
        pattern=f"^0x(?:[0-9a-fA-F]{{2}}){{1,{MAX_RECORD_KEY_BYTES}}}$",
        description="`key` of an observation, or any other",
    ),
]
HubName = Annotated[
    str | None,
    Query(
        pattern="^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$", description="name of the hub; unneeded where one is configured"
    ),
]
KeyCursor = Annotated[
    str | None, Query(pattern="^(?:0x(?:[0-9a-f]{2}){1,200})$", description="`next` of the page before")
]


@router.get(
    "/observations",
    response_model=schemas.ObservationList,
    responses=refusals(Code.NOT_FOUND, Code.NOT_SUPPORTED, Code.CHAIN_UNAVAILABLE),
)
async def observations(
    service: InService, hub: HubName = None, cursor: KeyCursor = None, limit: Limit = 50
) -> Response:
    """What a hub observes of other chains, in the order of keys: value, age, trust and epoch, each with its bundle."""
    name = hub_named(service, hub)

    async def read(chains: Chains) -> tuple[Observed, ...]:
        after = FIRST_KEY if cursor is None else bytes.fromhex(cursor[2:])
        try:
            return await observed_page(hub_of(chains, name).execution, after)
        except RpcRefused as error:
            raise ApiProblem(Code.NOT_SUPPORTED, f"{name} observes nothing: {public_text(str(error))}") from None

    found = await service.backend.ask(read, ANSWER_LIMIT_S)
    items = tuple(
        _observation(service, name, one.key, one.observation, is_current=one.is_current) for one in found[:limit]
    )
    return answer(schemas.ObservationList(items, items[-1].key if len(found) > limit else None))


@router.get(
    "/records/{key}",
    response_model=schemas.Record,
    responses=refusals(Code.NOT_FOUND, Code.NOT_SUPPORTED, Code.CHAIN_UNAVAILABLE),
)
async def record(service: InService, key: Key, hub: HubName = None) -> Response:
    """One key of a hub's state, checked against the header that its node serves; an observation is read for you."""
    name, raw = hub_named(service, hub), bytes.fromhex(key[2:])

    async def read(chains: Chains) -> schemas.Record:
        adapter = hub_of(chains, name)
        height = adapter.proving_height((await adapter.head()).height - 1)
        place = _observed_place(raw)
        keys = (raw,) if place is None else (raw, epoch_key(place.client_id))
        paths = [merkle_path(adapter.merkle_prefix, one) for one in keys]
        found, *epoch = await adapter.prove_all(paths, height)
        observation = None
        if place is not None and found.value is not None:
            read = decode_observation_of(place, found.value)
            known = decode_epoch(epoch[0].value) if epoch[0].value is not None else None
            is_current = known is not None and known.is_readable and known.number == read.epoch
            observation = _observation(service, name, place, read, is_current=is_current)
        value = None if found.value is None else f"0x{found.value.hex()}"
        return schemas.Record(name, f"0x{raw.hex()}", value, str(height), observation, _bundle_path(name, raw))

    try:
        return answer(await service.backend.ask(read, ANSWER_LIMIT_S))
    except MalformedInput as error:
        raise ApiProblem(Code.NOT_SUPPORTED, public_text(str(error))) from None


@router.get(
    "/records/{key}/bundle",
    responses={
        200: {
            "description": "docs/spec/records.md; for `hutong audit record`",
            "content": {"application/json": {"schema": {"type": "object"}}},
        },
        **refusals(Code.NOT_FOUND, Code.NOT_SUPPORTED, Code.NOT_EXPORTABLE, Code.CHAIN_UNAVAILABLE),
    },
    response_class=Response,
)
async def record_bundle(service: InService, key: Key, hub: HubName = None) -> Response:
    """The record bundle of a key under the newest header, of an observation with its client's epoch."""
    name, raw = hub_named(service, hub), bytes.fromhex(key[2:])

    async def export(chains: Chains) -> bytes:
        async with chains.exporters:
            place = _observed_place(raw)
            whats = [RecordKey(raw)] if place is None else [RecordKey(raw), RecordKey(epoch_key(place.client_id))]
            exporter = await RecordExporter.of_hub(hub_of(chains, name))
            bundle = await exporter.export(whats)
            return await trio.to_thread.run_sync(encode_record_bundle, bundle, limiter=chains.judges)

    try:
        data = await service.backend.ask(export, BUNDLE_LIMIT_S - 5, asks_chains=False)
    except (VerificationError, UnsupportedOperation) as error:
        raise ApiProblem(Code.NOT_EXPORTABLE, public_text(str(error))) from None
    observed = _observed_place(raw)
    file = f"{name if observed is None else observed.client_id}.record.json"
    headers = {"content-disposition": f'attachment; filename="{file}"', "cache-control": "no-cache"}
    return Response(data, 200, headers, media_type="application/json")


def hub_named(service: Service, wanted: str | None) -> str:
    """The hub that a request means, by its name or as the only one.

    Raises:
        ApiProblem: there is none, or several.
    """
    hubs = [chain.name for chain in service.config.chains if isinstance(chain, HubChainConfig)]
    if not hubs:
        raise ApiProblem(Code.NOT_FOUND, "no hub is configured: records are of hubs")
    if wanted is None and len(hubs) == 1:
        return hubs[0]
    if wanted not in hubs:
        raise ApiProblem(
            Code.INVALID_REQUEST, f"say which hub: there are {', '.join(sorted(hubs))}", field="hub", status=422
        )
    return wanted


def hub_of(chains: Chains, name: str) -> HubChain:
    """Its adapter.

    Raises:
        ApiProblem: it keeps no records.
    """
    adapter = chains.adapter(name, "hub")
    if not isinstance(adapter, HubChain):
        raise ApiProblem(Code.NOT_SUPPORTED, f"{name} is no hub that keeps records")
    return adapter


def _observed_place(key: bytes) -> ObservationKey | None:
    try:
        return parse_observation_key(key)
    except MalformedInput:
        return None


def _bundle_path(hub: str, key: bytes) -> str:
    return f"/v1/records/0x{key.hex()}/bundle?hub={hub}"


def _observation(
    service: Service, hub: str, key: ObservationKey, observation: Observation, *, is_current: bool
) -> schemas.Observation:
    trust, value, raw = observation.trust, observation.value, key.to_bytes()
    client = service.backend.views.client(PathEnd(chain=hub, client=key.client_id))
    age_s = max(0.0, (time.time_ns() - observation.source_time_ns) / NANOSECONDS_PER_SECOND)
    return schemas.Observation(
        hub=hub,
        key=f"0x{raw.hex()}",
        client=key.client_id,
        chain=None if client is None else client.opposite.chain,
        place=_place(key),
        value=None if value is None else f"0x{value.hex()}",
        height=str(observation.height),
        time=instant(observation.source_time_ns),
        age_s=round(age_s, 3),
        trust="proven" if trust.kind is TrustKind.PROVEN else "attested",
        threshold=trust.threshold,
        attestors=trust.attestors,
        epoch=observation.epoch,
        current=is_current,
        bundle=_bundle_path(hub, raw),
    )


def _place(key: ObservationKey) -> schemas.Place:
    account, rest = f"0x{key.tail[:ADDRESS_BYTES].hex()}", key.tail[ADDRESS_BYTES:]
    match key.kind:
        case PlaceKind.SLOT:
            return schemas.Place("slot", account, f"0x{rest.hex()}", None, None)
        case PlaceKind.ACCOUNT:
            return schemas.Place("account", account, None, AccountField(rest[0]).name.lower(), None)
        case PlaceKind.STORE:
            return schemas.Place("store", None, None, None, f"0x{key.tail.hex()}")
