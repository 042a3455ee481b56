"""Sync-committee updates a second, 512 keys, from bytes to verdict, beside the bare cost of their signature in the same run.

Bare: the message hashed to the curve, the signature decoded, two Miller loops and one final exponentiation, over a finished sum
of keys. The rest is decoding, hash tree roots, branches, the sum, the router's account proof and rules. Uncached: the
committee's 512 keys are decoded and its root is hashed as well, which happens once a period (27 hours on mainnet).
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from bench.verify.rows import Row, compared
from hutong.light_clients.crypto import bls
from hutong.light_clients.ethereum import (
    MAINNET_PRESET,
    Bootstrap,
    EthereumClient,
    Header,
    LightClientStore,
    Update,
    beacon_block_root,
    encode_header_message,
    sync_committee_root,
)
from hutong.light_clients.ethereum.committee import decode_committee
from hutong.light_clients.ethereum.forks import signing_root
from hutong.light_clients.interface import Updated
from tests.light_clients.ethereum.simulated_beacon import FIRST_SLOT, Block, SimulatedBeacon, network_of, trusting

PERIODS = 6
START = f"bootstrap and {PERIODS} updates of new periods, 512 keys"


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


@dataclass(frozen=True, slots=True)
class Start:
    """A light client's start: a bootstrap, then an update a period, every committee new."""

    chain: SimulatedBeacon
    blocks: list[Block]
    bootstrap: Bootstrap
    updates: list[Update]

    def follow(self, bootstrap: Bootstrap, updates: Iterable[Update]) -> None:
        """With nothing remembered, to the chain's end."""
        forget_committees()
        store = LightClientStore.initialize(self.chain.network, self.blocks[0].root, bootstrap)
        for update in updates:
            store = store.process_update(update, update.signature_slot)
        if store.finalized_slot != self.blocks[-1].slot:
            raise AssertionError("the chain was not followed to its end")


def simulated_start() -> Start:
    """Of `PERIODS` periods with committees of 512."""
    network = network_of(preset=MAINNET_PRESET)
    slots = MAINNET_PRESET.period_slots
    chain = SimulatedBeacon(network, first_slot=2 * slots + 10)
    blocks = [chain.blocks[chain.slot]]
    blocks += [chain.propose((2 + period) * slots + 20, label="period") for period in range(PERIODS)]
    updates = [chain.update(block, with_committee=True) for block in blocks[1:]]
    return Start(chain, blocks, chain.bootstrap(chain.slot), updates)


def _start_row(start: Start) -> Row:
    blocks = start.blocks[1:]
    headers = [start.chain.header_of(update, block) for update, block in zip(start.updates, blocks, strict=True)]
    bares = [_bare(start.chain, header) for header in headers]

    def bare() -> None:
        for run in bares:
            run()

    return compared(START, lambda: start.follow(start.bootstrap, start.updates), bare)


def _keys_row(start: Start) -> Row:
    """What decoding a committee takes beside its keys alone, each decompressed and shown to be in the subgroup by the library."""
    committee = start.bootstrap.current_sync_committee

    def whole() -> None:
        decode_committee.cache_clear()
        decode_committee(committee)

    return compared("sync committee decoded, 512 keys", whole, lambda: bls.decode_public_keys(committee.pubkeys))


def run() -> Iterator[Row]:
    """Rows for one update with its committee cached and not, and for a client's start."""
    chain = SimulatedBeacon(network_of(preset=MAINNET_PRESET))
    chain.advance()
    yield from _update_rows(chain)
    start = simulated_start()
    yield _start_row(start)
    yield _keys_row(start)
