"""An audited hub beside a dev chain, anvil and an unmodified simd, each of which has its client of the hub, and an operator's configuration."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import trio
from eth_abi.abi import encode

from hutong.adapters.evm import open_evm_chain
from hutong.adapters.evm.administration import deploy as deployment
from hutong.adapters.hub import HubChain
from hutong.adapters.ics26.abi import Function
from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.adapters.ics26.transactor import Transactor
from hutong.contracts.artifacts import load_artifact
from hutong.relay.base.child_processes import HUTONG
from hutong.relay.base.trio_processes import run_child
from tests.adapters.conformance import attested_pair
from tests.adapters.conformance.evidence_files import private, url_of, write_keystore
from tests.adapters.conformance.lane import (
    CALM_PACE,
    CHAIN_ID,
    DEPLOYER,
    PARAMETERS,
    RELAYER,
    address_bytes,
    join,
    running_hub,
)
from tests.adapters.conformance.reading.read_lane import RELAYER_SECRET
from tests.nodes.cosmos.followed_simd import Follower, SimdAndHub, open_simd
from tests.nodes.cosmos.simd_chain import GAS_PRICE, SimdChain
from tests.nodes.evm.running_anvil import running_anvil
from tests.nodes.storage.audited_hub import EPOCH, PROBES, AuditedHub, storing_hub

PATIENCE_S = 3_600
PRICE = 100
PAYEE = b"\x44" * 20
OPEN = Function("open", ("(address,address,bytes32,uint64,uint16,uint256,uint64,(uint64,uint32,uint8))",))
APPROVE = Function("approve", ("address", "uint256"))
BALANCE_OF = Function("balanceOf", ("address",), ("uint256",))
MAX_AGE_S = 100_000


@dataclass(frozen=True, slots=True)
class Said:
    """What a command ended with."""

    exit_code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class EvmSide:
    """An EVM chain: its configured name, its own word, its router and its client of the hub; `rules` are lines of `[[chains]]`."""

    name: str
    chain_id: int
    execution: ExecutionRpc
    contracts: deployment.Deployment
    client: str
    rules: str

    @property
    def url(self) -> str:
        return url_of(self.execution.client)

    @property
    def table(self) -> str:
        return (
            f'name = "{self.name}"\nkind = "evm"\nchain_id = {self.chain_id}\nrouter = "{self.contracts.router}"\n'
            f'start_height = {self.contracts.height}\nrpc = ["{self.url}"]\n{self.rules}'
        )

    async def create(self, contract: str, types: Sequence[str], values: Sequence[Any]) -> bytes:
        code = load_artifact(contract).bytecode + encode(types, values)
        receipt = await Transactor(self.execution, self.chain_id, DEPLOYER).send(None, code)
        assert receipt.contract_address is not None
        return receipt.contract_address

    async def send(self, to: bytes, data: bytes) -> None:
        await Transactor(self.execution, self.chain_id, DEPLOYER).send(to, data)


class VerdictLane:
    """Commands are processes of their own, told by one configuration."""

    def __init__(self, home: Path, hub: HubChain, storage: AuditedHub, evm: Sequence[EvmSide], on_simd: Follower):
        self.home, self.hub, self.storage, self.evm, self.on_simd = home, hub, storage, tuple(evm), on_simd
        self.config = private(home / "relay.toml", self._configuration())

    def _configuration(self) -> str:
        key = f'key = {{ keystore = "{self.home}/relayer.json", password_file = "{self.home}/password" }}\n'
        patient = "endpoints = { attempt_timeout_ms = 120000, straggler_grace_ms = 5000 }\n"
        chains = [one.table for one in self.evm]
        chains.append(
            f'name = "hub"\nkind = "hub"\nchain_id = "{CHAIN_ID}"\nrpc = ["{url_of(self.hub.execution.client)}"]\n'
            f'consensus_rpc = ["{url_of(self.hub.comet.client)}"]\n'
        )
        chains.append(
            f'name = "simd"\nkind = "cosmos"\nchain_id = "{self.on_simd.host.chain_id}"\nbech32_prefix = "cosmos"\n'
            f'rpc = ["{url_of(self.on_simd.host.rpc.client)}"]\ngas_price = "{GAS_PRICE}"\n'
        )
        text = f'[relay]\nhome = "{self.home / "relay"}"\nhttp = "127.0.0.1:0"\n'
        return text + "".join(f"\n[[chains]]\n{chain}{key}{patient}" for chain in chains)

    async def told(self, *words: object) -> Said:
        """One command of `hutong`."""
        ended = await run_child([*HUTONG, *map(str, words)])
        return Said(ended.returncode, ended.stdout.decode(), ended.stderr.decode())

    async def done(self, *words: object) -> Said:
        said = await self.told(*words)
        assert said.exit_code == 0, (words, said)
        return said

    @property
    def payer(self) -> tuple[object, ...]:
        return "--keystore", self.home / "relayer.json", "--password-file", self.home / "password"

    async def audit_on(self, side: EvmSide) -> str:
        """A HubReader and a StorageAudit there; the latter's address."""
        chain = ("--rpc", side.url, "--chain-id", side.chain_id, "--json", *self.payer)
        router = ("--router", side.contracts.router, "--client", side.client)
        reader = (await self.done("reader", "deploy", *router, *chain)).json["reader"]
        return (await self.done("storage", "deploy-audit", "--reader", reader, *chain)).json["audit"]

    async def escrow_on(self, side: EvmSide, audit: str, operators: Sequence[bytes]) -> tuple[bytes, bytes]:
        """A token, and an escrow that has a deal on each operator, in this order: their addresses."""
        token = await side.create("ExampleToken", ["string", "string", "uint256"], ["Money", "M", 10**6])
        escrow = await side.create("ExampleStorageEscrow", ["address", "address"], [bytes.fromhex(audit[2:]), token])
        await side.send(token, APPROVE.encode(escrow, 10**6))
        for operator in operators:
            payer = address_bytes(DEPLOYER)
            deal = (payer, PAYEE, operator, EPOCH, 3, PRICE, 2**40, (MAX_AGE_S, PROBES, 1))
            await side.send(escrow, OPEN.encode(deal))
        return token, escrow

    async def update(self, chain: str, client: str) -> None:
        """The chain's client of the hub, to its newest header."""
        where = ("--config", self.config, "--chain", chain, "--client", client, "--follows", "hub")
        await self.done("client", "update", *where, *self.payer)

    async def verdict(self, operator: bytes, on: str, *judge: object) -> Said:
        command = ("storage", "verdict", operator.hex(), EPOCH, "--config", self.config, "--on", on)
        return await self.told(*command, "--max-age-s", MAX_AGE_S, "--json", *judge)

    async def claim(self, operator: bytes, side: EvmSide, audit: str, escrow: bytes, deal: int) -> Said:
        command = ("storage", "claim", operator.hex(), EPOCH, "--config", self.config, "--on", side.name)
        contracts = ("--audit", audit, "--escrow", f"0x{escrow.hex()}", "--deal", deal)
        return await self.told(*command, *contracts, *self.payer, "--json")


