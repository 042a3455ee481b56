"""What chains, endpoints, pools, queues and other relayers do to a relay, and what must come of it."""

from dataclasses import replace

import pytest
import trio

from hutong.adapters.interface import (
    BadAnswer,
    EndpointMismatch,
    EndpointUnavailable,
    HeightUnavailable,
    NonceTooHigh,
    PacketEvent,
    PacketEventKind,
    RecvPacket,
    Underpriced,
    UnknownClient,
)
from hutong.adapters.simulated import AppRefused, ChainTraits, OutOfGas
from hutong.adapters.simulated.chain import BASE_FEE_WEI
from hutong.light_clients.ibc.packet import Acknowledgement, Packet, Payload
from hutong.relay.config import FeeLimits, PathEnd
from hutong.relay.core.errors import StartRefused
from hutong.relay.core.watching.clearer import MAX_FAILURES
from hutong.relay.core.watching.watcher import KEPT_BLOCKS
from hutong.relay.dispatch import Job, JobKind, Route
from tests.relay.core.world import CLIENT, FORTUNE_WEI, World, key, making_blocks
from tests.relay.keys.at_once import at_once

TO_BETA = Route("alpha", "beta", CLIENT)


@pytest.fixture
def world(tmp_path, valkey):
    return World(tmp_path, valkey.url)


def refuses(_packet):
    raise AppRefused


def out_of_gas(_packet):
    raise OutOfGas


