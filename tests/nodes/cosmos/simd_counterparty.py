"""What a Cosmos chain's transactions are tried with: a real simd, and a chain in memory whose real keys sign its headers."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from random import Random

import trio

from hutong.adapters.cosmos import CosmosChain, CosmosSettings, open_cosmos_chain
from hutong.adapters.cosmos.administration import create_client, register_counterparty
from hutong.adapters.interface import InitialStates, RecvPacket, TransactionOutcome, UpdateClient
from hutong.light_clients.ibc.commitment import commitment_key, packet_commitment
from hutong.light_clients.ibc.packet import Packet, Payload
from hutong.light_clients.ibc.transfer import TransferData, encode_transfer
from hutong.light_clients.tendermint.codec import encode_client_state, encode_consensus_state, encode_tendermint_header
from hutong.relay.keys import Signer
from tests.light_clients.tendermint.simulated_chain import SimulatedChain
from tests.nodes.cosmos.simd_chain import GAS_PRICE, SimdChain

COUNTERPARTY_CLIENT = "07-tendermint-77"
WAIT_S = 600


def settings_of(chain: SimdChain, **changes) -> CosmosSettings:
    settings = CosmosSettings("simd", chain.chain_id, (chain.rpc,), "cosmos", GAS_PRICE, 10**7, ws=(chain.ws,))
    return replace(settings, **changes)


@asynccontextmanager
async def opened(chain: SimdChain, **changes) -> AsyncIterator[CosmosChain]:
    async with open_cosmos_chain(settings_of(chain, **changes), Random(1)) as adapter:
        yield adapter


async def outcome_of(adapter: CosmosChain, transaction_hash: bytes) -> TransactionOutcome:
    with trio.fail_after(WAIT_S):
        while True:
            outcome = await adapter.outcome(transaction_hash)
            if outcome is not None:
                return outcome
            await adapter.wait_for_height((await adapter.head()).height + 1)


@dataclass
class Counterparty:
    """A chain that simd follows by `client`; its packets are put into its state by hand."""

    adapter: CosmosChain
    signer: Signer
    chain: SimulatedChain = field(
        default_factory=lambda: SimulatedChain("sim-1", genesis_time_ns=time.time_ns() - 600 * 10**9)
    )
    client: str = ""
    trusted: int = 0
    sequence: int = 0

    async def join(self) -> "Counterparty":
        self.chain.advance(3)
        self.trusted = 4
        states = InitialStates(
            "07-tendermint",
            self.chain.height(4),
            encode_client_state(self.chain.client_state(4)),
            encode_consensus_state(self.chain.consensus_state(4)),
        )
        self.client = await create_client(self.adapter, self.signer, states)
        await register_counterparty(self.adapter, self.signer, self.client, COUNTERPARTY_CLIENT, (b"",))
        return self

    def packet(self, receiver: str, amount: int = 5) -> Packet:
        """A token packet that the counterparty sends next."""
        self.sequence += 1
        data = TransferData("simtoken", "0x" + "11" * 20, receiver, amount)
        value = encode_transfer(data, "application/json")
        payload = Payload("transfer", "transfer", "ics20-1", "application/json", value)
        packet = Packet(self.sequence, COUNTERPARTY_CLIENT, self.client, int(time.time()) + 3_600, (payload,))
        self.chain.put(commitment_key(packet), packet_commitment(packet))
        return packet

    def update(self) -> UpdateClient:
        """Two blocks more: what was put is provable at the second."""
        self.chain.advance(2)
        height = len(self.chain.blocks)
        header = encode_tendermint_header(self.chain.update(height, self.trusted))
        self.trusted = height
        return UpdateClient(self.client, header)

    def receive(self, packet: Packet) -> RecvPacket:
        """With a proof at the newest update."""
        proof, _, _ = self.chain.prove(commitment_key(packet), self.trusted)
        return RecvPacket(packet, proof, self.chain.height(self.trusted))
