"""Record what the nodes of other projects answer for tests/adapters/evm: `python -m tests.nodes.evm.record_outside`.

A network seals a short chain across one sealer voted in, one that stands still, one voted out and an epoch's end. Its genesis
block holds an account in the router's place with one commitment, so that its proofs are a router's.
"""

import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import trio

from hutong.light_clients.bft_evm import Consensus
from hutong.light_clients.proofs.mpt import commitment_slot
from hutong.relay.local.chain import until
from hutong.relay.local.ports import free_port
from tests.nodes.evm.clique_geth import CONFIRMATIONS, PERIOD_S, clique_network
from tests.nodes.evm.geth_network import POLL_S, GethNetwork
from tests.nodes.evm.goquorum import goquorum_network
from tests.nodes.recorded_chain import ABSENT, CHAIN_ID, COMMITMENT, EPOCH_LENGTH, ROUTER, STORED

RECORDED = Path(__file__).resolve().parents[2] / "adapters" / "evm"
OTHERS = 8
"""Accounts beside the router's, so that the state has more than one node."""
STILL_BLOCKS, LAST_BLOCKS = 6, 3
LIMIT_S = 240
OMITTED = ("size", "totalDifficulty", "transactions", "uncles")
Make = Callable[[Path, int, int, list[str]], GethNetwork]


def with_router(network: GethNetwork, rules: str) -> GethNetwork:
    genesis = json.loads(json.dumps(network.genesis))
    slot, other = commitment_slot(STORED), commitment_slot(STORED + b"other")
    storage = {"0x" + key.hex(): "0x" + COMMITMENT.hex() for key in (slot, other)}
    genesis["alloc"] |= {f"{number:040x}": {"balance": "1"} for number in range(0x100, 0x100 + OTHERS)}
    genesis["alloc"][ROUTER[2:]] = {"balance": "0", "code": "0x00", "storage": storage}
    genesis["config"][rules]["epoch" if rules == "clique" else "epochlength"] = EPOCH_LENGTH
    return replace(network, genesis=genesis)


def with_two_f_plus_one(network: GethNetwork) -> GethNetwork:
    """Three of five seal."""
    config = {**network.genesis["config"], "transitions": [{"block": 0, "2FPlus1Enabled": True}]}
    return replace(network, genesis={**network.genesis, "config": config})


async def record(make: Make, rules: str, still: int) -> dict[str, Any]:
    """`still` sealers stand still for a while."""
    with tempfile.TemporaryDirectory() as home:
        async with trio.open_nursery() as nursery:
            network = with_router(make(Path(home), CHAIN_ID, free_port(), []), rules)
            await network.start(nursery)
            with trio.fail_after(LIMIT_S):
                await network.vote(network.candidate, add=True)
                with ExitStack() as stack:
                    for node in network.sealers[-still:]:
                        stack.enter_context(network.standing_still(node))
                    await reach(network, network.height() + STILL_BLOCKS)
                height = await network.vote(network.sealers[0], add=False)
                await reach(network, height + LAST_BLOCKS + (CONFIRMATIONS + 2 if rules == "clique" else 0))
            found = answers(network, network.height(), rules)
            nursery.cancel_scope.cancel()
        return found


async def reach(network: GethNetwork, height: int) -> None:
    await until(lambda: network.height() >= height, POLL_S)


def answers(network: GethNetwork, last: int, rules: str) -> dict[str, Any]:
    node = network.nodes[-1]
    heights = range(last + 1)
    blocks = [node.request("eth_getBlockByNumber", hex(number), False) for number in heights]
    slots = ["0x" + commitment_slot(key).hex() for key in (STORED, ABSENT)]
    proofs = {
        "account": node.request("eth_getProof", ROUTER, [], hex(last)),
        **{slot: node.request("eth_getProof", ROUTER, [slot], hex(last)) for slot in slots},
    }
    found = {
        "client": node.request("web3_clientVersion"),
        "blocks": [{name: value for name, value in block.items() if name not in OMITTED} for block in blocks],
        "proofs": proofs,
    }
    if rules == "clique":
        found |= {
            "signers": [node.request("clique_getSigners", hex(number)) for number in heights],
            "period_s": PERIOD_S,
            "confirmations": CONFIRMATIONS,
        }
    return found


QBFT: Make = partial(goquorum_network, consensus=Consensus.QBFT)
CHAINS: Mapping[str, tuple[Make, str, int]] = {
    "qbft": (QBFT, "qbft", 1),
    "qbft_2f1": (lambda *place: with_two_f_plus_one(QBFT(*place)), "qbft", 2),
    "istanbul": (partial(goquorum_network, consensus=Consensus.ISTANBUL), "ibft", 1),
    "clique": (clique_network, "clique", 1),
}


async def main(names: Sequence[str]) -> None:
    """Of the named chains, else of all."""
    for name in names or CHAINS:
        found = await record(*CHAINS[name])
        file = RECORDED / f"recorded_{name}.json"
        file.write_text(json.dumps(found, indent=1) + "\n")
        print(f"{file.name}: {len(found['blocks'])} blocks of {found['client']}")


if __name__ == "__main__":
    trio.run(main, sys.argv[1:])
