"""A wallet that is not ours answers our verifier: @openid4vc/openid4vp, the protocol part of Credo, from npm."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import trio

from hutong.relay.services.identity.rules.sd_jwt import bind_to_holder, select_disclosures
from tests.nodes.provision import javascript_peers
from tests.relay.services.identity.rules.actors import HOLDER_KEY, NOW_S
from tests.relay.services.identity.verifier.scene import Scene, credential, verifier_scene

pytestmark = pytest.mark.nodes
SCRIPT = Path(__file__).with_name("openid4vp_wallet.mjs")
FLOWS = 20


class StockWallet:
    """The process. What it fetches and posts goes to the verifier of a scene."""

    def __init__(self, process: "subprocess.Popen[str]", scene: Scene) -> None:
        self._process = process
        self._scene = scene

    async def _say(self, value: Any) -> dict[str, Any]:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        stdin.write(json.dumps(value) + "\n")
        stdin.flush()
        return json.loads(await trio.to_thread.run_sync(stdout.readline))

    async def answer(self, link: str, nonce: str | None = None) -> dict[str, Any]:
        """What becomes of a link; `nonce` presents for another request."""
        said = await self._say({"link": link})
        while True:
            if "fetch" in said:
                wanted = said["fetch"]
                form = {"content-type": "application/x-www-form-urlencoded"} if wanted["body"] else {}
                got = await self._scene.http.request(
                    wanted["method"], wanted["url"], content=wanted["body"], headers=form
                )
                told: Any = {"status": got.status_code, "body": got.text, "type": got.headers["content-type"]}
            elif "present" in said:
                asked = said["present"]
                assert asked["prefix"] == "x509_hash" and asked["client_id"] == self._scene.desk.client_id
                shown = select_disclosures(credential(), [("given_name",)])
                bound = bind_to_holder(shown, asked["client_id"], nonce or asked["nonce"], NOW_S, HOLDER_KEY.sign)
                told = {"vp_token": {"licence": [str(bound)]}}
            else:
                return said
            said = await self._say(told)


async def test_a_stock_wallet_answers_encrypted_and_plain(tmp_path):
    home = javascript_peers()
    script = home / SCRIPT.name
    shutil.copyfile(SCRIPT, script)
    with subprocess.Popen(  # noqa: ASYNC220 - it begins before anything waits
        ["node", str(script)], cwd=home, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        try:
            async with verifier_scene(tmp_path) as scene:
                wallet = StockWallet(process, scene)
                for flow in range(FLOWS):
                    policy = "plain" if flow % 2 else "licence"
                    asked = await scene.ask(policy)
                    ended = await wallet.answer(asked["link"])
                    assert "done" in ended and ended["done"]["status"] == 200, ended
                    assert ended["done"]["mode"] == ("direct_post" if flow % 2 else "direct_post.jwt")
                    found = await scene.result(asked)
                    assert found["result"]["credentials"]["licence"][0]["claims"]["given_name"] == "Erika"
                for policy in ("licence", "plain"):
                    ended = await wallet.answer((await scene.ask(policy))["link"], nonce="of another request")
                    assert "done" in ended and ended["done"]["status"] == 400, ended
        finally:
            process.kill()