def forged_packet(world, sequence: int = 9) -> Packet:
    payload = Payload("mail", "echo", "v1", "text", b"forged")
    return Packet(sequence, CLIENT, CLIENT, world.now_ns() // 10**9 + 600, (payload,))


async def test_attack_G1_forged_and_hidden_events_and_lagging_heads_lose_nothing(world, autojump_clock):
    world.faults["alpha"].hidden_events = 0.5
    world.faults["alpha"].head_lag = 2
    world.faults["beta"].hidden_events = 0.5
    world.faults["beta"].unavailable = 0.05
    async with making_blocks(world), world.relay().running():
        world.send("alpha", 8)
        await world.all_settled(8, at_most_s=300)
    assert world.received() == 8


async def test_attack_G1_lie_about_the_next_sequence_neither_holds_nor_blinds_the_clearer(world, autojump_clock):
    process = world.relay()
    clearer = process.relay.clearer
    adapter = process.relay.adapters["alpha"]
    honest = adapter.next_sequence_send
    lies = [10**18, 1]

    async def lying(client_id):
        return lies.pop() if lies else await honest(client_id)

    adapter.next_sequence_send = lying
    end = PathEnd(chain="alpha", client=CLIENT)
    for _ in range(2):
        assert await clearer.clear(end) == 0
    assert not lies
    world.send()
    for chain in world.chains.values():
        chain.produce_block()
    assert await clearer.clear(end) == 1
    process.close()


async def test_attack_G1_absence_that_an_endpoint_claims_is_believed_for_one_round_only(world, autojump_clock):
    process = world.relay()
    clearer = process.relay.clearer
    adapter = process.relay.adapters["alpha"]
    honest = adapter.unsettled_sends
    end = PathEnd(chain="alpha", client=CLIENT)
    world.send("alpha", 3)
    for chain in world.chains.values():
        chain.produce_block()

    async def lying(client_id, first, count):
        return ()

    adapter.unsettled_sends = lying
    assert await clearer.clear(end) == 0
    adapter.unsettled_sends = honest
    assert await clearer.clear(end) == 3
    process.close()


async def test_attack_G2_event_without_state_is_not_relayed(world, autojump_clock):
    common = (3, 1, b"\1" * 32, 900)
    packet = forged_packet(world)
    world.faults["alpha"].forged_events = (
        PacketEvent(PacketEventKind.SEND, *common, packet),
        PacketEvent(PacketEventKind.WRITE_ACKNOWLEDGEMENT, *common, packet, Acknowledgement((b"x",))),
    )
    async with making_blocks(world), world.relay().running() as process:
        world.send()  # the twin whose state holds
        await world.all_settled(1)
        await trio.sleep(10)
        assert (await process.queue.statistics(TO_BETA)).waiting == 0
    assert world.received() == 1
    assert len(world.transactions("beta")) == len(world.transactions("alpha")) == 1


async def test_attack_G2_rolled_back_transaction_is_not_relayed(tmp_path, valkey, autojump_clock):
    world = World(tmp_path, valkey.url, traits=ChainTraits(finality_depth=3))
    world.pause_blocks = True
    async with making_blocks(world):
        for chain in world.chains.values():
            for _ in range(4):
                chain.produce_block()
        async with world.relay().running():
            world.send()
            world.chains["alpha"].produce_block()
            world.chains["alpha"].reorganise(1, lose_transactions=True)
            world.pause_blocks = False
            await trio.sleep(15)
            assert world.transactions("beta") == []
            world.send()
            await world.all_settled(1)
    assert world.received() == 1


@pytest.mark.parametrize("fault", ["lost_broadcast", "hidden_broadcast"])
async def test_attack_G4_pool_that_forgets_or_hides_its_answer_heals(world, autojump_clock, fault):
    setattr(world.faults["beta"], fault, 0.7)
    async with making_blocks(world), world.relay().running():
        for _ in range(5):
            world.send("alpha", 2)
            await trio.sleep(1)
        await world.all_settled(10, at_most_s=300)
    receipts = world.transactions("beta")
    assert [receipt.transaction.nonce for receipt in receipts] == list(range(len(receipts)))
    assert all(receipt.reverted is None and not receipt.failures for receipt in receipts)


async def test_attack_G4_transactions_dropped_from_the_pool_are_sent_again(world, autojump_clock):
    async with making_blocks(world), world.relay().running():
        world.send("alpha", 3)
        await world.until(lambda: bool(world.chains["beta"].pool))
        world.chains["beta"].drop_pool()
        await world.all_settled(3)
    assert len(world.transactions("beta")) == 1


async def test_attack_G4_transaction_of_an_unknown_fate_is_followed_though_nothing_else_is_sent(world, autojump_clock):
    process = world.relay()
    adapter = next(iter(process.relay.accounts["beta"]))._adapter
    honest = adapter.broadcast
    answers = [BadAnswer("eth_sendRawTransaction", "result", "is nonsense")] * 2

    async def lying(signed):
        if answers:
            raise answers.pop()
        await honest(signed)

    adapter.broadcast = lying
    async with making_blocks(world), process.running():
        world.send()
        await world.all_settled(1)
    assert not answers
    assert [receipt.transaction.nonce for receipt in world.transactions("beta")] == [0]


@pytest.mark.long
async def test_attack_G4_transaction_at_the_fee_cap_is_not_signed_again_and_again(world, autojump_clock):
    process = world.relay()
    (account,) = process.relay.accounts["beta"]
    account.fees = FeeLimits(max_fee_per_gas_wei=BASE_FEE_WEI)
    async with making_blocks(world), process.running():
        world.send()
        await world.until(lambda: bool(world.chains["beta"].pool))
        world.pause_blocks = True
        await trio.sleep(900)
        (entry,) = account.pending.values()
        hashes = [signed.hash for signed in entry.variants]
        assert len(hashes) == len(set(hashes))
        assert entry.variants[-1].prepared.max_fee_per_gas_wei == BASE_FEE_WEI
        world.pause_blocks = False
        await world.all_settled(1)
    assert len(world.transactions("beta")) == 1


class QueueThatFailsAfterAJob:
    """`take` fails `failures` times, each after a call that gave a job."""

    def __init__(self, queue, failures):
        self._queue, self.failures, self._gave = queue, failures, False

    def __getattr__(self, name):
        return getattr(self._queue, name)

    async def take(self, route, limit):
        if self._gave and self.failures:
            self.failures, self._gave = self.failures - 1, False
            raise RuntimeError("the server is out of memory")
        taken = await self._queue.take(route, limit)
        self._gave = bool(taken)
        return taken


@pytest.mark.long
async def test_attack_G3_failing_worker_gives_its_slots_back(world, autojump_clock):
    queues = []

    def around(name, service):
        if name == "queue":
            service = QueueThatFailsAfterAJob(service, 10)  # an account has eight slots
            queues.append(service)
        return service

    async with making_blocks(world), world.relay(around=around).running() as process:
        world.send()
        await world.all_settled(1, at_most_s=400)
        await trio.sleep(10)
        assert queues[0].failures == 0
        assert [account.slots.value for accounts in process.relay.accounts.values() for account in accounts] == [8, 8]


async def test_attack_G4_nonce_used_by_another_program_with_the_key(world, autojump_clock):
    async with making_blocks(world), world.relay().running() as process:
        world.send()
        await world.all_settled(1)
        (account,) = process.relay.accounts["beta"]
        adapter = world.adapter("beta")
        template = world.transactions("beta")[0].transaction
        fields = {
            "type": 2, "chainId": 1002, "nonce": account._next, "gas": template.gas, "maxFeePerGas": 100,
            "maxPriorityFeePerGas": 0, "to": "0x" + template.to.hex(), "value": 0, "data": template.data,
        }  # fmt: skip
        adapter.chain.submit(at_once(world.signer.sign_transaction(fields)))
        await trio.sleep(1.5)
        world.send("alpha", 2)
        await world.all_settled(3)
        account._next += 5  # a counter above the chain's
        world.send("alpha", 2)
        await world.all_settled(5, at_most_s=200)
        account._next = 0  # and one below
        world.send("alpha", 2)
        await world.all_settled(7)


async def test_attack_G4_pending_transaction_whose_nonce_another_program_uses_is_given_up(
    world, autojump_clock, capsys
):
    """A dearer transaction with the key takes its place in the pool, so that no dearer copy of ours ever can."""
    beta = world.chains["beta"]
    async with making_blocks(world), world.relay().running() as process:
        await trio.sleep(1)
        world.send("alpha", 2)
        await world.until(lambda: beta.pool)
        ((_, ours),) = beta.pool.items()
        fields = {
            "type": 2, "chainId": 1002, "nonce": ours.nonce, "gas": ours.gas, "maxFeePerGas": 10**12,
            "maxPriorityFeePerGas": 10**11, "to": "0x" + ours.to.hex(), "value": 0, "data": b"",
        }  # fmt: skip
        world.adapter("beta").chain.submit(at_once(world.signer.sign_transaction(fields)))
        ((_, theirs),) = beta.pool.items()
        assert theirs.hash != ours.hash
        await world.all_settled(2, at_most_s=40)
        (account,) = process.relay.accounts["beta"]
        await world.until(lambda: account.slots.value == 8)
        assert await process.ledger.open_transactions("beta", account.address) == []
    assert "another transaction with this key used the nonce" in capsys.readouterr().out


@pytest.mark.long
async def test_attack_G9_receipt_that_nobody_can_read_holds_no_other_transaction(world, autojump_clock, capsys):
    """Its logs may be more than an answer may have; later packets must not wait for what never comes."""
    unread = []

    def wrap(adapter):
        honest = adapter.outcome

        async def outcome(transaction_hash):
            if not unread:
                unread.append(transaction_hash)
            if adapter.name == "beta" and transaction_hash == unread[0]:
                raise EndpointUnavailable("beta", "eth_getTransactionReceipt", (("node", "more than 16777216 bytes"),))
            return await honest(transaction_hash)

        adapter.outcome = outcome if adapter.name == "beta" else honest
        return adapter

    async with making_blocks(world), world.relay(wrap=wrap).running() as process:
        await trio.sleep(1)
        for _ in range(12):
            world.send("alpha", 1)
            await trio.sleep(2)
        await world.all_settled(12, at_most_s=30)
        (account,) = process.relay.accounts["beta"]
        assert account.slots.value == 7, "only its own slot is held"
        await world.until(lambda: account.slots.value == 8, at_most_s=200)
        assert await process.ledger.open_transactions("beta", account.address) == []
    assert "no endpoint can say by what" in capsys.readouterr().out
    assert world.received() == 12 and len(world.transactions("beta")) == 12


async def test_attack_G4_transaction_that_is_taken_back_while_it_is_looked_at_takes_no_other_along(
    world, autojump_clock
):
    """A slow endpoint refuses it to the one, another one later to the other, when its nonce carries a dearer copy."""
    offered = []

    def wrap(adapter):
        honest = adapter.broadcast

        async def broadcast(signed):
            offered.append(signed)
            match len(offered):
                case 1:
                    await trio.sleep(8)
                    raise Underpriced(signed.hash, "fee too low")
                case 2:
                    assert signed == offered[0], "sent again before anybody answered"
                    await trio.sleep(8)
                    raise NonceTooHigh(signed.hash, "nonce too high")
            await honest(signed)

        adapter.broadcast = broadcast if adapter.name == "beta" else honest
        return adapter

    async with making_blocks(world), world.relay(wrap=wrap).running() as process:
        await trio.sleep(1)
        world.send("alpha", 2)
        await world.all_settled(2, at_most_s=60)
        (account,) = process.relay.accounts["beta"]
        await world.until(lambda: account.slots.value == 8)
        assert await process.ledger.open_transactions("beta", account.address) == []
        assert (await process.queue.statistics(TO_BETA)).waiting == 0
    assert [signed.nonce for signed in offered[:3]] == [0, 0, 0] and offered[2] != offered[0]
    assert len(world.transactions("beta")) == 1


async def test_attack_G4_two_processes_with_one_key_settle_everything(world, autojump_clock):
    async with making_blocks(world), world.relay(prefix="one").running():
        async with world.relay(prefix="two").running():
            world.send("alpha", 12)
            await trio.sleep(0.5)
            world.send("beta", 12)
            await world.all_settled(12, "alpha", at_most_s=300)
            await world.all_settled(12, "beta", at_most_s=300)
    assert world.received("alpha") == world.received("beta") == 12


@pytest.mark.long
async def test_attack_G5_flush_under_load_heals(world, valkey, autojump_clock):
    async with making_blocks(world), world.relay().running():
        for _ in range(6):
            world.send("alpha", 3)
            await trio.sleep(0.7)
            valkey.client.flushall()
        await world.all_settled(18)
    assert world.received() == 18
    assert all(not receipt.failures for name in world.chains for receipt in world.transactions(name))


@pytest.mark.long
async def test_attack_G5_server_away_for_a_while_and_back_empty(world, valkey, autojump_clock):
    async with making_blocks(world), world.relay().running():
        world.send("alpha", 3)
        await trio.sleep(0.5)
        valkey.kill()
        world.send("alpha", 3)
        await trio.sleep(10)
        valkey.start()
        await world.all_settled(6)
    assert world.received() == 6


async def test_attack_G6_poison_packet_is_given_up_with_its_reason_and_delays_nobody(tmp_path, valkey, autojump_clock):
    world = World(tmp_path, valkey.url, apps={"poison": out_of_gas, "refusing": refuses})
    async with making_blocks(world), world.relay(max_attempts=3).running() as process:
        world.send("alpha", 1, port="poison")
        world.send("alpha", 5)
        world.send("alpha", 1, port="refusing")
        assert await world.until(lambda: len(world.unsettled()) == 1 and world.received() == 6) < 10
        letters = []
        with trio.fail_after(200):
            while not letters:
                await trio.sleep(1)
                letters = await process.queue.dead_letters(TO_BETA)
        assert (
            letters[0].id == f"receive:alpha/{CLIENT}/1"
            and letters[0].attempts >= 3
            and "beta would refuse it: " in letters[0].reason
        )
        await trio.sleep(30)
        assert len(await process.queue.dead_letters(TO_BETA)) == 1
        world.chains["beta"].apps["poison"] = world.chains["beta"].apps["echo"]
        assert await process.queue.revive(TO_BETA, letters[0].id)
        await world.all_settled(7)
    assert all(not receipt.failures for receipt in world.transactions("beta")), "a simulated failure is not paid for"


@pytest.mark.long
async def test_attack_G16_pause_of_the_destination_costs_no_attempt(tmp_path, valkey, autojump_clock):
    world = World(tmp_path, valkey.url, apps={"echo": out_of_gas})
    world.faults["beta"].paused = True
    async with making_blocks(world), world.relay(max_attempts=2).running() as process:
        world.send("alpha", 3)
        await trio.sleep(900)
        assert await process.queue.dead_letters(TO_BETA) == [] and world.transactions("beta") == []
        world.faults["beta"].paused = False
        world.chains["beta"].apps["echo"] = lambda _packet: b"ok"
        await world.all_settled(3)


@pytest.mark.long
async def test_attack_G7_another_relayer_wins(world, autojump_clock):
    async with making_blocks(world), world.relay(prefix="ours").running() as ours:
        world.send("alpha", 1)
        await world.all_settled(1)
        async with world.relay(signer=key(2), prefix="theirs").running():
            for _ in range(8):
                world.send("alpha", 4)
                await trio.sleep(0.9)
            await world.all_settled(33)
            await trio.sleep(3)
            assert (await ours.queue.statistics(TO_BETA)).waiting == 0
    assert world.received() == 33


async def test_attack_G7_packet_delivered_by_another_is_not_paid_for(world, autojump_clock):
    async with making_blocks(world):
        async with world.relay(signer=key(2), prefix="theirs").running():
            world.send("alpha", 3)
            await world.all_settled(3)
        process = world.relay()
        await process.ledger.set_cursor("alpha", 0)
        await process.ledger.set_cursor("beta", 0)
        async with process.running():
            await trio.sleep(20)
            assert await process.ledger.costs() == []


async def test_attack_G7_packet_received_by_another_and_not_yet_settled_is_not_paid_for(world, autojump_clock):
    async with making_blocks(world):
        async with world.relay(signer=key(2), prefix="theirs").running():
            world.send("alpha", 3)
            await world.until(lambda: world.received() == 3)
        delivered = len(world.transactions("beta"))
        process = world.relay()
        await process.ledger.set_cursor("alpha", 0)
        async with process.running():
            await world.all_settled(3)
        assert len(world.transactions("beta")) == delivered


@pytest.mark.long
async def test_attack_G8_fee_cap_and_empty_wallet_wait_with_a_reason(world, autojump_clock, capsys):
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


async def test_attack_G8_transaction_above_the_fee_cap_waits(world, autojump_clock):
    process = world.relay()
    (account,) = process.relay.accounts["beta"]
    generous, account.fees = account.fees, FeeLimits(max_fee_wei=1)
    async with making_blocks(world), process.running():
        world.send()
        await trio.sleep(30)
        assert world.transactions("beta") == [] and not world.chains["beta"].pool
        account.fees = generous
        await world.all_settled(1)
    assert len(world.transactions("beta")) == 1


async def test_attack_G9_large_packets_are_cut_into_batches(world, autojump_clock):
    async with making_blocks(world), world.relay().running():
        world.send("alpha", 6, value=b"x" * 40_000)
        world.send("alpha", 30)
        await world.all_settled(36)
    assert all(len(receipt.transaction.raw) <= 128 * 1024 for receipt in world.transactions("beta"))


async def test_packet_too_large_for_any_transaction_is_a_dead_letter(world, autojump_clock):
    async with making_blocks(world), world.relay().running() as process:
        world.send("alpha", 1, value=b"x" * 200_000)
        world.send("alpha", 1)
        await world.until(lambda: world.unsettled() == [1])
        (letter,) = await process.queue.dead_letters(TO_BETA)
        assert "too large" in letter.reason


@pytest.mark.parametrize("hours", [-1, 1])
async def test_attack_G12_wrong_host_clock_changes_nothing(world, autojump_clock, hours):
    process = world.relay()
    wrong = lambda: world.now_ns() + hours * 3600 * 10**9  # noqa: E731
    for worker in process.relay.workers:
        worker.builder._now_ns = wrong
    async with making_blocks(world), process.running():
        world.send("alpha", 2)
        await world.all_settled(2)


async def test_attack_G1_corrupt_proofs_and_headers_are_never_paid_for(world, autojump_clock):
    world.faults["alpha"].corrupt_headers = world.faults["alpha"].corrupt_proofs = 0.5
    process = world.relay(max_attempts=100)
    async with making_blocks(world), process.running():
        world.send("alpha", 4)
        await world.all_settled(4, at_most_s=600)
        assert process.relay.adapters["alpha"].distrusted
    assert all(receipt.reverted is None and not receipt.failures for receipt in world.transactions("beta"))


async def test_attack_G1_a_corrupt_proof_alone_costs_its_endpoint_the_trust(world, autojump_clock):
    """A simulation would refuse it too, and would not know whose fault it is."""
    world.faults["alpha"].corrupt_proofs = 0.5
    process = world.relay(max_attempts=100)
    async with making_blocks(world), process.running():
        world.send("alpha", 4)
        await world.all_settled(4, at_most_s=600)
        assert process.relay.adapters["alpha"].distrusted


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda info: replace(info, counterparty_client_id="bft-evm-7"), "its counterparty is bft-evm-7"),
        (lambda info: replace(info, counterparty_client_id=None), "no counterparty is registered"),
        (lambda info: replace(info, merkle_prefix=(b"ibc",)), "Merkle prefix"),
        (lambda info: replace(info, client_type="solomachine"), "not supported"),
    ],
)
async def test_attack_G13_path_that_the_chains_contradict_is_refused_at_start(world, change, reason):
    def wrap(adapter):
        honest = adapter.client

        async def client(client_id):
            return change(await honest(client_id))

        if adapter.name == "beta":
            adapter.client = client
        return adapter

    process = world.relay(wrap=wrap)
    with pytest.raises(ExceptionGroup) as caught:
        await process.relay.run()
    process.close()
    assert caught.group_contains(StartRefused, match=reason)


