"""A history of packets between a simd and a hub, and every answer that the adapter's reads of it lead to (see `record_simd`)."""

import json
import tempfile
from dataclasses import replace
from pathlib import Path
from random import Random

import httpx

from hutong.adapters.cosmos import CosmosSettings, open_cosmos_chain
from hutong.adapters.cosmos.clients import next_sequence_key
from hutong.adapters.cosmos.rpc import IBC_STORE
from hutong.adapters.interface import TimeoutPacket
from hutong.adapters.rpc import RpcOptions
from hutong.light_clients.ibc.commitment import PathKind, path_key
from tests.adapters.conformance.suite import acknowledge, merkle_path, receipt_key, receive, send_one, submit, updates
from tests.adapters.cosmos.reads import read_everything
from tests.adapters.cosmos.recorded_simd import FILE, UNHEARD, Recording, canonical
from tests.adapters.rpc.hostile_server import hostile_server, http
from tests.nodes.cosmos.joined_simd import RELAYER_SECRET, joined_chains
from tests.nodes.cosmos.simd_chain import GAS_PRICE, running_simd

NO_INDEX = {"code": -32603, "message": "Internal error", "data": "transaction indexing is disabled"}
BLOCK_TIME_S = 1.0
SHORT_TIMEOUT_S = 8


async def make_history(from_simd, from_hub) -> dict[str, int | str]:
    """Facts of the packets that were exchanged."""
    simd, client = from_simd.a.adapter, from_simd.a.client
    settled = await send_one(from_simd, b"settled")
    await receive(from_simd, settled)
    written = await from_simd.b.adapter.written_acknowledgement(from_simd.b.client, settled.packet.sequence)
    _, _, acknowledged = await acknowledge(from_simd, written)
    back = await send_one(from_hub, b"back")
    _, _, received = await receive(from_hub, back)
    late = await send_one(from_simd_with_timeout(from_simd), b"late")
    _, _, timed_out = await time_out(from_simd, late)
    standing = await send_one(from_simd, b"standing")
    await simd.wait_for_height(standing.height + 3)
    return {
        "client": client,
        "chain_id": simd.chain_id,
        "settled": settled.packet.sequence,
        "standing": standing.packet.sequence,
        "late": late.packet.sequence,
        "sent": settled.height,
        "acknowledged": acknowledged.height,
        "received": received.height,
        "timed_out": timed_out.height,
    }


def from_simd_with_timeout(link):
    return type(link)(link.a, link.b, link.send, link.advance, timeout_after_s=SHORT_TIMEOUT_S)


async def time_out(link, event):
    """Prove to simd that the hub did not receive in time."""
    hub = link.b.adapter
    while (await hub.head()).time_ns // 10**9 <= event.packet.timeout_timestamp_s:
        await link.advance()
    height = hub.proving_height((await hub.head()).height)
    messages, _ = await updates(link, link.b, link.a, height)
    info = await link.a.adapter.client(link.a.client)
    proof = await hub.prove(merkle_path(info.merkle_prefix, receipt_key(event.packet)), height, info.client_state)
    return await submit(link, link.a, [*messages, TimeoutPacket(event.packet, proof.proof, proof.height)])


def followed_keys(facts) -> list[bytes]:
    """What bisection over heights may read at any of them."""
    client = facts["client"]
    return [
        next_sequence_key(client),
        *(path_key(client, PathKind.COMMITMENT, facts[name]) for name in ("settled", "late", "standing")),
        path_key(client, PathKind.ACKNOWLEDGEMENT, 1),
    ]


async def record(rpc: str, facts) -> Recording:
    recording = Recording(facts, {})

    def ask(method, params):
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = httpx.post(rpc, json=body, timeout=20).json()
        return {key: answer[key] for key in ("result", "error") if key in answer}

    def keep(method, params):
        recording.answers[canonical(method, params)] = ask(method, params)

    for height in map(str, range(1, facts["head"] + 1)):
        for method in ("commit", "block", "block_results"):
            keep(method, {"height": height})
        keep("validators", {"height": height, "page": "1", "per_page": "100"})
        for key in followed_keys(facts):
            keep("abci_query", {"path": IBC_STORE, "data": key.hex(), "height": height, "prove": False})
    settings = CosmosSettings("simd", facts["chain_id"], (), "cosmos", GAS_PRICE, 10**6, options=RpcOptions(rounds=1))
    for indexed in (True, False):
        async with hostile_server() as server:

            def answer(request, indexed=indexed):
                method, params = request["method"], request["params"]
                if method == "tx_search" and not indexed:
                    found = {"error": NO_INDEX}
                else:
                    found = recording.answer(method, params)
                    if found == {"error": UNHEARD}:
                        keep(method, params)
                        found = recording.answer(method, params)
                return http(json.dumps({"jsonrpc": "2.0", "id": request["id"], **found}).encode())

            server.answers["*"] = answer
            async with open_cosmos_chain(replace(settings, rpc=(server.url,)), Random(1)) as chain:
                await read_everything(chain, facts)
    return recording


async def record_simd() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        running_simd(Path(folder) / "simd", {"relayer": RELAYER_SECRET}, block_time_s=BLOCK_TIME_S) as simd,
    ):
        async with joined_chains(Path(folder) / "hub", simd) as (from_simd, from_hub):
            facts = await make_history(from_simd, from_hub)
            facts["head"] = (await from_simd.a.adapter.head()).height
        recording = await record(simd.rpc, facts)
    recording.save()
    print(f"{FILE.name}: {len(recording.answers)} answers, {FILE.stat().st_size} bytes, facts {facts}")
