"""Two EVM nodes whose chains hold attestation clients of each other: what `hutong path direct` makes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

import trio

from hutong.adapters.evm import Alert, EvmChain, EvmSettings, open_evm_chain
from hutong.adapters.evm.administration import deploy as deployment
from hutong.adapters.ics26.abi import Function
from hutong.adapters.ics26.chain import RouterSettings
from hutong.adapters.ics26.transactor import Transactor
from hutong.adapters.interface import AttestedBy, ClientParameters
from hutong.adapters.rpc import RpcOptions
from hutong.light_clients.attestation import Scope
from hutong.relay.attestor.attestor import Attestor
from hutong.relay.attestor.daemon import open_attestor
from hutong.relay.attestor.endpoint import AttestorApp, serve_attestor
from hutong.relay.config import AttestorConfig
from hutong.relay.keys import Signer
from tests.adapters.conformance.suite import End, Link

QUICK = RpcOptions(attempt_timeout_s=600, rounds=2, backoff_first_s=0.01, backoff_most_s=0.05)
"""As that of the lanes: attestors, relay and test share an interpreter."""
SEND_MESSAGE = Function("sendMessage", ("string", "string", "bytes", "uint64"))
POLL_S = 0.05
DRIFT_S = 3_600
"""anvil's blocks run ahead of the clock: each is a second after the one before."""
DEPLOYER = Signer.in_memory(bytes(31) + b"\xd1")
RELAYER = Signer.in_memory(bytes(31) + b"\x71")


def attestor_keys(chain_id: int, count: int) -> list[Signer]:
    """Keys of one chain's attestors; no two chains share one."""
    return [
        Signer.in_memory(bytes(24) + chain_id.to_bytes(4, "big") + bytes([0, 0, 0, 1 + index]))
        for index in range(count)
    ]


def address_bytes(signer: Signer) -> bytes:
    return bytes.fromhex(signer.address[2:])


@dataclass(frozen=True)
class Node:
    """A running EVM node on which DEPLOYER and RELAYER have funds."""

    name: str
    chain_id: int
    url: str
    ws: str | None = None


@dataclass
class AttestedEnd:
    """A chain of the pair; `client` is its client of the other."""

    chain: EvmChain
    deployer: Transactor
    contracts: deployment.Deployment
    client: str
    alerts: list[Alert]

    @property
    def mailbox(self) -> bytes:
        return bytes.fromhex(self.contracts.mailbox[2:])

    async def send(self, value: bytes, timeout_s: int, receiver: str = "0x" + "22" * 20) -> int:
        """Mailbox.sendMessage; returns the block's height."""
        receipt = await self.deployer.send(self.mailbox, SEND_MESSAGE.encode(self.client, receiver, value, timeout_s))
        await self.chain.wait_for_height(receipt.height)
        return receipt.height


@dataclass
class Pair:
    a: AttestedEnd
    b: AttestedEnd

    def link(self, advance) -> Link:
        return Link(
            End(self.a.chain, self.a.client, RELAYER),
            End(self.b.chain, self.b.client, RELAYER),
            self.a.send,
            advance,
            attested_by=AttestedBy((bytes(19) + b"\x01",), 1, "hutong-1", bytes(19) + b"\x10", "attestation-7"),
        )


def attestor_config(node: Node, router: str, home: Path, destination: Scope, **source) -> AttestorConfig:
    return AttestorConfig.model_validate(
        {
            "attestor": {"home": str(home), "http": "127.0.0.1:0", "key": {"keystore": "unused", "password_env": "X"}},
            "source": {
                "chain_id": node.chain_id,
                "rpc": [node.url],
                "router": router,
                "confirmations": 0,
                "poll_interval_ms": 20,
            }
            | source,
            "destinations": [
                {
                    "chain_id": destination.destination_chain_id,
                    "router": "0x" + destination.destination_router.hex(),
                    "client": destination.destination_client_id,
                }
            ],
        }
    )


