"""Gateway, operators and a hub, each a process: an object is answered when the hub has its batch, each operator's log has it, and it goes."""

import json
import os
from pathlib import Path
from random import Random

import httpx
import pytest
import trio

from hutong.adapters.hub import HubSettings, open_hub_chain
from hutong.adapters.hub.admin import approve_and_execute
from hutong.adapters.ics26.chain import RouterSettings
from hutong.adapters.ics26.transactor import Transactor
from hutong.adapters.interface import BatchLimits
from hutong.relay.config import HUB_ROUTER
from hutong.relay.hub.application.admin import (
    name_storage_operator_action,
    name_storage_party_action,
    set_storage_action,
    set_storage_operator_state_action,
)
from hutong.relay.keys import Signer
from hutong.relay.local.hub import CHAIN_ID, EmbeddedEngine, Hub, start_hub
from hutong.relay.services.storage.rules.records.members import OperatorState, PartyRole, encode_label
from hutong.relay.services.storage.rules.records.parameters import Parameters, parameter_values
from tests.relay.services.storage.gateway.test_gateway_commands import GatewayProcess, client_of, invoked
from tests.relay.services.storage.operator.operator_process import OperatorProcess

pytestmark = pytest.mark.long
DATA, PARITY = 2, 2
EPOCHS = {"epoch_s": 10, "cut_blocks": 1, "reveal_s": 1, "deadline_s": 5, "probes": 4}
COMPACTED_S = 300


async def decide(hub: Hub, endpoints: tuple[str, str], actions: list[bytes]) -> None:
    """What the hub's admins approve and execute, one after the other."""
    router = RouterSettings(
        name="hub", router=HUB_ROUTER, start_height=1, poll_interval_s=1.0, limits=BatchLimits(1, 1 << 20, 1 << 24)
    )
    settings = HubSettings(chain_id=CHAIN_ID, rpc=endpoints[:1], consensus_rpc=endpoints[1:], router=router)
    async with open_hub_chain(settings, Random(1)) as chain:
        number = await chain.eth_chain_id()
        signers = [Signer.in_memory(bytes(admin.account().key)) for admin in hub.admins]
        transactors = [Transactor(chain.execution, number, signer) for signer in signers]
        for action in actions:
            await approve_and_execute(transactors, CHAIN_ID, action, None)


def begin(home: Path, endpoints: tuple[str, str]) -> tuple[dict, list[dict]]:
    hub = ("--rpc", endpoints[0], "--consensus-rpc", endpoints[1])
    said = invoked(
        "gateway", "init", "--home", home / "gateway", "--chain-id", CHAIN_ID, "--listen", "127.0.0.1:0", *hub, "--json"
    )
    gateway = json.loads(said.stdout)
    operators = []
    for number in range(DATA + PARITY):
        made = invoked("operator", "init", "--home", home / f"operator-{number}", "--chain-id", CHAIN_ID, *hub,
                       "--listen", "127.0.0.1:0", "--writer", gateway["writer"], "--json")  # fmt: skip
        assert made.exit_code == 0, made.output
        operators.append(json.loads(made.stdout))
    return gateway, operators


def actions_of(gateway: dict, operators: list[dict]) -> list[bytes]:
    writer = bytes.fromhex(gateway["writer"])
    actions = [
        set_storage_action(1, parameter_values(Parameters(data=DATA, parity=PARITY, **EPOCHS))),
        name_storage_party_action(2, int(PartyRole.WRITER), writer, bytes.fromhex(gateway["account"][2:])),
    ]
    for number, known in enumerate(operators):
        labels = tuple(encode_label(f"{kind}{number}") for kind in ("org", "site", "region", "engine"))
        operator, account = bytes.fromhex(known["operator"]), bytes.fromhex(known["account"][2:])
        actions.append(name_storage_operator_action(10 + number, operator, account, labels, 1))
        actions.append(set_storage_operator_state_action(30 + number, operator, int(OperatorState.ACTIVE)))
    return actions


async def test_object_is_answered_when_its_batch_is_on_the_hub(tmp_path):
    operators, gateway = [], None
    async with trio.open_nursery() as nursery:
        hub = await start_hub(nursery, tmp_path, EmbeddedEngine())
        endpoints = (hub.chain.rpc_url, f"http://127.0.0.1:{hub.running.cometbft_ports[0]}")
        said, known = await trio.to_thread.run_sync(begin, tmp_path, endpoints)
        await decide(hub, endpoints, actions_of(said, known))
        config = Path(said["config"])
        try:
            for one in known:
                operators.append(await trio.to_thread.run_sync(OperatorProcess, Path(one["config"])))
                url = operators[-1].url
                added = invoked("gateway", "add", "--config", config, "--operator", one["operator"], "--url", url)
                assert added.exit_code == 0, added.output
            gateway = await trio.to_thread.run_sync(GatewayProcess, config)
            octets = os.urandom(400_000)
            await trio.to_thread.run_sync(stored, gateway.url, said, octets)
            environment = {"HUTONG_STORAGE_URL": gateway.url, "HUTONG_STORAGE_KEY": said["api_key"]}
            status = json.loads(invoked("status", "--json", **environment).stdout)
            assert (status["on_hub"], status["objects"], status["degraded_batches"]) == (True, 1, 0)
            for operator in operators:
                await followed(operator.url, status["batches"])
            assert invoked("rm", "ward-3/scan", **environment).exit_code == 0
            gateway.stop()
            gateway = None
            await compacted(config)
            receipts = [path.read_text().splitlines() for path in (tmp_path / "gateway").rglob("deletions/*/*.jsonl")]
            assert len(receipts) >= 2 and all(len(lines) == DATA + PARITY for lines in receipts)
        finally:
            if gateway is not None:
                gateway.stop()
            for operator in operators:
                operator.kill()
            nursery.cancel_scope.cancel()


def stored(url: str, said: dict, octets: bytes) -> None:
    s3 = client_of(url, said)
    s3.create_bucket(Bucket="ward-3")
    s3.put_object(Bucket="ward-3", Key="scan", Body=octets)
    assert s3.get_object(Bucket="ward-3", Key="scan")["Body"].read() == octets


async def compacted(config: Path) -> None:
    """Until every operator has let go what was deleted: an epoch has to bring the sets that have it."""
    with trio.fail_after(COMPACTED_S):
        while True:
            done = await trio.to_thread.run_sync(invoked, "gateway", "compact", "--config", config, "--json")
            if done.exit_code == 0:
                return
            assert done.exit_code == 1 and "epoch" in done.output, done.output
            await trio.sleep(5)


async def followed(url: str, batches: int) -> None:
    """Until the operator's own log, which it reads from the hub, has every batch."""
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=300) as client:
        with trio.fail_after(600):
            while (await client.get("/v1/log?first=0&count=1")).json()["size"] < batches:  # noqa: ASYNC110  a process
                await trio.sleep(0.2)
