"""`hutong why` of a receiver that does not take what is sent to it: what people can do, and what stays known after the timeout."""

import json

import pytest
import trio
from typer.testing import CliRunner

from hutong.adapters.ics26 import chain
from hutong.relay.cli.main import app
from hutong.relay.ledger import Cause, Ledger, MessageReader, Note, Outcome, Step
from hutong.relay.ledger.reading.receiver_remedies import NEEDS_MORE_GAS
from tests.relay.api.api_world import MINUTE_NS, NOW_NS, facts, sent
from tests.relay.cli.operator.test_show_command import CONFIG

RECEIVER = "0x" + "22" * 20
SILENT = "beta would refuse it: IBCFailedCallback"
HUNGRY = f"beta would refuse it: {chain.NEEDS_MORE_GAS}"
RULE = "beta would refuse it: IBCClientNotFound: clientId client-0"


def run(home, *notes):
    async def write() -> None:
        ledger = Ledger.open_file(home / "state" / "ledger.sqlite")
        try:
            ledger.note(list(notes))
            await ledger.flush()
        finally:
            ledger.close()

    file = home / "relay.toml"
    file.write_text(CONFIG)
    file.chmod(0o600)
    (home / "state").mkdir(mode=0o700)
    trio.run(write)
    done = CliRunner().invoke(app, ["why", notes[0].packet_id, "--json", "--config", str(file)])
    assert done.exit_code == 0, (done.output, done.exception)
    return json.loads(done.stdout)


def tried(one, step, reason, cause=Cause.WOULD_FAIL):
    return Note(one.packet_id, "receive", step, "beta", NOW_NS - 5 * MINUTE_NS, facts=one, reason=reason, cause=cause)


def test_one_chain_s_words_are_those_that_are_understood():
    assert chain.NEEDS_MORE_GAS == NEEDS_MORE_GAS


GIVE_ONE = f"the receiver {RECEIVER} reverts without a reason, or uses up its gas: give it one, or wait for the timeout"
MORE_GAS = "send it again with more receive_gas; this one ends at its timeout"


@pytest.mark.long
@pytest.mark.parametrize("step", [Step.RETRIED, Step.DEAD])
@pytest.mark.parametrize(
    ("reason", "app_name", "do"),
    [
        (SILENT, "message", f"{GIVE_ONE}, after which the sender is told"),
        (SILENT, "transfer", f"{GIVE_ONE}, after which the sender gets it back"),
        (HUNGRY, "message", f"{MORE_GAS}, after which the sender is told"),
        (HUNGRY, "transfer", "this one ends at its timeout, after which the sender gets it back"),
        (RULE, "message", "mend what the destination says; nothing was paid for it"),
    ],
)
def test_trial_O3_what_a_receiver_does_is_mended_by_people(tmp_path, step, reason, app_name, do):
    one = facts(1, app=app_name, receiver=RECEIVER)
    said = run(tmp_path, sent(one, NOW_NS - 10 * MINUTE_NS), tried(one, step, reason))
    assert reason in said["waits_for"] and said["do"].split("; to try it at once")[0] == do


@pytest.mark.parametrize(
    ("reason", "kept"),
    [
        (SILENT, f" (the last try: {SILENT}: its receiver reverts without a reason)"),
        (HUNGRY, f" (the last try: {HUNGRY})"),
        ("an endpoint did not answer", ""),
    ],
)
def test_trial_O3_after_the_timeout_the_last_refusal_stays_known(tmp_path, reason, kept):
    one = facts(1, receiver=RECEIVER)
    end = Note(
        one.packet_id, "timeout", Step.INCLUDED, "alpha", NOW_NS, facts=one, height=9, block_time_ns=NOW_NS,
        transaction_hash=b"\x01" * 32, outcome=Outcome.TIMED_OUT,
    )  # fmt: skip
    said = run(tmp_path, sent(one, NOW_NS - 10 * MINUTE_NS), tried(one, Step.RETRIED, reason), end)
    late = f"it was not received on beta before its timeout{kept}"
    assert f"{late}, the sender" in said["waits_for"]
    reader = MessageReader.open_file(tmp_path / "state" / "ledger.sqlite")
    assert reader.message(one.packet_id).waiting == late, "lists have the words of why"
    reader.close()
