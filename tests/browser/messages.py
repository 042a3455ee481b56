"""Messages for the explorer's tests: hostile ones, many, and ones that are sent while a page looks."""

from pathlib import Path

from hutong.relay.ledger import App, Cause, Ledger, Note, Outcome, Step
from hutong.relay.ledger.values.life import refusal_reason
from tests.relay.api.api_world import CLIENT, DELIVERED_HASH, MINUTE_NS, NOW_NS, acknowledged, facts, received, sent

HOSTILE_SENDERS = (
    "<script>document.documentElement.dataset.pwned = 1</script>",
    '<img src=x onerror="document.documentElement.dataset.pwned = 2">',
    "\u202egnihton si siht\u202c\u2066\u200f",
    "\u0000\u0007\u001b[31m\r\n\ttab",
    "' onmouseover='document.documentElement.dataset.pwned=3' x='",
    "javascript:document.documentElement.dataset.pwned=4",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467" * 40,
    "W" * 2_000,
    "a\u0301\u0301\u0301\u0301" * 300,
    "../../../../etc/passwd?x=#/stuck&q=%00%zz",
)
FIRST_HOSTILE = 100
BATCH = 5_000


async def write(home: Path, notes) -> None:
    ledger = Ledger.open_file(home / "ledger.sqlite")
    try:
        ledger.note(notes)
        await ledger.flush()
    finally:
        ledger.close()


def way(sequence: int, at_ns: int, **fields):
    """A direct message that is delivered and acknowledged within two seconds."""
    one = facts(sequence, **fields)
    return [sent(one, at_ns), received(one, at_ns + 10**9), acknowledged(one, at_ns + 2 * 10**9)]


def refused_way(sequence: int, at_ns: int, said: str):
    """A direct message whose receiver refuses it and says why."""
    one = facts(sequence, refused=True)
    told = Note(
        one.packet_id, "acknowledge", Step.SEEN, "beta", at_ns + 10**9, facts=one, reason=refusal_reason(said)
    )  # fmt: skip
    return [
        sent(facts(sequence), at_ns),
        received(facts(sequence), at_ns + 10**9),
        told,
        acknowledged(one, at_ns + 2 * 10**9),
    ]


def late_way(sequence: int, at_ns: int):
    """A direct transfer whose receiving chain was down past the timeout: the relay's last try there failed."""
    one = facts(
        sequence, app=App.TRANSFER.value, source_port="transfer", destination_port="transfer", denom="atom", amount=7
    )
    failed = Note(
        one.packet_id, "receive", Step.RETRIED, "beta", at_ns + 9 * 10**9, facts=one,
        reason="the transaction would fail: IBCInvalidTimeoutTimestamp", cause=Cause.WOULD_FAIL,
    )  # fmt: skip
    back = Note(
        one.packet_id, "timeout", Step.INCLUDED, "alpha", at_ns + 2 * 10**9, facts=one, height=12,
        block_time_ns=at_ns + 2 * 10**9, transaction_hash=DELIVERED_HASH, outcome=Outcome.TIMED_OUT,
    )  # fmt: skip
    return [sent(one, at_ns), failed, back]


async def write_hostile_messages(home: Path) -> None:
    notes = []
    for number, sender in enumerate(HOSTILE_SENDERS):
        hostile = facts(FIRST_HOSTILE + number, sender=sender, receiver=sender[::-1])
        notes += [sent(hostile, NOW_NS - 10 * MINUTE_NS + number * 10**9)]
    await write(home, notes)


async def write_many(home: Path, count: int) -> None:
    """`count` finished messages, a second apart, the newest now."""
    ledger = Ledger.open_file(home / "ledger.sqlite")
    try:
        for start in range(0, count, BATCH):
            for sequence in range(start + 1, min(start + BATCH, count) + 1):
                one, at_ns = facts(sequence), NOW_NS - (count - sequence) * 10**9
                ledger.note([sent(one, at_ns), acknowledged(one, at_ns + 2 * 10**9)])
            await ledger.flush()
    finally:
        ledger.close()


def packet_id(sequence: int) -> str:
    return f"alpha/{CLIENT}/{sequence}"