async def balance(side: EvmSide, token: bytes) -> int:
    (found,) = BALANCE_OF.decode(await side.execution.call(token, BALANCE_OF.encode(PAYEE)))
    return found


@asynccontextmanager
async def verdict_lane(home: Path, simd: SimdChain) -> AsyncIterator[VerdictLane]:
    """All of it runs in this process, but for anvil, simd and the commands."""
    write_keystore(home, RELAYER_SECRET)
    with trio.fail_after(PATIENCE_S):
        async with AsyncExitStack() as stack:
            hub = await stack.enter_async_context(running_hub(home / "hub", storing_hub()))
            storage = AuditedHub(hub)
            sides = [await _dev_chain(stack, hub), await _anvil(stack, hub)]
            cosmos = await stack.enter_async_context(open_simd(simd))
            on_simd = await SimdAndHub(simd, cosmos, hub).client_on_simd()
            await storage.audited()
            yield VerdictLane(home, hub, storage, sides, on_simd)


async def _dev_chain(stack: AsyncExitStack, hub: HubChain) -> EvmSide:
    member = await join(stack, hub, "alpha", 1_001, pace=CALM_PACE)
    rules = 'consensus = "qbft"\n'
    return EvmSide("alpha", 1_001, member.chain.execution, member.contracts, member.client, rules)


async def _anvil(stack: AsyncExitStack, hub: HubChain) -> EvmSide:
    """It only reads the hub: the hub has no client of it, and no attestor stands for it."""
    anvil = await trio.to_thread.run_sync(stack.enter_context, running_anvil(31_337, block_time_s=1))
    for signer in (DEPLOYER, RELAYER):
        await trio.to_thread.run_sync(anvil.fund, signer.address)
    node = attested_pair.Node("beta", anvil.chain_id, anvil.url)
    contracts = await attested_pair.deploy(node)
    settings = attested_pair.settings(node, contracts.router, start_height=contracts.height)
    chain = await stack.enter_async_context(open_evm_chain(settings, Random(2)))
    deployer = Transactor(chain.execution, anvil.chain_id, DEPLOYER)
    contract = await deployment.deploy_hub_client(deployer, await hub.initial_states("07-tendermint", PARAMETERS))
    router = bytes.fromhex(contracts.router[2:])
    client = await deployment.add_client(deployer, router, contract, "attestation-0", hub.merkle_prefix)
    rules = 'consensus = "attested"\nconfirmations = 0\nattestors = ["http://127.0.0.1:9"]\n'
    return EvmSide("beta", anvil.chain_id, chain.execution, contracts, client, rules)
