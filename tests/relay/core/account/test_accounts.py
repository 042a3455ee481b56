"""Several keys of one chain, and the owner of each key's nonces under cancellation."""

from dataclasses import replace

import pytest
import trio

from hutong.adapters.interface import NonceTooHigh, NonceTooLow, PreparedTransaction
from hutong.relay.archive.evidence import MAX_HEADERS
from hutong.relay.config import FeeLimits
from hutong.relay.core.account.pending import Included
from hutong.relay.core.errors import StartRefused
from hutong.relay.dispatch import Route
from hutong.relay.ledger import RecordedJob
from tests.relay.core.world import CLIENT, FORTUNE_WEI, World, key, making_blocks

TO_BETA = Route("alpha", "beta", CLIENT)


@pytest.fixture
def world(tmp_path, valkey):
    return World(tmp_path, valkey.url)


@pytest.mark.long
async def test_keys_submit_side_by_side_and_no_packet_twice(world, autojump_clock):
    async with making_blocks(world), world.relay(signers=(key(1), key(3), key(4))).running() as process:
        for _ in range(10):
            world.send("alpha", 60)
            await trio.sleep(0.8)
        await world.all_settled(600)
        await trio.sleep(3)
        assert len(await process.ledger.deliveries(f"alpha/{CLIENT}/600")) == 2
    for name in world.chains:
        receipts = world.transactions(name)
        assert all(receipt.reverted is None and not receipt.failures for receipt in receipts)
        by_sender = {}
        for receipt in receipts:
            by_sender.setdefault(receipt.transaction.sender, []).append(receipt.transaction.nonce)
        assert set(by_sender) == {key(number).address for number in (1, 3, 4)}
        assert all(nonces == list(range(len(nonces))) for nonces in by_sender.values())
    assert len(world.settlements("alpha")) == 600


async def test_attack_G8_account_with_an_empty_wallet_leaves_the_work_to_the_others(world, autojump_clock):
    for chain in world.chains.values():
        chain.fund(key(3).address, -FORTUNE_WEI)
    async with making_blocks(world), world.relay(signers=(key(3), key(1))).running():
        await trio.sleep(1.5)
        for _ in range(5):
            world.send("alpha", 2)
            await trio.sleep(1)
        await world.all_settled(10, at_most_s=60)
    assert {receipt.transaction.sender for receipt in world.transactions("beta")} == {key(1).address}


def test_attack_G13_one_account_under_two_keys_is_refused_at_start(world):
    with pytest.raises(StartRefused, match="same account"):
        world.relay(signers=(key(1), key(1)))


@pytest.mark.parametrize("moment", ["recorded", "kept"])
async def test_attack_G4_cancelled_between_record_and_memory_leaves_no_nonce_with_two_job_sets(
    world, autojump_clock, moment
):
    """The caller's task ends while the transaction is written down: the nonce is ours all the same."""
    process = world.relay()
    (account,) = process.relay.accounts["beta"]
    world.send()
    async with making_blocks(world):
        async with trio.open_nursery() as nursery:
            for chain in process.relay.chains.values():
                nursery.start_soon(chain.heads.run)
            nursery.start_soon(account.run)
            await trio.sleep(2.5)
            worker = next(worker for worker in process.relay.workers if worker.route == TO_BETA)
            await process.relay.clearer.clear(next(iter(process.relay.paths.opposite)))
            await process.queue.open(TO_BETA)
            taken = await process.queue.take(TO_BETA, 1)
            built = await worker.builder.build(taken)
            prepared, items = await worker.trial.prepare(built, account.address, worker._failed)
            evidence = tuple(item.evidence for item in items)
            caller = trio.CancelScope()
            owner, name = (process.ledger, "record") if moment == "recorded" else (process.archive, "write")
            honest = getattr(owner, name)

            async def slow(*arguments):
                caller.cancel()
                await trio.sleep(0.1)
                return await honest(*arguments)

            setattr(owner, name, slow)
            with caller:
                await account.submit(prepared, (None, RecordedJob("receive:first", 0)), evidence)
            assert caller.cancelled_caught
            setattr(owner, name, honest)
            second = await account.submit(
                replace(prepared, gas=prepared.gas + 1), (None, RecordedJob("receive:second", 0)), evidence
            )
            assert second.nonce == 1 and account.is_in_flight("receive:first")
            await second.wait()
            nursery.cancel_scope.cancel()
    assert [receipt.transaction.nonce for receipt in world.transactions("beta")] == [0, 1]
    assert await process.ledger.open_transactions("beta", account.address) == []
    process.close()


async def test_a_slot_that_is_given_back_twice_is_noticed(world, autojump_clock):
    """Each account has as many batches under way as configured, also after a mistake of a caller."""
    process = world.relay(signers=(key(1), key(3)))
    accounts = process.relay.accounts["beta"]
    free = [account.slots.value for account in accounts]
    first, second = await accounts.acquire(), await accounts.acquire()
    accounts.release(first)
    with pytest.raises(ValueError, match=f"slot of {first.account.address} is released that is not held"):
        accounts.release(first)
    accounts.release(second)
    assert [account.slots.value for account in accounts] == free
    process.close()


