"""A relay towards a chain whose pool replaces nothing and whose batches are atomic, as those of the Cosmos SDK are."""

from dataclasses import replace

import pytest
import trio
from sqlalchemy import select

from hutong.adapters.interface import PreparedTransaction
from hutong.adapters.simulated import OutOfGas
from hutong.relay.config import FeeLimits
from hutong.relay.core.account.account import MAX_REFUSALS, REPLACE_AFTER_S
from hutong.relay.core.account.recording import _prepared, _prepared_text
from hutong.relay.dispatch import Route
from hutong.relay.ledger.store.tables import TransactionRow
from tests.relay.core.world import CLIENT, FORTUNE_WEI, World, key, making_blocks

TO_BETA = Route("alpha", "beta", CLIENT)


@pytest.fixture
def world(tmp_path, valkey):
    return World(tmp_path, valkey.url, sequenced="beta")


def variants(process) -> dict[int, list[str]]:
    """States of all transactions that were ever signed for beta, by nonce."""
    with process.ledger.engine.connect() as connection:
        rows = connection.execute(
            select(TransactionRow.nonce, TransactionRow.state).where(TransactionRow.chain == "beta")
        ).all()
    found: dict[int, list[str]] = {}
    for nonce, state in rows:
        found.setdefault(nonce, []).append(state)
    return found


async def test_packets_settle_and_every_transaction_is_signed_once(world, autojump_clock):
    async with making_blocks(world), world.relay().running() as process:
        for _ in range(5):
            world.send("alpha", 6)
            world.send("beta", 2)
            await trio.sleep(0.7)
        await world.all_settled(30)
        await world.all_settled(10, "beta")
        await process.ledger.flush()
        assert all(states == ["included"] for states in variants(process).values())
        assert [receipt.transaction.nonce for receipt in world.transactions("beta")] == sorted(variants(process))
    assert all(receipt.reverted is None for receipt in world.transactions("beta"))


@pytest.mark.long
async def test_attack_G4_pending_transaction_is_sent_again_and_never_replaced(world, autojump_clock):
    async with making_blocks(world), world.relay().running() as process:
        await trio.sleep(1)
        world.send("alpha", 3)
        await world.until(lambda: world.chains["beta"].pool)
        world.pause_blocks = True
        await trio.sleep(3 * REPLACE_AFTER_S)
        assert [len(states) for states in variants(process).values()] == [1]
        world.pause_blocks = False
        await world.all_settled(3)
    assert world.received() == 3


async def test_attack_G4_dropped_pools_leave_no_gap_and_no_second_variant(world, autojump_clock):
    async with making_blocks(world), world.relay().running() as process:
        for _ in range(6):
            world.send("alpha", 3)
            await trio.sleep(0.6)
            world.chains["beta"].drop_pool()
        await world.all_settled(18, at_most_s=300)
        nonces = [receipt.transaction.nonce for receipt in world.transactions("beta")]
        assert nonces == list(range(len(nonces)))
        assert all("included" in states for states in variants(process).values())


async def test_attack_G4_transaction_that_pools_refuse_for_good_gives_its_nonce_to_another(
    world, autojump_clock, capsys
):
    """As when another relayer's delivery makes ours redundant while it waits."""
    beta = world.chains["beta"]
    async with making_blocks(world), world.relay().running():
        await trio.sleep(1)
        world.send("alpha", 2)
        await world.until(lambda: beta.pool)
        refusals = []

        def redundant(transaction):
            refusals.append(transaction.hash)
            return "packet messages are redundant" if len(refusals) <= MAX_REFUSALS + 3 else None

        beta.refuses = redundant
        beta.check_pool_again()
        assert not beta.pool
        await world.all_settled(2, at_most_s=300)
        world.send("alpha", 2)
        await world.all_settled(4)
    assert "pools refuse it now: packet messages are redundant" in capsys.readouterr().out
    nonces = [receipt.transaction.nonce for receipt in world.transactions("beta")]
    assert nonces == list(range(len(nonces)))
    assert world.received() == 4


