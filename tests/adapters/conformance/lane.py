"""A hub node and two dev chains in this process, with contracts and clients: what `path create` makes."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from random import Random

import trio

from hutong.adapters.evm import EvmChain, EvmSettings, open_evm_chain
from hutong.adapters.evm.administration import deploy as deployment
from hutong.adapters.hub import ROUTER_ADDRESS, HubChain, HubSettings, admin, open_hub_chain
from hutong.adapters.ics26.abi import Function
from hutong.adapters.ics26.chain import RouterSettings
from hutong.adapters.ics26.transactor import Transactor
from hutong.adapters.interface import ClientParameters, InitialStates, PacketEventKind
from hutong.adapters.rpc import RpcOptions
from hutong.relay.devnet import Devnet, Genesis, Pace, running_devnet
from hutong.relay.devnet.settings import CLIQUE_EPOCH_LENGTH, Consensus
from hutong.relay.hub.application.admin import AdminSet
from hutong.relay.hub.application.genesis import HubParams
from hutong.relay.hub.application.named_code import CodeRules
from hutong.relay.hub.home.initialise import NewHub, initialise_home
from hutong.relay.hub.process.call_process import ORPHAN_S
from hutong.relay.hub.process.start import Ports, open_node, serve_node
from hutong.relay.keys import Signer
from tests.adapters.conformance.suite import End, Link, receive

CHAIN_ID = "hutong-1"
HUB_EVM_CHAIN_ID = 7001
QUICK = RpcOptions(attempt_timeout_s=600, rounds=2, backoff_first_s=0.01, backoff_most_s=0.05)
"""Quick where an endpoint refuses; patient where it is slow. The hub, both chains and whoever asks them take turns in one
interpreter: on a machine that has much else to do an answer came after more than 10 s, and nothing was wrong."""
PARAMETERS = ClientParameters(trusting_period_s=7 * 86_400, max_clock_drift_s=30)
SEND_FORWARDED = Function("sendForwarded", ("string", "string", "string", "bytes", "uint64"))
POLL_S = 0.05
QUICK_PACE = Pace(150, 40)
CALM_PACE = Pace(500, 150)
"""Three chains in one interpreter: blocks come so slowly that the time between them is left for those who ask."""
CONFIRMATIONS = 2
UNKNOWN_CLIENT = "bft-evm-99"

ADMIN = Signer.in_memory(bytes(31) + b"\xa1")
DEPLOYER = Signer.in_memory(bytes(31) + b"\xd1")
RELAYER = Signer.in_memory(bytes(31) + b"\x71")


def address_bytes(signer: Signer) -> bytes:
    return bytes.fromhex(signer.address[2:])


@dataclass
class EvmMember:
    """A dev chain that has joined the hub: `client` is the hub's client on it, `hub_client` its client on the hub."""

    chain: EvmChain
    deployer: Transactor
    contracts: deployment.Deployment
    client: str
    hub_client: str

    @property
    def mailbox(self) -> bytes:
        return bytes.fromhex(self.contracts.mailbox[2:])


def new_hub() -> NewHub:
    """Of a quick pace."""
    return NewHub(
        CHAIN_ID,
        HUB_EVM_CHAIN_ID,
        time.time_ns() - 10**9,
        AdminSet((address_bytes(ADMIN),), 1),
        HubParams(block_interval_ms=200, proof_block_delay_ms=50),
        tuple((address_bytes(signer), 10**24) for signer in (ADMIN, RELAYER)),
        code=CodeRules(False, deployers=(address_bytes(RELAYER),)),
    )


def hub_settings(eth: str, cometbft: str) -> HubSettings:
    return HubSettings(
        CHAIN_ID,
        (f"http://{eth}",),
        (cometbft,),
        RouterSettings("hub", ROUTER_ADDRESS, poll_interval_s=POLL_S),
        ws=(f"ws://{eth}",),
        options=QUICK,
    )


@asynccontextmanager
async def running_hub(home, new: NewHub | None = None) -> AsyncIterator[HubChain]:
    """A one-validator hub at a quick pace, and its adapter."""
    initialise_home(home, new_hub() if new is None else new)
    node = open_node(home)
    try:
        async with trio.open_nursery() as nursery:
            serve = partial(serve_node, node, Ports("127.0.0.1", 0, 0), call_deadline_s=ORPHAN_S - 1)
            ports = await nursery.start(serve)
            settings = hub_settings(f"127.0.0.1:{ports.eth}", f"http://127.0.0.1:{ports.cometbft}")
            async with open_hub_chain(settings, Random(1)) as chain:
                yield chain
            nursery.cancel_scope.cancel()
    finally:
        node.store.close()


def calm_hub(home):
    """As `running_hub`, at a pace like CALM_PACE."""
    params = HubParams(block_interval_ms=CALM_PACE.period_ms, proof_block_delay_ms=CALM_PACE.proof_block_ms)
    return running_hub(home, replace(new_hub(), params=params))


def evm_settings(name: str, chain_id: int, devnet: Devnet, router: str, start_height: int = 0) -> EvmSettings:
    consensus = devnet.chain.consensus
    sealing = {}
    if consensus == "clique":
        sealing = {"confirmations": CONFIRMATIONS, "clique_epoch_length": CLIQUE_EPOCH_LENGTH}
    return EvmSettings(
        chain_id=chain_id,
        consensus=consensus,
        **sealing,
        rpc=(devnet.url,),
        ws=(devnet.websocket_url,),
        router=RouterSettings(name, router, start_height, poll_interval_s=POLL_S),
        options=QUICK,
    )


