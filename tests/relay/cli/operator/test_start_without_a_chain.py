"""A real relay over a real hub and a chain that is down when it starts: from the first second all who are asked say so."""

import json
import os
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager

import httpx
import pytest
import trio

from hutong.relay.ledger import Ledger
from hutong.relay.local.ports import free_port
from tests.browser.line import CuttableLine
from tests.relay.api.api_world import NOW_NS, facts, sent
from tests.relay.cli.chains.hub_and_chain import Place

pytestmark = pytest.mark.long

PACKET = "alpha/client-0/1"
SOON_S = 5
"""The grace, a write of the ledger, and a command's start on a busy machine."""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """With a path between alpha and the hub, and a packet that an earlier relay saw sent from alpha."""
    with ExitStack() as stack:
        place = Place(tmp_path_factory.mktemp("start"), stack)
        made = place.create("--yes")
        assert made.exit_code == 0, made.output
        place.path = json.loads(made.stdout)
        yield place


async def write_ledger(home) -> None:
    home.mkdir(mode=0o700, exist_ok=True)
    ledger = Ledger.open_file(home / "ledger.sqlite")
    try:
        one = facts(
            1, packet_id=PACKET, source_client="client-0", destination_chain="hub", destination_client="bft-evm-0"
        )
        ledger.note([sent(one, NOW_NS)])
        await ledger.flush()
    finally:
        ledger.close()


class Started:
    """`hutong relay run` with alpha's endpoint at `port`, and what operators ask beside it."""

    def __init__(self, place, home, port: int) -> None:
        self.http, self.api = free_port(), free_port()
        self.file = home / "relay.toml"
        text = (place.home / "relay.toml").read_text().replace(place.url("alpha"), f"http://127.0.0.1:{port}")
        text = text.replace('home = "relay"', f'home = "relay"\nhttp = "127.0.0.1:{self.http}"')
        ends = [
            f'{side} = {{ chain = "{end["chain"]}", client = "{end["client"]}" }}'
            for side, end in place.path.items()
            if side in ("a", "b")
        ]
        self.file.write_text("\n".join([text, f'[api]\nlisten = "127.0.0.1:{self.api}"', "[[paths]]", *ends, ""]))
        self.file.chmod(0o600)
        trio.run(write_ledger, home / "relay")

    @contextmanager
    def running(self):
        process = subprocess.Popen(
            [sys.executable, "-m", "hutong.relay.cli", "relay", "run", "--config", self.file],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=os.environ,
        )  # fmt: skip
        try:
            for line in process.stderr:
                if "serving /metrics" in line:
                    break
            yield self
        finally:
            process.terminate()
            _, said = process.communicate(timeout=60)
            assert process.returncode == 0 and "Traceback" not in said

    def ready(self) -> dict[str, str]:
        answer = httpx.get(f"http://127.0.0.1:{self.http}/readyz", trust_env=False, timeout=10).json()
        return {one["what"]: one["detail"] for one in answer.get("reasons", ())}

    def message(self) -> dict:
        return httpx.get(f"http://127.0.0.1:{self.api}/v1/messages/{PACKET}", trust_env=False, timeout=10).json()

    def why(self) -> dict:
        command = [sys.executable, "-m", "hutong.relay.cli", "why", PACKET, "--json", "--config", self.file]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)


def until(condition, at_most_s: float):
    deadline_s = time.monotonic() + at_most_s
    while not (found := condition()):
        assert time.monotonic() < deadline_s
        time.sleep(0.1)
    return found


@pytest.mark.parametrize("silent", [False, True], ids=["closed", "silent"])
def test_trial_T6_a_chain_that_is_down_at_the_start_is_named_by_all(place, tmp_path, silent):
    port = free_port()
    with ExitStack() as stack:
        if silent:  # it takes connections, and never says a word
            stack.enter_context(socket.create_server(("127.0.0.1", port)))
        started = stack.enter_context(Started(place, tmp_path, port).running())
        assert "since the relay started" in until(lambda: started.ready().get("chain alpha"), SOON_S)
        first = until(lambda: started.message()["waiting"], SOON_S)
        assert first.startswith("chain alpha is not ") and "since the relay started" in first
        said = f"chain alpha {'is not watched yet: it has not answered' if silent else 'is not there'} since the relay started"
        until(lambda: said in started.message()["waiting"], SOON_S)
        why, answer = started.why(), started.message()
        assert said in why["waits_for"] and said in answer["why"]["waits_for"] and said in answer["waiting"]
        assert why["do"] == answer["why"]["do"] == "check the chain's endpoints in the configuration"
        assert answer["state"] == "open"
        until(lambda: set(started.ready()) == {"chain alpha"}, SOON_S)  # the hub is up, if slow on a busy machine
        if not silent:
            stack.enter_context(CuttableLine.to(place.url("alpha"), port))
            until(lambda: not started.ready(), 60)
            until(lambda: started.message()["waiting"] is None, 10)
