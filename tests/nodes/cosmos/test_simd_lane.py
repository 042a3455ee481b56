"""An unmodified ibc-go chain over the hub to an EVM chain and back, carried by `hutong relay run` as a process."""

import pytest
import trio

from hutong.relay.local.chain import until
from hutong.relay.local.processes import run_command
from tests.nodes.cosmos.simd_chain import FUNDS, TOKEN_DENOM
from tests.nodes.cosmos.simd_lane import SimdLane, simd_lane

pytestmark = pytest.mark.nodes

OUT = [1_000 + number for number in range(8)]
LATE = [77, 78]
SUPPLY_ON_SIMD = FUNDS[TOKEN_DENOM]
POLL_S = 0.5
SETTLE_S = 900


async def wait(condition):
    with trio.fail_after(SETTLE_S):
        await until(condition, POLL_S)


async def test_tokens_both_ways_and_home_timeouts_on_each_leg_and_the_relay_killed(tmp_path):
    async with simd_lane(tmp_path) as lane:
        total = await trio.to_thread.run_sync(lane.simd.supply, TOKEN_DENOM)
        minted = lane.alpha.token_supply(lane.alpha.token_address)
        voucher, on_simd = lane.voucher_on_alpha(TOKEN_DENOM), lane.voucher_on_simd.local_name
        await out_and_home(lane, voucher, on_simd)
        await late_for_the_hub(lane)
        await late_for_the_destination(lane)

        assert await trio.to_thread.run_sync(lane.simd.client_status, lane.simd_client) == "Active"
        assert await trio.to_thread.run_sync(lane.simd.supply, TOKEN_DENOM) == total
        assert await trio.to_thread.run_sync(lane.simd.supply, on_simd) == 0
        assert await trio.to_thread.run_sync(lane.simd.balance, lane.simd_escrow, TOKEN_DENOM) == 0
        assert lane.on_simd(TOKEN_DENOM) == SUPPLY_ON_SIMD
        assert lane.alpha.token_supply(voucher) == 0
        assert lane.on_alpha(lane.alpha.token_address) == minted == lane.alpha.token_supply(lane.alpha.token_address)
        await commands(lane, tmp_path)


async def out_and_home(lane: SimdLane, voucher: str, on_simd: str):
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lane.send_from_simd, OUT, TOKEN_DENOM)
        nursery.start_soon(trio.to_thread.run_sync, lane.send_from_alpha, OUT, lane.alpha.token_address)
    lane.relay.kill()
    await wait(lambda: lane.on_alpha(voucher) == sum(OUT) and lane.on_simd(on_simd) == sum(OUT))
    assert await trio.to_thread.run_sync(lane.simd.balance, lane.simd_escrow, TOKEN_DENOM) == sum(OUT)

    lane.relay.kill()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lane.send_from_simd, OUT, on_simd)
        nursery.start_soon(trio.to_thread.run_sync, lane.send_from_alpha, OUT, voucher)
    await wait(lambda: lane.on_alpha(voucher) == 0 and lane.on_simd(TOKEN_DENOM) == SUPPLY_ON_SIMD)
    await settled(lane)


async def late_for_the_hub(lane: SimdLane):
    """The first leg times out on both sides: the hub is paused until it is too late."""
    await lane.hutong("hub", "pause", *lane.admins)
    await lane.send_from_simd(LATE, TOKEN_DENOM, timeout_s=14, margin_s=6)
    await trio.to_thread.run_sync(lambda: lane.send_from_alpha(LATE, lane.alpha.token_address, lifetime_s=13))
    assert lane.on_simd(TOKEN_DENOM) == SUPPLY_ON_SIMD - sum(LATE)
    late_s = lane.alpha.time_s(lane.alpha.head()) + 14
    await wait(lambda: lane.hub.chain.time_s(lane.hub.chain.head()) > late_s)
    await lane.hutong("hub", "resume", *lane.admins)
    await settled(lane)


async def late_for_the_destination(lane: SimdLane):
    """The second leg times out: alpha's router is paused, and simd stands still, until the hub's packets are late."""
    life_s = 25
    await trio.to_thread.run_sync(lane.alpha.call, lane.alpha_owner, lane.alpha.router, "pause")
    await lane.send_from_simd(LATE, TOKEN_DENOM, timeout_s=life_s, margin_s=5)
    with trio.fail_after(SETTLE_S):
        await lane.until_unsettled(lambda ids: any(one.startswith(f"hub/{lane.alpha.client_on_hub}/") for one in ids))
    late_s = lane.hub.chain.time_s(lane.hub.chain.head()) + life_s
    await wait(lambda: lane.alpha.time_s(lane.alpha.head()) > late_s)
    await trio.to_thread.run_sync(lane.alpha.call, lane.alpha_owner, lane.alpha.router, "unpause")
    await settled(lane)

    await trio.to_thread.run_sync(lane.simd.stop)
    await trio.to_thread.run_sync(lambda: lane.send_from_alpha(LATE, lane.alpha.token_address, lifetime_s=life_s))
    late_s = lane.alpha.time_s(lane.alpha.head()) + life_s
    await wait(lambda: lane.hub.chain.time_s(lane.hub.chain.head()) > late_s)
    lane.relay.kill()
    await trio.to_thread.run_sync(lane.simd.restart)
    await settled(lane)


async def settled(lane: SimdLane):
    with trio.fail_after(SETTLE_S):
        await lane.until_unsettled(lambda ids: not ids)


async def commands(lane: SimdLane, folder):
    """What an operator and an auditor ask about a packet with a leg on simd."""
    packet = f"simd/{lane.simd_client}/1"
    shown = await lane.hutong_json("show", packet)
    assert [one["id"].split("/")[0] for one in shown["packets"]] == ["simd", "hub"]
    assert set(shown["costs"]) == {"simd", "hub", "alpha"} and int(shown["costs"]["simd"]["fee_wei"]) > 0
    assert "settled" in await lane.hutong("why", packet)
    status = await lane.hutong_json("client", "status", "--chain", "simd", "--client", lane.simd_client)
    assert status["status"] == "Active" and status["counterparty"] == lane.client_on_hub
    assert "is at height 1-" in await lane.hutong(
        "client", "update", "--chain", "simd", "--client", lane.simd_client, *lane.user.options
    )
    quota = await lane.hutong_json("client", "quota", "show", "--client", lane.client_on_hub)
    assert quota["packets_in_flight"] == 0
    held = await lane.hutong_json("transfer", "balance", "--chain", "simd", "--holder", lane.holder)
    assert {one["denom"] for one in held} == {"stake", TOKEN_DENOM}

    checkpoints = []
    for chain in ("simd", "hub", "alpha"):
        file = folder / f"{chain}.checkpoint.json"
        await lane.hutong("audit", "checkpoint", "--chain", chain, "-o", str(file))
        checkpoints += ["--checkpoint", str(file)]
    late_for_hub, late_for_destination = 2 * len(OUT) + 1, 2 * len(OUT) + len(LATE) + 1
    bundles = []
    for end in (f"simd/{lane.simd_client}", f"alpha/{lane.alpha.hub_client}"):
        for sequence in (1, late_for_hub, late_for_destination):
            bundles.append(str(folder / f"{end.replace('/', '-')}-{sequence}.bundle.json"))
            await lane.hutong("audit", "export", f"{end}/{sequence}", *checkpoints, "-o", bundles[-1])
    verdict = await run_command(["audit", "verify", *bundles, *checkpoints])
    assert "6 of 6 bundles are valid" in verdict, verdict
    assert verdict.count("never received") == 4, verdict
