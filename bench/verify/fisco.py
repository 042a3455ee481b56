"""FISCO BCOS headers and event proofs a second, from bytes to verdict, beside the bare cost of their signatures and hashes.

Bare: each signature checked once over the finished block hash (recovery of secp256k1, verification of SM2), and the hash of
the finished preimages. The rest is decoding and rules.
"""

from collections.abc import Callable, Iterator

from bench.verify.rows import Row, compared
from hutong.light_clients.fisco_bcos import CryptoSuite, FiscoBcosClient, Generation, Header, encode_header_message
from hutong.light_clients.fisco_bcos import suite as suites
from hutong.light_clients.fisco_bcos.merkle import leaf_v2
from hutong.light_clients.ibc.commitment import commitment_key, packet_commitment
from hutong.light_clients.interface import Updated
from tests.light_clients.fisco_bcos.fisco_chain import FILLER, SimulatedChain, packet, receipt, sent, trusting

CASES = (
    (Generation.V2, CryptoSuite.ECDSA, 4),
    (Generation.V2, CryptoSuite.ECDSA, 100),
    (Generation.V3, CryptoSuite.ECDSA, 4),
    (Generation.V3, CryptoSuite.ECDSA, 100),
    (Generation.V2, CryptoSuite.GM, 4),
    (Generation.V3, CryptoSuite.GM, 4),
)
TRANSACTIONS = 1_000


def _bare(crypto_suite: CryptoSuite, update: Header) -> Callable[[], None]:
    sealers = update.block.sealers

    def run() -> None:
        digest = suites.digest(crypto_suite, update.encoded)
        for signature in update.signatures:
            key = sealers[signature.sealer_index].public_key
            if not suites.is_signed_by(crypto_suite, key, digest, signature.signature):
                raise AssertionError("the simulated chain signs")

    return run


def _header(generation: Generation, crypto_suite: CryptoSuite, size: int) -> Row:
    chain = SimulatedChain(generation, crypto_suite, size)
    chain.advance(3)
    state, states = trusting(chain, 1)
    update = chain.update(4, 1)
    data = encode_header_message(update)
    client, now_ns = FiscoBcosClient(), chain.now_ns

    def whole() -> None:
        if type(client.verify_header(state, states, data, now_ns)) is not Updated:
            raise AssertionError("an honest header was not accepted")

    name = f"FISCO BCOS {int(generation)} header, {crypto_suite.name}, {size} sealers, all sign"
    return compared(name, whole, _bare(crypto_suite, update))


def _event() -> Row:
    chain = SimulatedChain()
    own = receipt([sent(packet(1))])
    for data in (*[FILLER] * TRANSACTIONS, own):
        chain.include(data)
    chain.advance()
    proof = chain.proof_of(2, own)
    state, consensus_state = chain.client_state(2), chain.consensus_state(2)
    path, value = (commitment_key(packet(1)),), packet_commitment(packet(1))
    client = FiscoBcosClient()
    node, levels = leaf_v2(TRANSACTIONS + 1, chain.digest(own)), []
    for step in chain.steps(2, TRANSACTIONS + 1):
        levels.append(b"".join((*step.left, node, *step.right)))
        node = chain.digest(levels[-1])

    def bare() -> None:
        for preimage in (own, *levels):
            chain.digest(preimage)

    return compared(
        f"FISCO BCOS 2 event in a block of {TRANSACTIONS + 2} receipts",
        lambda: client.verify_membership(state, consensus_state, proof, path, value),
        bare,
    )


def run() -> Iterator[Row]:
    """Headers of both generations and suites, and an event proof."""
    for case in CASES:
        yield _header(*case)
    yield _event()