@asynccontextmanager
async def running_attestor(config: AttestorConfig, signer: Signer) -> AsyncIterator[tuple[str, Attestor]]:
    """The service in this process: (base URL, the attestor behind it)."""
    async with open_attestor(config, signer) as attestor, trio.open_nursery() as nursery:
        app = AttestorApp(attestor, signer.address, 10_000)
        yield await nursery.start(serve_attestor, config.attestor.http, app), attestor
        nursery.cancel_scope.cancel()


def settings(node: Node, router: str, attestors=("http://127.0.0.1:9",), alerts=None, start_height=0) -> EvmSettings:
    return EvmSettings(
        chain_id=node.chain_id,
        rpc=(node.url,),
        ws=() if node.ws is None else (node.ws,),
        router=RouterSettings(node.name, router, start_height, poll_interval_s=POLL_S),
        consensus="attested",
        attestors=tuple(attestors),
        confirmations=0,
        on_alert=(alerts if alerts is not None else []).append,
        options=QUICK,
    )


async def deploy(node: Node) -> deployment.Deployment:
    async with open_evm_chain(settings(node, "0x" + "11" * 20), Random(2)) as bare:
        deployer = Transactor(bare.execution, node.chain_id, DEPLOYER)
        return await deployment.deploy(deployer, forward_margin_s=5, open_relaying=True)


async def next_client_id(node: Node, contracts: deployment.Deployment) -> str:
    async with open_evm_chain(settings(node, contracts.router), Random(2)) as chain:
        return await chain.next_client_id()


def scope_between(
    source: Node, source_contracts, destination: Node, destination_contracts, destination_client: str
) -> Scope:
    return Scope(
        str(source.chain_id),
        bytes.fromhex(source_contracts.router[2:]),
        str(destination.chain_id),
        bytes.fromhex(destination_contracts.router[2:]),
        destination_client,
    )


@asynccontextmanager
async def attested_pair(
    home: Path, node_a: Node, node_b: Node, *, attestors: int = 3, threshold: int = 2
) -> AsyncIterator[Pair]:
    """Contracts, attestors, adapters and clients, as an operator makes them."""
    contracts = {node.name: await deploy(node) for node in (node_a, node_b)}
    ids = {node.name: await next_client_id(node, contracts[node.name]) for node in (node_a, node_b)}
    others = {node_a.name: node_b, node_b.name: node_a}
    from contextlib import AsyncExitStack

    async with AsyncExitStack() as stack:
        ends = {}
        for node in (node_a, node_b):
            other = others[node.name]
            scope = scope_between(node, contracts[node.name], other, contracts[other.name], ids[other.name])
            urls = []
            for index, signer in enumerate(attestor_keys(node.chain_id, attestors)):
                config = attestor_config(
                    node, contracts[node.name].router, home / f"{node.name}-attestor-{index}", scope
                )
                url, _ = await stack.enter_async_context(running_attestor(config, signer))
                urls.append(url)
            alerts: list[Alert] = []
            opened = settings(node, contracts[node.name].router, urls, alerts, contracts[node.name].height)
            chain = await stack.enter_async_context(open_evm_chain(opened, Random(3)))
            deployer = Transactor(chain.execution, node.chain_id, DEPLOYER)
            ends[node.name] = AttestedEnd(chain, deployer, contracts[node.name], ids[node.name], alerts)
        for node in (node_a, node_b):
            other = others[node.name]
            by = AttestedBy(
                tuple(map(address_bytes, attestor_keys(other.chain_id, attestors))),
                threshold,
                str(node.chain_id),
                bytes.fromhex(contracts[node.name].router[2:]),
                ids[node.name],
            )
            parameters = ClientParameters(7 * 86_400, DRIFT_S, attested_by=by)
            states = await ends[other.name].chain.initial_states("attestation", parameters)
            end = ends[node.name]
            contract = await deployment.deploy_attestation_client(end.deployer, states)
            router = bytes.fromhex(contracts[node.name].router[2:])
            made = await deployment.add_client(end.deployer, router, contract, ids[other.name], (b"",))
            assert made == ids[node.name]
            await deployment.set_direct_peer(end.deployer, end.mailbox, made, other.name)
        yield Pair(ends[node_a.name], ends[node_b.name])


async def pause(seconds: float = 0.1) -> None:
    await trio.sleep(seconds)


quick_pause = partial(pause, 0.1)
