"""A hub's node that answers without end: what it says is read to a bound, and an incomplete list says that it is."""

from contextlib import asynccontextmanager
from random import Random

import pytest
import trio
from eth_abi.abi import encode

from hutong.adapters.hub import code, stuck
from hutong.adapters.hub.clients import HostedClients
from hutong.adapters.hub.settings import CLIENT_MANAGER_ADDRESS
from hutong.adapters.ics26.abi import selector
from hutong.adapters.ics26.execution import ExecutionRpc, hex_data
from hutong.adapters.ics26.reverts import RevertReader
from hutong.adapters.ics26.router import RouterReads
from hutong.adapters.interface import BadAnswer, EndpointUnavailable
from hutong.adapters.rpc import RpcOptions, open_rpc_client
from hutong.light_clients.ibc.identifiers import client_id_for
from tests.adapters.rpc.hostile_server import error, hostile_server, result

QUICK = RpcOptions(attempt_timeout_s=5, rounds=2, backoff_first_s=0.01, backoff_most_s=0.02)
CLIENT = "bft-evm-0"


@asynccontextmanager
async def node():
    async with hostile_server() as server, open_rpc_client("hub", [server.url], Random(1), QUICK) as client:
        with trio.fail_after(60):
            yield server, ExecutionRpc(client, RevertReader())


def row(sequence: int, client: str = CLIENT) -> dict:
    return {"client": client, "clientStatus": "Frozen", "sequence": hex(sequence), "kind": "message"}


def stuck_page(size: int, first: int | None = None):
    """`size` rows after the asked sequence, or always from `first` on."""

    def page(request):
        begin = first if first is not None else int(request["params"][1], 16) + 1
        return result(request, [row(sequence) for sequence in range(begin, begin + size)])

    return page


async def test_attack_G1_hub_stuck_page_that_repeats_is_refused():
    async with node() as (server, execution):
        server.answers["hutong_stuck"] = stuck_page(stuck.MAX_ROWS, first=1)
        with pytest.raises(EndpointUnavailable, match="is not of bft-evm-0 after sequence 1000"):
            await stuck.stuck_packets(execution, CLIENT)
        server.answers["hutong_stuck"] = lambda request: result(request, [row(1, "bft-evm-1")])
        with pytest.raises(EndpointUnavailable, match="is not of bft-evm-0 after sequence 0"):
            await stuck.stuck_packets(execution, CLIENT)


async def test_attack_H_hub_stuck_packets_without_end(monkeypatch):
    monkeypatch.setattr(stuck, "MAX_PACKETS", 3_000)
    async with node() as (server, execution):
        server.answers["hutong_stuck"] = stuck_page(stuck.MAX_ROWS)
        found = await stuck.stuck_packets(execution, CLIENT)
        assert ([one.sequence for one in found.packets], found.is_complete) == ([*range(1, 3_001)], False)
        assert len(server.requests) == 3


async def test_stuck_packets_are_read_to_the_last_page():
    async with node() as (server, execution):
        server.answers["hutong_stuck"] = lambda request: stuck_page(
            stuck.MAX_ROWS if int(request["params"][1], 16) < 2_000 else 7
        )(request)
        found = await stuck.stuck_packets(execution, CLIENT)
        assert (len(found.packets), found.is_complete) == (2_007, True)
        server.answers["hutong_stuck"] = lambda request: result(request, [row(1), row(1, "bft-evm-1")])
        found = await stuck.stuck_packets(execution)
        assert (len(found.packets), found.is_complete) == (2, True)
        server.answers["hutong_stuck"] = lambda request: result(request, [row(1)] * stuck.MAX_ROWS)
        assert not (await stuck.stuck_packets(execution)).is_complete


def names(hub_has: int):
    """Deployers by the number of their address, in pages as a hub serves them."""

    def page(request):
        after = int(request["params"][0], 16)
        listed = range(after + 1, min(hub_has, after + 1_000) + 1)
        deployers = [hex_data(number.to_bytes(20, "big")) for number in listed]
        return result(request, {"open": False, "deployers": deployers, "contracts": []})

    return page


async def test_a_list_of_names_that_was_cut_says_so(monkeypatch):
    monkeypatch.setattr(code, "MAX_NAMES", 2_000)
    async with node() as (server, execution):
        for hub_has, read, is_complete in ((1_500, 1_500, True), (2_000, 2_000, False), (5_000, 2_000, False)):
            server.answers["hutong_code"] = names(hub_has)
            found = await code.named_code(execution)
            assert (len(found.deployers), found.is_complete) == (read, is_complete)


def clients(execution: ExecutionRpc) -> HostedClients:
    async def facts(_height):
        return bytes(32), 0

    return HostedClients("hub", execution, RouterReads("hub", execution, CLIENT_MANAGER_ADDRESS, facts))


def client_states(taken: int | None):
    """Of the first `taken` numbers of a type; None has every one."""

    def state(request):
        data = bytes.fromhex(request["params"][0]["data"][2:])
        if taken is None or any(encode(["string"], [client_id_for("clique", n)]) == data[4:] for n in range(taken)):
            return result(request, hex_data(encode(["bytes"], [b"state"])))
        missing = selector("IBCClientNotFound(string)") + encode(["string"], ["clique"])
        return error(request, 3, "execution reverted", hex_data(missing))

    return state


@pytest.mark.parametrize("taken", [0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 40])
async def test_the_next_client_is_the_first_free_number(taken):
    async with node() as (server, execution):
        server.answers["eth_call"] = client_states(taken)
        assert await clients(execution).next_client_id("clique") == f"clique-{taken}"
        assert len(server.requests) <= 2 * taken.bit_length() + 1


async def test_attack_H_hub_node_that_has_every_client():
    async with node() as (server, execution):
        server.answers["eth_call"] = client_states(None)
        with pytest.raises(BadAnswer, match="has more than 100000 clients"):
            await clients(execution).next_client_id("clique")
        assert len(server.requests) < 20
