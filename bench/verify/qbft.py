"""QBFT, IBFT 2.0 and Istanbul headers a second, from bytes to verdict, beside the bare cost of their seals and hashes in the same run.

Bare: each seal recovered once over the finished digest, and Keccak-256 over the finished preimages: the header under its
commit-seal hash, the account proof's nodes and the trie key. The rest is decoding, encoding of the hash form, and rules.
"""

from collections.abc import Callable, Iterator

from bench.verify.rows import Row, compared
from hutong.light_clients.bft_evm import (
    BftEvmClient,
    Consensus,
    Header,
    SealRules,
    commit_seal_hash,
    encode_header_message,
)
from hutong.light_clients.bft_evm.predicates import recover_sealer
from hutong.light_clients.crypto import keccak256, recover_eth_address
from hutong.light_clients.evm_header import encode_header
from hutong.light_clients.interface import Updated
from tests.light_clients.bft_evm.simulated_chain import ROUTER, SimulatedChain, trusting

SIZES = (4, 7, 100)


def _bare(update: Header) -> Callable[[], None]:
    digest = commit_seal_hash(update.execution, update.extra)
    preimages = [encode_header(update.execution), ROUTER, *update.account_proof]
    seals = update.extra.seals

    def run() -> None:
        for seal in seals:
            if recover_eth_address(digest, seal) is None:
                raise AssertionError("the simulated chain seals")
        for preimage in preimages:
            keccak256(preimage)

    return run


def _row(size: int, rules: SealRules) -> Row:
    chain = SimulatedChain(size, rules=rules)
    chain.advance(3)
    state, states = trusting(chain, 1)
    update = chain.update(4, 1)
    data = encode_header_message(update)
    client, now_ns = BftEvmClient(), chain.now_ns

    def whole() -> None:
        recover_sealer.cache_clear()  # each header counts as one that is seen for the first time
        if type(client.verify_header(state, states, data, now_ns)) is not Updated:
            raise AssertionError("an honest header was not accepted")

    return compared(
        f"{rules.consensus.name} header, {size} validators, {len(update.extra.seals)} seals", whole, _bare(update)
    )


def run() -> Iterator[Row]:
    """Rows for 4 to 100 validators, all sealing."""
    for size in SIZES:
        yield _row(size, SealRules())
    for consensus in (Consensus.IBFT2, Consensus.ISTANBUL):
        yield _row(SIZES[-1], SealRules(consensus))
