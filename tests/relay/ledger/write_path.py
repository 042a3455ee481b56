"""A ledger with a past, and everything that the relay writes into one."""

from dataclasses import replace

from hutong.relay.ledger import Outcome, RecordedJob, RouteNote, Step
from tests.relay.ledger.ledger_conformance import SENDER, delivery, end, transaction
from tests.relay.ledger.message_conformance import NS, direct, leg_1, leg_2, token_1, token_2, told

SETTLED = 300


def settled(facts, at_ns, kind="acknowledge", outcome=Outcome.ACKNOWLEDGED):
    return told(facts, Step.INCLUDED, kind, at_ns, outcome=outcome)


async def grow(ledger, messages=SETTLED):
    """Each message that `live` writes has many like it here: of its sender, over its clients, with its forward key."""
    for number in range(1, messages + 1):
        at_ns = number * NS
        there = [
            token_1(number, timeout_timestamp_s=number + 60), token_2(number, timeout_timestamp_s=number + 60),
            direct(number, forward_key="k", app="transfer", message_id=f"0x{number:064x}"),
            leg_1(SETTLED + number), leg_2(SETTLED + number),
        ]  # fmt: skip
        ledger.note([told(one, at_ns=at_ns) for one in there])
        ledger.note([settled(one, at_ns + 5 * NS) for one in there])
        if number % 5 == 0:  # ended without a second leg
            lonely = token_1(10_000 + number, timeout_timestamp_s=number + 60)
            ledger.note([told(lonely, at_ns=at_ns), settled(lonely, at_ns + 9 * NS, "timeout", Outcome.TIMED_OUT)])
        if number % 50 == 0:
            one = replace(transaction(1), hash=number.to_bytes(32, "big"), nonce=number)
            await ledger.record(one)
            await end(ledger, one, deliveries=[delivery(1, packet_id=f"alpha/client-0/{number}")])
    await ledger.flush()


async def live(ledger, sequence=100_000):
    """Everything that the relay does with the ledger, but for keeping it short."""
    at_ns = 50_000 * NS
    first, second = (one(sequence, timeout_timestamp_s=60_000) for one in (token_1, token_2))
    one, two, alone = leg_1(sequence + 1), leg_2(sequence + 1), direct(sequence, forward_key="k")
    ledger.note([told(facts, at_ns=at_ns) for facts in (first, one, alone)])
    await ledger.flush()
    ledger.note([told(facts, at_ns=at_ns + NS) for facts in (second, two)])
    ledger.note([RouteNote("hub:bft-evm-0", at_ns, "is Frozen", None, 1)])
    await ledger.flush()
    sent = replace(
        transaction(2),
        hash=b"\xff" * 32,
        jobs=(RecordedJob(f"receive:{first.packet_id}", 5), RecordedJob("receive:unknown/client-0/1", 5)),
    )
    await ledger.record(sent)
    assert len(await ledger.open_transactions("hub", SENDER)) == 1
    await end(ledger, sent, deliveries=[delivery(2, packet_id=first.packet_id)])
    ledger.note([told(facts, Step.SEEN, "acknowledge", at_ns + 2 * NS) for facts in (first, second, one, two, alone)])
    ledger.note([settled(facts, at_ns + 3 * NS) for facts in (first, second, one, two)])
    await ledger.set_cursor("alpha", 7)
    assert await ledger.cursor("alpha") == 7
    assert await ledger.reconcile("alpha", "client-7", set(), range(1, sequence + 1), at_ns) == 1
    assert await ledger.prune(0) == 0
