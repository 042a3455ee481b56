"""Words of the hub's router, read from its state ten in one request, against endpoints that say other than they should."""

import base64
import json
from contextlib import asynccontextmanager
from random import Random

import pytest

from hutong.adapters.hub import HubSettings, open_hub_chain
from hutong.adapters.hub.settings import ROUTER_ADDRESS
from hutong.adapters.ics26.chain import RouterSettings
from hutong.adapters.interface import EndpointUnavailable, HeightUnavailable
from hutong.adapters.rpc import MOST_IN_A_BATCH, RpcOptions, each_of
from hutong.light_clients.ibc.commitment import PathKind, path_key
from tests.adapters.rpc.hostile_server import hostile_server, http

CHAIN_ID, HEIGHT = "hutong-1", 7
QUICK = RpcOptions(attempt_timeout_s=0.5, rounds=1)
STORED = {
    path_key("client-0", PathKind.RECEIPT, 1): b"\x02",
    **{path_key("client-0", PathKind.COMMITMENT, number): bytes([number]) * 32 for number in range(1, 26)},
}


@asynccontextmanager
async def hub(*servers):
    """An adapter of these endpoints; `eth_*` is not asked."""
    urls = tuple(server.url for server in servers)
    settings = HubSettings(CHAIN_ID, urls, urls, RouterSettings("hub", ROUTER_ADDRESS), options=QUICK)
    async with open_hub_chain(settings, Random(1)) as chain:
        yield chain


def answers(server, value_of, **changed):
    def one(request):
        key = bytes.fromhex(request["params"]["data"])
        value = value_of(key)
        response = {"code": 0, "key": None, "value": None if value is None else base64.b64encode(value).decode()}
        response |= {"height": str(HEIGHT + 1), "proofOps": None} | changed
        return {"jsonrpc": "2.0", "id": request["id"], "result": {"response": response}}

    def query(request):
        return http(json.dumps([one(each) for each in request] if isinstance(request, list) else one(request)).encode())

    status = {"node_info": {"network": CHAIN_ID}}
    server.answers["status"] = lambda request: http(
        json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": status}).encode()
    )
    server.answers["abci_query"] = query


def queries(server):
    asked = [request for request in server.requests if isinstance(request, list) or request["method"] == "abci_query"]
    return [len(request) if isinstance(request, list) else 1 for request in asked]


async def test_words_are_read_ten_in_one_request():
    async with hostile_server() as server, hub(server) as chain:
        answers(server, STORED.get)

        async def read(sequence):
            return await chain.commitment("client-0", sequence, HEIGHT)

        found = await each_of(read, range(1, 28), at_once=27)
        assert found == [bytes([number]) * 32 for number in range(1, 26)] + [None, None]
        assert sorted(queries(server), reverse=True) == [MOST_IN_A_BATCH, MOST_IN_A_BATCH, 7]
        assert await chain.receipt("client-0", 1, HEIGHT) == b"\x02".rjust(32, b"\0")


async def test_attack_H_a_value_that_is_no_word():
    async with hostile_server() as bad, hostile_server() as good:
        answers(bad, lambda _: bytes(33))
        answers(good, STORED.get)
        async with hub(bad, good) as chain:
            assert await chain.commitment("client-0", 2, HEIGHT) == b"\x02" * 32
        async with hub(bad) as chain:
            with pytest.raises(EndpointUnavailable, match="more than 32 bytes"):
                await chain.commitment("client-0", 2, HEIGHT)


async def test_attack_H_an_answer_to_another_key():
    async with hostile_server() as server, hub(server) as chain:
        answers(server, STORED.get, key=base64.b64encode(b"another").decode())
        with pytest.raises(EndpointUnavailable, match="is not the asked key"):
            await chain.commitment("client-0", 2, HEIGHT)


async def test_a_height_that_the_hub_has_not_got():
    async with hostile_server() as server, hub(server) as chain:
        answers(server, STORED.get, code=3, log="no state at height 7")
        with pytest.raises(HeightUnavailable, match="no state at height 7") as caught:
            await chain.commitment("client-0", 2, HEIGHT)
        assert caught.value.height == HEIGHT
