"""A relay whose key is elsewhere: what a signer that is away, refuses or lies does to it."""

from contextlib import asynccontextmanager

import pytest
import trio

from hutong.adapters.interface import SignerFaulty, SignerUnavailable, SigningRefused
from hutong.light_clients.crypto import secp256k1
from hutong.relay.keys import Signer
from hutong.relay.keys.sources.in_memory import KeyInMemory
from hutong.relay.ledger import LedgerReader, why
from tests.relay.core.world import CLIENT, World, making_blocks
from tests.relay.keys.test_eth1_signer_source import source_of
from tests.relay.keys.web3signer import web3signer

SECRET = bytes(31) + b"\x01"


class Elsewhere(KeyInMemory):
    """Its key, and `failure` in the place of signatures while there is one."""

    def __init__(self) -> None:
        super().__init__(SECRET, "a signer elsewhere")
        self.failure: Exception | None = None
        self.asked = 0

    async def sign(self, document):
        self.asked += 1
        await trio.lowlevel.checkpoint()
        if self.failure is not None:
            raise self.failure
        return await super().sign(document)


@pytest.fixture
def world(tmp_path, valkey):
    return World(tmp_path, valkey.url)


FAILURES = {
    "away": (SignerUnavailable, "start what holds the relay's key"),
    "refuses": (SigningRefused, "look at the policy"),
    "lies": (SignerFaulty, "look at the policy"),
}


async def why_of(world, process, sequence):
    """As `hutong why` says it."""
    await process.ledger.flush()
    reader = LedgerReader.open_file(world.directory / "hutong" / world.signer.address / "ledger.sqlite")
    try:
        return why(f"alpha/{CLIENT}/{sequence}", reader, world.now_ns())
    finally:
        reader.close()


@pytest.mark.long
@pytest.mark.parametrize("name", FAILURES)
async def test_parity_row_71_a_signer_that_fails_for_five_minutes_loses_nothing(world, name, autojump_clock):
    error, remedy = FAILURES[name]
    source = Elsewhere()
    process = world.relay(signer=Signer(source))
    async with making_blocks(world), process.running():
        world.send("alpha", 3)
        await world.all_settled(3)
        source.failure = error("a signer elsewhere", "is away")
        world.send("alpha", 5)
        await trio.sleep(300)
        assert world.received() == 3 and len(world.unsettled()) == 5
        asked_while_away = source.asked
        said = await why_of(world, process, 4)
        assert "a signer elsewhere: is away" in said.waits_for and remedy in said.remedy
        source.failure = None
        world.send("alpha", 1)
        await world.all_settled(9, at_most_s=300)
    assert world.received() == 9 and world.paid_in_vain() == 0
    assert asked_while_away < 200, "it is asked ever less often"


class Stall:
    """In the place of the signer's event: each request waits ten seconds, twice the time that it is given."""

    async def wait(self) -> None:
        await trio.sleep(10)


def lying(signature: bytes) -> bytes:
    return signature[:32] + bytes(32) + signature[64:]


def another_keys(signature: bytes) -> bytes:
    return secp256k1.sign_recoverable(bytes(31) + b"\x07", bytes(32))


SIGNER_FAULTS = {
    "10 s stall": ({"stalls": Stall()}, {"stalls": None}),
    "500s": ({"fails": [500] * 10_000}, {"fails": []}),
    "wrong signature": ({"lie": lying}, {"lie": lambda signature: signature}),
    "other key's signature": ({"lie": another_keys}, {"lie": lambda signature: signature}),
}


@asynccontextmanager
async def relaying_by(signer, world):
    """A relay whose key that signer holds, over HTTP."""
    source = source_of(signer.url, secp256k1.public_key_of(SECRET))
    process = world.relay(signer=Signer(source))
    async with making_blocks(world), process.running():
        yield process
    await source.aclose()


@pytest.mark.long
@pytest.mark.parametrize("name", SIGNER_FAULTS)
async def test_row_30_a_stock_signer_that_fails_sends_nothing_wrong_and_skips_no_nonce(world, name, autojump_clock):
    autojump_clock.autojump_threshold = 0.02  # a request is on its way in the system for a moment
    broken, mended = SIGNER_FAULTS[name]
    async with web3signer(SECRET) as signer, relaying_by(signer, world):
        world.send("alpha", 2)
        await world.all_settled(2)
        for member, value in broken.items():
            setattr(signer, member, value)
        world.send("alpha", 3)
        await trio.sleep(120)
        assert world.received() == 2 and len(world.unsettled()) == 3
        for member, value in mended.items():
            setattr(signer, member, value)
        await world.all_settled(5, at_most_s=300)
    assert world.received() == 5 and world.paid_in_vain() == 0
    for chain in ("alpha", "beta"):
        # The chain takes the sender from the signature: a wrong one would be of somebody else.
        sent = [receipt.transaction for receipt in world.transactions(chain)]
        assert {one.sender for one in sent} == {world.signer.address} and not world.chains[chain].pool
        assert [one.nonce for one in sent] == list(range(len(sent)))
