"""The simulated chain passes the suite, in both directions of trust."""

import pytest

from hutong.adapters.simulated import ChainTraits, SimulatedAdapter, SimulatedChain
from hutong.light_clients.ibc.packet import Payload
from hutong.relay.keys import Signer
from tests.adapters.conformance.suite import CHECKS, End, Link, check_poor_sender

GENESIS_TIME_S = 1_760_000_000


def simulated_link(traits: ChainTraits = ChainTraits()) -> Link:
    alpha = SimulatedChain("alpha", 1001, genesis_time_s=GENESIS_TIME_S, traits=traits)
    beta = SimulatedChain("beta", 1002, genesis_time_s=GENESIS_TIME_S, traits=traits)
    signer = Signer.in_memory(bytes(31) + b"\x07")
    clients = {}
    for _ in range(4):
        alpha.produce_block()
        beta.produce_block()
    for chain, other in ((alpha, beta), (beta, alpha)):
        chain.fund(signer.address, 10**18)
        clients[chain.name] = chain.create_client("bft-evm", *other.states_at(1, 7 * 86_400, 10))
    for chain, other in ((alpha, beta), (beta, alpha)):
        chain.register_counterparty(clients[chain.name], clients[other.name], (b"",))
    for _ in range(4):
        alpha.produce_block()
        beta.produce_block()

    async def send(value: bytes, timeout_s: int) -> None:
        alpha.send(clients["alpha"], timeout_s, Payload("echo", "echo", "echo-1", "application/octet-stream", value))

    async def advance() -> None:
        alpha.produce_block()
        beta.produce_block()

    return Link(
        End(SimulatedAdapter(alpha), clients["alpha"], signer),
        End(SimulatedAdapter(beta), clients["beta"], signer),
        send,
        advance,
    )


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize(
    "traits", [ChainTraits(), ChainTraits(finality_depth=2, validators=1)], ids=["instant", "two-blocks"]
)
async def test_conformance(check, traits):
    await check(simulated_link(traits))


async def test_poor_sender():
    await check_poor_sender(simulated_link(), Signer.in_memory(bytes(31) + b"\x09"))