@pytest.mark.parametrize("lie", ["client", "check_identity"])
async def test_attack_G1_one_lying_endpoint_of_a_chain_does_not_keep_the_relay_from_its_start(
    world, autojump_clock, lie
):
    """It says each time that there is no such client, or no router; another endpoint of its chain knows better."""
    left = []

    def wrap(adapter):
        honest = getattr(adapter, lie)

        async def lying(*arguments):
            if not left:
                raise (
                    UnknownClient("beta", CLIENT) if lie == "client" else EndpointMismatch("beta", "code", "none", "R")
                )
            return await honest(*arguments)

        if adapter.name == "beta":
            adapter.distrust = left.append
            setattr(adapter, lie, lying)
        return adapter

    async with making_blocks(world), world.relay(wrap=wrap).running():
        world.send("alpha", 1)
        await world.all_settled(1)
    assert len(left) == 1


async def test_attack_G13_wrong_chain_at_the_endpoint_is_refused_at_start(world):
    world.faults["alpha"].claimed_chain_id = "5"
    process = world.relay()
    with pytest.raises(ExceptionGroup) as caught:
        await process.relay.run()
    process.close()
    assert caught.group_contains(StartRefused, match="chain id")


def leaves(error):
    return [leaf for one in error.exceptions for leaf in leaves(one)] if isinstance(error, ExceptionGroup) else [error]


