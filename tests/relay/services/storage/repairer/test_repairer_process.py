"""Repairer, operators, gateway and hub, each a process: killed again and again, and nothing of what is stored is seen in it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
import trio

from hutong.relay.hub.application.admin import (
    name_storage_operator_action,
    name_storage_party_action,
    set_storage_operator_state_action,
)
from hutong.relay.local.hub import CHAIN_ID, EmbeddedEngine, start_hub
from hutong.relay.services.storage.rules.records.members import OperatorState, PartyRole, encode_label
from tests.relay.services.storage.gateway.test_gateway_commands import GatewayProcess, invoked
from tests.relay.services.storage.gateway.test_gateway_on_hub import DATA, PARITY, actions_of, begin, decide, followed
from tests.relay.services.storage.operator.operator_process import OperatorProcess

pytestmark = pytest.mark.long
READY = " ready: "
MARKER = b"patient 4711 has the measles; "
OBJECTS, KILLS = 6, int(os.environ.get("HUTONG_REPAIRER_KILLS", "4"))
PATIENCE_S = 1_200 + 90 * KILLS


def octets_of(number: int) -> bytes:
    return (MARKER * 2_000)[: 40_000 + number]


def spare_of(home: Path, endpoints: tuple[str, str], writer: str, repairer: str) -> dict:
    made = invoked("operator", "init", "--home", home, "--chain-id", CHAIN_ID, "--rpc", endpoints[0],
                   "--consensus-rpc", endpoints[1], "--listen", "127.0.0.1:0", "--writer", writer,
                   "--repairer", repairer, "--json")  # fmt: skip
    assert made.exit_code == 0, made.output
    return json.loads(made.stdout)


def repairer_of(home: Path, endpoints: tuple[str, str]) -> dict:
    said = invoked("repairer", "init", "--home", home, "--chain-id", CHAIN_ID, "--rpc", endpoints[0],
                   "--consensus-rpc", endpoints[1], "--json")  # fmt: skip
    assert said.exit_code == 0, said.output
    return json.loads(said.stdout)


def serve_repairer(config: Path, repairer: str) -> None:
    """An operator's file, by hand, as its page says."""
    config.write_text(config.read_text() + f'\n[[writers]]\nwriter_id = "{repairer}"\nis_repairer = true\n')


