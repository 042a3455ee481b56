"""The operator as people run it: its process, its scrub, its drain; two never share a home."""

import json

import httpx
import pytest
from typer.testing import CliRunner

from hutong.relay.cli.main import app
from tests.relay.services.storage.operator.operator_process import OperatorProcess, write_home
from tests.relay.services.storage.operator.running import drawn_shard, entry_of, path_of
from tests.relay.services.storage.operator.test_operator_kills import token_of_now

pytestmark = pytest.mark.long
SHARDS = [drawn_shard(f"shard {number}", height=7 + number % 2) for number in range(4)]


def invoked(*arguments: object):
    return CliRunner().invoke(app, ["storage", "operator", *map(str, arguments)])


def put(client: httpx.Client, shard) -> httpx.Response:
    entry = entry_of(shard)
    asked = f"{path_of(shard)}?height={entry.height}&root={entry.root.hex()}&retain_until=0"
    return client.put(asked, content=shard.octets, headers={"content-type": "application/octet-stream"})


def test_a_process_holds_shards_scrub_names_the_rotten_one_and_drain_takes_no_more(tmp_path):
    config = write_home(tmp_path)
    operator = OperatorProcess(config)
    headers = {"authorization": f"Bearer {token_of_now()}"}
    try:
        with httpx.Client(base_url=operator.url, headers=headers, timeout=60) as client:
            assert [put(client, shard).status_code for shard in SHARDS] == [201] * 4
            said = client.get("/v1/operator").json()
            assert (said["state"], said["engine"], said["pending_s"]) == ("active", "directory", 604_800)
            assert client.get("/readyz").json() == {"ready": True, "reason": None}
            large = drawn_shard("large", height=13)
            refused = httpx.Client(base_url=operator.url, headers={"authorization": "Bearer none"}, timeout=60)
            with refused:
                assert [put(refused, large).json()["code"] for _ in range(3)] == ["unauthorized"] * 3
            second = invoked("run", "--config", config)
            assert second.exit_code == 2 and "another storage operator" in second.stderr
            whole = invoked("scrub", "--config", config, "--json")
            assert (whole.exit_code, json.loads(whole.stdout)["damaged"]) == (0, 0)
            (rotten,) = (tmp_path / "shards").rglob(f"{SHARDS[0].pack.hex()}-03")
            octets = bytearray(rotten.read_bytes())
            octets[70_000] ^= 1
            rotten.write_bytes(octets)
            found = invoked("scrub", "--config", config)
            assert found.exit_code == 1 and SHARDS[0].pack.hex() in found.stderr and "span 1" in found.stderr
            assert client.get(path_of(SHARDS[0])).json()["state"] == "damaged"
            assert put(client, SHARDS[0]).status_code == 200
            assert invoked("scrub", "--config", config).exit_code == 0
            assert invoked("scrub", "--config", config, "--remove-orphans").exit_code == 2
    finally:
        out = operator.stop()
    assert headers["authorization"].split()[1] not in out
    assert invoked("drain", "--config", config).exit_code == 0
    operator = OperatorProcess(config)
    try:
        with httpx.Client(base_url=operator.url, headers=headers, timeout=60) as client:
            assert put(client, drawn_shard("new")).json()["code"] == "draining"
            assert client.get(f"{path_of(SHARDS[1])}/spans?first=0&count=1").status_code == 200
    finally:
        operator.stop()
    orphans = invoked("scrub", "--config", config, "--remove-orphans", "--json")
    assert json.loads(orphans.stdout)["orphans_removed"] == 0
