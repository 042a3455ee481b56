"""The whole core between two running Clique chains and a hub: messages cross, and clients that fell behind are brought up."""

import json
import time
from pathlib import Path
from random import Random

import pytest
import trio
from typer.testing import CliRunner

from hutong.adapters.evm.clique.consensus import BLOCKS_PER_UPDATE
from hutong.relay.archive import Archive
from hutong.relay.archive.bundle import encode_bundle
from hutong.relay.archive.checkpoint import encode_checkpoint
from hutong.relay.base.threads import thread_runner
from hutong.relay.cli.main import app
from hutong.relay.config import Config, PathEnd
from hutong.relay.core.archiving.bundling import Exporter, read_checkpoint
from hutong.relay.core.relay import Relay
from hutong.relay.core.services import Services
from hutong.relay.core.topology.paths import Paths
from hutong.relay.devnet.settings import CLIQUE_EPOCH_LENGTH
from hutong.relay.dispatch import Connection, EmbeddedValkey, Queue, QueueLimits
from hutong.relay.ledger import Ledger
from hutong.relay.telemetry import Metrics
from tests.adapters.conformance.lane import CONFIRMATIONS, RELAYER, running_lane
from tests.adapters.conformance.test_relay_on_real_chains import KEY, PATIENCE_S

MESSAGES = 3


def configured(lane, home) -> Config:
    members = {"alpha": lane.alpha, "beta": lane.beta}
    clique = {"period_s": 0, "epoch_length": CLIQUE_EPOCH_LENGTH}
    evm = {
        "kind": "evm",
        "consensus": "clique",
        "confirmations": CONFIRMATIONS,
        "clique": clique,
        "rpc": ["http://127.0.0.1:1"],
        "key": KEY,
    }
    hub = {"name": "hub", "kind": "hub", "chain_id": lane.hub.chain_id, "key": KEY, "rpc": ["http://127.0.0.1:1"]}
    return Config.model_validate(
        {
            "relay": {"home": str(home), "clear_interval_s": 3},
            "chains": [
                *(
                    evm | {"name": name, "chain_id": int(member.chain.chain_id), "router": member.contracts.router}
                    for name, member in members.items()
                ),
                hub | {"consensus_rpc": ["http://127.0.0.1:1"]},
            ],
            "paths": [
                {"a": {"chain": name, "client": member.client}, "b": {"chain": "hub", "client": member.hub_client}}
                for name, member in members.items()
            ],
        }
    )


@pytest.mark.long
async def test_messages_cross_although_every_header_is_needed(tmp_path):
    async with running_lane(tmp_path / "hub", consensus="clique") as lane:
        adapters = {"alpha": lane.alpha.chain, "beta": lane.beta.chain, "hub": lane.hub}
        alpha, client = lane.alpha.chain, lane.alpha.client
        behind = (await lane.hub.client(lane.alpha.hub_client)).latest_height.revision_height
        await alpha.wait_for_height(behind + 2 * BLOCKS_PER_UPDATE)  # more than one transaction brings up
        checkpoints = await checkpoints_of(lane)
        valkey = EmbeddedValkey(tmp_path / "queue")
        ledger = Ledger.open_file(tmp_path / "ledger.sqlite")
        async with trio.open_nursery() as nursery:
            connection = Connection(await nursery.start(valkey.serve))
            queue = Queue(
                connection, "relay", lambda: int(trio.current_time() * 1000), limits=QueueLimits(max_attempts=100)
            )
            services = Services(
                queue,
                ledger,
                Archive(tmp_path / "evidence"),
                Metrics(adapters),
                time.time_ns,
                Random(1),
                thread_runner(4),
                alone=True,
            )
            relay = Relay(configured(lane, tmp_path), adapters, dict.fromkeys(adapters, (RELAYER,)), services)
            await nursery.start(relay.run)
            for number in range(MESSAGES):
                timeout_s = int(time.time()) + PATIENCE_S
                await lane.send(lane.beta.hub_client, b"message %d" % number, timeout_s)
            with trio.fail_after(PATIENCE_S):
                for sequence in range(1, MESSAGES + 1):
                    while await alpha.commitment(client, sequence) is not None:  # noqa: ASYNC110
                        await trio.sleep(0.25)
            for sequence in range(1, MESSAGES + 1):
                assert await lane.beta.chain.receipt(lane.beta.client, sequence) is not None, "it has arrived"
            evidence = await services.archive.read("alpha", client, 1, "receive")
            assert evidence.client_type == "clique"
            exporter = Exporter(adapters, Paths.of(configured(lane, tmp_path).paths), services.archive, checkpoints)
            bundle = await exporter.export(PathEnd(chain="alpha", client=client), 1)
            nursery.cancel_scope.cancel()
        connection.close()
        ledger.close()
    files = written(tmp_path / "shown", bundle, checkpoints)
    verdict = json.loads(verified(*files))
    assert verdict["valid"], verdict
    assert {one["name"] for one in verdict["checks"]} >= {"majority_of_signers_sealed", "update_is_used"}
    assert all("followed from checkpoint" in verdict["trust"][chain] for chain in ("1001", "1002"))


async def checkpoints_of(lane):
    """Of all three chains, as `hutong audit checkpoint` makes them of clients that follow each other."""
    ends = {
        lane.alpha.chain: ([lane.alpha.client], [(lane.hub, lane.alpha.hub_client)]),
        lane.beta.chain: ([lane.beta.client], [(lane.hub, lane.beta.hub_client)]),
        lane.hub: (
            [lane.alpha.hub_client, lane.beta.hub_client],
            [(lane.alpha.chain, lane.alpha.client), (lane.beta.chain, lane.beta.client)],
        ),
    }
    return [
        await read_checkpoint(chain, clients, [await host.client(one) for host, one in followers], None)
        for chain, (clients, followers) in ends.items()
    ]


def written(folder: Path, bundle, checkpoints) -> tuple[Path, list[Path]]:
    folder.mkdir()
    file = folder / "message.bundle.json"
    file.write_bytes(encode_bundle(bundle))
    trusted = [folder / f"{checkpoint.chain_id}.checkpoint.json" for checkpoint in checkpoints]
    for path, checkpoint in zip(trusted, checkpoints, strict=True):
        path.write_bytes(encode_checkpoint(checkpoint))
    return file, trusted


def verified(bundle: Path, checkpoints: list[Path]) -> str:
    """What `hutong audit verify` prints."""
    options = [part for path in checkpoints for part in ("--checkpoint", str(path))]
    result = CliRunner().invoke(app, ["audit", "verify", str(bundle), *options, "--json"])
    assert result.exit_code == 0, (result.output[-2_000:], result.exception)
    return result.stdout
