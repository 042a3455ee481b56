"""The must-show of the explorer: a message is sent, seen to finish, its proof opened, taken home and verified offline."""

import shlex
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest
import trio
from playwright.sync_api import expect

from hutong.relay.demo.bundles import Bundles
from hutong.relay.local.config_file import explorer_of
from hutong.relay.local.network import Network, bring_up
from hutong.relay.local.traffic import User

pytestmark = pytest.mark.nodes

START_LIMIT_S = 900
DELIVERY_LIMIT_MS = 180_000
VERIFY_LIMIT_S = 300


@dataclass
class RunningNetwork:
    """A demo network whose tasks run in a thread of their own, for the browser's calls block this one."""

    network: Network
    proofs: Path


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    home = tmp_path_factory.mktemp("network")
    up, over = threading.Event(), trio.Event()
    found: dict[str, object] = {}

    async def live() -> None:
        async with trio.open_nursery() as nursery:
            with trio.fail_after(START_LIMIT_S):
                network = await bring_up(nursery, home, lambda text: print(text, file=sys.stderr))
                await Bundles(home / "proofs").take_checkpoints(network)
            found["running"] = RunningNetwork(network, home / "proofs")
            found["token"] = trio.lowlevel.current_trio_token()
            up.set()
            await over.wait()
            nursery.cancel_scope.cancel()

    def run() -> None:
        try:
            trio.run(live)
        except BaseException as error:
            found["error"] = error
            up.set()

    thread = threading.Thread(target=run)
    thread.start()
    up.wait()
    if "error" in found:
        raise found["error"]
    yield found["running"]
    trio.from_thread.run_sync(over.set, trio_token=found["token"])
    thread.join()


def test_send_watch_it_finish_open_the_proof_take_it_home_and_verify_it(running, open_page, complaints, tmp_path):
    network = running.network
    alpha, beta, _ = network.chains
    page = open_page(f"{explorer_of(network.config)}#/messages", accept_downloads=True)
    expect(page.locator("#standing")).to_have_text("Live")
    page.evaluate("window.unbroken = true")

    User(alpha, network.users[alpha.name]).send_message(beta, "a message that a browser watches")
    row = page.locator("table.messages tbody tr:not(.spacer)")
    expect(row).to_have_count(1, timeout=DELIVERY_LIMIT_MS)
    expect(row).to_contain_text("Delivered", timeout=DELIVERY_LIMIT_MS)
    row.get_by_role("link").click()

    expect(page.locator(".milestone.done")).to_have_count(5)
    proofs = page.locator("details.proof")
    expect(proofs).to_have_count(4, timeout=30_000)
    for proof in proofs.all():
        expect(proof.locator("summary")).to_contain_text("Valid")
        proof.locator("summary").click()
        assert proof.locator(".predicates li.ok").count() > 3
        assert proof.locator(".predicates li.bad").count() == 0

    with page.expect_download() as download:
        page.get_by_role("link", name="Download the bundle").click()
    assert page.evaluate("window.unbroken")
    assert complaints.said == []

    bundle = running.proofs / download.value.suggested_filename
    download.value.save_as(bundle)
    command = shlex.split(page.get_by_role("group", name="Command that verifies the bundle").inner_text())
    assert command[:4] == ["hutong", "audit", "verify", bundle.name]
    verified = verify(command, running.proofs)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "predicates held" in verified.stdout

    # Its twin: with a byte changed, the same command refuses.
    whole = bundle.read_bytes()
    place = len(whole) // 2
    bundle.write_bytes(whole[:place] + (b"A" if whole[place : place + 1] != b"A" else b"B") + whole[place + 1 :])
    assert verify(command, running.proofs).returncode in (1, 2)


def verify(command: list[str], folder: Path) -> subprocess.CompletedProcess:
    """As printed on the page, in the folder that has the checkpoints."""
    program = [sys.executable, "-m", "hutong.relay.cli", *command[1:]]
    return subprocess.run(program, cwd=folder, capture_output=True, text=True, timeout=VERIFY_LIMIT_S)
