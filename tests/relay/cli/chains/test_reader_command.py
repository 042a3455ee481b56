"""`hutong reader` through the command line, against a running dev chain with a router and a HubClient of a simulated hub."""

import json
import time

import pytest
from eth_abi.abi import encode

from hutong.adapters.evm.administration.deploy import add_client
from hutong.adapters.evm.administration.deploy import deploy as deploy_contracts
from hutong.adapters.evm.kinds import CLIENT_STATE_TUPLE, CONSENSUS_STATE_TUPLE
from hutong.contracts.artifacts import load_artifact
from tests.contracts.lane import client_state_tuple, consensus_state_tuple
from tests.light_clients.tendermint.simulated_chain import SimulatedChain
from tests.relay.cli.chains.test_roles_command import CHAIN_ID, ZERO, running


async def with_hub_client(setting):
    """Contracts on the dev chain, and a client of a hub on the router: its address, and the client's."""
    transactor = setting.transactor("deployer")
    deployment = await deploy_contracts(transactor, forward_margin_s=600, open_relaying=True)
    hub = SimulatedChain(chain_id="hutong-1", genesis_time_ns=time.time_ns() - 10**10)
    arguments = [client_state_tuple(hub.client_state(1)), consensus_state_tuple(hub.consensus_state(1))]
    code = load_artifact("HubClient").bytecode + encode([CLIENT_STATE_TUPLE, CONSENSUS_STATE_TUPLE], arguments)
    client = (await transactor.send(None, code)).contract_address
    router = bytes.fromhex(deployment.router[2:])
    client_id = await add_client(transactor, router, client, "bft-evm-0", (b"",))
    return deployment.router, client_id, client


def deploying(setting, router, client, *more):
    chain = ("--rpc", setting.url, "--chain-id", str(CHAIN_ID))
    return ("reader", "deploy", *chain, "--router", router, "--client", client, *setting.key("stranger"), *more)


@pytest.mark.long
@pytest.mark.trio
async def test_anybody_deploys_a_reader_and_asks_whom_it_believes(tmp_path):
    async with running(tmp_path) as setting:
        router, client_id, client = await with_hub_client(setting)
        out = tmp_path / "reader.json"
        code, said, error = await setting.command(*deploying(setting, router, client_id, "--out", str(out)))
        assert code == 0, error
        deployed = json.loads(out.read_text())
        assert (deployed["router"], deployed["client"], deployed["chain_id"]) == (router, client_id, CHAIN_ID)
        assert deployed["hub_client"].lower() == f"0x{client.hex()}"
        assert f'reader = "{deployed["reader"]}"' in said
        show = ("reader", "show", "--rpc", setting.url, "--chain-id", str(CHAIN_ID), "--reader")
        code, shown, error = await setting.command(*show, deployed["reader"], "--json")
        assert code == 0, error
        assert json.loads(shown) == deployed
        code, _, error = await setting.command(*show, router)
        assert code != 0, error
        code, _, error = await setting.command(*deploying(setting, router, client_id, "--out", str(out)))
        assert (code, "nothing was sent" in error) == (2, True)


@pytest.mark.trio
async def test_reader_of_no_client_or_no_router_is_refused(tmp_path):
    async with running(tmp_path) as setting:
        router, client_id, _ = await with_hub_client(setting)
        for router_, client_, code, said in (
            (router, "client-9", 1, "IBCClientNotFound"),
            ("0x" + "17" * 20, client_id, 1, "no contract"),
            (router, "client", 2, "--client"),
            ("0x17", client_id, 2, "not an address"),
            (ZERO, client_id, 1, "no contract"),
        ):
            refused, _, error = await setting.command(*deploying(setting, router_, client_))
            assert (refused, said in error) == (code, True), error
