"""Observations and records over HTTP and through the SDK, of a running hub; bundles from there hold offline."""

import time

import httpx
import pytest
import trio

from hutong.relay.audit.records import Asked, RecordAuditor
from hutong.relay.sdk import ApiProblem, Hutong, InvalidArgument, TrioHutong
from tests.adapters.conformance.lane import running_hub
from tests.light_clients.bft_evm.simulated_chain import ROUTER
from tests.light_clients.records.observed_state import ABSENT_SLOT, SLOT, WORD
from tests.relay.api.api_world import api_under_trio, config_of, simulated_adapters
from tests.relay.api.observed_hub import CLIENT, observe, open_hub
from tests.relay.audit.records.hub_checkpoint import checkpoint_of_hub


@pytest.mark.long
async def test_what_is_observed_is_listed_read_and_proven(tmp_path):
    async with running_hub(tmp_path / "hub", open_hub()) as hub:
        await observe(hub)
        checkpoint = await checkpoint_of_hub(hub)
        adapters = simulated_adapters() | {"hub": hub}
        async with api_under_trio(config_of(tmp_path), adapters) as (url, _):
            async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as http:
                await judge_http(http, checkpoint)
            async with TrioHutong(url, timeout_s=60) as sdk:
                await judge_sdk(sdk, url, checkpoint)


async def judge_http(http, checkpoint):
    listed = (await http.get("/v1/observations")).json()
    assert listed["next"] is None
    by_kind = {one["place"]["kind"]: one for one in listed["items"]}
    assert len(listed["items"]) == 3
    account = by_kind["account"]
    assert account["place"] == {
        "kind": "account", "account": f"0x{ROUTER.hex()}", "slot": None, "field": "nonce", "store_hash": None,
    }  # fmt: skip
    assert account["value"] == f"0x{1:064x}"
    assert (account["trust"], account["threshold"], account["attestors"]) == ("attested", 2, 3)
    assert (account["epoch"], account["current"], account["client"], account["hub"]) == (1, True, CLIENT, "hub")
    assert 20 < account["age_s"] < 600
    values = {one["place"]["slot"]: one["value"] for one in listed["items"] if one["place"]["kind"] == "slot"}
    assert values == {f"0x{SLOT.hex()}": f"0x{WORD.hex()}", f"0x{ABSENT_SLOT.hex()}": None}
    first = (await http.get("/v1/observations", params={"limit": 1})).json()
    rest = (await http.get("/v1/observations", params={"cursor": first["next"], "hub": "hub"})).json()
    assert [one["key"] for one in [*first["items"], *rest["items"]]] == [one["key"] for one in listed["items"]]

    record = (await http.get(f"/v1/records/{account['key']}")).json()
    assert record["observation"]["value"] == account["value"] and record["observation"]["current"] is True
    absent = (await http.get("/v1/records/0x00")).json()
    assert (absent["value"], absent["observation"]) == (None, None)
    bundle = await http.get(account["bundle"])
    assert bundle.status_code == 200, bundle.text
    assert bundle.headers["content-disposition"] == 'attachment; filename="attestation-0.record.json"'
    judged(bundle.content, checkpoint)
    assert len(bundle.content) < 10_000
    for path, status, code in (
        ("/v1/observations?hub=alpha", 422, "invalid_request"),
        ("/v1/observations?cursor=x", 422, "invalid_request"),
        ("/v1/observations?limit=101", 422, "invalid_request"),
        ("/v1/records/0x", 422, "invalid_request"),
        ("/v1/records/0x00/bundle?at=1", 400, "invalid_request"),
    ):
        refused = await http.get(path)
        assert (refused.status_code in (400, status), refused.json()["code"]) == (True, code), (path, refused.text)


async def judge_sdk(sdk, sdk_url, checkpoint):
    listed = [one async for one in sdk.observations(page_items=1)]
    assert [one.place.kind for one in listed] == ["account", "slot", "slot"]
    record = await sdk.record(listed[0].key)
    assert record.observation.epoch == 1
    judged(await sdk.record_bundle(listed[0].key, "hub"), checkpoint)

    def blocking():
        with Hutong(sdk_url, timeout_s=60) as client:
            return (
                [one.key for one in client.observations()],
                client.record(listed[0].key),
                client.record_bundle(listed[0].key),
            )

    keys, same, bundle = await trio.to_thread.run_sync(blocking)
    assert (keys, same.key) == ([one.key for one in listed], record.key)
    judged(bundle, checkpoint)
    with pytest.raises(InvalidArgument, match="key"):
        await sdk.record("0xzz")
    with pytest.raises(ApiProblem, match="say which hub"):
        await sdk.record(listed[0].key, "alpha")


def judged(data: bytes, checkpoint) -> None:
    auditor = RecordAuditor(checkpoint, time.time_ns(), Asked(min_trust=2))
    report = auditor.audit(data)
    assert report.failure is None, report.failure
    assert len(report.findings) == 2
    too_few = RecordAuditor(checkpoint, time.time_ns(), Asked(min_trust=3)).audit(data)
    assert too_few.failure.check.name == "trust_is_enough"


async def test_without_a_hub_that_keeps_records(tmp_path):
    async with (
        api_under_trio(config_of(tmp_path)) as (url, _),
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as http,
    ):
        for path in ("/v1/observations", "/v1/records/0x00", "/v1/records/0x00/bundle"):
            refused = await http.get(path)
            assert (refused.status_code, refused.json()["code"]) == (422, "not_supported"), refused.text
