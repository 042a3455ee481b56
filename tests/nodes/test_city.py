"""A city with programs of others: an unmodified simd as its Cosmos chain, an anvil that attestors speak for."""

import json

import pytest

from hutong.relay.city.home import CityHome
from hutong.relay.city.process_identity import running
from hutong.relay.city.record import read_record
from hutong.relay.local.processes import run_command
from tests.nodes.provision import foundry, simd

pytestmark = pytest.mark.nodes


async def test_a_city_with_a_cosmos_chain_and_an_anvil(tmp_path):
    home = CityHome(tmp_path / "city")
    at = ("--home", str(home.path))
    outside = ("--simd", str(simd()), "--foundry", str(foundry("anvil").parent))
    await run_command(["city", "up", *at, "--small", *outside])
    try:
        state = json.loads(await run_command(["city", "status", *at, "--json"]))
        assert {one["name"] for one in state["heights"]} == {"hub", "e1", "e2", "p1", "t", "l"}
        assert all(one["at"] > 0 for one in state["heights"])
        city = json.loads(home.city_file.read_text())
        (cosmos,) = city["cosmos_chains"]
        assert (cosmos["kind"], cosmos["hub_client"]) == ("07-tendermint", "07-tendermint-0")
        assert city["left_out"] == []
        trust = json.loads(home.trust_file.read_text())
        assert [chain["name"] for chain in trust["chains"]] == ["e1", "e2", "p1", "l", "t"]
        assert all(home.checkpoint_of(name).exists() for name in ("hub", "e1", "e2", "p1", "l", "t"))
        everything = read_record(home.processes_file).identities()
    finally:
        await run_command(["city", "down", *at])
    assert running(everything) == []