async def test_attack_G4_what_waits_for_a_refused_transaction_does_not_wait_for_ever(world, autojump_clock):
    beta = world.chains["beta"]
    async with making_blocks(world), world.relay().running() as process:
        await trio.sleep(1)
        world.pause_blocks = True
        for _ in range(7):
            world.send("alpha", 2)
            world.chains["alpha"].produce_block(
                max(world.now_ns() // 10**9, world.chains["alpha"].newest.header.timestamp_s)
            )
            count = len(beta.pool)
            await world.until(lambda count=count: len(beta.pool) > count)
        (first, *later) = sorted(beta.pool.values(), key=lambda transaction: transaction.nonce)
        assert len(later) == 6
        beta.refuses = lambda transaction: "redundant" if transaction.hash == first.hash else None
        beta.check_pool_again()
        assert not beta.pool
        world.pause_blocks = False
        await world.all_settled(14, at_most_s=200)
        with process.ledger.engine.connect() as connection:
            lost = connection.execute(
                select(TransactionRow.nonce, TransactionRow.reason).where(TransactionRow.state == "replaced")
            ).all()
        assert (0, "pools refuse it now: redundant") in lost
        for transaction in later:
            assert (transaction.nonce, "the one of nonce 0 before it is refused now") in lost
        nonces = [receipt.transaction.nonce for receipt in world.transactions("beta")]
        assert nonces == list(range(len(nonces)))
        assert await process.ledger.open_transactions("beta", world.signer.address) == []


async def test_attack_G4_crash_with_a_pending_transaction_delivers_it_once(world, autojump_clock):
    async with making_blocks(world):
        async with world.relay().running():
            await trio.sleep(1)
            world.pause_blocks = True
            world.send("alpha", 2)
            for name in world.chains:
                if name == "alpha":
                    world.chains[name].produce_block(world.now_ns() // 10**9)
            await world.until(lambda: world.chains["beta"].pool)
        world.chains["beta"].drop_pool()
        world.pause_blocks = False
        async with world.relay().running() as second:
            await world.all_settled(2)
            assert list(variants(second).values()) == [["included"]]
    assert world.received() == 2


def fails_in_blocks(world, guilty: bytes):
    def app(packet):
        if world.chains["beta"].executing and packet.payloads[0].value == guilty:
            raise OutOfGas
        return b"\x01"

    return app


@pytest.mark.parametrize("named", [True, False])
async def test_attack_G6_one_message_undoes_a_batch_and_alone_pays_for_it(world, autojump_clock, named):
    """Its simulation succeeds, so that only the block tells. The others are delivered, and no attempt is counted for them."""
    beta = world.chains["beta"]
    beta.names_guilty = named
    beta.apps["moody"] = fails_in_blocks(world, b"poison")
    async with making_blocks(world), world.relay(max_attempts=3).running() as process:
        await trio.sleep(1)
        world.send("alpha", 2, port="moody", value=b"good")
        world.send("alpha", 1, port="moody", value=b"poison")
        world.send("alpha", 2, port="moody", value=b"good")
        await world.until(lambda: len(world.unsettled()) == 1 and world.received() == 4, at_most_s=120)
        letters = []
        with trio.fail_after(300):
            while not letters:
                await trio.sleep(1)
                letters = await process.queue.dead_letters(TO_BETA)
        assert [letter.id for letter in letters] == [f"receive:alpha/{CLIENT}/3"]
        assert "3 attempts" in letters[0].reason
        reverted = [receipt for receipt in world.transactions("beta") if receipt.reverted is not None]
        # the guilty message's three attempts, and where nobody is named the batch that showed it before
        assert len(reverted) == (3 if named else 4)
        costs = {one.chain: one for one in await process.ledger.costs()}
        assert costs["beta"].reverted == len(reverted)
    nonces = [receipt.transaction.nonce for receipt in world.transactions("beta")]
    assert nonces == list(range(len(nonces)))


@pytest.mark.long
async def test_attack_G8_batch_above_the_cap_of_fixed_fees_is_made_smaller(world, autojump_clock):
    process = world.relay()
    (account,) = process.relay.accounts["beta"]
    account.fees = FeeLimits(max_fee_wei=14 * 1_500_000, max_fee_per_gas_wei=1)
    world.send("alpha", 30)
    for chain in world.chains.values():
        chain.produce_block()
    async with making_blocks(world), process.running():
        await world.all_settled(30)
    assert len(world.transactions("beta")) > 2
    assert all(receipt.transaction.gas <= 1_500_000 for receipt in world.transactions("beta"))


@pytest.mark.long
async def test_attack_G8_empty_wallet_waits_with_its_reason(world, autojump_clock, capsys):
    world.chains["beta"].fund(world.signer.address, -FORTUNE_WEI)
    async with making_blocks(world), world.relay().running():
        await trio.sleep(1.5)
        world.send()
        await trio.sleep(60)
        assert world.transactions("beta") == [] and not world.chains["beta"].pool
        world.chains["beta"].fund(world.signer.address, FORTUNE_WEI)
        await world.all_settled(1)
    output = capsys.readouterr()
    assert "cannot pay" in output.out + output.err


async def test_attack_G4_two_processes_with_one_key_settle_everything(world, autojump_clock):
    async with making_blocks(world), world.relay(prefix="one").running():
        async with world.relay(prefix="two").running():
            world.send("alpha", 8)
            await trio.sleep(0.5)
            world.send("beta", 8)
            await world.all_settled(8, "alpha", at_most_s=600)
            await world.all_settled(8, "beta", at_most_s=600)
    assert world.received("alpha") == world.received("beta") == 8


@pytest.mark.long
async def test_attack_G7_another_relayer_wins(world, autojump_clock):
    async with making_blocks(world), world.relay(prefix="ours").running() as ours:
        async with world.relay(signer=key(2), prefix="theirs").running():
            for _ in range(6):
                world.send("alpha", 4)
                await trio.sleep(0.9)
            await world.all_settled(24, at_most_s=300)
            await trio.sleep(10)
            assert (await ours.queue.statistics(TO_BETA)).waiting == 0
    assert world.received() == 24


def test_prepared_transactions_are_written_and_read_and_rows_of_before_too():
    prepared = PreparedTransaction("simd-1", "cosmos1x", "", b"\x01", 0, 7, 0, 0, None, (True, False), 12)
    assert _prepared(_prepared_text(prepared)) == prepared
    old = '{"chain_id": 1002, "sender": "0xab", "to": "0xcd", "data": "01", "value_wei": 0, "gas": 7, '
    old += '"max_fee_per_gas_wei": 3, "max_priority_fee_per_gas_wei": 1, "gas_price_wei": null, "expected": [true]}'
    read = _prepared(old)
    assert (read.chain_id, read.fee_wei, read.fee_cap_wei, read.is_replaceable) == (1002, None, 21, True)
    fixed = replace(read, fee_wei=12)
    assert (fixed.fee_cap_wei, fixed.is_replaceable) == (12, False)
    assert [fixed.with_raised_fee(percent).fee_wei for percent in (1, 15, 100)] == [13, 14, 24]
    assert fixed.with_raised_fee(100).max_fee_per_gas_wei == read.max_fee_per_gas_wei
    legacy = replace(read, gas_price_wei=1)
    assert (legacy.is_replaceable, replace(legacy, gas_price_wei=0).is_replaceable) == (True, False)