@pytest.mark.parametrize("foreign", [True, False])
async def test_readiness_at_start_names_whom_the_start_waits_for_and_foreign_endpoints_end_it(
    world, autojump_clock, foreign
):
    """Every endpoint of beta serves another chain, or none answers: the first is a wrong configuration."""

    def wrap(adapter):
        async def contradicted():
            raise EndpointUnavailable("beta", "eth_chainId", (("http://beta", "chain id is 5"),), foreign)

        if adapter.name == "beta":
            adapter.check_identity = contradicted
        return adapter

    process = world.relay(wrap=wrap)
    assert [reason["what"] for reason in process.relay.ready()["reasons"]] == ["chain alpha", "chain beta"]
    ended = []

    async def run():
        try:
            await process.relay.run()
        except ExceptionGroup as refused:
            ended.append(refused)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run)
        await trio.sleep(0.1)
        (reason,) = process.relay.ready()["reasons"]
        assert reason["what"] == "chain beta" and "chain id is 5" in reason["detail"]
        assert process.relay.health()["status"] == "ok", "alive all the same"
        await trio.sleep(600)
        nursery.cancel_scope.cancel()
    process.close()
    said = "chain beta: every endpoint serves another chain (http://beta: chain id is 5); correct its rpc or chain_id"
    assert [str(one) for group in ended for one in leaves(group)] == ([said] if foreign else [])


