"""Evidence of a real relay run judged again, predicate by predicate, and bundles of it."""

import time
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import trio
import trio.testing

from hutong.relay.api.routers import proofs
from hutong.relay.archive import Archive
from hutong.relay.archive.bundle import check_bundle
from hutong.relay.core.archiving.bundling import Exporter
from hutong.relay.core.clients.evidence_check import judge_again
from tests.relay.api.api_world import api_under_trio, config_of
from tests.relay.core.world import CLIENT, World, making_blocks


@pytest.fixture(scope="module")
def relayed(tmp_path_factory, valkey_process):
    """(world, home): one packet was delivered and acknowledged, in a time of its own."""
    home = tmp_path_factory.mktemp("relayed")
    valkey_process.client.flushall()

    async def run() -> World:
        world = World(home, valkey_process.url)
        process = world.relay()
        async with making_blocks(world), process.running():
            world.send()
            await world.all_settled(1)
            await trio.sleep(3)
        return world

    return trio.run(run, clock=trio.testing.MockClock(autojump_threshold=0)), home


def evidence_folder(home: Path) -> Path:
    """Where the world keeps it is its own affair."""
    return next(file.parents[3] for file in home.rglob("*.receive.jsonl"))


async def test_evidence_is_judged_again_and_every_forgery_is_named(relayed):
    archive = Archive(evidence_folder(relayed[1]))
    for kind in ("receive", "acknowledge"):
        evidence = await archive.read("alpha", CLIENT, 1, kind)
        verdicts = judge_again(evidence)
        assert all(verdict.held for verdict in verdicts)
        names = [verdict.name for verdict in verdicts]
        assert "proves_the_packet" in names and "proof_height_known" in names and len(names) > 10
        changes = {
            "proves_the_packet": {"packet": replace(evidence.packet, sequence=7)},
            "proof_height_known": {"headers": ()},
            "evidence_can_be_judged": {"client_type": "unknown"},
        }
        for predicate, change in changes.items():
            refused = [verdict.name for verdict in judge_again(replace(evidence, **change)) if not verdict.held]
            assert refused == [predicate]
        forged = evidence.proof[:-1] + bytes([evidence.proof[-1] ^ 1])
        assert not all(verdict.held for verdict in judge_again(replace(evidence, proof=forged)))
        header = evidence.headers[0][:-1] + bytes([evidence.headers[0][-1] ^ 1])
        assert not all(verdict.held for verdict in judge_again(replace(evidence, headers=(header,))))
        assert [one.held for one in judge_again(replace(evidence, verified_at_ns=time.time_ns() * 2))][-1] is False


class NoBundle(Exporter):
    """What it made does not hang together, and it searched no further than a request may."""

    def __init__(self, *given, newest_sent: int, most_asked: int) -> None:
        assert newest_sent <= 1_000 and most_asked <= 50
        super().__init__(*given, newest_sent=newest_sent, most_asked=most_asked)

    async def export(self, source, sequence):
        bundle = await super().export(source, sequence)
        check_bundle(replace(bundle, chains=()))


async def test_proofs_and_bundles_over_http(relayed, monkeypatch):
    world, home = relayed
    evidence = evidence_folder(home)
    config = config_of(next(home.rglob("ledger.sqlite")).parent)
    config = config.model_copy(update={"paths": config.paths[:1]})
    adapters = {name: world.adapter(name) for name in ("alpha", "beta")} | {"hub": world.adapter("beta")}
    monkeypatch.setattr("tests.relay.api.api_world.Archive", lambda _: Archive(evidence))
    async with api_under_trio(config, adapters) as (url, _):
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as http:
            base = f"/v1/messages/alpha/{CLIENT}/1"
            answer = await http.get(f"{base}/proofs")
            assert answer.status_code == 200, answer.text
            items = answer.json()["items"]
            assert [item["kind"] for item in items] == ["receive", "acknowledge"] and all(
                item["valid"] for item in items
            )
            assert items[0]["destination_chain"] == "beta" and items[0]["predicates"][0]["valid"]
            bundle = await http.get(f"{base}/bundle")
            assert bundle.status_code == 200, bundle.text
            assert bundle.headers["content-disposition"] == f'attachment; filename="alpha-{CLIENT}-1.bundle.json"'
            assert (await http.get(f"/v1/messages/alpha/{CLIENT}/9/proofs")).status_code == 404
            monkeypatch.setattr(proofs, "Exporter", NoBundle)
            refused = await http.get(f"{base}/bundle")
            assert refused.status_code == 409 and "bundle.chains" in refused.text, refused.text
            assert refused.json()["code"] == "not_exportable"
            damaged = await Archive(evidence).file_of("alpha", CLIENT, 1, "receive")
            damaged.write_bytes(damaged.read_bytes()[:-20])
            items = (await http.get(f"{base}/proofs")).json()["items"]
            assert [item["valid"] for item in items] == [False, True], "the damaged one is named, the other is judged"
            assert items[0]["predicates"][0]["name"] == "evidence_is_whole"
