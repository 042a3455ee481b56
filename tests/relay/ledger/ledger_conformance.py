"""What every database must do for the ledger. A test class with the fixture `open_ledger` takes `LedgerConformance` on.

`open_ledger()` opens the same database each time; `open_reader()` reads it as an operator's command does.
"""

from dataclasses import replace

from hutong.relay.ledger import (
    Cause,
    Costs,
    Delivery,
    Ledger,
    Note,
    Outcome,
    PacketFacts,
    RecordedJob,
    RecordedTransaction,
    RouteNote,
    Step,
    TransactionEnd,
    TransactionState,
    explain,
)
from hutong.relay.ledger.writing import packet_records

SENDER = "0x" + "11" * 20
PACKET = "alpha/client-0/7"
BIG_WEI = 2**200


def facts(sequence=7, **fields):
    defaults = {
        "packet_id": f"alpha/client-0/{sequence}", "source_chain": "alpha", "source_client": "client-0",
        "destination_chain": "hub", "destination_client": "bft-evm-0", "sequence": sequence, "source_port": "gmpport",
        "destination_port": "forward", "payload_bytes": 5, "timeout_timestamp_s": 2_000_000_000,
    }  # fmt: skip
    return PacketFacts(**(defaults | fields))


def note(step, kind="receive", sequence=7, at_ns=10, **fields):
    chain = "hub" if kind == "receive" else "alpha"
    return Note(f"alpha/client-0/{sequence}", kind, step, chain, at_ns, facts(sequence), **fields)


def transaction(number, jobs=(None, RecordedJob(f"receive:{PACKET}", 5)), nonce=0, chain="hub"):
    return RecordedTransaction(chain, bytes([number]) * 32, SENDER, nonce, b"raw", "{}", jobs, 20 + number)


def delivery(number, kind="receive", **fields):
    defaults = {
        "packet_id": PACKET, "kind": kind, "chain": "hub" if kind == "receive" else "alpha", "transaction_hash": bytes([number]) * 32,
        "height": 9, "batch_size": 1, "gas_used": 100, "fee_wei": BIG_WEI, "event_time_ns": 5, "block_time_ns": 6, "at_ns": 40,
    }  # fmt: skip
    return Delivery(**(defaults | fields))


async def end(ledger, one, state=TransactionState.INCLUDED, **fields):
    costs = {"height": 9, "gas_used": 100, "fee_wei": BIG_WEI}
    await ledger.end(TransactionEnd(one.chain, one.hash, state, 40, **(costs | fields)))


