"""Calls of strangers are executed where they cannot hold a validator (audit H1)."""

import http.client
import json
import os
import threading
from pathlib import Path

import pytest
import trio
import trio.testing

from hutong.relay.evm.errors import CallFailure, StatePruned
from hutong.relay.evm.rpc.call_codec import (
    Aborted,
    CallRequest,
    Pruned,
    decode_answer,
    decode_request,
    encode_answer,
    encode_request,
)
from hutong.relay.evm.rpc.call_executor import CallAborted
from hutong.relay.evm.rpc.call_processes import CallProcesses
from hutong.relay.evm.vm.outcomes import CallMessage, CallResult
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.module import ROUTER_ADDRESS
from hutong.relay.hub.process.call_process import call_command
from hutong.relay.hub.process.start import open_node
from tests.relay.hub.hub_process import HubProcess, new_home

ALL_THE_GAS = 16_777_216
FOR_EVER = 10**12
"""Gas that no machine burns before a deadline: all that a transaction may have takes a quick one less than half a second."""
SPIN = bytes.fromhex("5b600056")
"""JUMPDEST, PUSH1 0, JUMP: until the gas is used up."""
C1_INIT_CODE = bytes.fromhex("5f620ea5e0525b5f5f620ea6005f73" + "aa" * 20 + "5ffa5061000656")
"""The audit's: STATICCALLs with 0.96 MB of input each."""
MEMORY_OF_2_MIB = bytes.fromhex("5f6220000052")
"""PUSH0, PUSH3 2 MiB, MSTORE."""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """With the genesis block."""
    home = new_home(tmp_path_factory.mktemp("hub"))
    node = open_node(home)
    node.log.close()
    node.store.close()
    return home


@pytest.fixture
async def opened(home):
    """(block 0, a function that makes an executor over the home)"""
    from hutong.relay.evm.store.lmdb_store import LmdbStore
    from hutong.relay.hub.application.application import HubApplication
    from hutong.relay.hub.home.home import DATABASE_DIRECTORY, load_genesis

    store = LmdbStore(home / DATABASE_DIRECTORY, read_only=True)
    block = HubApplication(store, load_genesis(home)).blocks.head()
    async with trio.open_nursery() as nursery:

        async def executor(deadline_s=20.0, **limits):
            calls = CallProcesses(call_command(home, store.map_bytes, **limits), deadline_s)
            await nursery.start(calls.run)
            return calls

        yield block, executor
        nursery.cancel_scope.cancel()
    store.close()


def message(code: bytes, gas: int = ALL_THE_GAS) -> CallMessage:
    return CallMessage(sender=bytes(20), to=None, data=code, gas=gas)


PAUSED = CallMessage(sender=bytes(20), to=ROUTER_ADDRESS, data=abi.PAUSED.call(), gas=1_000_000)


def own_peak_bytes() -> int:
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))


def own_children() -> set[str]:
    """The processes of this one, by number, also those that ended and were not waited for."""
    parent = f"PPid:\t{os.getpid()}\n"
    found = set()
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            if parent in status.read_text():
                found.add(status.parent.name)
        except OSError:  # it has ended
            continue
    return found


@pytest.mark.long
async def test_a_call_and_an_estimate_answer_as_in_the_node(opened):
    block, executor = opened
    calls = await executor()
    result = await calls.call(block, PAUSED)
    assert (result.success, result.return_data) == (True, bytes(32))
    assert 21_000 < await calls.estimate_gas(block, PAUSED) < 200_000
    failed = await calls.call(block, message(SPIN, 60_000))
    assert (failed.success, failed.failure) == (False, CallFailure.OUT_OF_GAS)


@pytest.mark.long
async def test_audit_H1_a_call_ends_at_the_deadline_and_its_process_with_it(opened):
    block, executor = opened
    calls = await executor(deadline_s=2)
    with pytest.raises(CallAborted) as aborted:
        await calls.call(block, message(SPIN, FOR_EVER))
    assert str(aborted.value) == "execution aborted (timeout = 2s)"
    # The one that takes its place is started, which is no part of the next call's time.
    assert (await calls.call(block, PAUSED)).success


@pytest.mark.long
async def test_audit_H1_a_call_has_a_bound_of_memory_and_the_next_one_is_served(opened):
    block, executor = opened
    calls = await executor(memory_bytes=1024 * 1024)
    with pytest.raises(CallAborted) as aborted:
        await calls.call(block, message(MEMORY_OF_2_MIB))
    assert str(aborted.value) == "execution aborted (memory limit)"
    assert (await calls.call(block, PAUSED)).success


@pytest.mark.long
async def test_a_start_outlives_the_caller_who_gives_up_and_serves_the_next(home, opened, tmp_path):
    """As on a machine so busy that the start takes longer than callers wait."""
    block, _ = opened
    begun, go_on = tmp_path / "begun", tmp_path / "go_on"
    held = f'echo begun >> {begun}; until [ -e {go_on} ]; do sleep 0.1; done; exec "$@"'
    calls = CallProcesses(("sh", "-c", held, "sh", *call_command(home, 2**30)))
    async with trio.open_nursery() as owner:
        await owner.start(calls.run)
        for _ in range(3):
            with trio.CancelScope() as patience:
                async with trio.open_nursery() as callers:
                    callers.start_soon(calls.call, block, PAUSED)
                    while not (begun.exists() and begun.read_text()):  # noqa: ASYNC110
                        await trio.sleep(0.01)
                    await trio.testing.wait_all_tasks_blocked()
                    patience.cancel()
            assert patience.cancelled_caught
            assert begun.read_text() == "begun\n"
        with trio.fail_after(600):
            async with trio.open_nursery() as callers:
                callers.start_soon(calls.call, block, PAUSED)
                go_on.touch()
        assert begun.read_text() == "begun\n"
        owner.cancel_scope.cancel()


