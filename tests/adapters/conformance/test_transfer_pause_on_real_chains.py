"""Transfer is paused on a running dev chain while tokens are on their way over a running hub; then it is not."""

import os
import time
from contextlib import suppress
from random import Random

import pytest
import trio
from eth_abi.abi import encode

from hutong.adapters.evm.administration import deploy as deployment
from hutong.adapters.evm.administration import transfer
from hutong.adapters.ics26.abi import Function
from hutong.adapters.interface import RpcRefused
from hutong.contracts.artifacts import load_artifact
from hutong.relay.archive import Archive
from hutong.relay.base.threads import thread_runner
from hutong.relay.core.relay import Relay
from hutong.relay.core.services import Services
from hutong.relay.dispatch import Connection, EmbeddedValkey, Queue
from hutong.relay.ledger import Ledger
from hutong.relay.telemetry import Metrics
from tests.adapters.conformance.lane import RELAYER, running_lane
from tests.adapters.conformance.test_relay_on_real_chains import configured

PAUSE_S = float(os.environ.get("HUTONG_PAUSE_S", "30"))
TOKENS = 6
RECEIVER = "0x" + "22" * 20
PAUSE, UNPAUSE = Function("pause", ()), Function("unpause", ())


def address_of(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


async def with_transfer(member) -> bytes:
    """Its Transfer, which knows the hub."""
    contract = address_of(member.contracts.transfer)
    if await transfer.hub_client_of(member.chain.execution, contract) != member.client:
        await deployment.set_hub_client(member.deployer, contract, member.client)
    return contract


async def settled_after_s(member) -> float:
    """How long it takes until nothing that was sent from there is unsettled."""
    start_s = trio.current_time()
    with trio.fail_after(900):
        while await member.chain.unsettled_sends(member.client):  # noqa: ASYNC110  no event
            await trio.sleep(0.5)
    return trio.current_time() - start_s


@pytest.mark.long
async def test_parity_pain_14_tokens_arrive_within_a_minute_of_a_pause_s_end(tmp_path):
    async with running_lane(tmp_path / "hub") as lane, trio.open_nursery() as nursery:
        adapters = {"alpha": lane.alpha.chain, "beta": lane.beta.chain, "hub": lane.hub}
        connection = Connection(await nursery.start(EmbeddedValkey(tmp_path / "queue").serve))
        ledger = Ledger.open_file(tmp_path / "ledger.sqlite")
        queue = Queue(connection, "relay", lambda: time.time_ns() // 10**6)
        services = Services(
            queue, ledger, Archive(tmp_path / "evidence"), Metrics(adapters), time.time_ns, Random(1), thread_runner(4),
            alone=True,
        )  # fmt: skip
        relay = Relay(configured(lane, tmp_path), adapters, dict.fromkeys(adapters, (RELAYER,)), services)
        sender, receiver = await with_transfer(lane.alpha), await with_transfer(lane.beta)
        code = load_artifact("ExampleToken").bytecode + encode(["string", "string", "uint256"], ["Example", "EX", 1000])
        token = (await lane.alpha.deployer.send(None, code)).contract_address
        await nursery.start(relay.run)

        order = transfer.Order(
            lane.alpha.client, token, 10, RECEIVER, int(time.time()) + 3_600, next_client=lane.beta.hub_client
        )
        await transfer.send_tokens(lane.alpha.deployer, sender, order)
        usual_s = await settled_after_s(lane.alpha)
        await lane.beta.deployer.send(receiver, PAUSE.encode())
        for _ in range(TOKENS):
            with suppress(RpcRefused):  # a busy machine's node gives a call up: then it is one token less
                await transfer.send_tokens(lane.alpha.deployer, sender, order)
            await trio.sleep(PAUSE_S / TOKENS)
        sent = await lane.alpha.chain.next_sequence_send(lane.alpha.client) - 1
        assert sent > 1 and await lane.alpha.chain.unsettled_sends(lane.alpha.client) == tuple(range(2, sent + 1))
        await lane.beta.deployer.send(receiver, UNPAUSE.encode())
        waited_s = await settled_after_s(lane.alpha)
        events = [
            await lane.beta.chain.written_acknowledgement(lane.beta.client, number) for number in range(1, sent + 1)
        ]
        print(
            f"\npaused for {PAUSE_S:.0f} s on running chains: {sent - 1} tokens settled {waited_s:.1f} s after its end,",
            end="",
        )
        print(f" the one before it in {usual_s:.1f} s")
        assert all(not event.acknowledgement.is_error for event in events)
        assert waited_s <= 60 + 3 * usual_s, "the minute is the relay's, and what a token takes is the machine's"
        nursery.cancel_scope.cancel()
    connection.close()
    ledger.close()