async def test_attack_G12_job_of_a_chain_that_began_anew_blocks_nobody(world, autojump_clock):
    """The queue still holds packet 1 of the chain before: same id, another packet, an event far above the head."""
    old = Job(JobKind.RECEIVE, "alpha", "beta", forged_packet(world, 1), None, 10**6, 1, 1)
    async with making_blocks(world), world.relay().running() as process:
        await process.queue.enqueue([old])
        world.send("alpha", 2)
        await world.all_settled(2, at_most_s=60)
        assert await process.queue.dead_letters(TO_BETA) == []
    assert world.received() == 2


async def test_attack_G12_job_of_another_packet_under_a_used_id_makes_way(world, autojump_clock):
    world.send("alpha", 1)
    for chain in world.chains.values():
        chain.produce_block()
    old = Job(JobKind.RECEIVE, "alpha", "beta", forged_packet(world, 1), None, 2, 1, 1)
    process = world.relay()
    await process.queue.enqueue([old])
    async with making_blocks(world), process.running():
        await world.all_settled(1, at_most_s=60)
        assert await process.queue.dead_letters(TO_BETA) == []
    assert world.received() == 1


async def test_attack_G6_packet_whose_simulation_never_answers_delays_nobody(world, autojump_clock):
    process = world.relay(max_attempts=3)
    adapter = process.relay.adapters["beta"]
    honest = adapter.prepare

    async def prepare(batch, sender):
        if any(isinstance(one, RecvPacket) and one.packet.sequence == 2 for one in batch.messages):
            raise EndpointUnavailable("beta", "eth_call", (("simulated", "no answer in 10 s"),))
        return await honest(batch, sender)

    adapter.prepare = prepare
    async with making_blocks(world), process.running():
        world.send("alpha", 5)
        await world.until(lambda: world.unsettled() == [2], at_most_s=60)
        with trio.fail_after(200):
            while not (letters := await process.queue.dead_letters(TO_BETA)):  # noqa: ASYNC110  no event
                await trio.sleep(1)
    assert "3 attempts" in letters[0].reason and "no answer" in letters[0].reason


