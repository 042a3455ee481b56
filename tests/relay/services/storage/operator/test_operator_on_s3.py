"""The operator's process over a real S3 engine: versitygw, unmodified; with its store wiped beneath it, and away."""

import shutil
import time

import httpx
import pytest

from hutong.light_clients.interface import VERIFY
from hutong.relay.services.storage.rules.lifecycle.stored import judge_receipt
from hutong.relay.services.storage.rules.operator_api.documents import decode_receipt
from hutong.relay.services.storage.rules.operator_api.spans import judged_spans, span_range
from tests.relay.services.storage.operator.operator_process import OperatorProcess, write_home
from tests.relay.services.storage.operator.running import (
    IDENTITY,
    OPERATOR_KEY,
    account_of,
    drawn_shard,
    entry_of,
    path_of,
)
from tests.relay.services.storage.operator.test_operator_kills import token_of_now

pytestmark = pytest.mark.nodes
SHARDS = [drawn_shard(f"shard {number}", height=(13, 8, 0)[number % 3]) for number in range(6)]


@pytest.fixture
def server():
    from tests.nodes.s3_server import S3Server

    server = S3Server()
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture
def asked():
    with httpx.Client(headers={"authorization": f"Bearer {token_of_now()}"}, timeout=120) as client:
        yield client


def put(client, url, shard) -> httpx.Response:
    entry = entry_of(shard)
    asked = f"{url}{path_of(shard)}?height={entry.height}&root={entry.root.hex()}&retain_until=0"
    return client.put(asked, content=shard.octets, headers={"content-type": "application/octet-stream"})


def check_held(client, url, shard) -> None:
    asked = span_range(entry_of(shard).height, 0, len(shard.octets))
    answer = client.get(f"{url}{path_of(shard)}/spans?first=0&count={asked.count}")
    assert judged_spans(VERIFY, asked, answer.content, entry_of(shard).root)[1] == shard.octets


@pytest.mark.parametrize("durable_by", ["journal", "disk"])
def test_shards_are_held_by_an_unmodified_engine(tmp_path, server, asked, durable_by):
    disk = f'disk = "{server.directory}"' if durable_by == "disk" else ""
    engine = f'bucket = "s3://{server.new_bucket()}/op"\ndurable_by = "{durable_by}"\n{disk}'
    operator = OperatorProcess(write_home(tmp_path, engine=engine), server.environment)
    try:
        for shard in SHARDS:
            answer = put(asked, operator.url, shard)
            assert answer.status_code == 201, answer.text
            signed = decode_receipt(answer.content)
            who = (IDENTITY.operator, account_of(OPERATOR_KEY))
            judge_receipt(VERIFY, signed.receipt, signed.signature, IDENTITY.hub, who, entry_of(shard))
            assert signed.receipt.engine_tag != bytes(32)
            check_held(asked, operator.url, shard)
        assert asked.get(f"{operator.url}/v1/operator").json()["engine"] == "s3"
        assert put(asked, operator.url, SHARDS[0]).status_code == 200
        server.stop()
        answer = put(asked, operator.url, drawn_shard("while the engine is away"))
        assert answer.status_code == 503 and answer.json()["code"] == "engine_unavailable"
        server.start()
        assert put(asked, operator.url, drawn_shard("while the engine is away")).status_code == 201
    finally:
        out = operator.stop()
    from tests.nodes.s3_server import SECRET_KEY

    assert SECRET_KEY not in out


def test_what_the_engine_lost_is_written_again_at_the_next_start(tmp_path, server, asked):
    """As a loss of power takes what it had answered and not synced: all of its objects."""
    bucket = server.new_bucket()
    config = write_home(tmp_path, engine=f'bucket = "s3://{bucket}/op"\ndurable_by = "journal"')
    operator = OperatorProcess(config, server.environment)
    receipts = [put(asked, operator.url, shard).content for shard in SHARDS]
    operator.kill()
    server.stop()
    for sort in ("data", "sidecar"):
        shutil.rmtree(server.directory / sort / bucket / "op", ignore_errors=True)
    server.start()
    operator = OperatorProcess(config, server.environment)
    try:
        for shard, receipt in zip(SHARDS, receipts, strict=True):
            check_held(asked, operator.url, shard)
            assert put(asked, operator.url, shard).content == receipt
    finally:
        operator.stop()


def test_bytes_a_second_through_an_operator_are_told(tmp_path, server, asked):
    """For the note: put with its read-back, and get, of shards of 8 MiB; beside the engine alone in the same run."""
    from hutong.relay.services.storage.engines.bucket import open_bucket

    shards = [drawn_shard(f"large {number}", height=13) for number in range(8)]
    octets = sum(len(shard.octets) for shard in shards)
    bucket = server.new_bucket()
    with pytest.MonkeyPatch.context() as environment:
        for name, value in server.environment.items():
            environment.setenv(name, value)
        bare = open_bucket(f"s3://{bucket}/bare")
        began_s = time.perf_counter()
        for number, shard in enumerate(shards):
            bare.create(f"a/{number}", shard.octets)
        bare_put_s = time.perf_counter() - began_s
    engine = f'bucket = "s3://{bucket}/op"\ndurable_by = "disk"\ndisk = "{server.directory}"'
    operator = OperatorProcess(write_home(tmp_path, engine=engine), server.environment)
    try:
        began_s = time.perf_counter()
        for shard in shards:
            assert put(asked, operator.url, shard).status_code == 201
        put_s = time.perf_counter() - began_s
        began_s = time.perf_counter()
        for shard in shards:
            answer = asked.get(f"{operator.url}{path_of(shard)}/spans?first=0&count=128")
            assert len(answer.content) == len(shard.octets) + 4_096
        get_s = time.perf_counter() - began_s
    finally:
        operator.stop()
    for what, took_s in (("engine put", bare_put_s), ("operator put", put_s), ("operator get", get_s)):
        print(f"{what}: {octets / took_s / 1e6:.0f} MB/s")
