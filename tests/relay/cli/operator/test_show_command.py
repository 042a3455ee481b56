"""`hutong show`, `why` and `pending` of forwarded packets: all three say the same of what became of them."""

import json
from dataclasses import replace

import httpx
import pytest
import trio
from typer.testing import CliRunner

from hutong.relay.cli.main import app
from hutong.relay.ledger import Ledger, Note, Outcome, Step
from hutong.relay.ledger.values.life import refusal_reason
from tests.relay.api.api_world import (
    MINUTE_NS,
    NOW_NS,
    acknowledged,
    api_under_uvicorn,
    config_of,
    facts,
    received,
    sent,
)

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
LATE, REFUSED, OPEN, REFUSED_BY_HUB, LATE_BY_ANOTHER, LATE_UNSEEN, REFUSED_UNSEEN = range(1, 8)
ALONE = (REFUSED_BY_HUB, LATE_UNSEEN, REFUSED_UNSEEN)
"""Of these the ledger has no second leg."""
TOLD_BY_HUB = {
    REFUSED_BY_HUB: None,
    LATE_UNSEEN: "forward over bft-evm-2: timed out at the destination at 1795959561",
    REFUSED_UNSEEN: "forward over bft-evm-2: client-0 at the destination answered with an error",
}
FORWARDED_HASH = "0x" + "f0" * 32
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
    if sequence in ALONE:
        return notes + told_of_refusal(leg_1, at_ns + 5 * 10**9, refusal_reason(TOLD_BY_HUB[sequence]))
    if sequence == LATE_BY_ANOTHER:  # all that this relay did came too late
        notes[1] = Note(leg_1.packet_id, "receive", Step.SUPERSEDED, "hub", at_ns + 100 * 10**9, facts=leg_1)
    notes.append(sent(leg_2, at_ns + 10**9, FORWARDED_HASH))
    if sequence == OPEN:
        return notes
    if sequence in (LATE, LATE_BY_ANOTHER):
        step = Step.INCLUDED if sequence == LATE else Step.SUPERSEDED
        notes.append(
            Note(
                leg_2.packet_id, "timeout", step, "hub", at_ns + 3 * 10**9, facts=leg_2, height=9,
                block_time_ns=at_ns + 3 * 10**9, transaction_hash=b"\x01" * 32, outcome=Outcome.TIMED_OUT,
            )
        )  # fmt: skip
    else:
        notes.append(received(leg_2, at_ns + 2 * 10**9))
        notes += told_of_refusal(leg_2, at_ns + 3 * 10**9, refusal_reason(REASON))
    return notes + told_of_refusal(leg_1, at_ns + 5 * 10**9, refusal_reason(None))


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A configuration and, under `state`, a ledger of them."""
    home = tmp_path_factory.mktemp("show")
    file = home / "relay.toml"
    file.write_text(CONFIG)
    file.chmod(0o600)
    (home / "state").mkdir(mode=0o700)

    async def write() -> None:
        ledger = Ledger.open_file(home / "state" / "ledger.sqlite")
        try:
            for sequence in SAID:
                ledger.note(notes_of(sequence))
            await ledger.flush()
        finally:
            ledger.close()

    trio.run(write)
    return home


@pytest.fixture(scope="module")
def run(home):
    """`run(*arguments)` gives what the command prints."""
    file = home / "relay.toml"

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
    LATE_BY_ANOTHER: "it was not received on beta before its timeout, the sender was told that it failed",
    LATE_UNSEEN: "it was not received on beta before its timeout, the sender was told that it failed",
    REFUSED_UNSEEN: "its receiver on beta refused it, the sender was told that it failed",
}


@pytest.mark.parametrize("sequence", SAID)
def test_trial_T11_show_says_of_each_leg_what_why_says(run, sequence):
    document = json.loads(run("show", first(sequence), "--json"))["packets"]
    assert [one["id"] for one in document] == [first(sequence), second(sequence)][: len(document)]
    assert len(document) == (1 if sequence in ALONE else 2)
    for one in document:
        why = json.loads(run("why", one["id"], "--json"))
        assert {name: one[name] for name in why} == why
    sentence = f"{document[0]['waits_for']}; {document[0]['do']}"
    assert SAID[sequence] in sentence
    assert ("hutong_forwardFailure" in sentence) == (sequence == REFUSED_BY_HUB)


STATES = {
    LATE: "timed_out", REFUSED: "refused", OPEN: "open", REFUSED_BY_HUB: "refused", LATE_BY_ANOTHER: "timed_out",
    LATE_UNSEEN: "timed_out", REFUSED_UNSEEN: "refused",
}  # fmt: skip


@pytest.fixture(scope="module")
def api(home):
    """`api(path)` gives what the API answers."""
    with (
        api_under_uvicorn(config_of(home / "state")) as (url, _),
        httpx.Client(base_url=url, trust_env=False, timeout=120) as client,
    ):
        yield lambda path: client.get(path).json()


@pytest.mark.long
def test_trial_T11_show_has_the_state_that_the_API_has(run, api):
    """The hub answered the first leg of the late one with an error: that it was acknowledged is not how it ended."""
    for sequence, state in STATES.items():
        answer = api(f"/v1/messages/{first(sequence)}")
        legs = json.loads(run("show", first(sequence), "--json"))["packets"]
        assert [answer["state"]] + [leg["message_state"] for leg in legs] == [state] * (1 + len(legs))
        assert [leg["id"] for leg in legs] == answer["legs"]
        why = json.loads(run("why", first(sequence), "--json"))
        assert answer["why"]["waits_for"] == why["waits_for"] and answer["why"]["do"] == why["do"]
        assert answer["why"]["settled"] == why["settled"] == (state != "open")
        if state != "open":
            assert answer["waiting"] is not None and answer["waiting"] in why["waits_for"]
            shown = [line.split() for line in run("show", first(sequence)).splitlines()]
            assert [line[1:] for line in shown if line[0] == "state"] == [[state]] * len(legs)


DO = {
    LATE: "nothing to do",
    REFUSED: "nothing to do",
    LATE_BY_ANOTHER: "nothing to do",
    LATE_UNSEEN: "nothing to do",
    REFUSED_UNSEEN: "nothing to do",
    REFUSED_BY_HUB: 'if the hub refused it, hutong_forwardFailure ["bft-evm-1", "0x4"] of a node of hub says why',
}


@pytest.mark.parametrize("sequence", DO)
def test_trial_N8_what_is_settled_says_what_happened_and_apart_from_it_what_to_do(run, sequence):
    for one in json.loads(run("show", first(sequence), "--json"))["packets"]:
        answer = json.loads(run("why", one["id"], "--json"))
        assert answer["settled"] and answer["do"] == DO[sequence]
    assert SAID[sequence] in json.loads(run("why", first(sequence), "--json"))["waits_for"]


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


@pytest.mark.parametrize("sequence", DO)
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


def test_trial_T5_totals_count_what_is_said_of_each(api):
    counted, ends = api("/v1/totals")["messages"], list(STATES.values())
    assert {state: counted[state] for state in set(ends)} == {state: ends.count(state) for state in set(ends)}


def test_trial_T5_what_another_relay_received_has_the_block_in_which_the_hub_sent_it_on(run, api):
    """This relay was away: the time at which it noticed is not that of the receiving."""
    leg_1, leg_2 = json.loads(run("show", first(LATE_BY_ANOTHER), "--json"))["packets"]
    sending = [leg_2["packet"][name] for name in ("sent_height", "sent_time_ns", "sent_hash")]
    assert sending[2] == FORWARDED_HASH
    (step,) = (one for one in leg_1["steps"] if (one["kind"], one["step"]) == ("receive", "superseded"))
    assert [step[name] for name in ("height", "block_time_ns", "transaction_hash")] == sending
    timeline = api(f"/v1/messages/{first(LATE_BY_ANOTHER)}")["timeline"]
    (event,) = (one for one in timeline if (one["leg"], one["kind"], one["step"]) == (1, "receive", "superseded"))
    assert (event["height"], event["transaction"]) == (sending[0], FORWARDED_HASH)
    assert event["block_time"] is not None and event["block_time"] < event["at"]
