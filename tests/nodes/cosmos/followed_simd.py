"""A real hub beside a real simd, each of which may hold clients of the other."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import trio

from hutong.adapters.cosmos import CosmosChain, CosmosSettings, open_cosmos_chain
from hutong.adapters.cosmos.administration import create_client, register_counterparty
from hutong.adapters.hub import HubChain, admin
from hutong.adapters.ics26.transactor import Transactor
from hutong.adapters.interface import (
    Batch,
    ChainAdapter,
    EndpointUnavailable,
    Message,
    RecvPacket,
    RefusedByChain,
    Signer,
    SubmitMisbehaviour,
    UpdateClient,
)
from hutong.adapters.rpc import RpcOptions
from hutong.light_clients.ibc.packet import Packet, Payload
from hutong.light_clients.interface import ClientStatus, Height
from hutong.light_clients.tendermint.codec import decode_tendermint_header, encode_misbehaviour
from hutong.light_clients.tendermint.types import Misbehaviour, TendermintHeader
from tests.adapters.conformance.lane import ADMIN, HUB_EVM_CHAIN_ID, PARAMETERS, POLL_S, QUICK, RELAYER, running_hub
from tests.adapters.conformance.suite import submit_alone
from tests.nodes.cosmos.simd_chain import GAS_PRICE, SimdChain

CLIENT_TYPE = "07-tendermint"
TIMEOUT_S = 3_600


@asynccontextmanager
async def open_simd(
    simd: SimdChain, poll_interval_s: float = 0.1, options: RpcOptions = QUICK
) -> AsyncIterator[CosmosChain]:
    """The product's adapter of a running simd."""
    settings = CosmosSettings(
        name="simd",
        chain_id=simd.chain_id,
        rpc=(simd.rpc,),
        ws=(simd.ws,),
        bech32_prefix="cosmos",
        gas_price=GAS_PRICE,
        max_fee=10**6,
        poll_interval_s=poll_interval_s,
        options=options,
    )
    async with open_cosmos_chain(settings, Random(3)) as chain:
        yield chain


@dataclass
class Follower:
    """A client of `source` on `host`; `signer` pays for what is submitted to it."""

    host: ChainAdapter
    source: ChainAdapter
    client: str
    signer: Signer = RELAYER

    async def status(self) -> ClientStatus:
        return (await self.host.client(self.client)).status

    async def latest_height(self) -> Height:
        return (await self.host.client(self.client)).latest_height

    async def headers(self, target: Height, trusted: Height | None = None) -> tuple[bytes, ...]:
        """The source's own headers from `trusted`, by default the client's latest height."""
        info = await self.host.client(self.client)
        return await self.source.client_messages(
            info.client_type, info.client_state, info.latest_height if trusted is None else trusted, target
        )

    async def real_header(self, ahead: int = 2) -> TendermintHeader:
        """An honest header above the client's latest height, in one step from it."""
        latest = await self.latest_height()
        target = Height(latest.revision_number, max(latest.revision_height, (await self.source.head()).height) + ahead)
        await self.source.wait_for_height(target.revision_height)
        (header,) = await self.headers(target)
        return decode_tendermint_header(header)

    async def refresh(self) -> Height:
        """Bring the client to the source's newest header, as the relay's keeper does."""
        latest = await self.latest_height()
        await self.source.wait_for_height(latest.revision_height + 1)
        target = self.source.proving_height((await self.source.head()).height - 1)
        headers = await self.headers(target)
        failure = await self.submit(*(UpdateClient(self.client, header) for header in headers))
        assert failure is None, failure
        return await self.latest_height()

    async def submit(self, *messages: Message) -> str | None:
        """Submit as a relay does, one transaction; the reason of the first message that the chain refused.

        A chain of atomic batches says it in its simulation: stock code runs the messages there as in a block.
        """
        if self.host.atomic_batches:
            batch, sender = Batch(messages), self.host.address_of(self.signer)
            try:
                prepared = await self.host.prepare(batch, sender)
            except RefusedByChain as refused:
                return str(refused)
            if not all(prepared.expected):
                return await self.host.refusal(batch, sender)
        _, _, outcome = await submit_alone(self.host, self.signer, list(messages))
        failures = (outcome.failure_of(index) for index in range(len(messages)))
        return next((failure for failure in failures if failure is not None), None)


def evidence(follower: Follower, one, two) -> SubmitMisbehaviour:
    return SubmitMisbehaviour(follower.client, encode_misbehaviour(Misbehaviour(follower.client, one, two)))


def unproven_packet(follower: Follower, counterparty: str) -> RecvPacket:
    """Refused in any case; what for depends on the client's status."""
    payload = Payload("transfer", "transfer", "ics20-1", "application/json", b"{}")
    packet = Packet(1, counterparty, follower.client, 2**32, (payload,))
    return RecvPacket(packet, b"\x0a\x00", Height(1, 1))


def unsigned(header):
    """The same block, and a commit in which nobody's signature is right."""
    commit = header.signed_header.commit
    forged = tuple(replace(entry, signature=bytes(64)) for entry in commit.signatures)
    return replace(header, signed_header=replace(header.signed_header, commit=replace(commit, signatures=forged)))


class SimdAndHub:
    """Both chains, and the hub's admin."""

    def __init__(self, simd: SimdChain, cosmos: CosmosChain, hub: HubChain) -> None:
        self.simd, self.cosmos, self.hub = simd, cosmos, hub
        self._administrator = Transactor(hub.execution, HUB_EVM_CHAIN_ID, ADMIN)
        self._salt = 0

    async def client_on_hub(self, parameters=PARAMETERS) -> Follower:
        """By admin action, at simd's newest header."""
        states = await self.cosmos.initial_states(CLIENT_TYPE, parameters)
        receipt = await self._act(admin.create_client, states.client_type, states.client_state, states.consensus_state)
        return Follower(self.hub, self.cosmos, admin.created_client(receipt))

    async def client_on_simd(self, parameters=PARAMETERS) -> Follower:
        """By the relayer's own transaction, at the hub's newest header."""
        states = await self.hub.initial_states(CLIENT_TYPE, parameters)
        return Follower(self.cosmos, self.hub, await create_client(self.cosmos, RELAYER, states))

    async def register_on_hub(self, client: str, counterparty: str) -> None:
        """The counterparty is a client on simd."""
        await self._act(admin.register_counterparty, client, counterparty, self.cosmos.merkle_prefix)

    async def register_on_simd(self, client: str, counterparty: str) -> None:
        """The counterparty is a client on the hub."""
        await register_counterparty(self.cosmos, RELAYER, client, counterparty, self.hub.merkle_prefix)

    async def recover_on_hub(self, subject: str, substitute: str) -> None:
        await self._act(admin.recover_client, subject, substitute)

    async def _act(self, kind, *arguments):
        self._salt += 1
        action = kind(self._salt, *arguments)
        return await admin.approve_and_execute([self._administrator], self.hub.chain_id, action)


async def first_block(hub: HubChain) -> None:
    """Wait for it: before its first block a new hub has no commit to show."""
    while True:
        try:
            await hub.head()
        except EndpointUnavailable:
            await trio.sleep(POLL_S)
        else:
            return


@asynccontextmanager
async def simd_and_hub(home: Path, simd: SimdChain) -> AsyncIterator[SimdAndHub]:
    """A fresh one-validator hub beside a simd that is shared by tests."""
    with trio.fail_after(TIMEOUT_S):
        async with running_hub(home) as hub, open_simd(simd) as cosmos:
            await first_block(hub)
            yield SimdAndHub(simd, cosmos, hub)