async def join(
    stack: AsyncExitStack,
    hub: HubChain,
    name: str,
    chain_id: int,
    consensus: Consensus = "qbft",
    private_keys: tuple[bytes, ...] | None = None,
    pace: Pace = QUICK_PACE,
) -> EvmMember:
    """Start a dev chain, deploy, and make both clients, as `hutong deploy` and `hutong path create` do."""
    funds = {address_bytes(signer): 10**24 for signer in (DEPLOYER, RELAYER)}
    genesis = Genesis(chain_id, funds_wei=funds, consensus=consensus)
    devnet = await stack.enter_async_context(running_devnet(genesis, pace, private_keys=private_keys))
    contracts = await deploy_at(evm_settings(name, chain_id, devnet, "0x" + "11" * 20))
    settings = evm_settings(name, chain_id, devnet, contracts.router, contracts.height)
    chain = await stack.enter_async_context(open_evm_chain(settings, Random(2)))
    states = await chain.initial_states("clique" if consensus == "clique" else "bft-evm", PARAMETERS)
    return await introduce(hub, chain, contracts, states)


async def deploy_at(settings: EvmSettings) -> deployment.Deployment:
    """The contracts of a member, by DEPLOYER; the router that the settings name is asked nothing."""
    async with open_evm_chain(settings, Random(2)) as bare:
        deployer = Transactor(bare.execution, settings.chain_id, DEPLOYER)
        return await deployment.deploy(deployer, forward_margin_s=5, open_relaying=True)


async def introduce(
    hub: HubChain,
    chain: EvmChain,
    contracts: deployment.Deployment,
    states: InitialStates,
    of_hub: ClientParameters = PARAMETERS,
) -> EvmMember:
    """The hub's client of the chain, from `states`, and the chain's client of the hub."""
    deployer = Transactor(chain.execution, int(chain.chain_id), DEPLOYER)
    administrator = Transactor(hub.execution, HUB_EVM_CHAIN_ID, ADMIN)
    action = admin.create_client(1, states.client_type, states.client_state, states.consensus_state)
    hub_client = admin.created_client(await admin.approve_and_execute([administrator], CHAIN_ID, action))
    contract = await deployment.deploy_hub_client(deployer, await hub.initial_states("07-tendermint", of_hub))
    router = bytes.fromhex(contracts.router[2:])
    client = await deployment.add_client(deployer, router, contract, hub_client, hub.merkle_prefix)
    action = admin.register_counterparty(2, hub_client, client, chain.merkle_prefix)
    await admin.approve_and_execute([administrator], CHAIN_ID, action)
    member = EvmMember(chain, deployer, contracts, client, hub_client)
    await deployment.set_hub_client(deployer, member.mailbox, client)
    return member


class Lane:
    """alpha → hub → beta."""

    def __init__(self, hub: HubChain, alpha: EvmMember, beta: EvmMember) -> None:
        self.hub, self.alpha, self.beta = hub, alpha, beta
        self.receiver = "0x" + "22" * 20

    async def advance(self) -> None:
        await trio.sleep(0.1)

    async def send(self, next_client: str, value: bytes, timeout_s: int) -> None:
        """Alpha's Mailbox sends through the hub to the chain behind `next_client`."""
        data = SEND_FORWARDED.encode(self.alpha.client, next_client, self.receiver, value, timeout_s)
        receipt = await self.alpha.deployer.send(self.alpha.mailbox, data)
        await self.alpha.chain.wait_for_height(receipt.height)

    def first_leg(self, next_client: str = UNKNOWN_CLIENT) -> Link:
        """To a client that the hub does not have, by default: refused and acknowledged at once."""
        return Link(
            End(self.alpha.chain, self.alpha.client, RELAYER),
            End(self.hub, self.alpha.hub_client, RELAYER),
            partial(self.send, next_client),
            self.advance,
        )

    def second_leg(self) -> Link:
        """The hub sends by forwarding what alpha sent: the suite relays the first leg for it."""
        first = self.first_leg(self.beta.hub_client)

        async def send(value: bytes, timeout_s: int) -> None:
            sequence = await self.alpha.chain.next_sequence_send(self.alpha.client)
            await first.send(value, timeout_s)
            event = await self.alpha.chain.sent_packet(self.alpha.client, sequence)
            assert event is not None
            assert event.kind is PacketEventKind.SEND
            await receive(first, event)

        return Link(
            End(self.hub, self.beta.hub_client, RELAYER),
            End(self.beta.chain, self.beta.client, RELAYER),
            send,
            self.advance,
        )


@asynccontextmanager
async def running_lane(
    home,
    hub_at=running_hub,
    consensus: Consensus = "qbft",
    alpha_keys: tuple[bytes, ...] | None = None,
    pace: Pace = QUICK_PACE,
) -> AsyncIterator[Lane]:
    """`hub_at` runs a hub in `home` and gives its adapter; both chains are sealed by `consensus`, alpha by its keys."""
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(hub_at(home))
        alpha = await join(stack, hub, "alpha", 1001, consensus, alpha_keys, pace)
        beta = await join(stack, hub, "beta", 1002, consensus, pace=pace)
        await deployment.set_forwarded_peer(beta.deployer, beta.mailbox, alpha.hub_client, "alpha")
        yield Lane(hub, alpha, beta)