class RepairerProcess:
    """`hutong storage repairer run`, whose output is in a file."""

    def __init__(self, config: Path) -> None:
        self.log = config.with_suffix(".log")
        self.log.touch()
        self._before = self.log.read_text().count(READY)
        with self.log.open("ab") as sink:
            command = [sys.executable, "-m", "hutong.relay.cli", "storage", "repairer", "run", "--config", str(config)]
            self.process = subprocess.Popen(command, stdout=sink, stderr=subprocess.STDOUT)

    async def ready(self) -> None:
        while self.log.read_text().count(READY) == self._before:  # noqa: ASYNC110  a process
            assert self.process.poll() is None, self.log.read_text()
            await trio.sleep(0.05)

    def memory_has(self, octets: bytes) -> bool:
        """Whether they stand anywhere that the process may write; it stands still while it is looked at."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            return octets in memory_of(self.process.pid)
        finally:
            self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def memory_of(pid: int) -> bytes:
    found = bytearray()
    with Path(f"/proc/{pid}/maps").open() as maps, Path(f"/proc/{pid}/mem").open("rb", 0) as memory:
        for line in maps:
            span, rights, *_ = line.split()
            first, last = (int(part, 16) for part in span.split("-"))
            if rights.startswith("rw") and "[v" not in line:
                try:
                    memory.seek(first)
                    found += memory.read(last - first)
                except (OSError, ValueError):
                    continue
    return bytes(found)


@pytest.mark.skipif(
    "HUTONG_REPAIRER_KILLS" not in os.environ,
    reason="a hub and seven processes: where HUTONG_REPAIRER_KILLS says how many kills",
)
async def test_a_repairer_that_is_killed_repairs_and_sees_nothing(tmp_path):
    running, gateway, drawn = {}, None, Random(15)
    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery:
            hub = await start_hub(nursery, tmp_path, EmbeddedEngine())
            endpoints = (hub.chain.rpc_url, f"http://127.0.0.1:{hub.running.cometbft_ports[0]}")
            said, known = await trio.to_thread.run_sync(begin, tmp_path, endpoints)
            repairer = await trio.to_thread.run_sync(repairer_of, tmp_path / "repairer", endpoints)
            for one in known:
                serve_repairer(Path(one["config"]), repairer["repairer"])
            await decide(hub, endpoints, actions_of(said, known))
            config, mine = Path(said["config"]), Path(repairer["config"])
            try:
                for one in known:
                    running[one["operator"]] = await trio.to_thread.run_sync(OperatorProcess, Path(one["config"]))
                    url = running[one["operator"]].url
                    assert (
                        invoked(
                            "gateway", "add", "--config", config, "--operator", one["operator"], "--url", url
                        ).exit_code
                        == 0
                    )
                    assert (
                        invoked(
                            "repairer", "add", "--config", mine, "--operator", one["operator"], "--url", url
                        ).exit_code
                        == 0
                    )
                gateway = await trio.to_thread.run_sync(GatewayProcess, config)
                environment = {"HUTONG_STORAGE_URL": gateway.url, "HUTONG_STORAGE_KEY": said["api_key"]}
                await trio.to_thread.run_sync(store_objects, tmp_path, environment)
                batches = json.loads(invoked("status", "--json", **environment).stdout)["batches"]
                for operator in running.values():
                    await followed(operator.url, batches)
                root = tmp_path / "ward.root"
                assert invoked("gateway", "repair-root", "--config", config, "--out", root).exit_code == 0
                assert invoked("gateway", "repair-root", "--config", config, "--out", root).exit_code == 2
                added = invoked("repairer", "add", "--config", mine, "--owner", said["writer"], "--repair-root", root)
                assert added.exit_code == 0, added.output

                spare = await trio.to_thread.run_sync(
                    spare_of, tmp_path / "spare", endpoints, said["writer"], repairer["repairer"]
                )
                lost = known[0]["operator"]
                running.pop(lost).kill()
                await decide(hub, endpoints, replacing(lost, spare, repairer))
                running[spare["operator"]] = await trio.to_thread.run_sync(OperatorProcess, Path(spare["config"]))
                url = running[spare["operator"]].url
                assert (
                    invoked(
                        "repairer", "add", "--config", mine, "--operator", spare["operator"], "--url", url
                    ).exit_code
                    == 0
                )
                gateway.stop()
                assert (
                    invoked(
                        "gateway", "add", "--config", config, "--operator", spare["operator"], "--url", url
                    ).exit_code
                    == 0
                )

                looked = await trio.to_thread.run_sync(lambda: invoked("repairer", "look", "--config", mine, "--json"))
                assert (looked.exit_code, json.loads(looked.stdout)["lost_parts"]) == (1, batches)
                for _ in range(KILLS):
                    began, process = trio.current_time(), RepairerProcess(mine)
                    await process.ready()
                    # As long as a start takes here, and a half more: on a busy machine a pass takes longer as well.
                    await trio.sleep(drawn.random() * 1.5 * (trio.current_time() - began))
                    assert not process.memory_has(MARKER)
                    process.kill()
                mended = await trio.to_thread.run_sync(lambda: invoked("repairer", "once", "--config", mine, "--json"))
                assert mended.exit_code == 0, mended.output
                again = await trio.to_thread.run_sync(lambda: invoked("repairer", "look", "--config", mine, "--json"))
                assert (again.exit_code, json.loads(again.stdout)["lost_parts"]) == (0, 0)
                for file in (*mine.parent.rglob("*"), *tmp_path.glob("spare/**/*")):
                    assert not file.is_file() or MARKER not in file.read_bytes(), file
                # One of four is left besides the new one, and two are needed: what is read back comes out of both.
                for one in known[1:3]:
                    running.pop(one["operator"]).kill()
                gateway = await trio.to_thread.run_sync(GatewayProcess, config)
                environment["HUTONG_STORAGE_URL"] = gateway.url
                await trio.to_thread.run_sync(read_objects, tmp_path, environment)
            finally:
                if gateway is not None and gateway.process.poll() is None:
                    gateway.kill()
                for operator in running.values():
                    operator.kill()
                nursery.cancel_scope.cancel()


def replacing(lost: str, spare: dict, repairer: dict) -> list[bytes]:
    """One leaves, another comes, and the repairer has its name."""
    one, other = bytes.fromhex(lost), bytes.fromhex(spare["operator"])
    labels = tuple(encode_label(f"{kind}{DATA + PARITY}") for kind in ("org", "site", "region", "engine"))
    account = bytes.fromhex(spare["account"][2:])
    named = bytes.fromhex(repairer["repairer"]), bytes.fromhex(repairer["account"][2:])
    return [
        name_storage_party_action(60, int(PartyRole.REPAIRER), *named),
        name_storage_operator_action(61, other, account, labels, 1),
        set_storage_operator_state_action(62, other, int(OperatorState.ACTIVE)),
        set_storage_operator_state_action(63, one, int(OperatorState.DRAINING)),
        set_storage_operator_state_action(64, one, int(OperatorState.LEFT)),
    ]


def store_objects(home: Path, environment: dict) -> None:
    assert invoked("mb", "ward", **environment).exit_code == 0
    for number in range(OBJECTS):
        (home / "object").write_bytes(octets_of(number))
        put = invoked("put", home / "object", f"ward/{number}", **environment)
        assert put.exit_code == 0, put.output


def read_objects(home: Path, environment: dict) -> None:
    for number in range(OBJECTS):
        got = invoked("get", f"ward/{number}", "--out", home / "back", **environment)
        assert got.exit_code == 0, got.output
        assert (home / "back").read_bytes() == octets_of(number)


def test_the_look_finds_a_marker_that_is_there():
    """The twin: a process that has it."""
    script = f"kept = bytearray({MARKER!r} * 3); print('ready', flush=True); import time; time.sleep(600)"
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        assert MARKER in memory_of(process.pid)
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    "arguments",
    [
        [], ["--operator", "1" * 64], ["--url", "http://127.0.0.1:1"], ["--owner", "1" * 64],
        ["--operator", "1" * 63, "--url", "http://127.0.0.1:1"], ["--operator", "1" * 64, "--url", 'http://127.0.0.1:1"'],
        ["--operator", "1" * 64, "--url", "http://198.51.100.1:1"], ["--owner", "1" * 64, "--repair-root", "/nowhere"],
    ],
)  # fmt: skip
def test_what_cannot_be_added_leaves_the_file_as_it_was(tmp_path, arguments):
    config = Path(repairer_of(tmp_path, ("http://127.0.0.1:1", "http://127.0.0.1:2"))["config"])
    before = config.read_bytes()
    said = invoked("repairer", "add", "--config", config, *arguments)
    assert said.exit_code == 2, said.output
    assert config.read_bytes() == before
    assert invoked("repairer", "init", "--home", tmp_path, "--chain-id", "hutong-1", "--rpc", "http://127.0.0.1:1",
                   "--consensus-rpc", "http://127.0.0.1:2").exit_code == 2  # fmt: skip


def test_a_hub_that_is_away_is_said(tmp_path):
    config = repairer_of(tmp_path, ("http://127.0.0.1:1", "http://127.0.0.1:2"))["config"]
    said = invoked("repairer", "once", "--config", config)
    assert said.exit_code == 2
    assert "the hub cannot be used" in said.output
