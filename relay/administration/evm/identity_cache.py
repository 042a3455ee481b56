"""An IdentityCache on a chain: deployed, and shown what the hub says of an issuer."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from hutong.adapters.evm.administration.reader import (
    HubHeader,
    ReaderDeployment,
    deploy_hub_reader,
    newest_header,
)
from hutong.adapters.evm.hub_reader import ShownRecords
from hutong.adapters.evm.identity_cache import encode_sync
from hutong.adapters.hub.proven_records import gathered, shown_record
from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.adapters.ics26.transactor import Transactor
from hutong.light_clients.proofs.ics23 import ExistenceProof
from hutong.light_clients.records.gathering import ShownKey
from hutong.relay.administration.errors import Unusable
from hutong.relay.administration.evm.access import Endpoint, open_endpoint
from hutong.relay.keys import Signer
from hutong.relay.services.identity.rules.records.keys import list_key
from hutong.relay.services.identity.rules.records.list_record import decode_list_record
from hutong.relay.services.identity.rules.seals.accepting import sealing_thumbprint
from hutong.relay.services.identity.rules.seals.issuer_records import Flaw, IssuerQuery, needed_records

MAX_LISTS = 200
"""A proof is of 256 records at most, and a chain of accreditations needs up to a dozen."""


@dataclass(frozen=True, slots=True)
class SyncCall:
    """The call that shows a cache an issuer, under `header_height` of the hub, and what the cache will find wrong."""

    data: bytes
    header_height: int
    header_time_s: int
    flaw: Flaw


async def deploy_cache(
    chain: Endpoint, router: bytes, client_id: str, signer: Signer, random: Random
) -> ReaderDeployment:
    """Deploy a cache of the hub's identity records.

    Args:
        router: of the chain, 20 bytes.
        client_id: the chain's client of the hub.

    Raises:
        AdapterError: the chain does not answer, is another one, or refuses it.
    """
    async with open_endpoint(chain, random) as execution:
        transactor = Transactor(execution, chain.chain_id, signer)
        return await deploy_hub_reader(transactor, router, client_id, "IdentityCache")


async def sync_call(
    chain: Endpoint, cache: bytes, hub: Endpoint, issuer: bytes, lists: tuple[int, ...], random: Random
) -> SyncCall:
    """The call that shows lists of an issuer, and whoever seals over them, under the newest header that the chain has.

    Args:
        cache: on that chain, 20 bytes.
        lists: numbers; all of one key and one schema.

    Raises:
        Unusable: no such list, or lists of several keys or schemas.
        AdapterError: a node does not answer, has pruned that block, or serves what does not hold under the root.
        MalformedInput: another kind of record.
    """
    if not 1 <= len(set(lists)) <= MAX_LISTS:
        raise Unusable(f"1 to {MAX_LISTS} lists, not {len(set(lists))}")
    async with open_endpoint(chain, random) as execution:
        header = await newest_header(execution, cache)
    async with open_endpoint(hub, random) as execution:
        return await _shown(execution, header, issuer, tuple(sorted(set(lists))))


async def sync_issuer(chain: Endpoint, cache: bytes, call: SyncCall, signer: Signer, random: Random) -> str:
    """Send the call and wait until it is in a block; the transaction's hash as hex with 0x.

    Raises:
        AdapterError: the chain does not answer, is another one, or refuses it.
    """
    async with open_endpoint(chain, random) as execution:
        receipt = await Transactor(execution, chain.chain_id, signer).send(cache, call.data)
        return f"0x{receipt.transaction_hash.hex()}"


def _value(shown: ShownKey) -> bytes | None:
    return shown.proof.value if isinstance(shown.proof, ExistenceProof) else None


async def _shown(hub: ExecutionRpc, header: HubHeader, issuer: bytes, lists: tuple[int, ...]) -> SyncCall:
    height = header.height.revision_height
    known: dict[bytes, ShownKey] = {}

    async def find(key: bytes) -> bytes | None:
        if key not in known:
            known[key] = await shown_record(hub, key, height)
        return _value(known[key])

    query = _query_of(issuer, lists, [await find(list_key(issuer, number)) for number in lists])
    walk, needed = needed_records(query, header.time_s), []
    try:
        key = next(walk)
        while True:
            needed.append(key)
            key = walk.send(await find(key))
    except StopIteration as end:
        flaw = Flaw(end.value)
    claims, proof = gathered([known[key] for key in dict.fromkeys(needed)], height, header.root)
    fields = (query.issuer, query.schema, query.thumbprint, list(query.lists))
    data = encode_sync(fields, needed, ShownRecords.of(header.height, claims, proof))
    return SyncCall(data, height, header.time_s, flaw)


def _query_of(issuer: bytes, lists: tuple[int, ...], values: Sequence[bytes | None]) -> IssuerQuery:
    bound = set()
    for number, value in zip(lists, values, strict=True):
        if value is None:
            raise Unusable(f"the issuer has opened no list {number}")
        record = decode_list_record(value)
        bound.add((record.bound.schema, sealing_thumbprint(record.bound)))
    if len(bound) != 1:
        raise Unusable("these lists are of several keys or schemas: synchronise those of each by themselves")
    ((schema, thumbprint),) = bound
    return IssuerQuery(issuer, schema, thumbprint, lists)
