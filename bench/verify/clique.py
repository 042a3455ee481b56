"""Clique blocks a second, from an update's bytes to the verdict, beside the bare cost of their seals and hashes in the same run.

Bare: each seal recovered once over the finished digest, and Keccak-256 over the finished preimages of both hashes.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from bench.verify.rows import Row, compared
from hutong.light_clients.clique import CliqueClient, Header, encode_header_message
from hutong.light_clients.crypto import keccak256, recover_eth_address
from hutong.light_clients.evm_header import encode_header
from hutong.light_clients.interface import Updated
from tests.light_clients.clique.simulated_clique_chain import SimulatedCliqueChain, trusting

SIZES = (1, 100)


def _bare(update: Header) -> Callable[[], None]:
    seals = [(block.seal_hash, block.seal) for block in update.blocks]
    preimages: list[bytes] = []
    for block in update.blocks:
        unsealed = replace(block.execution, extra_data=block.execution.extra_data[:-65])
        preimages += [encode_header(block.execution), encode_header(unsealed)]

    def run() -> None:
        for digest, seal in seals:
            if recover_eth_address(digest, seal, allow_high_s=True) is None:
                raise AssertionError("the simulated chain seals")
        for preimage in preimages:
            keccak256(preimage)

    return run


def _row(size: int) -> Row:
    chain = SimulatedCliqueChain(5)
    chain.main.advance(size + 5)
    state, states = trusting(chain, 2)
    update = chain.update(2 + size, 2)
    data = encode_header_message(update)
    client, now_ns = CliqueClient(), chain.time_ns(chain.main.height)

    def whole() -> None:
        if type(client.verify_header(state, states, data, now_ns)) is not Updated:
            raise AssertionError("an honest branch was not accepted")

    return compared(f"Clique update, {size} and {chain.confirmations} blocks, 5 signers", whole, _bare(update))


def run() -> Iterator[Row]:
    """Rows for updates of one block and of a hundred."""
    for size in SIZES:
        yield _row(size)