async def test_evidence_that_is_refused_does_not_stop_packets(world, autojump_clock):
    """A batch with more client updates than evidence may have headers: it is sent, and what can be kept is kept."""
    process = world.relay()
    (account,) = process.relay.accounts["beta"]
    world.send("alpha", 2)
    async with making_blocks(world):
        async with trio.open_nursery() as nursery:
            for chain in process.relay.chains.values():
                nursery.start_soon(chain.heads.run)
            nursery.start_soon(account.run)
            await trio.sleep(2.5)
            worker = next(worker for worker in process.relay.workers if worker.route == TO_BETA)
            await process.relay.clearer.clear(next(iter(process.relay.paths.opposite)))
            await process.queue.open(TO_BETA)
            built = await worker.builder.build(await process.queue.take(TO_BETA, 2))
            prepared, items = await worker.trial.prepare(built, account.address, worker._failed)
            small, large = (item.evidence for item in items)
            large = replace(large, headers=large.headers * (MAX_HEADERS + 1))
            jobs = (None, *(RecordedJob(item.taken.job.id, 0) for item in items))
            pending = await account.submit(prepared, jobs, (small, large))
            assert isinstance(await pending.wait(), Included)
            nursery.cancel_scope.cancel()
    kept = [await process.archive.read("alpha", CLIENT, one.packet.sequence, "receive") for one in (small, large)]
    assert kept[0] is not None and kept[1] is None
    process.close()


async def test_attack_G4_two_job_sets_on_one_nonce_in_the_ledger_end_as_what_was_included(world, autojump_clock):
    """An older hutong could write that; the included variant's jobs are the ones that were delivered."""
    first = world.relay()
    (account,) = first.relay.accounts["beta"]
    template = None
    async with making_blocks(world):
        async with first.running():
            world.send()
            await world.all_settled(1)
        template = world.transactions("beta")[0].transaction
        process = world.relay()
        (account,) = process.relay.accounts["beta"]
        prepared = PreparedTransaction(
            1002, account.address, "0x" + template.to.hex(), template.data, 0, template.gas, 100, 0, None
        )
        for number, job in ((1, "receive:alpha/c/7"), (2, "receive:alpha/c/8")):
            signed = await account._adapter.sign(replace(prepared, gas=template.gas + number), 1, account._signer)
            await account._recorder.signed(signed, (RecordedJob(job, 0), None), ())
        async with process.running():
            await trio.sleep(1)
            with trio.fail_after(60):
                while await process.ledger.open_transactions("beta", account.address):  # noqa: ASYNC110  no event
                    await trio.sleep(1)
            seventh, eighth = [await process.ledger.deliveries(f"alpha/c/{number}") for number in (7, 8)]
    (included,) = [receipt for receipt in world.transactions("beta") if receipt.transaction.nonce == 1]
    expected = seventh if included.transaction.gas == template.gas + 1 else eighth
    assert len(expected) == 1 and len(seventh) + len(eighth) == 1


async def test_attack_G8_batch_above_the_fee_cap_is_made_smaller(world, autojump_clock):
    process = world.relay()
    world.send("alpha", 30)
    for chain in world.chains.values():
        chain.produce_block()
    for name in world.chains:
        (account,) = process.relay.accounts[name]
        account.fees = FeeLimits(max_fee_wei=14 * 1_500_000)
    async with making_blocks(world), process.running():
        await world.all_settled(30)
    assert len(world.transactions("beta")) > 2
    assert all(receipt.transaction.gas <= 1_500_000 for receipt in world.transactions("beta"))


class MadeUpNonce:
    """The adapter whose first `times` answers about an account name a nonce that it never had, and whose node keeps, as
    geth does, what lies behind a gap."""

    def __init__(self, adapter, times) -> None:
        self._adapter, self._times = adapter, times
        self._kept = {}

    def __getattr__(self, name):
        return getattr(self._adapter, name)

    async def account(self, address):
        state = await self._adapter.account(address)
        if self._times:
            self._times -= 1
            return replace(state, latest_nonce=9, pending_nonce=9)
        return state

    async def broadcast(self, signed):
        self._kept[signed.nonce] = signed
        for nonce in sorted(self._kept):
            try:
                await self._adapter.broadcast(self._kept[nonce])
            except NonceTooHigh:
                return
            except NonceTooLow:
                pass
            del self._kept[nonce]


@pytest.mark.long
@pytest.mark.parametrize("times", [1, 2])
async def test_attack_G1_a_nonce_that_an_endpoint_made_up_leaves_no_gap_for_good(world, autojump_clock, times):
    """Told once it is not believed; told twice its gap is filled by what comes next."""

    def wrap(adapter):
        return MadeUpNonce(adapter, times) if adapter.name == "beta" else adapter

    async with making_blocks(world), world.relay(signers=(key(1),), wrap=wrap).running():
        for _ in range(12):
            world.send("alpha", 1)
            await trio.sleep(3)
        await world.all_settled(12, at_most_s=400)
    nonces = [receipt.transaction.nonce for receipt in world.transactions("beta")]
    assert nonces == list(range(len(nonces)))