class LedgerConformance:
    async def test_cursor_moves_and_lasts(self, open_ledger):
        ledger = open_ledger()
        assert await ledger.cursor("alpha") is None
        for height in (5, 9):
            await ledger.set_cursor("alpha", height)
        ledger.close()
        again = open_ledger()
        assert (await again.cursor("alpha"), await again.cursor("beta")) == (9, None)
        await again.set_cursor("alpha", 2**70)  # no chain is so high, but an endpoint may say it
        assert await again.cursor("alpha") == 2**63 - 1
        again.close()

    async def test_parity_row_53_relays_in_one_ledger_keep_their_cursors_and_waits_apart(
        self, open_ledger, open_reader
    ):
        """What they did is one history, and says whose it is."""
        first = open_ledger()
        second = Ledger(first.engine, owner="second")
        await first.set_cursor("alpha", 5)
        await second.set_cursor("alpha", 9)
        assert (await first.cursor("alpha"), await second.cursor("alpha")) == (5, 9)
        first.note([RouteNote("hub:bft-evm-0", 5, "is Frozen", Cause.CLIENT_INACTIVE, 1)])
        second.note([RouteNote("hub:bft-evm-0", 6)])
        first.note([note(Step.QUEUED)])
        await first.record(transaction(1))
        await second.record(transaction(2, jobs=(RecordedJob(f"acknowledge:{PACKET}", 5),), chain="alpha"))
        await end(first, transaction(1), deliveries=[delivery(1)])
        await end(second, transaction(2, chain="alpha"), deliveries=[delivery(2, "acknowledge")])
        reader = open_reader()
        life = reader.life(PACKET)
        assert [(one.kind, one.owner) for one in life.deliveries] == [("receive", "relay"), ("acknowledge", "second")]
        assert life.packet.outcome == Outcome.ACKNOWLEDGED
        waits = reader.route("hub:bft-evm-0")
        assert (waits.owner, waits.reason) == ("relay", "is Frozen")
        first.note([RouteNote("hub:bft-evm-0", 7)])
        await first.flush()
        assert reader.route("hub:bft-evm-0") is None
        reader.close()
        second.close()
        first.close()

    async def test_whole_life_in_steps_heights_hashes_and_costs(self, open_ledger, open_reader):
        ledger = open_ledger()
        ledger.note([note(Step.SEEN, height=3, block_time_ns=2, transaction_hash=b"\7" * 32, certain=False)])
        ledger.note([note(Step.QUEUED, at_ns=11)])
        await ledger.record(transaction(1))
        await end(ledger, transaction(1), deliveries=[delivery(1)])
        back = transaction(2, (RecordedJob(f"acknowledge:{PACKET}", 5),), chain="alpha")
        ledger.note(
            [note(Step.SEEN, "acknowledge", at_ns=50, certain=False), note(Step.QUEUED, "acknowledge", at_ns=51)]
        )
        await ledger.record(back)
        reader = open_reader()
        before = reader.life(PACKET)
        assert (before.packet.kind, before.packet.step, before.packet.outcome) == ("acknowledge", "submitted", None)
        assert before.transaction.hash == "0x" + (b"\2" * 32).hex()
        assert [one.packet_id for one in reader.pending().packets] == [PACKET]
        under_way = explain(before, before.transaction.signed_at_ns + 5 * 10**9)
        assert "was sent 5 s ago" in under_way.waits_for and under_way.remedy.startswith("nothing while the relay runs")
        await end(ledger, back, deliveries=[delivery(2, "acknowledge")])
        life = reader.life(PACKET)
        assert (life.packet.outcome, life.packet.sent.height, life.packet.settled.at_ns) == ("acknowledged", 3, 40)
        assert [(step.kind, step.step) for step in life.steps if step.kind == "receive"] == [
            ("receive", one) for one in ("seen", "queued", "submitted", "included")
        ]
        assert life.deliveries == (delivery(1), delivery(2, "acknowledge"))
        assert reader.pending().packets == () and explain(life, 60).settled
        for name in ("0x" + "07" * 32, "0x" + "01" * 32, PACKET):
            assert reader.find(name) == [PACKET]
        assert reader.find("0x" + "aa" * 32) == []
        assert await ledger.costs() == [Costs("alpha", 1, 1, 0, 100, BIG_WEI), Costs("hub", 1, 1, 0, 100, BIG_WEI)]
        reader.close()
        ledger.close()

    async def test_senders_of_every_chain_fit(self, open_ledger):
        """Bech32 addresses of modules are longer than any of an EVM chain; older schemas had no room for them."""
        ledger = open_ledger()
        senders = (SENDER, "cosmos1" + "q" * 58, "p" * 83 + "1" + "q" * 44)
        for number, sender in enumerate(senders):
            await ledger.record(replace(transaction(number), sender=sender))
        for number, sender in enumerate(senders):
            (found,) = await ledger.open_transactions("hub", sender)
            assert (found.sender, found.hash) == (sender, bytes([number]) * 32)
        ledger.close()

    async def test_old_news_changes_no_later_step_and_no_end(self, open_ledger, open_reader):
        ledger, reader = open_ledger(), None
        ledger.note([note(Step.SEEN, certain=False), note(Step.QUEUED)])
        await ledger.record(transaction(1))
        reader = open_reader()
        ledger.note([note(Step.SEEN, certain=False), note(Step.QUEUED, certain=False)])
        await ledger.flush()
        assert reader.life(PACKET).packet.step == "submitted"
        ledger.note([note(Step.RETRIED, reason="x", cause=Cause.WOULD_FAIL)])
        ledger.note([note(Step.SEEN, "acknowledge", certain=False)])
        ledger.note([note(Step.SUPERSEDED)])
        await ledger.flush()
        packet = reader.life(PACKET).packet
        assert (packet.kind, packet.step) == ("acknowledge", "seen")
        ledger.note([note(Step.SUPERSEDED, "timeout", outcome=Outcome.TIMED_OUT)])
        await ledger.flush()
        ledger.note([note(Step.QUEUED, "timeout"), note(Step.DEAD, "acknowledge", reason="y")])
        await ledger.flush()
        assert reader.life(PACKET).packet.outcome == "timed_out"
        reader.close()
        ledger.close()

    async def test_notes_one_by_one_and_together_come_to_the_same(self, open_ledger, open_reader):
        steps = [
            (Step.SEEN, {"certain": False}), (Step.QUEUED, {}), (Step.WAITING, {"reason": "w", "cause": Cause.ENDPOINT}),
            (Step.RETRIED, {"reason": "r"}), (Step.WAITING, {"reason": "w2"}), (Step.DEAD, {"reason": "d"}),
        ]  # fmt: skip
        ledger, reader = open_ledger(), None
        for at_ns, (step, fields) in enumerate(steps):
            ledger.note([note(step, sequence=1, at_ns=at_ns, **fields)])
            await ledger.flush()
        ledger.note([note(step, sequence=2, at_ns=at_ns, **fields) for at_ns, (step, fields) in enumerate(steps)])
        await ledger.flush()
        reader = open_reader()
        one, two = reader.life("alpha/client-0/1"), reader.life("alpha/client-0/2")
        shape = lambda life: [(s.step, s.first_at_ns, s.at_ns, s.count, s.reason) for s in life.steps]  # noqa: E731
        assert shape(one) == shape(two) and (one.packet.step, two.packet.step) == ("dead", "dead")
        assert ("waiting", 2, 4, 2, "w2") in shape(two)
        reader.close()
        ledger.close()

    async def test_hostile_text_and_numbers_are_stored_bounded(self, open_ledger, open_reader):
        ledger = open_ledger()
        hostile = facts(2**64 - 1, source_port="p" * 500, timeout_timestamp_s=2**64 - 1)
        ledger.note(
            [
                Note(
                    hostile.packet_id,
                    "receive",
                    Step.DEAD,
                    "hub",
                    1,
                    hostile,
                    reason="nul\x00 lone\ud800 " + "x" * 9_999,
                )
            ]
        )
        await ledger.set_cursor("alpha", 1)
        reader = open_reader()
        packet = reader.life(hostile.packet_id).packet
        assert len(packet.source_port) == 128 and len(packet.reason) <= 500 and "\x00" not in packet.reason
        assert packet.timeout_timestamp_s == 2**63 - 1
        reader.close()
        ledger.close()

    async def test_absurd_block_of_one_chain_stops_no_other(self, open_ledger, open_reader):
        """A block time is what an endpoint said, until a light client has it: it must fit where everything is written."""
        ledger = open_ledger()
        absurd = {"height": 2**256 - 1, "block_time_ns": (2**256 - 1) * 10**9}
        ledger.note([note(Step.SEEN, certain=False, **absurd), note(Step.QUEUED, sequence=8)])
        await ledger.set_cursor("beta", 3)
        await ledger.record(transaction(1))
        numbers = dict.fromkeys(("height", "gas_used", "fee_wei", "event_time_ns", "block_time_ns"), 2**300)
        one = transaction(1)
        await ledger.end(
            TransactionEnd(
                one.chain, one.hash, TransactionState.INCLUDED, 40, height=2**300, gas_used=2**300, fee_wei=2**300,
                deliveries=(delivery(1, **numbers),),
            )
        )  # fmt: skip
        assert (await ledger.cursor("beta"), ledger.notes) == (3, 0)
        reader = open_reader()
        packet, seen = reader.life(PACKET).packet, reader.life(PACKET).steps[0]
        most = 2**63 - 1
        assert (packet.sent.height, packet.sent.time_ns, seen.height, seen.block_time_ns) == (most,) * 4
        assert [one.sequence for one in reader.pending().packets] == [7, 8]
        (done,) = await ledger.deliveries(PACKET)
        assert (done.height, done.gas_used, done.event_time_ns, done.block_time_ns) == (most,) * 4
        assert done.fee_wei == 2**256 - 1
        assert await ledger.costs() == [Costs("hub", 1, 1, 0, most, 2**256 - 1)]
        reader.close()
        ledger.close()

    async def test_route_waits_since_its_first_failure(self, open_ledger, open_reader):
        ledger = open_ledger()
        ledger.note([RouteNote("hub:bft-evm-0", 5, "is Frozen", Cause.CLIENT_INACTIVE, 1)])
        await ledger.flush()
        ledger.note([RouteNote("hub:bft-evm-0", 9, "is Frozen", Cause.CLIENT_INACTIVE, 2), note(Step.QUEUED)])
        await ledger.flush()
        reader = open_reader()
        state = reader.route("hub:bft-evm-0")
        assert (state.since_ns, state.at_ns, state.failures) == (5, 9, 2)
        assert "is Frozen" in str(explain(reader.life(PACKET), 20))
        ledger.note([RouteNote("hub:bft-evm-0", 12)])
        await ledger.flush()
        assert reader.route("hub:bft-evm-0") is None
        reader.close()
        ledger.close()

    async def test_chain_state_closes_what_others_settled(self, open_ledger, open_reader):
        ledger = open_ledger()
        ledger.note([note(Step.QUEUED, sequence=sequence) for sequence in range(1, 7)])
        await ledger.flush()
        assert await ledger.reconcile("alpha", "client-0", {2, 6}, range(1, 5), 60) == 3
        assert await ledger.reconcile("alpha", "client-9", set(), range(1, 5), 60) == 0
        reader = open_reader()
        assert [one.sequence for one in reader.pending().packets] == [2, 5, 6]
        ledger.note([note(Step.RETRIED, sequence=1, reason="it was a lie")])
        await ledger.flush()
        assert 1 in [one.sequence for one in reader.pending().packets]
        reader.close()
        ledger.close()

    async def test_retention_forgets_what_is_settled_and_nothing_else(self, open_ledger, open_reader):
        ledger = open_ledger()
        for sequence in range(1, 1_101):
            ledger.note([note(Step.INCLUDED, "acknowledge", sequence, at_ns=50, outcome=Outcome.ACKNOWLEDGED)])
        ledger.note(
            [
                note(Step.QUEUED, sequence=2_000, at_ns=1),
                note(Step.INCLUDED, "timeout", 3_000, at_ns=90, outcome=Outcome.TIMED_OUT),
            ]
        )
        old, open_ = transaction(1), transaction(3, nonce=3)
        await ledger.record(old)
        await ledger.record(open_)
        await end(ledger, old, deliveries=[delivery(1, packet_id="alpha/client-0/1")])
        assert await ledger.prune(60) >= 2_200
        reader = open_reader()
        assert reader.life("alpha/client-0/1") is None
        assert reader.life("alpha/client-0/2000") is not None and reader.life("alpha/client-0/3000") is not None
        assert await ledger.open_transactions("hub", SENDER) == [open_]
        assert await ledger.costs() == [] and await ledger.prune(60) == 0
        reader.close()
        ledger.close()

    async def test_both_legs_of_a_forwarded_packet_are_found_from_either(self, open_ledger, open_reader):
        ledger = open_ledger()
        second = facts(
            3,
            packet_id="hub/bft-evm-1/3",
            source_chain="hub",
            source_client="bft-evm-1",
            destination_chain="beta",
            leg_of=PACKET,
        )
        ledger.note(
            [
                note(Step.SEEN, certain=False),
                Note(second.packet_id, "receive", Step.SEEN, "hub", 12, second, certain=False),
            ]
        )
        for sequence in (1, 2):
            first = facts(sequence, forward_key="k", next_client="bft-evm-1")
            sent_on = facts(
                sequence + 10, packet_id=f"hub/bft-evm-1/{sequence + 10}", source_chain="hub", source_client="bft-evm-1",
                destination_chain="beta", forward_key="k",
            )  # fmt: skip
            ledger.note(
                [
                    Note(one.packet_id, "receive", Step.SEEN, one.source_chain, 9, one, certain=False)
                    for one in (first, sent_on)
                ]
            )
        await ledger.flush()
        reader = open_reader()
        assert reader.legs(PACKET) == reader.legs("hub/bft-evm-1/3") == [PACKET, "hub/bft-evm-1/3"]
        for sequence in (1, 2):
            legs = [f"alpha/client-0/{sequence}", f"hub/bft-evm-1/{sequence + 10}"]
            assert reader.legs(legs[0]) == reader.legs(legs[1]) == legs
        reader.close()
        ledger.close()

    async def test_parity_pain_13_bytes_of_a_packet_last_until_it_is_settled(self, open_ledger):
        ledger = open_ledger()
        ledger.note([note(Step.SEEN, record=b"sent"), note(Step.SEEN, sequence=8, record=b"other")])
        assert await ledger.record_of(PACKET, "receive") == b"sent"
        ledger.close()
        ledger = open_ledger()
        assert await ledger.record_of(PACKET, "receive") == b"sent" and await ledger.record_of(PACKET, "x") is None
        ledger.note([note(Step.SEEN, kind="acknowledge", record=b"answer"), note(Step.SEEN, record=b"of a reorg")])
        assert await ledger.record_of(PACKET, "acknowledge") == b"answer"
        assert await ledger.record_of(PACKET, "receive") == b"of a reorg"
        ledger.note([note(Step.INCLUDED, kind="acknowledge", outcome=Outcome.ACKNOWLEDGED)])
        for kind in ("receive", "acknowledge"):
            assert await ledger.record_of(PACKET, kind) is None
        assert await ledger.record_of("alpha/client-0/8", "receive") == b"other"
        assert await ledger.reconcile("alpha", "client-0", [], range(1, 10), 50) == 1
        assert await ledger.record_of("alpha/client-0/8", "receive") is None
        ledger.note(
            [note(Step.SEEN, sequence=9, record=b"x"), note(Step.SUPERSEDED, sequence=9, outcome=Outcome.SETTLED)]
        )
        assert await ledger.record_of("alpha/client-0/9", "receive") is None, "settled before it was written"
        ledger.close()

    async def test_parity_pain_13_bytes_are_bounded(self, open_ledger, monkeypatch):
        monkeypatch.setattr(packet_records, "MAX_RECORD_BYTES", 100)
        monkeypatch.setattr(packet_records, "MAX_RECORDS", 3)
        ledger = open_ledger()
        ledger.note([note(Step.SEEN, sequence=1, record=b"x" * 101), note(Step.SEEN, sequence=2, record=b"x" * 100)])
        assert await ledger.record_of("alpha/client-0/1", "receive") is None, "one that is too long"
        assert await ledger.record_of("alpha/client-0/2", "receive") is not None
        assert await ledger.bound_records()
        ledger.note([note(Step.SEEN, sequence=number, record=b"x") for number in (3, 4)])
        assert not await ledger.bound_records(), "as many as may be"
        ledger.note([note(Step.SEEN, sequence=5, record=b"x")])
        assert await ledger.record_of("alpha/client-0/5", "receive") is None
        ledger.note([note(Step.SUPERSEDED, sequence=3, outcome=Outcome.SETTLED)])
        assert await ledger.bound_records(), "one was settled"
        ledger.note([note(Step.SEEN, sequence=6, record=b"x")])
        assert await ledger.record_of("alpha/client-0/6", "receive") == b"x"
        monkeypatch.setattr(packet_records, "MAX_TOTAL_BYTES", 102)
        assert not await ledger.bound_records(), "as many bytes as may be"
        ledger.close()

    async def test_parity_pain_13_what_a_late_step_leaves_of_a_settled_packet_goes(self, open_ledger):
        ledger = open_ledger()
        ledger.note([note(Step.INCLUDED, kind="acknowledge", outcome=Outcome.ACKNOWLEDGED)])
        await ledger.flush()
        ledger.note([note(Step.SEEN, record=b"late", certain=False)])
        assert await ledger.record_of(PACKET, "receive") == b"late"
        await ledger.bound_records()
        assert await ledger.record_of(PACKET, "receive") is None
        ledger.close()