@pytest.mark.long
async def test_attack_G9_full_route_does_not_hold_the_watcher(world, autojump_clock):
    """Beta takes nothing while alpha's packets fill their route; when it does, the clearer brings what did not fit."""
    process = world.relay()
    process.queue.capacity = 10
    async with making_blocks(world), process.running():
        await trio.sleep(2)
        world.refuse_all("beta")
        world.faults["beta"].paused = True
        world.send("alpha", 25)
        await trio.sleep(4)
        cursor = await process.ledger.cursor("alpha")
        assert world.chains["alpha"].final_height - cursor <= 2
        assert 0 < (await process.queue.statistics(TO_BETA)).waiting <= 10
        world.refuse_all("beta", refuse=False)
        world.faults["beta"].paused = False
        await world.all_settled(25, at_most_s=200)
    assert world.received() == 25


@pytest.mark.long
async def test_attack_G9_old_backlog_and_live_packets_share_the_route(world, autojump_clock, monkeypatch):
    monkeypatch.setattr("hutong.relay.core.watching.clearer.BACKLOG_SHARE", 30)
    monkeypatch.setattr("hutong.relay.core.watching.clearer.CHUNK", 10)
    world.send("alpha", 200)
    async with making_blocks(world):
        await trio.sleep(2)
        process = world.relay()
        for worker in process.relay.workers:
            worker._most_items = 10
        async with process.running():
            await world.until(lambda: len(world.unsettled()) < 190)
            world.send("alpha", 1)
            await world.until(lambda: world.live_sent(201) and 201 not in world.unsettled())
            assert len(world.unsettled()) > 50, "the live packet did not wait for all of the backlog"
            await world.all_settled(201)


