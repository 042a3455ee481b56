"""Clients of an idle path to a real simd: refreshed by the relay, and recovered on both chains when they could not be."""

import pytest
import trio

from hutong.relay.keys import create_keystore
from hutong.relay.local.chain import until
from hutong.relay.local.keys import SCRYPT_ITERATIONS, Key
from tests.nodes.cosmos.simd_chain import TOKEN_DENOM
from tests.nodes.cosmos.simd_lane import SimdLane, simd_lane

pytestmark = pytest.mark.nodes

TRUSTING_S = 90
LIMIT_S = 900
POLL_S = 1.0


def keystore_of(lane: SimdLane, name: str) -> Key:
    """A keystore of one of simd's own accounts."""
    password_file, keystore = lane.home / f"{name}.password", lane.home / f"{name}.json"
    password_file.touch(mode=0o600)
    password_file.write_text("only for this test")
    secret = lane.simd.accounts[name].secret
    address = create_keystore(keystore, secret, password_file.read_bytes(), SCRYPT_ITERATIONS)
    return Key(keystore, password_file, address)


async def test_idle_clients_are_refreshed_and_expired_ones_recovered_by_vote_and_by_admins(tmp_path):
    async with simd_lane(tmp_path, TRUSTING_S) as lane:
        ends = (("simd", lane.simd_client), ("hub", lane.client_on_hub))
        created = [await height(lane, *end) for end in ends]
        with trio.fail_after(LIMIT_S):
            for end, first in zip(ends, created, strict=True):
                await above(lane, *end, first)
        assert [await status(lane, *end) for end in ends] == ["Active", "Active"]

        # Nobody can refresh while simd stands still, and when it goes on its clock has moved.
        await trio.to_thread.run_sync(lane.simd.stop)
        token = lane.alpha.token_address
        held = lane.on_alpha(token)
        await trio.to_thread.run_sync(lane.send_from_alpha, [55], token)
        hub_time_s = lane.hub.chain.time_s(lane.hub.chain.head())
        with trio.fail_after(LIMIT_S):
            await until(lambda: lane.hub.chain.time_s(lane.hub.chain.head()) > hub_time_s + TRUSTING_S + 5, POLL_S)
        await trio.to_thread.run_sync(lane.simd.restart)
        assert [await status(lane, *end) for end in ends] == ["Expired", "Expired"]

        substitute = await substitute_on_hub(lane)
        staked = keystore_of(lane, "operator-0")
        said = await lane.hutong(
            "client", "recover", "--chain", "simd", "--subject", lane.simd_client, "--vote", *staked.options
        )
        assert "proposal: 1" in said and f"simd {lane.simd_client} goes on with 07-tendermint-2" in said
        await lane.hutong(
            "client", "recover", "--subject", lane.client_on_hub, "--substitute", substitute, *lane.admins
        )
        assert await trio.to_thread.run_sync(lane.simd.client_status, lane.simd_client) == "Active"
        assert await status(lane, "hub", lane.client_on_hub) == "Active"

        # What was sent meanwhile was refused by the hub, whose client had expired, or arrives now; and all goes on.
        await lane.send_from_simd([66], TOKEN_DENOM)
        voucher = lane.voucher_on_alpha(TOKEN_DENOM)
        with trio.fail_after(LIMIT_S):
            await until(lambda: lane.on_alpha(voucher) == 66, POLL_S)
            await until(lambda: lane.on_alpha(token) + lane.on_simd(lane.voucher_on_simd.local_name) == held, POLL_S)
            await lane.until_unsettled(lambda ids: not ids)


async def status(lane: SimdLane, chain: str, client: str) -> str:
    listed = await lane.hutong_json("client", "list")
    return next(one["status"] for one in listed if (one["chain"], one["client"]) == (chain, client))


async def height(lane: SimdLane, chain: str, client: str) -> int:
    listed = await lane.hutong_json("client", "list")
    found = next(one["latest_height"] for one in listed if (one["chain"], one["client"]) == (chain, client))
    return int(found.rpartition("-")[2])


async def above(lane: SimdLane, chain: str, client: str, first: int):
    while True:
        if await height(lane, chain, client) > first:
            return
        await trio.sleep(POLL_S)


async def substitute_on_hub(lane: SimdLane) -> str:
    """A second path to the same chain, with the same parameters: its client on the hub stands in for the first's."""
    made = await lane.hutong_json(
        *("path", "create", "--chain", "simd", "--yes", "--trusting-period-s", str(TRUSTING_S)),
        *(*lane.user.options, *lane.admins),
    )
    return str(made["b"]["client"])
