"""Processes of a demo that are not ready: a sentence that says which one, and where its log is."""

import httpx
import pytest
import trio

from hutong.relay.local import processes
from hutong.relay.local.member import ask_for_height, has_a_block
from hutong.relay.local.ports import free_port
from hutong.relay.local.processes import DemoFailed, require_serving, run_daemon


async def test_a_chain_without_a_block_in_time_is_named_with_its_log(tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "START_LIMIT_S", 0.5)
    log = tmp_path / "alpha.log"
    async with trio.open_nursery() as nursery:
        running = await nursery.start(run_daemon, "alpha", ["-c", "echo waiting; exec sleep 600"], log, ("sh",))
        with pytest.raises(DemoFailed) as failed:
            await require_serving(running, has_a_block, ask_for_height(f"http://127.0.0.1:{free_port()}"))
        nursery.cancel_scope.cancel()
    said = str(failed.value)
    assert said.startswith("alpha was not ready within 0.5 s (waiting); ") and said.endswith(f"its log is {log}")


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text="<html>another program's</html>"),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={"error": {"code": -32601}}),
        httpx.Response(200, json={"result": None}),
        httpx.Response(200, json={"result": "0x0"}),
        httpx.Response(503, json={"result": "0x5"}),
    ],
)
def test_an_answer_without_a_block_is_not_ready(answer):
    assert not has_a_block(answer)


def test_an_answer_with_a_block_is_ready():
    assert has_a_block(httpx.Response(200, json={"result": "0x5"}))
