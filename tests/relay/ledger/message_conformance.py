"""What every database must do for lists of messages. A test class takes `MessageConformance` on beside `LedgerConformance`.

`open_messages()` reads the database of `open_ledger()` as the API does.
"""

from random import Random

import pytest
from sqlalchemy import text

from hutong.relay.ledger import (
    App,
    Cause,
    Costs,
    FoundKind,
    InvalidCursor,
    LedgerDamaged,
    MeanFee,
    MessageFilter,
    MessageStage,
    MessageState,
    Note,
    Outcome,
    PacketFacts,
    RecordedJob,
    RouteNote,
    Step,
    TransactionEnd,
    TransactionState,
    why,
)
from tests.relay.ledger.ledger_conformance import delivery, transaction

ALICE = "0x" + "aB" * 20
BOB = "cosmos1" + "q" * 38
MESSAGE_ID = "0x" + "5c" * 32
NS = 10**9


def leg_1(sequence=1, **fields):
    """From alpha over the hub to beta."""
    defaults = {
        "packet_id": f"alpha/client-0/{sequence}", "source_chain": "alpha", "source_client": "client-0",
        "destination_chain": "hub", "destination_client": "bft-evm-0", "sequence": sequence, "source_port": "gmpport",
        "destination_port": "forward", "payload_bytes": 5, "timeout_timestamp_s": 2_000, "app": "message", "sender": ALICE,
        "receiver": BOB, "next_client": "bft-evm-1", "final_chain": "beta", "final_client": "client-0",
    }  # fmt: skip
    return PacketFacts(**(defaults | fields))


def leg_2(sequence=1, **fields):
    defaults = {
        "packet_id": f"hub/bft-evm-1/{sequence}", "source_chain": "hub", "source_client": "bft-evm-1",
        "destination_chain": "beta", "destination_client": "client-0", "sequence": sequence, "source_port": "forward",
        "destination_port": "gmpport", "payload_bytes": 5, "timeout_timestamp_s": 2_000, "app": "message", "sender": ALICE,
        "receiver": BOB, "leg_of": f"alpha/client-0/{sequence}",
    }  # fmt: skip
    return PacketFacts(**(defaults | fields))


_TOKEN = {"app": "transfer", "forward_key": "k", "source_port": "transfer", "destination_port": "transfer"}


def token_1(sequence, **fields):
    return leg_1(sequence, **(_TOKEN | {"denom": "atom"} | fields))


def token_2(sequence, **fields):
    """As the hub sends on a `token_1`."""
    on = {"sender": f"bft-evm-0/{ALICE}", "denom": "transfer/bft-evm-0/atom", "leg_of": None}
    return leg_2(sequence, **(_TOKEN | on | fields))


def direct(sequence, source="alpha", destination="beta", **fields):
    defaults = {
        "packet_id": f"{source}/client-7/{sequence}", "source_chain": source, "source_client": "client-7",
        "destination_chain": destination, "destination_client": "client-7", "destination_port": "gmpport",
        "next_client": None, "final_chain": None, "final_client": None,
    }  # fmt: skip
    return leg_1(sequence, **(defaults | fields))


def told(facts, step=Step.SEEN, kind="receive", at_ns=10, **fields):
    """`block_time_ns` of a first sight is the sending block's."""
    chain = facts.destination_chain if kind == "receive" else facts.source_chain
    if step is Step.SEEN:
        fields = {"certain": False, "block_time_ns": at_ns, "height": 3} | fields
    return Note(facts.packet_id, kind, step, chain, at_ns, facts, **fields)


async def write(ledger, *notes):
    ledger.note(notes)
    await ledger.flush()


def ids(page):
    return [one.id for one in page.items]


