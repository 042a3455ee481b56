"""`hutong show`, `why` and `pending` of forwarded packets: all three say the same of what became of them."""

import json
from dataclasses import replace

import pytest
import trio
from typer.testing import CliRunner

from hutong.relay.cli.main import app
from hutong.relay.ledger import Ledger, Note, Outcome, Step
from hutong.relay.ledger.values.life import refusal_reason
from tests.relay.api.api_world import MINUTE_NS, NOW_NS, acknowledged, facts, received, sent

CONFIG = """
[relay]
home = "state"

[[chains]]
name = "alpha"
kind = "evm"
chain_id = 1001
consensus = "qbft"
rpc = ["http://127.0.0.1:1"]
router = "0x1111111111111111111111111111111111111111"
key = { keystore = "k", password_env = "P" }

[[chains]]
name = "hub"
kind = "hub"
chain_id = "hutong-1"
rpc = ["http://127.0.0.1:1"]
consensus_rpc = ["http://127.0.0.1:1"]
key = { keystore = "k", password_env = "P" }
"""
LATE, REFUSED, OPEN, REFUSED_BY_HUB = 1, 2, 3, 4
REASON = "ReceiverReverted: Error: we are closed today"


def first(sequence: int) -> str:
    return f"alpha/client-0/{sequence}"


def second(sequence: int) -> str:
    return f"hub/bft-evm-2/{sequence}"


def both_legs(sequence: int):
    """From alpha over the hub to beta; the sender was told that it failed, but of the one that is open."""
    leg_1 = facts(
        sequence, packet_id=first(sequence), source_client="client-0", destination_chain="hub",
        destination_client="bft-evm-1", next_client="bft-evm-2", final_chain="beta", final_client="client-0",
    )  # fmt: skip
    leg_2 = facts(
        sequence, packet_id=second(sequence), source_chain="hub", source_client="bft-evm-2",
        destination_client="client-0", leg_of=first(sequence),
    )  # fmt: skip
    return leg_1, leg_2


def told_of_refusal(leg, at_ns: int, reason: str) -> list[Note]:
    refused = replace(leg, refused=True)
    seen = Note(leg.packet_id, "acknowledge", Step.SEEN, leg.destination_chain, at_ns, facts=refused, reason=reason)
    return [seen, acknowledged(refused, at_ns + 10**9)]


def notes_of(sequence: int) -> list[Note]:
    leg_1, leg_2 = both_legs(sequence)
    at_ns = NOW_NS - 10 * MINUTE_NS
    notes = [sent(leg_1, at_ns), received(leg_1, at_ns + 10**9)]
    if sequence == REFUSED_BY_HUB:
        return notes + told_of_refusal(leg_1, at_ns + 5 * 10**9, refusal_reason(None))
    notes.append(sent(leg_2, at_ns + 10**9))
    if sequence == OPEN:
        return notes
    if sequence == LATE:
        notes.append(
            Note(
                leg_2.packet_id, "timeout", Step.INCLUDED, "hub", at_ns + 3 * 10**9, facts=leg_2, height=9,
                block_time_ns=at_ns + 3 * 10**9, transaction_hash=b"\x01" * 32, outcome=Outcome.TIMED_OUT,
            )
        )  # fmt: skip
    else:
        notes.append(received(leg_2, at_ns + 2 * 10**9))
        notes += told_of_refusal(leg_2, at_ns + 3 * 10**9, refusal_reason(REASON))
    return notes + told_of_refusal(leg_1, at_ns + 5 * 10**9, refusal_reason(None))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """`run(*arguments)` gives what the command prints, over a ledger of the four."""
    home = tmp_path_factory.mktemp("show")
    file = home / "relay.toml"
    file.write_text(CONFIG)
    file.chmod(0o600)
    (home / "state").mkdir(mode=0o700)

    async def write() -> None:
        ledger = Ledger.open_file(home / "state" / "ledger.sqlite")
        try:
            for sequence in (LATE, REFUSED, OPEN, REFUSED_BY_HUB):
                ledger.note(notes_of(sequence))
            await ledger.flush()
        finally:
            ledger.close()

    trio.run(write)

    def one(*arguments: str) -> str:
        done = CliRunner().invoke(app, [*arguments, "--config", str(file)])
        assert done.exit_code == 0, (done.output, done.exception)
        return done.stdout

    return one


SAID = {
    LATE: "it was not received on beta before its timeout, the sender was told that it failed",
    REFUSED: f"its receiver on beta refused it ({REASON}), the sender was told that it failed",
    OPEN: f"it is received on hub and was sent on as {second(OPEN)}",
    REFUSED_BY_HUB: "it was refused on the way over hub",
}


@pytest.mark.parametrize("sequence", SAID)
def test_trial_T11_show_says_of_each_leg_what_why_says(run, sequence):
    document = json.loads(run("show", first(sequence), "--json"))["packets"]
    assert [one["id"] for one in document] == [first(sequence), second(sequence)][: len(document)]
    assert len(document) == (1 if sequence == REFUSED_BY_HUB else 2)
    for one in document:
        why = json.loads(run("why", one["id"], "--json"))
        assert {name: one[name] for name in why} == why
    sentence = f"{document[0]['waits_for']}; {document[0]['do']}"
    assert SAID[sequence] in sentence
    assert ("hutong_forwardFailure" in sentence) == (sequence == REFUSED_BY_HUB)


SHOWN = (
    "source_chain", "source_client", "destination_chain", "destination_client", "sequence", "source_port",
    "destination_port", "payload_bytes", "timeout_timestamp_s", "message_id", "leg_of", "sent_height", "sent_time_ns",
    "sent_hash", "first_seen_at_ns", "kind", "step", "at_ns", "reason", "cause", "outcome", "settled_at_ns", "app",
    "sender", "receiver", "denom", "amount", "next_client", "final_chain", "final_client", "refused",
)  # fmt: skip


@pytest.mark.parametrize("sequence", SAID)
def test_the_packet_as_json_has_the_fields_that_it_always_had(run, sequence):
    """Flat, in the order of the table's columns, however the value in memory is cut."""
    for one in json.loads(run("show", first(sequence), "--json"))["packets"]:
        assert tuple(one["packet"]) == SHOWN
        assert (
            f"{one['packet']['source_chain']}/{one['packet']['source_client']}/{one['packet']['sequence']}" == one["id"]
        )


@pytest.mark.parametrize("sequence", [LATE, REFUSED, REFUSED_BY_HUB])
def test_trial_T11_the_lines_for_people_agree_too(run, sequence):
    shown = [line for line in run("show", first(sequence)).splitlines() if line.startswith("  why ")]
    sentence = run("why", first(sequence)).strip().removeprefix(f"{first(sequence)}: ")
    assert SAID[sequence] in sentence
    assert shown[0].split(maxsplit=1)[1] == sentence


def test_trial_T11_what_is_pending_waits_for_what_why_says(run):
    rows = json.loads(run("pending", "--json"))["pending"]
    assert {row["id"] for row in rows} == {first(OPEN), second(OPEN)}
    for row in rows:
        assert row["waits_for"] == json.loads(run("why", row["id"], "--json"))["waits_for"]