async def test_one_packet_that_cannot_be_looked_at_does_not_end_the_pass(world, autojump_clock):
    world.send("alpha", 5)
    for chain in world.chains.values():
        chain.produce_block()
    process = world.relay()
    adapter = process.relay.adapters["alpha"]
    honest = adapter.sent_packet

    async def sent_packet(client_id, sequence):
        if sequence == 3:
            raise BadAnswer("eth_getLogs", "result", "has 2 events for one packet and step")
        return await honest(client_id, sequence)

    adapter.sent_packet = sent_packet
    assert await process.relay.clearer.clear(PathEnd(chain="alpha", client=CLIENT)) == 4
    adapter.sent_packet = honest
    assert await process.relay.clearer.clear(PathEnd(chain="alpha", client=CLIENT)) == 1
    process.close()


@pytest.mark.parametrize(
    "error",
    [
        HeightUnavailable("alpha", 5, "pruned"),
        EndpointUnavailable("alpha", "sent_packet", (("node", "answered badly"),)),
    ],
    ids=["pruned", "refused"],
)
async def test_attack_G6_packets_that_cannot_be_looked_at_do_not_take_the_others_along(world, autojump_clock, error):
    """More than the clearer bears in a pass, each time anew."""

    def wrap(adapter):
        honest = adapter.sent_packet

        async def sent_packet(client_id, sequence):
            if adapter.name == "alpha" and sequence <= 2 * MAX_FAILURES:
                raise error
            return await honest(client_id, sequence)

        adapter.sent_packet = sent_packet
        return adapter

    async with making_blocks(world):
        await trio.sleep(1)
        world.send("alpha", 2 * MAX_FAILURES + 4)
        await trio.sleep(4)
        async with world.relay(wrap=wrap).running():
            lost = [*range(1, 2 * MAX_FAILURES + 1)]
            await world.until(lambda: world.unsettled() == lost, at_most_s=100)


