"""Records of a hub as a contract of another chain takes them: one proof under the newest header that the chain has of the hub."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from hutong.adapters.hub.proven_records import with_epochs
from hutong.light_clients.ibc.commitment import merkle_path
from hutong.light_clients.interface import MalformedInput, UnsupportedOperation, VerificationError
from hutong.light_clients.records import OBSERVATION_PREFIX
from hutong.light_clients.records.gathering import gather_under
from hutong.light_clients.records.multiproof import Claim
from hutong.light_clients.tendermint.codec import decode_consensus_state
from hutong.relay.api.models.instants import instant
from hutong.relay.api.reading.backend import Chains
from hutong.relay.api.reading.public_text import public_text
from hutong.relay.api.requests import BUNDLE_LIMIT_S, InService, answer, known_parameters, refusals
from hutong.relay.api.service import Service
from hutong.relay.config import HubChainConfig, PathEnd
from hutong.relay.schemas import records as schemas
from hutong.relay.web.problems import ApiProblem, Code

router = APIRouter(prefix="/v1", tags=["records"], dependencies=[Depends(known_parameters)])

MAX_KEYS = 16
"""Of one request: a proof of as many fits in a transaction of any chain."""

_KEY = "0x(?:[0-9a-fA-F]{2}){1,200}"
_EPOCH_PREFIX = OBSERVATION_PREFIX + b"client/"

Keys = Annotated[
    str,
    Query(
        pattern=f"^{_KEY}(?:,{_KEY}){{0,{MAX_KEYS - 1}}}$",
        max_length=MAX_KEYS * 403,
        description=f"1 to {MAX_KEYS} keys of records, `0x` and hex, with commas in between",
    ),
]
Reading = Annotated[
    str,
    Query(pattern="^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$", description="chain whose contract reads", examples=["beta"]),
]
Client = Annotated[
    str | None,
    Query(pattern=r"^[\w+-]{1,64}$", description="its client of the hub; unneeded where one path leads to one hub"),
]


@router.get(
    "/reads",
    response_model=schemas.ReaderProof,
    responses=refusals(Code.NOT_FOUND, Code.NOT_SUPPORTED, Code.NOT_EXPORTABLE, Code.CHAIN_UNAVAILABLE),
)
async def reads(service: InService, chain: Reading, keys: Keys, client: Client = None) -> Response:
    """What a HubReader of a chain is shown: records, the epochs of their clients, and one proof of all, checked against the
    root that the chain has. The contract judges it again.
    """
    here, there = _ends(service, chain, client)
    raw = list(dict.fromkeys(bytes.fromhex(key[2:]) for key in keys.split(",")))

    async def show(chains: Chains) -> schemas.ReaderProof:
        return await _shown(chains, here, there, raw)

    try:
        return answer(await service.backend.ask(show, BUNDLE_LIMIT_S - 5))
    except MalformedInput as error:
        raise ApiProblem(Code.INVALID_REQUEST, public_text(str(error)), field="keys", status=422) from None
    except (VerificationError, UnsupportedOperation) as error:
        raise ApiProblem(Code.NOT_EXPORTABLE, public_text(str(error))) from None


async def _shown(chains: Chains, here: PathEnd, there: PathEnd, keys: list[bytes]) -> schemas.ReaderProof:
    reading, hub = chains.adapter(here.chain), chains.adapter(there.chain, "hub")
    height = (await reading.client(here.client)).latest_height
    state = await reading.consensus_state(here.client, height)
    if state is None:
        raise ApiProblem(Code.NOT_EXPORTABLE, f"{here.chain} has no state of {there.chain} at {height}")
    asked = with_epochs(keys)
    proofs = await hub.prove_all([merkle_path(hub.merkle_prefix, key) for key in asked], height)
    header = decode_consensus_state(state)
    claims, multiproof = gather_under(header.root, asked, [proof.proof for proof in proofs])
    epochs = [claim for claim in claims if claim.key.startswith(_EPOCH_PREFIX)]
    return schemas.ReaderProof(
        hub=there.chain,
        chain=here.chain,
        client=here.client,
        height=str(height),
        time=instant(header.timestamp_ns),
        records=tuple(schemas.ShownRecord(_hex(one.key), _value(one)) for one in claims if one not in epochs),
        epochs=tuple(
            schemas.ShownEpoch(one.key.removeprefix(_EPOCH_PREFIX).decode("ascii"), _value(one)) for one in epochs
        ),
        terminals=_hex(multiproof.terminals),
        siblings=tuple(_hex(sibling) for sibling in multiproof.siblings),
    )


def _ends(service: Service, chain: str, client: str | None) -> tuple[PathEnd, PathEnd]:
    """The end of the one path by which `chain` follows a hub, and the hub's end."""
    hubs = {one.name for one in service.config.chains if isinstance(one, HubChainConfig)}
    found = [
        (here, there)
        for path in service.config.paths
        for here, there in ((path.a, path.b), (path.b, path.a))
        if here.chain == chain and there.chain in hubs and client in (None, here.client)
    ]
    if not found:
        raise ApiProblem(
            Code.INVALID_REQUEST, f"no configured path leads from {chain} to a hub", field="chain", status=422
        )
    if len(found) > 1:
        known = ", ".join(sorted(here.client for here, _ in found))
        raise ApiProblem(Code.INVALID_REQUEST, f"say over which client of {chain}: {known}", field="client", status=422)
    return found[0]


def _hex(data: bytes) -> str:
    return f"0x{data.hex()}"


def _value(claim: Claim) -> str | None:
    return _hex(claim.value) if claim.value else None
