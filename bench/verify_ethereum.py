"""Sync-committee updates a second, 512 keys, from bytes to verdict, beside the bare cost of their signature in the same run.

Bare: the message hashed to the curve, the signature decoded, two Miller loops and one final exponentiation, over a finished sum
of keys. The rest is decoding, hash tree roots, branches, the sum, the router's account proof and rules. Uncached: the
committee's 512 keys are decoded and its root is hashed as well, which happens once a period (27 hours on mainnet).
"""

from collections.abc import Callable, Iterator

from bench.rows import Row, compared
from light_clients.crypto import bls
from light_clients.ethereum import (
    MAINNET_PRESET,
    EthereumClient,
    Header,
    LightClientStore,
    beacon_block_root,
    encode_header_message,
    sync_committee_root,
)
from light_clients.ethereum.committee import decode_committee
from light_clients.ethereum.forks import signing_root
from light_clients.interface import Updated
from tests.light_clients.ethereum.simulated_beacon import FIRST_SLOT, SimulatedBeacon, network_of, trusting

PERIODS = 6


def forget_committees() -> None:
    """The next update decodes its committee again."""
    decode_committee.cache_clear()
    sync_committee_root.cache_clear()


def _bare(chain: SimulatedBeacon, header: Header) -> Callable[[], None]:
    update = header.update
    key = decode_committee(header.sync_committee).sum_of(update.sync_aggregate)
    domain = chain.network.sync_committee_domain(update.signature_slot)
    message = signing_root(beacon_block_root(update.attested_header.beacon), domain)

    def run() -> None:
        if not bls.verify_under_sum(key, message, update.sync_aggregate.signature):
            raise AssertionError("the simulated committee signs")

    return run


def _update_rows(chain: SimulatedBeacon) -> Iterator[Row]:
    client, now_ns = EthereumClient(), chain.now_ns
    state, states = trusting(chain, FIRST_SLOT)
    for name, how in (
        ("with the next committee, all sign", {"with_committee": True}),
        ("finality only, 12 absent", {"members": range(500)}),
    ):
        header = chain.header(FIRST_SLOT + 1, **how)
        message = encode_header_message(header)

        def whole(message: bytes = message) -> None:
            if type(client.verify_header(state, states, message, now_ns)) is not Updated:
                raise AssertionError("an honest update was not accepted")

        def uncached(message: bytes = message) -> None:
            forget_committees()
            whole(message)

        bare = _bare(chain, header)
        yield compared(f"sync-committee update, 512 keys, {name}, committee cached", whole, bare)
        yield compared(f"sync-committee update, 512 keys, {name}, committee decoded anew", uncached, bare)


def _sync_row() -> Row:
    """A light client's start: a bootstrap, then an update a period, every committee new."""
    network = network_of(preset=MAINNET_PRESET)
    slots = MAINNET_PRESET.period_slots
    chain = SimulatedBeacon(network, first_slot=2 * slots + 10)
    blocks = [chain.blocks[chain.slot]]
    blocks += [chain.propose((2 + period) * slots + 20, label="period") for period in range(PERIODS)]
    updates = [chain.update(block, with_committee=True) for block in blocks[1:]]
    bootstrap, root = chain.bootstrap(chain.slot), blocks[0].root
    headers = [chain.header_of(update, block) for update, block in zip(updates, blocks[1:], strict=True)]
    bares = [_bare(chain, header) for header in headers]

    def whole() -> None:
        forget_committees()
        store = LightClientStore.initialize(network, root, bootstrap)
        for update in updates:
            store = store.process_update(update, update.signature_slot)
        if store.finalized_slot != blocks[-1].slot:
            raise AssertionError("the chain was not followed to its end")

    def bare() -> None:
        for run in bares:
            run()

    return compared(f"bootstrap and {PERIODS} updates of new periods, 512 keys", whole, bare)


def run() -> Iterator[Row]:
    """Rows for one update with its committee cached and not, and for a client's start."""
    chain = SimulatedBeacon(network_of(preset=MAINNET_PRESET))
    chain.advance()
    yield from _update_rows(chain)
    yield _sync_row()
