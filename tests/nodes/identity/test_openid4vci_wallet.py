"""A wallet that is not ours takes batches from our issuer: @openid4vc/openid4vci, the protocol part of Credo, from npm."""

import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import trio

from hutong.light_clients.interface import VERIFY
from hutong.relay.services.identity.rules.jose import read_anchors
from hutong.relay.services.identity.rules.sd_jwt import Clock, IssuerTrust, PresentationPolicy, judge_presentation
from tests.nodes.provision import javascript_peers
from tests.relay.services.identity.issuer.issuer_world import World, issuing

pytestmark = pytest.mark.nodes
SCRIPT = Path(__file__).with_name("openid4vci_wallet.mjs")
FLOWS, BATCH = 20, 20


class StockWallet:
    """The process. What it fetches goes to the issuer of a world, whose clock is that of this machine, as the process's is."""

    def __init__(self, process: "subprocess.Popen[str]", world: World) -> None:
        self._process = process
        self._world = world

    async def _say(self, value: Any) -> dict[str, Any]:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        stdin.write(json.dumps(value) + "\n")
        stdin.flush()
        return json.loads(await trio.to_thread.run_sync(stdout.readline))

    async def take(self, link: str, code: str, count: int) -> dict[str, Any]:
        said = await self._say({"link": link, "code": code, "count": count})
        while "fetch" in said:
            wanted = said["fetch"]
            self._world.clock[0] = int(time.time())
            got = await self._world.http.request(
                wanted["method"], wanted["url"], content=wanted["body"], headers=wanted["headers"]
            )
            said = await self._say({"status": got.status_code, "body": got.text, "headers": dict(got.headers)})
        return said


def running_wallet(script: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(["node", str(script)], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


async def test_a_stock_wallet_takes_batches_and_is_refused_a_wrong_code(tmp_path):
    home = javascript_peers()
    script = home / SCRIPT.name
    shutil.copyfile(SCRIPT, script)  # node looks for packages beside the script
    async with issuing(tmp_path) as world:
        anchors = read_anchors((tmp_path / "authority.pem").read_bytes(), "anchors")
        with running_wallet(script) as process:
            try:
                wallet = StockWallet(process, world)
                world.clock[0] = int(time.time())
                for _ in range(FLOWS):
                    offer = await world.offer()
                    taken = await wallet.take(offer["link"], offer["transaction_code"], BATCH)
                    assert len(taken.get("credentials", ())) == BATCH, taken
                taken_last = taken["credentials"]
                policy = PresentationPolicy(IssuerTrust((), anchors), Clock(world.clock[0]), None)
                shown = [judge_presentation(VERIFY, text, policy) for text in taken_last]
                assert len({json.dumps(one.claims["cnf"]) for one in shown}) == BATCH
                offer = await world.offer()
                wrong = f"{(int(offer['transaction_code']) + 1) % 10**6:06d}"
                assert "invalid_grant" in (await wallet.take(offer["link"], wrong, 1))["refused"]
            finally:
                process.kill()
        assert world.issuer.ledger.log.size == FLOWS * BATCH