def ranked(tenths, percent):
    return sorted(tenths)[-(-len(tenths) * percent // 100) - 1] / 10


class MessageConformance:
    async def test_forwarded_message_is_one_of_two_legs_through_its_life(self, open_ledger, open_messages):
        ledger = open_ledger()
        reader = open_messages()
        first, second = leg_1(message_id=MESSAGE_ID), leg_2(message_id=MESSAGE_ID)

        async def after(*notes):
            await write(ledger, *notes)
            (one,) = reader.page(MessageFilter()).items
            assert reader.message(second.packet_id) in (one, None)
            return one.stage, one.state, one.waiting, len(one.legs)

        sent = await after(told(first, at_ns=3 * NS))
        assert sent == (MessageStage.SENT, MessageState.OPEN, None, 1)
        assert await after(told(first, Step.INCLUDED, at_ns=4 * NS)) == (
            MessageStage.AT_HUB,
            MessageState.OPEN,
            None,
            1,
        )
        assert (await after(told(second, at_ns=5 * NS)))[0] is MessageStage.AT_HUB
        retried = await after(told(second, Step.RETRIED, reason="no gas", cause=Cause.WALLET_EMPTY, at_ns=6 * NS))
        assert retried == (MessageStage.AT_HUB, MessageState.OPEN, "no gas", 2)
        dead = await after(told(second, Step.DEAD, reason="ten times", at_ns=7 * NS))
        assert dead == (MessageStage.AT_HUB, MessageState.DEAD, "ten times", 2)
        (letter,) = reader.dead().items
        assert (letter.job, letter.reason, letter.at_ns) == ("receive:hub/bft-evm-1/1", "ten times", 7 * NS)
        assert (await after(told(second, Step.QUEUED, at_ns=8 * NS)))[1] is MessageState.OPEN
        assert reader.dead().items == ()
        assert (await after(told(second, Step.INCLUDED, at_ns=9 * NS)))[0] is MessageStage.DELIVERED
        ack = told(second, Step.INCLUDED, "acknowledge", at_ns=10 * NS, outcome=Outcome.ACKNOWLEDGED)
        assert (await after(ack))[:2] == (MessageStage.DELIVERED, MessageState.OPEN)
        end = told(first, Step.INCLUDED, "acknowledge", 11 * NS, outcome=Outcome.ACKNOWLEDGED, block_time_ns=11 * NS)
        assert await after(end) == (MessageStage.SETTLED, MessageState.ACKNOWLEDGED, None, 2)
        one = reader.by_message_id(MESSAGE_ID)
        assert (one.source.chain, one.via, one.destination.chain, one.destination.client) == (
            "alpha",
            "hub",
            "beta",
            "client-0",
        )
        assert [leg.packet_id for leg in one.legs] == [first.packet_id, second.packet_id]
        assert (one.sender, one.receiver, one.ordered_at_ns, one.settled_at_ns) == (ALICE, BOB, 3 * NS, 11 * NS)
        reader.close()
        ledger.close()

    async def test_every_end_has_its_state(self, open_ledger, open_messages):
        ledger, reader = open_ledger(), open_messages()
        refused = direct(1, refused=True)
        await write(ledger, told(direct(1)), told(direct(2)), told(direct(3)), told(direct(4)))
        await write(
            ledger,
            told(refused, kind="acknowledge", at_ns=20),
            told(direct(1), Step.INCLUDED, "acknowledge", 21, outcome=Outcome.ACKNOWLEDGED),
            told(direct(2), Step.INCLUDED, "timeout", 21, outcome=Outcome.TIMED_OUT),
            told(direct(3), Step.SUPERSEDED, "timeout", 21, outcome=Outcome.SETTLED),
        )
        found = {one.legs[0].sequence: (one.state, one.stage) for one in reader.page(MessageFilter()).items}
        settled = MessageStage.SETTLED
        assert found == {
            1: (MessageState.REFUSED, settled), 2: (MessageState.TIMED_OUT, settled), 3: (MessageState.SETTLED, settled),
            4: (MessageState.OPEN, MessageStage.SENT),
        }  # fmt: skip
        assert reader.message("alpha/client-7/1").legs[0].refused is True
        for state in MessageState:
            assert len(reader.page(MessageFilter(state=state)).items) == (
                state not in (MessageState.ACKNOWLEDGED, MessageState.DEAD)
            )
        totals = reader.totals()
        assert (totals.total, totals.states[MessageState.REFUSED], totals.damaged) == (4, 1, 0)
        assert [(one.source, one.destination, one.app, one.total, one.open) for one in totals.routes] == [
            ("alpha", "beta", App.MESSAGE, 4, 1)
        ]
        reader.close()
        ledger.close()

    async def test_trial_T5_T11_a_refusal_says_who_answered_and_why(self, open_ledger, open_messages, open_reader):
        ledger, reader, lives = open_ledger(), open_messages(), open_reader()
        for sequence in (1, 2, 3):
            await write(ledger, told(leg_1(sequence)))
            seen = told(leg_1(sequence, refused=True), kind="acknowledge", at_ns=20, reason="error acknowledgement")
            await write(ledger, seen)
            ends = told(leg_1(sequence), Step.INCLUDED, "acknowledge", 30, outcome=Outcome.ACKNOWLEDGED)
            await write(ledger, ends)
        await write(
            ledger,
            told(leg_2(1)),
            told(
                leg_2(1, refused=True),
                kind="acknowledge",
                at_ns=19,
                reason="error acknowledgement: Error: closed today",
            ),
            told(leg_2(2)),
            told(leg_2(1), Step.INCLUDED, "acknowledge", 21, outcome=Outcome.ACKNOWLEDGED),
            told(leg_2(2), Step.INCLUDED, "timeout", 21, outcome=Outcome.TIMED_OUT),
        )
        said = {one.legs[0].sequence: (one.state, one.waiting) for one in reader.page(MessageFilter()).items}
        refused = MessageState.REFUSED
        assert said == {
            1: (refused, "its receiver on beta refused it (Error: closed today)"),
            2: (MessageState.TIMED_OUT, "it was not received on beta before its timeout"),
            3: (refused, "it was refused on the way over hub"),
        }
        sentences = [str(why(f"alpha/client-0/{sequence}", lives, 40)) for sequence in (1, 2, 3)]
        for sequence, sentence, words in zip(
            (1, 2, 3),
            sentences,
            (
                "its receiver on beta refused it (Error: closed today)",
                "not received on beta before its timeout",
                "refused on the way over hub",
            ),
            strict=True,
        ):
            assert (
                words in sentence and said[sequence][1] in sentence and "the sender was told that it failed" in sentence
            )
            assert "given back" not in sentence  # nothing was sent with a message
        totals = reader.totals()
        assert (totals.states[MessageState.REFUSED], totals.states[MessageState.TIMED_OUT]) == (2, 1)
        await write(
            ledger, told(token_1(9)), told(token_1(9, refused=True), kind="acknowledge", reason="error acknowledgement")
        )
        await write(ledger, told(token_1(9), Step.INCLUDED, "acknowledge", 30, outcome=Outcome.ACKNOWLEDGED))
        assert "the sender was given back what it sent" in str(why("alpha/client-0/9", lives, 40))
        lives.close()
        reader.close()
        ledger.close()

    async def test_trial_F4_a_dead_letter_says_what_why_says(self, open_ledger, open_messages, open_reader):
        ledger, reader, lives = open_ledger(), open_messages(), open_reader()
        dead = told(direct(1), Step.DEAD, at_ns=2, reason="IBCFailedCallback", cause=Cause.WOULD_FAIL)
        await write(ledger, told(direct(1)), dead)
        (letter,) = reader.dead().items
        assert letter.reason == "IBCFailedCallback: its receiver reverts without a reason"
        assert letter.mend.startswith(f"the receiver {BOB} reverts without a reason, or uses up its gas")
        assert str(why("alpha/client-7/1", lives, 40)).partition("; ")[2] == (
            f"{letter.mend}; to try it at once: hutong relay retry --config relay.toml {letter.job}"
        )
        lives.close()
        reader.close()
        ledger.close()

    async def test_filters_alone_and_together(self, open_ledger, open_messages):
        ledger, reader = open_ledger(), open_messages()
        await write(ledger, *(told(leg_1(number), at_ns=number * NS) for number in range(1, 4)))
        transfer = {"app": "transfer", "denom": "atom", "amount": 2**255, "sender": BOB, "receiver": ALICE}
        await write(
            ledger,
            *(told(direct(number, "beta", "alpha", **transfer), at_ns=number * NS) for number in range(4, 6)),
            told(direct(6, "hub", "alpha", app="other"), Step.DEAD, at_ns=6 * NS),
        )
        every = ids(reader.page(MessageFilter()))
        assert every == [
            "hub/client-7/6",
            *(f"beta/client-7/{n}" for n in (5, 4)),
            *(f"alpha/client-0/{n}" for n in (3, 2, 1)),
        ]

        def found(**wanted):
            return [int(one.rpartition("/")[2]) for one in ids(reader.page(MessageFilter(**wanted)))]

        assert found(source="alpha") == found(destination="beta") == found(app=App.MESSAGE) == [3, 2, 1]
        assert found(destination="alpha") == [6, 5, 4] and found(destination="hub") == []
        assert found(destination="alpha", app=App.TRANSFER) == found(sender=BOB) == [5, 4]
        assert found(sender=ALICE.lower()) == found(sender=ALICE.replace("B", "b")) == [6, 3, 2, 1]
        assert found(sender=ALICE, receiver=BOB) == [6, 3, 2, 1] and found(sender=ALICE, receiver=ALICE) == []
        assert found(sender=ALICE, state=MessageState.DEAD) == found(receiver=BOB, source="hub") == [6]
        assert found(state=MessageState.OPEN, source="hub") == found(source="nowhere") == []
        assert found(sent_from_ns=2 * NS, sent_until_ns=5 * NS) == [4, 3, 2]
        assert found(sent_from_ns=2 * NS, sent_until_ns=5 * NS, app=App.TRANSFER) == [4]
        one = reader.message("beta/client-7/4")
        assert (one.denom, one.amount, one.app, one.via) == ("atom", 2**255, App.TRANSFER, None)
        reader.close()
        ledger.close()

    async def test_pages_are_the_whole_in_order_while_others_come(self, open_ledger, open_messages):
        ledger, reader = open_ledger(), open_messages()
        # Many at one time: the id decides there.
        await write(ledger, *(told(direct(number), at_ns=number // 7 * NS + NS) for number in range(1, 60)))
        for wanted in (
            MessageFilter(),
            MessageFilter(source="alpha"),
            MessageFilter(sender=ALICE),
            MessageFilter(sender=ALICE, receiver=BOB),
        ):
            whole = ids(reader.page(wanted, limit=1000))
            pages, cursor = [], None
            for step in range(100):
                page = reader.page(wanted, cursor, 7)
                pages += ids(page)
                await write(ledger, told(direct(1_000 + step, "beta", "alpha"), at_ns=50 * NS))
                cursor = page.next
                if cursor is None:
                    break
            assert [one for one in pages if one in set(whole)] == whole
            assert len(set(pages)) == len(pages)
        with pytest.raises(InvalidCursor):
            reader.page(MessageFilter(), reader.newest_change())
        reader.close()
        ledger.close()

    async def test_changes_miss_nothing_that_is_written_late(self, open_ledger, open_messages):
        ledger, reader = open_ledger(), open_messages()
        start = reader.newest_change()
        ledger.note([told(direct(1), at_ns=1), told(direct(1), Step.QUEUED, at_ns=1)])  # known early, written late
        await write(ledger, told(direct(2), at_ns=99))
        changes = reader.changes_after(start)
        assert sorted(ids(changes)) == ["alpha/client-7/1", "alpha/client-7/2"] and not changes.more
        seen = changes.cursor
        await write(ledger, told(direct(1), at_ns=100))  # read again: nothing new
        assert reader.changes_after(seen).items == ()
        await write(ledger, told(direct(3), at_ns=2), told(direct(1), Step.WAITING, at_ns=3))
        assert sorted(ids(reader.changes_after(seen))) == ["alpha/client-7/1", "alpha/client-7/3"]
        one = reader.changes_after(seen, 1)
        assert one.more and len(reader.changes_after(one.cursor).items) == 1
        await write(ledger, told(leg_1(5), at_ns=4))
        seen = reader.newest_change()
        assert reader.changes_after(seen).items == ()
        await write(ledger, told(leg_2(5), at_ns=5))
        assert ids(reader.changes_after(seen)) == ["alpha/client-0/5"]
        reader.close()
        ledger.close()

    async def test_legs_of_transfers_are_paired_when_they_are_written(self, open_ledger, open_messages):
        ledger, reader = open_ledger(), open_messages()
        first = {number: token_1(number) for number in (1, 2, 3)}
        second = {number: token_2(10 + number) for number in (1, 2, 3)}
        # One whose first leg the ledger does not know, long before.
        await write(ledger, told(token_2(9), at_ns=100 * NS))
        await write(ledger, told(first[1], at_ns=500 * NS))
        await write(ledger, told(second[1], at_ns=510 * NS))
        await write(ledger, told(second[2], at_ns=520 * NS))  # another relay was quick: leg 2 is seen first
        assert len(reader.page(MessageFilter()).items) == 3
        await write(ledger, told(first[2], at_ns=505 * NS))
        await write(ledger, told(first[3], at_ns=600 * NS), told(second[3], at_ns=610 * NS))
        legs = {one.id: [leg.packet_id for leg in one.legs] for one in reader.page(MessageFilter()).items}
        assert legs == {"hub/bft-evm-1/9": ["hub/bft-evm-1/9"]} | {
            f"alpha/client-0/{number}": [f"alpha/client-0/{number}", f"hub/bft-evm-1/{10 + number}"]
            for number in (1, 2, 3)
        }
        reader.close()
        ledger.close()

    async def test_trial_T5_equal_transfers_heard_of_late_are_paired_in_the_order_of_sending(
        self, open_ledger, open_messages
    ):
        """A relay that was away hears of both at once, the later one first."""
        ledger, reader = open_ledger(), open_messages()
        ends = [told(token_2(10 + n), Step.SUPERSEDED, "timeout", 900, outcome=Outcome.TIMED_OUT) for n in (2, 1)]
        failed = [told(token_1(n, refused=True), kind="acknowledge", at_ns=902 - n) for n in (2, 1)]
        await write(ledger, *ends, *failed)
        legs = {one.id: [leg.packet_id for leg in one.legs] for one in reader.page(MessageFilter()).items}
        assert legs == {f"alpha/client-0/{n}": [f"alpha/client-0/{n}", f"hub/bft-evm-1/{10 + n}"] for n in (1, 2)}
        reader.close()
        ledger.close()

    async def test_equal_transfer_of_a_stranger_takes_no_second_leg(self, open_ledger, open_messages):
        """Receiver, amount and next client are anybody's to choose; sender and denomination are not."""
        ledger, reader = open_ledger(), open_messages()
        stranger = {
            "source_chain": "gamma", "source_client": "client-3", "destination_client": "bft-evm-2", "sender": "0x" + "66" * 20,
            "denom": "junk",
        }  # fmt: skip
        junk = [told(token_1(n, packet_id=f"gamma/client-3/{n}", **stranger), at_ns=400 * NS) for n in range(1, 1_102)]
        other = token_1(2, sender="0x" + "77" * 20, packet_id="alpha/client-0/2")
        worthless = token_1(3, denom="junk", packet_id="alpha/client-0/3")
        await write(ledger, *junk, told(other, at_ns=500 * NS), told(worthless, at_ns=500 * NS))
        sent_on = {"sender": f"bft-evm-2/{stranger['sender']}", "denom": "transfer/bft-evm-2/junk"}
        await write(ledger, told(token_2(21), at_ns=520 * NS), told(token_2(22, **sent_on), at_ns=530 * NS))
        await write(ledger, told(token_2(23, sender=ALICE), at_ns=540 * NS))  # the hub's own: nobody's second leg
        assert [ids(reader.page(MessageFilter(source="hub")))] == [["hub/bft-evm-1/23", "hub/bft-evm-1/21"]]
        await write(ledger, told(token_1(5_000), at_ns=510 * NS))
        assert [leg.packet_id for leg in reader.message("alpha/client-0/5000").legs][1:] == ["hub/bft-evm-1/21"]
        assert reader.message("hub/bft-evm-1/22").source.chain == "gamma"
        await write(ledger, *junk[:3])
        assert ids(reader.page(MessageFilter(source="hub"))) == ["hub/bft-evm-1/23"]
        reader.close()
        ledger.close()

    async def test_second_leg_has_the_tokens_of_the_first_one_hop_on_or_home(self, open_ledger, open_reader):
        ledger, reader = open_ledger(), open_reader()
        hops = [
            ("atom", "transfer/bft-evm-0/atom"), ("transfer/client-0/transfer/bft-evm-1/osmo", "transfer/bft-evm-1/osmo"),
            ("transfer/client-9/atom", "transfer/bft-evm-0/transfer/client-9/atom"),
        ]  # fmt: skip
        firsts = [told(token_1(number, denom=here), at_ns=500 * NS) for number, (here, _) in enumerate(hops, 1)]
        seconds = [told(token_2(4 - number, denom=on), at_ns=510 * NS) for number, (_, on) in enumerate(hops, 1)]
        long = "a" * 128
        firsts.append(told(token_1(4, sender=long), at_ns=500 * NS))
        seconds.append(told(token_2(4, sender=f"bft-evm-0/{long}"), at_ns=510 * NS))
        await write(ledger, *firsts, *seconds)
        for first, second in ((1, 3), (2, 2), (3, 1), (4, 4)):
            assert reader.legs(f"alpha/client-0/{first}") == [f"alpha/client-0/{first}", f"hub/bft-evm-1/{second}"]
        reader.close()
        ledger.close()

    async def test_first_legs_go_by_time_and_none_that_ended_before_has_a_second(self, open_ledger, open_reader):
        ledger, reader = open_ledger(), open_reader()
        unknown = {"sender": None, "denom": None}  # of before schema 0004
        gamma = {"packet_id": "gamma/client-3/1", "source_chain": "gamma", "source_client": "client-3", **unknown}
        await write(ledger, told(token_1(1, **gamma), at_ns=600 * NS), told(token_1(9, **unknown), at_ns=590 * NS))
        await write(ledger, told(token_2(1, **unknown), at_ns=595 * NS))
        assert reader.legs("hub/bft-evm-1/1") == ["alpha/client-0/9", "hub/bft-evm-1/1"]
        ends = [("acknowledge", Outcome.ACKNOWLEDGED, True), ("timeout", Outcome.TIMED_OUT, None)]
        for number, (kind, outcome, refused) in enumerate(ends, 20):
            first = token_1(number, refused=refused, forward_key=kind)
            await write(
                ledger, told(first, at_ns=700 * NS), told(first, Step.INCLUDED, kind, 800 * NS, outcome=outcome)
            )
            again = token_1(number + 10, forward_key=kind)
            await write(ledger, told(again, at_ns=900 * NS), told(token_2(number, forward_key=kind), at_ns=910 * NS))
            assert reader.legs(first.packet_id) == [first.packet_id]
            assert reader.legs(again.packet_id) == [again.packet_id, f"hub/bft-evm-1/{number}"]
            late = token_2(number + 10, forward_key=kind)  # sent before the end, and read after it
            await write(ledger, told(late, at_ns=750 * NS))
            assert reader.legs(first.packet_id) == [first.packet_id, late.packet_id]
        reader.close()
        ledger.close()

    async def test_packets_that_were_a_pair_are_no_halves_later(self, open_ledger, open_reader):
        """Not when retention has forgotten the other one, and not when their events are read again."""
        ledger, reader = open_ledger(), open_reader()
        first, second = told(token_1(1), at_ns=500 * NS), told(token_2(1), at_ns=510 * NS)
        await write(ledger, first, second)
        await write(ledger, told(token_2(1), Step.INCLUDED, "acknowledge", 520 * NS, outcome=Outcome.ACKNOWLEDGED))
        assert await ledger.prune(530 * NS) > 0 and reader.life("hub/bft-evm-1/1") is None
        await write(ledger, first, told(token_2(2), at_ns=540 * NS))
        assert reader.legs("hub/bft-evm-1/2") == ["hub/bft-evm-1/2"]
        await write(ledger, told(token_1(2), at_ns=535 * NS))
        assert reader.legs("hub/bft-evm-1/2") == ["alpha/client-0/2", "hub/bft-evm-1/2"]
        reader.close()
        ledger.close()

    async def test_series_has_the_nearest_ranks_of_each_bucket(self, open_ledger, open_messages):
        ledger, reader = open_ledger(), open_messages()
        random, buckets = Random(5), [[], [], [], []]
        for number, size in enumerate((1, 2, 19, 41)):
            for _ in range(size):
                took_ns = random.randrange(10**6, 90 * NS)
                buckets[number].append(took_ns // 10**8)
                sequence = sum(map(len, buckets))
                settled_ns, sent_ns = (
                    (1_000 + number * 100 + sequence) * NS,
                    (1_000 + number * 100 + sequence) * NS - took_ns,
                )
                facts = direct(sequence)
                ledger.note([told(facts, at_ns=sent_ns)])
                done = {"outcome": Outcome.ACKNOWLEDGED, "block_time_ns": settled_ns}
                ledger.note([told(facts, Step.INCLUDED, "acknowledge", settled_ns, **done)])
        unknown = direct(500)  # it is not known when it was sent
        done = told(unknown, Step.INCLUDED, "acknowledge", 1_050 * NS, outcome=Outcome.ACKNOWLEDGED)
        await write(ledger, told(unknown, Step.QUEUED), done)
        series = reader.series(600, 100, 1_499 * NS)
        assert [one.settled for one in series] == [0, 2, 2, 19, 41, 0]
        assert [one.p50_s for one in series] == [None, *(ranked(one, 50) for one in buckets), None]
        assert [one.p95_s for one in series] == [None, *(ranked(one, 95) for one in buckets), None]
        reader.close()
        ledger.close()

    async def test_messages_are_found_by_what_people_have(self, open_ledger, open_messages):
        ledger, reader = open_ledger(), open_messages()
        first, second = leg_1(message_id=MESSAGE_ID), leg_2(message_id=MESSAGE_ID)
        await write(ledger, told(first, transaction_hash=b"\7" * 32), told(second, transaction_hash=b"\x08" * 32))
        sent_on = transaction(1, (None, RecordedJob(f"receive:{second.packet_id}", 5)), chain="beta")
        await ledger.record(sent_on)
        kinds = {
            second.packet_id: FoundKind.PACKET, MESSAGE_ID.upper().replace("X", "x"): FoundKind.MESSAGE_ID,
            "0x" + "07" * 32: FoundKind.TRANSACTION, "0x" + "08" * 32: FoundKind.TRANSACTION,
            "0x" + "01" * 32: FoundKind.TRANSACTION, ALICE: FoundKind.ADDRESS, BOB: FoundKind.ADDRESS, "beta": FoundKind.CHAIN,
        }  # fmt: skip
        for asked, kind in kinds.items():
            found = reader.search(f" {asked} ")
            assert (found.kind, [one.id for one in found.items]) == (kind, [first.packet_id]), asked
        for asked in (
            "",
            "gamma",
            "0x" + "aa" * 32,
            "0x" + "aa" * 20,
            "alpha/client-0/9",
            "x" * 500,
            "nul\x00",
            "%",
            "'",
        ):
            assert reader.search(asked).kind is FoundKind.NOTHING
        done = delivery(1, packet_id=second.packet_id, chain="beta", transaction_hash=sent_on.hash)
        await ledger.end(
            TransactionEnd(
                "beta", sent_on.hash, TransactionState.INCLUDED, 50, gas_used=1, fee_wei=9, deliveries=(done,)
            )
        )
        assert ids(reader.by_transaction("0x" + "01" * 32)) == [first.packet_id]
        assert ids(reader.page(MessageFilter(transaction="0x" + "01" * 32, state=MessageState.DEAD))) == []
        assert ids(reader.page(MessageFilter(transaction="0x" + "01" * 32, message_id=MESSAGE_ID))) == [first.packet_id]
        assert reader.by_message_id("0x" + "00" * 32) is reader.message("alpha/client-0/99") is None
        reader.close()
        ledger.close()

    async def test_figures_of_a_route(self, open_ledger, open_messages):
        ledger, reader = open_ledger(), open_messages()
        for number in range(1, 21):
            facts, one = (
                direct(number),
                transaction(number, (RecordedJob(f"receive:alpha/client-7/{number}", 5),), chain="beta"),
            )
            await write(ledger, told(facts, at_ns=number * NS))
            await ledger.record(one)
            done = delivery(number, packet_id=facts.packet_id, chain="beta", fee_wei=number)
            await ledger.end(
                TransactionEnd(
                    "beta", one.hash, TransactionState.INCLUDED, 40, gas_used=5, fee_wei=2**200, deliveries=(done,)
                )
            )
            ended = (number + number) * NS  # a latency of as many seconds
            await write(
                ledger,
                told(facts, Step.INCLUDED, "acknowledge", ended, block_time_ns=ended, outcome=Outcome.ACKNOWLEDGED),
            )
        await write(
            ledger,
            told(direct(99), at_ns=59 * NS),
            RouteNote("beta:client-7", 5, "is Frozen", Cause.CLIENT_INACTIVE, 1),
        )
        estimate = reader.estimate("alpha", "beta", 0)
        assert (estimate.samples, estimate.p50_s, estimate.p95_s, estimate.fees) == (
            20,
            10.0,
            19.0,
            (MeanFee("beta", 10),),
        )
        assert (
            reader.estimate("alpha", "beta", 16 * NS).samples == 5 and reader.estimate("beta", "alpha", 0).samples == 0
        )
        series = reader.series(60, 10, 59 * NS)
        assert [one.sent for one in series] == [9, 10, 1, 0, 0, 1] and [one.settled for one in series] == [
            4,
            5,
            5,
            5,
            1,
            0,
        ]
        assert (series[0].start_ns, series[0].p50_s, series[4].p95_s, series[5].p50_s) == (0, 2.0, 20.0, None)
        (route,) = reader.open_by_route()
        assert (route.route, route.open, route.state.reason) == ("beta:client-7", 1, "is Frozen")
        assert reader.message("alpha/client-7/99").waiting == "is Frozen"
        (costs,) = reader.totals().costs
        assert (costs.chain, costs.deliveries, costs.transactions, costs.fee_wei) == ("beta", 20, 20, 20 * 2**200)
        reader.close()
        ledger.close()

    async def test_costs_are_exact_whatever_the_fees(self, open_ledger, open_messages):
        ledger, reader = open_ledger(), open_messages()
        fees = [0, 1, 10**9 - 1, 10**9, 10**18 - 1, 10**18, 2**64, 2**256 - 1, *(10**18 - n for n in range(1, 30))]
        for number, fee_wei in enumerate(fees):
            one = transaction(number, nonce=number, chain=("beta", "alpha")[number % 2])
            await ledger.record(one)
            state = TransactionState.REVERTED if number % 3 == 0 else TransactionState.INCLUDED
            gas_used = None if number == 5 else 2**63 - 1 - number
            await ledger.end(TransactionEnd(one.chain, one.hash, state, 40, gas_used=gas_used, fee_wei=fee_wei))
        unknown = transaction(99, nonce=99, chain="alpha")
        await ledger.record(unknown)
        await ledger.end(TransactionEnd("alpha", unknown.hash, TransactionState.REPLACED, 40))
        expected = tuple(
            Costs(
                chain,
                0,
                len(numbers),
                sum(number % 3 == 0 for number in numbers),
                sum(2**63 - 1 - number for number in numbers if number != 5),
                sum(fees[number] for number in numbers),
            )
            for chain, numbers in (("alpha", range(1, len(fees), 2)), ("beta", range(0, len(fees), 2)))
        )
        assert tuple(await ledger.costs()) == expected
        assert (reader.totals().costs, reader.totals().damaged) == (expected, 0)
        for number, damaged in ((1, "12x"), (3, "-5"), (7, " 7"), (9, "")):
            with ledger.engine.begin() as connection:
                change = text("UPDATE transactions SET fee_wei = :fee WHERE hash = :hash")
                connection.execute(change, {"fee": damaged, "hash": "0x" + transaction(number).hash.hex()})
        assert reader.totals().damaged == 4 and sum(one.transactions for one in reader.totals().costs) == len(fees) - 4
        assert sum(one.fee_wei for one in reader.totals().costs) == sum(fees) - sum(fees[n] for n in (1, 3, 7, 9))
        assert tuple(await ledger.costs()) == reader.totals().costs
        reader.close()
        ledger.close()

    async def test_damaged_rows_are_named_and_stop_no_other(self, open_ledger, open_messages, open_reader):
        ledger, reader = open_ledger(), open_messages()
        await write(ledger, *(told(direct(number), at_ns=number) for number in range(1, 7)))
        changes = [
            (2, "packets", "step", "lost"), (3, "packets", "amount", "12x"), (4, "messages", "state", "gone"),
            (5, "messages", "lane", "alpha"),
        ]  # fmt: skip
        for number, table, column, value in changes:
            with ledger.engine.begin() as connection:
                change = text(f"UPDATE {table} SET {column} = :value WHERE packet_id = :id")  # noqa: S608
                connection.execute(change, {"value": value, "id": f"alpha/client-7/{number}"})
        page = reader.page(MessageFilter())
        assert ids(page) == ["alpha/client-7/6", "alpha/client-7/1"]
        named = {(one.table, one.key, one.column, one.got) for one in page.damaged}
        assert named == {
            (table, f"alpha/client-7/{number}", column, repr(value)) for number, table, column, value in changes
        }
        with pytest.raises(LedgerDamaged, match="row alpha/client-7/3 of packets is damaged: amount is '12x'"):
            reader.message("alpha/client-7/3")
        assert reader.totals().damaged == 2 and reader.open_by_route()[0].open == 6
        one = transaction(1)
        await ledger.record(one)
        await ledger.end(TransactionEnd(one.chain, one.hash, TransactionState.INCLUDED, 40, gas_used=1, fee_wei=1))
        with ledger.engine.begin() as connection:
            connection.execute(text("UPDATE transactions SET fee_wei = '-'"))
        assert (reader.totals().damaged, reader.totals().costs) == (3, ())
        plain = open_reader()
        pending = plain.pending()
        assert (len(pending.packets), {row.column for row in pending.damaged}) == (4, {"step", "amount"})
        with pytest.raises(LedgerDamaged):
            plain.life("alpha/client-7/3")
        plain.close()
        reader.close()
        ledger.close()

    async def test_hostile_parties_are_stored_bounded_and_found(self, open_ledger, open_messages):
        ledger, reader = open_ledger(), open_messages()
        await write(
            ledger,
            told(
                direct(1, sender="nul\x00" + "s" * 3_000, receiver="lone\ud800", denom="d" * 5_000, amount=2**256 - 1)
            ),
        )
        one = reader.message("alpha/client-7/1")
        assert (len(one.sender), len(one.denom), one.amount) == (128, 1024, 2**256 - 1) and "\x00" not in one.sender
        assert ids(reader.page(MessageFilter(sender=one.sender))) == [one.id]
        assert ids(reader.page(MessageFilter(sender="nul\x00" + "s" * 3_000, receiver="lone\ud800"))) == [one.id]
        reader.close()
        ledger.close()

    async def test_what_retention_forgets_is_in_no_list(self, open_ledger, open_messages):
        ledger, reader = open_ledger(), open_messages()
        await write(ledger, told(direct(1)), told(direct(2)))
        await write(ledger, told(direct(1), Step.INCLUDED, "acknowledge", 50, outcome=Outcome.ACKNOWLEDGED))
        before = reader.newest_change()
        await ledger.prune(60)
        assert ids(reader.page(MessageFilter())) == ["alpha/client-7/2"] and reader.message("alpha/client-7/1") is None
        assert reader.newest_change() == before
        await write(ledger, told(direct(3)))
        assert ids(reader.changes_after(before)) == ["alpha/client-7/3"]
        reader.close()
        ledger.close()
