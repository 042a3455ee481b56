"""Sources whose nodes are programs of others: geth's own Clique, anvil with its attestors, and an unmodified simd."""

from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from random import Random

import trio

from hutong.adapters.evm import EvmSettings, open_evm_chain
from hutong.adapters.hub import HubChain
from hutong.adapters.ics26.chain import RouterSettings
from hutong.adapters.interface import AttestedBy, ClientParameters
from hutong.light_clients.crypto.addresses import secp256k1_address
from hutong.light_clients.records import StorePlace
from hutong.relay.local.keys import Key, make_key
from hutong.relay.local.ports import free_port
from hutong.relay.local.processes import run_daemon
from tests.adapters.conformance import attested_pair
from tests.adapters.conformance.evidence_files import private
from tests.adapters.conformance.lane import (
    CHAIN_ID,
    DEPLOYER,
    PARAMETERS,
    QUICK,
    RELAYER,
    deploy_at,
    introduce,
)
from tests.adapters.conformance.reading.dev_chains import evm_source, newest_number
from tests.adapters.conformance.reading.read_lane import ALPHA, POLL_S, Source, Start, Watch
from tests.nodes.cosmos.followed_simd import SimdAndHub, first_block, open_simd
from tests.nodes.cosmos.simd_chain import GAS_PRICE, TOKEN_DENOM, SimdChain
from tests.nodes.evm.clique_geth import CONFIRMATIONS, CONSENSUS, EPOCH_LENGTH, PERIOD_S, clique_network
from tests.nodes.evm.running_anvil import Anvil, running_anvil
from tests.nodes.operator_commands import serving

GETH_CHAIN_ID, ANVIL_CHAIN_ID = 7_301, 31_337
ATTESTORS, THRESHOLD = 3, 2
BALANCES = b"\x02"
"""Of x/bank: this byte, the address after its length, the denomination."""
HUB_ROUTER = "0x0000000000000000000000000000000000001000"


async def geth_clique(stack: AsyncExitStack, nursery: trio.Nursery, hub: HubChain, home: Path) -> Source:
    """Three signers of geth 1.13."""
    network = clique_network(home, GETH_CHAIN_ID, free_port(), [DEPLOYER.address, RELAYER.address])
    await network.start(nursery)
    url = network.nodes[0].url
    settings = EvmSettings(
        chain_id=GETH_CHAIN_ID,
        rpc=(url,),
        router=RouterSettings(ALPHA, "0x" + "11" * 20, poll_interval_s=POLL_S),
        consensus="clique",
        confirmations=CONFIRMATIONS,
        clique_period_s=PERIOD_S,
        clique_epoch_length=EPOCH_LENGTH,
        options=QUICK,
    )
    contracts = await deploy_at(settings)
    router = replace(settings.router, router=contracts.router, start_height=contracts.height)
    chain = await stack.enter_async_context(open_evm_chain(replace(settings, router=router), Random(2)))
    await chain.wait_for_height(contracts.height)
    member = await introduce(hub, chain, contracts, await chain.initial_states("clique", PARAMETERS))
    await chain.wait_for_height(await newest_number(member))
    return await evm_source(member, CONSENSUS)


async def attested_anvil(stack: AsyncExitStack, nursery: trio.Nursery, hub: HubChain, home: Path) -> Source:
    """anvil as `hutong attest run` of three attestors, two of which are enough, attests it for the hub."""
    anvil = await trio.to_thread.run_sync(stack.enter_context, running_anvil(ANVIL_CHAIN_ID, block_time_s=1))
    for signer in (DEPLOYER, RELAYER):
        await trio.to_thread.run_sync(anvil.fund, signer.address)
    node = attested_pair.Node(ALPHA, anvil.chain_id, anvil.url, anvil.ws)
    contracts = await attested_pair.deploy(node)
    hub_client = await hub.next_client_id("attestation")
    keys = [make_key(home, f"attestor-{number}") for number in range(ATTESTORS)]
    urls = [await _start_attestor(nursery, home, key, anvil, contracts.router, hub_client) for key in keys]
    settings = attested_pair.settings(node, contracts.router, urls, start_height=contracts.height)
    chain = await stack.enter_async_context(open_evm_chain(settings, Random(2)))
    addresses = tuple(bytes.fromhex(key.address[2:]) for key in keys)
    by = AttestedBy(addresses, THRESHOLD, CHAIN_ID, bytes.fromhex(HUB_ROUTER[2:]), hub_client)
    parameters = ClientParameters(PARAMETERS.trusting_period_s, attested_pair.DRIFT_S, attested_by=by)
    member = await introduce(hub, chain, contracts, await chain.initial_states("attestation", parameters))
    assert member.hub_client == hub_client
    rules = f'consensus = "attested"\nconfirmations = 0\nattestors = [{", ".join(map(repr, urls))}]\n'
    return await evm_source(member, rules, THRESHOLD)


async def _start_attestor(
    nursery: trio.Nursery, home: Path, key: Key, anvil: Anvil, router: str, hub_client: str
) -> str:
    """Its base URL, once it serves."""
    name, port = key.keystore.stem, free_port()
    text = (
        f'[attestor]\nhome = "{home / name}"\nhttp = "127.0.0.1:{port}"\nkey = {key.toml}\n'
        f'\n[source]\nchain_id = {anvil.chain_id}\nrpc = ["{anvil.url}"]\nrouter = "{router}"\nconfirmations = 0\n'
        f'poll_interval_ms = 200\n\n[[destinations]]\nchain_id = "{CHAIN_ID}"\nrouter = "{HUB_ROUTER}"\n'
        f'client = "{hub_client}"\n'
    )
    file, url = private(home / f"{name}.toml", text), f"http://127.0.0.1:{port}"
    await nursery.start(run_daemon, name, ["attest", "run", "--config", str(file)], home / f"{name}.log")
    await serving(f"{url}/healthz")
    return url


def cosmos_chain(simd: SimdChain) -> Start:
    """A running simd: a balance that stands in its bank store, and one that nobody has."""

    async def start(stack: AsyncExitStack, _nursery: trio.Nursery, hub: HubChain, _home: Path) -> Source:
        cosmos = await stack.enter_async_context(open_simd(simd))
        await first_block(hub)
        both = SimdAndHub(simd, cosmos, hub)
        on_hub = (await both.client_on_hub()).client
        on_simd = (await both.client_on_simd()).client
        await both.register_on_simd(on_simd, on_hub)
        await both.register_on_hub(on_hub, on_simd)
        table = (
            f'kind = "cosmos"\nchain_id = "{simd.chain_id}"\nrpc = ["{simd.rpc}"]\nws = ["{simd.ws}"]\n'
            f'bech32_prefix = "cosmos"\ngas_price = "{GAS_PRICE}"\n'
        )
        held = await trio.to_thread.run_sync(simd.balance, cosmos.address_of(RELAYER), TOKEN_DENOM)
        watches = (_balance("balance", TOKEN_DENOM, str(held).encode()), _balance("no balance", "nothing", None))
        return Source(cosmos, table, on_simd, on_hub, watches)

    return start


def _balance(name: str, denom: str, value: bytes | None) -> Watch:
    account = secp256k1_address(RELAYER.public_key)
    key = BALANCES + bytes([len(account)]) + account + denom.encode()
    table = f'store = "bank"\nkey = "0x{key.hex()}"\n'
    return Watch(name, StorePlace(b"bank", key), table, f"bank/0x{key.hex()}", value)
