"""`hutong path create` asks who may decide, and for how long that waits, before it sends anything (trial N2)."""

import json
import re
from contextlib import ExitStack

import pytest
from typer.testing import CliRunner

from hutong.adapters.ics26.abi import GET_CLIENT
from hutong.relay.cli.main import app
from hutong.relay.local.keys import make_key
from tests.relay.cli.chains.hub_and_chain import CHAIN, Place

pytestmark = pytest.mark.long
"""Over processes of a hub and of chains."""

DELAY_S = 600
TRUSTING_PERIOD_S = 400
"""Well below the delay: how old a header is, and by whose clock, decides nothing."""
LEFT = r"[0-6] min(?: \d+ s)?"
MULTISIG = "0x" + "17" * 20


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with ExitStack() as stack:
        yield Place(tmp_path_factory.mktemp("decisions"), stack)


@pytest.fixture(scope="module")
def delayed(place):
    """A second router and Mailbox, whose admin decides with a delay; `create` of a path of theirs."""
    roles = [part for role in ("admin", "unpauser", "migrator", "limiter") for part in (f"--{role}", MULTISIG)]
    deployed = json.loads(
        place.hutong(
            *("deploy", "--rpc", place.url("alpha"), "--chain-id", str(CHAIN), *place.keys["owner"].options, *roles),
            *("--pauser", place.keys["admin"].address, "--out", str(place.home / "alpha.roles.toml"), "--json"),
            *("--admin-delay-s", str(DELAY_S), "--migration-delay-s", str(DELAY_S)),
        )
    )
    config = place.home / "delayed.toml"
    text = (place.home / "relay.toml").read_text().replace(place.deployment["router"], deployed["router"])
    config.touch(mode=0o600)
    config.write_text(
        text.replace(f"start_height = {place.deployment['height']}", f"start_height = {deployed['height']}")
    )
    arguments = [str(config) if word == str(place.home / "relay.toml") else word for word in place.arguments]

    def create(*options):
        words = [*arguments, "--mailbox", deployed["mailbox"], "--yes", "--decide-as", MULTISIG, *options]
        return CliRunner().invoke(app, words)

    return create


def test_trial_N2_nobody_decides_as_the_zero_address(place):
    before = place.sent()
    refused = place.create("--yes", "--decide-as", "0x" + "00" * 20)
    assert refused.exit_code == 2 and "nobody can send as the zero address" in refused.output
    assert place.sent() == before, "nothing was sent"


def test_trial_N2_who_may_not_decide_is_told_so_before_anything_is_sent(place):
    before = place.sent()
    stranger = make_key(place.home, "stranger")
    pays = [place.arguments.index(word) for word in ("--keystore", "--password-file")]
    as_stranger = list(place.arguments)
    for at, value in zip(pays, (stranger.keystore, stranger.password_file), strict=True):
        as_stranger[at + 1] = str(value)
    for words in ([*place.arguments, "--decide-as", MULTISIG], as_stranger):
        for more in ([], ["--mailbox", place.deployment["mailbox"]]):
            refused = CliRunner().invoke(app, [*words, *more, "--yes"])
            assert refused.exit_code == 1 and "AccessManagedUnauthorized" in refused.output, refused.output
    assert place.sent() == before, "nothing was sent"


def test_trial_N2_a_client_that_would_begin_expired_is_not_made(place):
    place.until(lambda: int(place.rpc("hub", "eth_blockNumber"), 16) > 12)
    before = place.sent()
    pin = ["--hub-trusted-height", "2", "--hub-trusted-hash", place.hub_block(2)]
    refused = place.create("--yes", *pin, "--trusting-period-s", "1")
    assert refused.exit_code == 1 and "older than its trusting period; begin at newer ones" in refused.output
    refused = place.create("--yes", "--trusting-period-s", "20", "--unbonding-period-s", "20")
    assert refused.exit_code == 2 and "20 s is not below --unbonding-period-s, 20 s" in refused.output
    assert place.sent() == before, "nothing was sent"


def test_trial_N2_a_delay_longer_than_the_trusting_period_is_said_before_anything_is_sent(place, delayed):
    before = place.sent()
    refused = delayed("--trusting-period-s", str(TRUSTING_PERIOD_S))
    assert (refused.exit_code, refused.stdout) == (1, "")
    said = rf"nothing was made: .* takes effect after a delay of 10 min, and .* would expire before, in {LEFT},"
    assert re.search(said, refused.stderr) and "give a --trusting-period-s well above the delay" in refused.stderr
    assert place.sent() == before, "nothing was sent"
    printed = delayed("--trusting-period-s", str(2 * DELAY_S), "--anew")
    assert printed.exit_code == 1 and [each["step"] for each in json.loads(printed.stdout)["calls"]] == 2 * ["schedule"]


def test_trial_O9_a_path_that_waits_is_not_begun_a_second_time(place, delayed):
    first = json.loads(delayed("--anew").stdout)["then"]
    client = re.search("--on-hub (bft-evm-[0-9]+) --light-client 0x", first)[1]
    before = place.sent()
    again = delayed()
    assert (again.exit_code, again.stdout) == (1, ""), again.output
    assert f"hub has a client of alpha already that waits for its other end, {client}; go on with it by --on-hub" in (
        again.stderr
    )
    assert place.sent() == before, "nothing was sent"
    assert place.create("--yes").exit_code == 0, "a router of its own, and no decision that waits"
    anew = json.loads(delayed("--anew").stdout)["then"]
    assert anew != first


def test_trial_N2_no_call_is_printed_for_a_client_that_expires_before_it_can_be_made(place, delayed):
    """As an earlier run's has when its schedule was sent too late."""
    made = json.loads(place.create("--yes", "--trusting-period-s", str(TRUSTING_PERIOD_S)).stdout)
    data = "0x" + GET_CLIENT.encode(made["a"]["client"]).hex()
    (contract,) = GET_CLIENT.decode(
        bytes.fromhex(place.rpc("alpha", "eth_call", {"to": place.deployment["router"], "data": data}, "latest")[2:])
    )
    before = place.sent()
    go_on = ("--on-hub", made["b"]["client"], "--light-client", contract)
    refused = delayed(*go_on)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert f"nobody updates the light client {contract.lower()}" in refused.stderr.lower()
    said = rf"it expires at \S+Z \(in {LEFT}\), and the router can take it in 10 min at the earliest; start again"
    assert re.search(said, refused.stderr), refused.stderr
    unknown = delayed("--on-hub", "bft-evm-77", "--light-client", contract)
    assert unknown.exit_code == 1 and "bft-evm-77" in unknown.stderr and unknown.stdout == ""
    assert place.sent() == before, "nothing was sent"
