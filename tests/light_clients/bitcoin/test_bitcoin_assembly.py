"""States, updates and proofs made of a node's answers are what the client takes; the page's text is run as it stands."""

import re
from pathlib import Path

import pytest

from hutong.light_clients.bitcoin import BitcoinClient, Network, message_proof
from hutong.light_clients.bitcoin.types import display
from hutong.light_clients.bitcoin.wire import compact_size
from hutong.light_clients.interface import Height, MemoryConsensusStates, Updated
from tests.light_clients.bitcoin.bitcoin_chain import DEPTH, PUBLISHER, SimulatedChain, funding_of

PAGE = Path(__file__).resolve().parents[3] / "docs" / "light-clients" / "bitcoin.md"
KEY, VALUE = b"client-0\x01" + (1).to_bytes(8, "big"), bytes(range(1, 33))


def page_text() -> str:
    (text,) = re.findall(r"```python\n(.*?)\n```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return text


def raw_block(block) -> bytes:
    transactions = b"".join(tx.serialized for tx in block.transactions)
    return block.header.encode() + compact_size(len(block.transactions)) + transactions


class Node:
    """Answers of a node that has the simulated chain."""

    def __init__(self, chain: SimulatedChain) -> None:
        self.blocks = {display(block.state.block_hash): block for block in chain.blocks}
        self.hashes = list(self.blocks)
        self.transactions = {display(at.funding.txid): at.funding for at in chain.published.values()}

    def rpc(self, method: str, *params):
        return {
            "getblockcount": lambda: len(self.hashes) - 1,
            "getblockhash": lambda height: self.hashes[height],
            "getblockheader": lambda block, verbose: self.blocks[block].header.encode().hex(),
            "getblock": lambda block, verbosity: raw_block(self.blocks[block]).hex(),
            "getrawtransaction": lambda txid: self.transactions[txid].serialized.hex(),
        }[method](*params)


def judged(made: dict) -> None:
    """Create, update, prove, with nothing but the bytes."""
    client = BitcoinClient()
    created = client.create(made["client_state"], made["consensus_state"], made["now_ns"])
    states = MemoryConsensusStates({created.latest_height: made["consensus_state"]})
    verdict = client.verify_header(made["client_state"], states, made["update"], made["now_ns"])
    assert isinstance(verdict, Updated)
    assert verdict.height == Height(0, made["believed"])
    client.verify_membership(verdict.client_state, verdict.consensus_state, made["proof"], (KEY,), VALUE)


def test_text_of_the_page_makes_what_the_client_takes():
    chain = SimulatedChain()
    chain.publish((b"other", VALUE), (KEY, VALUE))
    chain.advance(5)
    published = chain.published[KEY]
    names = {
        "rpc": Node(chain).rpc,
        "network": Network.REGTEST,
        "trusted": 12,
        "depth": DEPTH,
        "publisher_script": PUBLISHER,
        "published": published.height,
        "funding_txid": display(published.funding.txid),
        "key": KEY,
        "value": VALUE,
    }
    exec(page_text(), names)
    judged({**names, "now_ns": chain.now_ns})
    assert names["consensus_state"] == chain.consensus_state(12)


@pytest.mark.parametrize(
    ("key", "value", "funding"), [(b"none", VALUE, None), (KEY, VALUE[::-1], None), (KEY, VALUE, funding_of(77))]
)
def test_block_without_the_message_is_named(key, value, funding):
    chain = SimulatedChain()
    chain.publish((KEY, VALUE))
    block = chain.blocks[-1]
    funding = funding or chain.published[KEY].funding
    with pytest.raises(ValueError, match=f"spends from {display(funding.txid)}"):
        message_proof((block.header,), raw_block(block), key, value, funding.serialized)
