"""`hutong transfer limits`, `release` and `claim` on a chain of their own, as docs/value-limits.md shows them."""

import json
import time
from contextlib import ExitStack
from pathlib import Path
from random import Random

import pytest
import trio
from typer.testing import CliRunner

from hutong.adapters.evm.administration.access_manager import GRANT_ROLE
from hutong.adapters.ics26.transactor import Transactor
from hutong.contracts.roles import LIMITER_ROLE
from hutong.relay.cli.main import app
from hutong.relay.config import KeystoreConfig, load_config
from hutong.relay.core.topology.chains import open_chain
from hutong.relay.keys import load_signer
from tests.relay.cli.chains.hub_and_chain import CHAIN, Place

TOKEN = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
OTHER_TOKEN = "0x" + "17" * 20
DELAY_S = 4


pytestmark = pytest.mark.long
"""Over processes of a hub and of chains."""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with ExitStack() as stack:
        made = Place(tmp_path_factory.mktemp("limits"), stack)
        path = made.create("--yes")
        assert path.exit_code == 0, path.output
        yield made


@pytest.fixture
def hutong(place):
    def run(*words, signed=True):
        where = [
            "--config",
            str(place.home / "relay.toml"),
            "--chain",
            "alpha",
            "--transfer",
            place.deployment["transfer"],
        ]
        return CliRunner().invoke(app, ["transfer", *words, *where, *(place.keys["owner"].options if signed else ())])

    return run


def limit_of(hutong, *scope, token=TOKEN):
    shown = hutong("limits", "show", *scope, "--token", token, "--json", signed=False)
    assert shown.exit_code == 0, shown.output
    return json.loads(shown.stdout)["limit"]


def test_a_limit_is_set_shown_and_removed(hutong):
    scope = ("--client", "client-0", "--token", TOKEN)
    none = hutong("limits", "show", *scope, signed=False)
    assert none.stdout.strip() == "no limit"
    caps = (
        "--send-cap",
        "1000",
        "--receive-cap",
        "900",
        "--delay-above",
        "100",
        "--delay-s",
        "86400",
        "--window-s",
        "86400",
    )
    done = hutong("limits", "set", *scope, *caps)
    assert (done.exit_code, done.stdout.strip()) == (0, "limit set"), done.output
    shown = hutong("limits", "show", *scope, signed=False).stdout
    assert "window: 86400 s" in shown and "send: 0 of 1000" in shown and "receive: 0 of 900" in shown
    assert "waits 86400 s: a receive of more than 100" in shown
    assert hutong("limits", "set", *scope, "--window-s", "0").stdout.strip() == "limit removed"
    assert hutong("limits", "show", *scope, signed=False).stdout.strip() == "no limit"
    origin = ("--origin", "transfer/client-0/transfer/bft-evm-1")
    assert hutong("limits", "set", *origin, "--receive-cap", "5").exit_code == 0
    assert limit_of(hutong, *origin)["receive_cap"] == 5


def test_trial_O4_what_is_not_named_of_a_limit_stays(hutong):
    scope = ("--client", "client-0", "--token", TOKEN)
    wish = ("limits", "set", *scope)
    first = hutong(*wish, "--send-cap", "50", "--receive-cap", "10", "--window-s", "60")
    assert "before: no limit" in first.stderr and "after:  send 50, receive 10 in 60 s" in first.stderr, first.output
    kept = {"send_cap": 50, "receive_cap": 10, "window_s": 60, "delay_above": None, "delay_s": 0}
    for names_nothing in ((), ("--send-cap", "many"), ("--receive-cap", "-1"), ("--delay-above", str(2**128 - 1))):
        refused = hutong(*wish, *names_nothing)
        assert (refused.exit_code, refused.stdout) == (2, ""), refused.output
        assert (names_nothing or ("name what to change",))[0] in refused.stderr
        assert limit_of(hutong, *scope[:2]) == kept
    delayed = hutong(*wish, "--delay-above", "5", "--delay-s", "600")
    assert delayed.stdout.strip() == "limit set"
    assert "before: send 50, receive 10 in 60 s" in delayed.stderr
    assert limit_of(hutong, *scope[:2]) == kept | {"delay_above": 5, "delay_s": 600}
    assert hutong(*wish, "--send-cap", "any").exit_code == 0
    assert limit_of(hutong, *scope[:2]) == kept | {"delay_above": 5, "delay_s": 600, "send_cap": None}
    assert hutong(*wish, "--window-s", "0").stdout.strip() == "limit removed"
    assert hutong(*wish, "--receive-cap", "7").exit_code == 0
    anew = {"send_cap": None, "receive_cap": 7, "window_s": 3600, "delay_above": None, "delay_s": 0}
    assert limit_of(hutong, *scope[:2]) == anew, "nothing of the removed limit comes back"
    assert hutong(*wish, "--window-s", "0").exit_code == 0