@pytest.mark.long
async def test_a_call_under_way_ends_with_the_node_and_leaves_no_process(home, opened):
    """It is cancelled after the owner of all processes: nobody waited for its own any more."""
    block, _ = opened
    calls = CallProcesses(call_command(home, 2**30))
    before = own_children()
    async with trio.open_nursery() as callers:
        async with trio.open_nursery() as owner:
            await owner.start(calls.run)
            assert (await calls.call(block, PAUSED)).success
            callers.start_soon(calls.call, block, message(SPIN))
            await trio.testing.wait_all_tasks_blocked()
            owner.cancel_scope.cancel()
        callers.cancel_scope.cancel()
    assert own_children() == before


@pytest.mark.long
async def test_audit_H1_the_node_holds_nothing_of_what_a_call_holds(opened):
    block, executor = opened
    calls = await executor(deadline_s=3)
    await calls.call(block, PAUSED)
    before = own_peak_bytes()
    try:
        await calls.call(block, message(C1_INIT_CODE, ALL_THE_GAS // 13))
    except CallAborted:
        pass
    assert own_peak_bytes() - before < 64 * 1024 * 1024


async def test_a_state_that_is_pruned_is_told_as_in_the_node(opened):
    with pytest.raises(StatePruned):
        await Answering(Pruned(3, 7)).call(opened[0], PAUSED)


class Answering(CallProcesses):
    """Processes that give one answer."""

    def __init__(self, answer):
        super().__init__(())
        self.answer = answer

    async def _execute(self, request):
        assert decode_request(request).message == PAUSED
        return decode_answer(encode_answer(self.answer))


@pytest.mark.parametrize(
    "answer",
    [
        21_000,
        Pruned(1, 2),
        Aborted("why"),
        CallResult(True, b"\x00\xff", 5, None, ""),
        CallResult(False, b"", 7, CallFailure.REVERTED, "said so"),
    ],
)
def test_answers_survive_the_pipe(answer):
    assert decode_answer(encode_answer(answer)) == answer


def test_requests_survive_the_pipe():
    access = ((b"\x01" * 20, (0, 2**256 - 1)),)
    request = CallRequest(5, b"\x02" * 32, CallMessage(b"\x03" * 20, None, b"\x04", 2**255, 7, access), estimate=True)
    assert decode_request(encode_request(request)) == request


async def test_a_program_that_is_no_call_process_is_said_in_one_sentence(home):
    calls = CallProcesses(("false",))
    block_of_none = type("Block", (), {"number": 0, "hash": bytes(32)})()
    async with trio.open_nursery() as nursery:
        await nursery.start(calls.run)
        with pytest.raises(CallAborted, match="cannot execute calls now"):
            await calls.call(block_of_none, PAUSED)
        nursery.cancel_scope.cancel()


def ask(port: int, source: str, method: str, params: list) -> dict:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60, source_address=(source, 0))
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
    connection.request("POST", "/", body, {"content-type": "application/json"})
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return answer


@pytest.mark.long
def test_audit_H1_strangers_calls_delay_neither_blocks_nor_the_calls_of_others(tmp_path):
    """Through the door: eight calls that use all their gas, from one address, and meanwhile another's."""
    hub = HubProcess(new_home(tmp_path / "hub")).start()
    try:
        port = int(hub.eth_url.rsplit(":", 1)[1])
        paused = {"to": f"0x{ROUTER_ADDRESS.hex()}", "data": f"0x{abi.PAUSED.call().hex()}"}
        assert ask(port, "127.0.0.1", "eth_call", [paused, "latest"])["result"] == f"0x{bytes(32).hex()}"
        spin = {"data": f"0x{SPIN.hex()}"}
        refused = []
        strangers = [
            threading.Thread(target=lambda: refused.append(ask(port, "127.0.0.2", "eth_call", [spin, "latest"])))
            for _ in range(8)
        ]
        for stranger in strangers:
            stranger.start()
        first = int(ask(port, "127.0.0.1", "eth_blockNumber", [])["result"], 16)
        assert "result" in ask(port, "127.0.0.1", "eth_call", [paused, "latest"])
        still_asking = sum(stranger.is_alive() for stranger in strangers)
        for _ in range(2):
            assert "result" in ask(port, "127.0.0.1", "eth_call", [paused, "latest"])
        for stranger in strangers:
            stranger.join(60)
        assert still_asking > 2, "a stranger's calls are served one by one beside those of others"
        assert int(ask(port, "127.0.0.1", "eth_blockNumber", [])["result"], 16) > first
        assert all("error" in answer for answer in refused)
        children = Path(f"/proc/{hub.process.pid}/task/{hub.process.pid}/children").read_text().split()
    finally:
        hub.kill()
    for child in children:
        wait_until_gone(int(child))


def wait_until_gone(pid: int) -> None:
    """A call process ends with its input: the node's death by SIGKILL closes it."""
    for _ in range(300):
        try:
            with open(f"/proc/{pid}/stat") as stat:
                if stat.read().split(") ")[1][0] == "Z":
                    return
        except OSError:
            return
        threading.Event().wait(0.1)
    raise AssertionError(f"call process {pid} outlives its node")
