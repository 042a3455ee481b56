"""Two relays on one path: what one has done, the other neither pays for nor calls its own."""

import pytest
import trio

from hutong.adapters.simulated import ChainTraits, SimulatedAdapter
from hutong.relay.dispatch import Job, JobKind
from hutong.relay.ledger import LedgerReader, explain
from tests.relay.core.world import CLIENT, World, key, making_blocks

NO_TURNS = {"turns": {"most_ms": 0}}
"""So that there is something to be paid twice."""


def reader_of(world, signer, prefix="hutong"):
    return LedgerReader.open_file(world.directory / prefix / signer.address / "ledger.sqlite")


async def lives(world, process, signer, prefix, count):
    await process.ledger.flush()
    reader = reader_of(world, signer, prefix)
    try:
        return [reader.life(f"alpha/{CLIENT}/{sequence}") for sequence in range(1, count + 1)]
    finally:
        reader.close()


@pytest.mark.long
@pytest.mark.parametrize("finality_depth", [0, 12])
async def test_parity_row_55_newest_state_is_read_before_paying(tmp_path, valkey, autojump_clock, finality_depth):
    world = World(tmp_path, valkey.url, traits=ChainTraits(finality_depth=finality_depth))
    finality_s = finality_depth  # one block a second
    async with making_blocks(world), world.relay(prefix="first").running():
        world.send("alpha", 5)
        await world.until(lambda: world.received() == 5)  # in the newest block, which may still be undone
        if finality_s:
            async with world.relay(signer=key(2), prefix="second").running():
                await trio.sleep(finality_s - 4)
        await world.until(lambda: not world.unsettled())
        async with world.relay(signer=key(3), prefix="third").running():
            await trio.sleep(finality_s + 10)
    assert world.paid_in_vain() == 0
    senders = {receipt.transaction.sender for chain in world.chains for receipt in world.transactions(chain)}
    assert senders == {key(1).address}


async def test_parity_row_55_what_a_reorganisation_undid_is_delivered_after_all(tmp_path, valkey, autojump_clock):
    world = World(tmp_path, valkey.url, traits=ChainTraits(finality_depth=12))
    async with making_blocks(world):
        async with world.relay(prefix="first").running():
            world.send("alpha", 3)
            await world.until(lambda: world.received() == 3)
        world.chains["beta"].reorganise(6, lose_transactions=True)  # and the relay that sent it is gone
        assert world.received() == 0
        async with world.relay(signer=key(2), prefix="second").running():
            await world.all_settled(3, at_most_s=180)
    assert world.received() == 3


@pytest.mark.long
async def test_trial_T4_a_step_that_another_did_is_superseded_with_its_transaction(tmp_path, valkey, autojump_clock):
    world = World(tmp_path, valkey.url)
    signers = {"first": key(1), "second": key(2)}
    count = 12
    async with making_blocks(world):
        processes = {name: world.relay(signer=signer, prefix=name, **NO_TURNS) for name, signer in signers.items()}
        async with processes["first"].running(), processes["second"].running():
            for _ in range(count):
                world.send("alpha", 1)
                await trio.sleep(1)
            await world.all_settled(count)
            await trio.sleep(5)
            by_relay = {name: await lives(world, processes[name], signers[name], name, count) for name in signers}
    truth = {}  # which transaction left the event
    for chain, kind in (("beta", "receive"), ("alpha", "acknowledge")):
        adapter = world.adapter(chain)
        for event in await adapter.packet_events(0, world.chains[chain].final_height):
            if event.kind in ("write_acknowledgement", "acknowledge"):
                truth[kind, event.packet.sequence] = "0x" + event.transaction_hash.hex()
    credited = 0
    for name, found in by_relay.items():
        for sequence, life in enumerate(found, 1):
            steps = {(step.kind, step.step): step for step in life.steps}
            for kind in ("receive", "acknowledge"):
                ours = [one for one in life.deliveries if one.kind == kind]
                if ours:
                    credited += 1
                    assert "0x" + ours[0].transaction_hash.hex() == truth[kind, sequence], (name, kind, sequence)
                    assert steps[kind, "included"].transaction_hash == truth[kind, sequence]
                else:
                    assert (kind, "included") not in steps
                    assert steps[kind, "superseded"].transaction_hash == truth[kind, sequence]
                    assert steps[kind, "superseded"].height is not None
            assert life.packet.outcome == "acknowledged"
            assert explain(life, world.now_ns()).settled
    assert credited == 2 * count  # each step is one relay's alone
    assert world.paid_in_vain() > 0


@pytest.mark.long
async def test_trial_T4_costs_of_a_message_in_vain_are_no_packets(tmp_path, valkey, autojump_clock):
    """Its share of the fee is in no delivery's, and the metric counts it."""
    world = World(tmp_path, valkey.url)
    async with making_blocks(world):
        first = world.relay(prefix="first", **NO_TURNS)
        second = world.relay(signer=key(2), prefix="second", **NO_TURNS)
        async with first.running(), second.running():
            for _ in range(12):
                world.send("alpha", 1)
                await trio.sleep(1)
            await world.all_settled(12)
            await trio.sleep(5)
            deliveries = [
                delivery
                for process in (first, second)
                for sequence in range(1, 13)
                for delivery in await process.ledger.deliveries(f"alpha/{CLIENT}/{sequence}")
            ]
            text = world.metrics.exposition().decode()
    assert len(deliveries) == 24
    counted = sum(
        float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith("hutong_paid_in_vain_total{")
    )
    assert counted == world.paid_in_vain() > 0


class DeniesReceipts(SimulatedAdapter):
    """Says once that a packet was not received, where it is told to."""

    lies = False

    async def receipt(self, client_id, sequence, height=None):
        if self.lies:
            self.lies = False
            return None
        return await super().receipt(client_id, sequence, height)


async def test_attack_G1_what_we_delivered_is_not_paid_for_again_on_a_liars_word(tmp_path, valkey, autojump_clock):
    world = World(tmp_path, valkey.url)
    beta = DeniesReceipts(world.chains["beta"], world.faults["beta"])
    world.refuse_all("alpha")  # so that no acknowledgement settles the packet, and a second delivery could be proven
    process = world.relay(wrap=lambda adapter: beta if adapter.name == "beta" else adapter)
    async with making_blocks(world), process.running():
        world.send("alpha", 1)
        await world.until(lambda: world.received() == 1)
        await trio.sleep(5)
        sent = await world.adapter("alpha").sent_packet(CLIENT, 1)
        beta.lies = True
        where = {"source": "alpha", "destination": "beta", "event_height": sent.height}
        times = {"event_time_ns": sent.block_time_ns, "seen_at_ns": world.now_ns()}
        await process.queue.enqueue([Job(JobKind.RECEIVE, packet=sent.packet, acknowledgement=None, **where, **times)])
        await world.until(lambda: not beta.lies)
        await trio.sleep(5)
        assert world.paid_in_vain() == 0
        world.refuse_all("alpha", refuse=False)
    assert world.received() == 1