async def test_attack_G13_restart_under_another_configuration_drops_nothing(world, autojump_clock):
    """Packets sent, submitted and unconfirmed when the relay ends are settled, once, by one with other options."""
    async with making_blocks(world):
        async with world.relay().running():
            world.send("alpha", 6)
            await world.until(lambda: bool(world.chains["beta"].pool))
        world.send("alpha", 2)
        async with world.relay(clear_interval_s=3, max_attempts=2, ledger_retention_days=1).running():
            await world.all_settled(8)
            await trio.sleep(5)
    assert world.received() == 8
    for name in world.chains:
        assert all(receipt.reverted is None and not receipt.failures for receipt in world.transactions(name))


@pytest.mark.parametrize("missed", [30, 150])
async def test_attack_G10_blocks_that_no_node_keeps_any_more_hold_no_watcher(world, autojump_clock, missed):
    """The relay was off for longer than nodes keep results: what was sent meanwhile is found in state."""
    alpha = world.chains["alpha"]
    lowest = [0]

    def wrap(adapter):
        honest = adapter.packet_events

        async def packet_events(first, last):
            if first < lowest[0]:
                raise HeightUnavailable("alpha", first, f"lowest height is {lowest[0]}")
            return await honest(first, last)

        if adapter.name == "alpha":
            adapter.packet_events = packet_events
        return adapter

    async with making_blocks(world):
        async with world.relay().running():
            await trio.sleep(3)
        await trio.sleep(missed // 2)
        world.send("alpha", 3)
        await trio.sleep(missed // 2)
        lowest[0] = len(alpha.blocks) - 2
        async with world.relay(wrap=wrap).running() as process:
            await world.all_settled(3, at_most_s=200)
            world.send("alpha", 1)
            await world.all_settled(4, at_most_s=100)
            cursor = await process.ledger.cursor("alpha")
    assert (cursor >= lowest[0]) is (missed > KEPT_BLOCKS)