def test_trial_O4_a_limit_over_a_client_that_is_not_there_is_refused(hutong):
    wish = ("limits", "set", "--client", "client-9", "--token", TOKEN)
    refused = hutong(*wish, "--send-cap", "7")
    assert refused.exit_code == 1 and "alpha has no client client-9" in refused.output, refused.output
    assert limit_of(hutong, "--client", "client-9")["window_s"] == 0
    assert hutong(*wish, "--window-s", "0").exit_code == 0, "what an older version set there can be removed"


@pytest.mark.parametrize(
    ("scope", "why"),
    [
        ((), "exactly one of --client and --origin"),
        (("--client", "client-0", "--origin", ""), "exactly one of --client and --origin"),
        (("--client", "client-0"), "--token goes with --client"),
        (("--origin", "", "--token", TOKEN), "--token goes with --client"),
    ],
)
def test_a_limit_of_nothing_is_refused(hutong, scope, why):
    refused = hutong("limits", "set", *scope, "--send-cap", "1")
    assert refused.exit_code == 2 and why in refused.output


@pytest.mark.parametrize("command", ["release", "claim"])
def test_of_a_packet_of_which_nothing_is_held(hutong, command):
    to = ("--to", TOKEN) if command == "claim" else ()
    refused = hutong(command, "--client", "client-0", "--sequence", "17", *to)
    assert refused.exit_code == 1 and "nothing is held of packet client-0/17" in refused.output


def test_parity_section_3_a_limiter_with_a_delay_schedules_and_then_sets(place, hutong):
    """As `hutong deploy` makes limiters: nobody sets a limit before others could see it."""
    owner = place.keys["owner"]
    key = KeystoreConfig(keystore=Path(owner.keystore), password_file=Path(owner.password_file))

    async def delay():
        config = load_config(place.home / "relay.toml")
        async with open_chain(config.chain("alpha"), Random(1)) as chain:
            manager = bytes.fromhex(place.deployment["access_manager"][2:])
            account = bytes.fromhex(owner.address[2:])
            transactor = Transactor(chain.execution, CHAIN, load_signer(key))
            await transactor.send(manager, GRANT_ROLE.encode(LIMITER_ROLE, account, DELAY_S))

    trio.run(delay)
    wish = ("limits", "set", "--client", "client-0", "--token", OTHER_TOKEN, "--send-cap", "7")
    first = hutong(*wish)
    assert first.exit_code == 1 and "scheduled: the limit may be set from" in first.output, first.output
    assert limit_of(hutong, "--client", "client-0", token=OTHER_TOKEN)["window_s"] == 0, "nothing is set yet"
    other = hutong(*wish[:-1], "8")
    assert other.exit_code == 1 and "scheduled" in other.output, "another limit has a schedule of its own"
    deadline = time.monotonic() + 60
    while (done := hutong(*wish)).exit_code and time.monotonic() < deadline:
        time.sleep(1)
    assert done.stdout.strip() == "limit set"
    assert limit_of(hutong, "--client", "client-0", token=OTHER_TOKEN)["send_cap"] == 7
