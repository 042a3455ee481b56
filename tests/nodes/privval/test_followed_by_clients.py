"""Row 28: a stock 07-tendermint client follows a hub of a stock signer, which is killed meanwhile.

`HUTONG_PRIVVAL_BLOCKS` and `HUTONG_PRIVVAL_KILLS` (30 and 3) are 500 and 20 for the figures of the acceptance.
"""

import os
import time
from collections.abc import Iterator

import pytest
import trio

from hutong.light_clients.interface import ClientStatus
from tests.nodes.cosmos.followed_simd import SimdAndHub, first_block, open_simd
from tests.nodes.cosmos.simd_chain import SimdChain, running_simd
from tests.nodes.privval.followed_hub import made_hub, opened
from tests.nodes.privval.signed_hub import STOCK_SIGNERS
from tests.nodes.privval.tapped_socket import all_signed_by, double_signs

pytestmark = pytest.mark.nodes

BLOCKS = int(os.environ.get("HUTONG_PRIVVAL_BLOCKS", "30"))
KILLS = int(os.environ.get("HUTONG_PRIVVAL_KILLS", "3"))
LIMIT_S = 1_800


@pytest.fixture(scope="module")
def simd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimdChain]:
    with running_simd(tmp_path_factory.mktemp("simd"), {"relayer": bytes(31) + b"\x71"}, block_time_s=0.3) as chain:
        yield chain


@pytest.mark.parametrize("name", STOCK_SIGNERS)
async def test_row_28_a_stock_client_follows_a_hub_whose_stock_signer_is_killed(short_path, simd, name):
    hub, began_s = made_hub(short_path), time.monotonic()
    try:
        signer = hub.signer(name)
        signer.start()
        await trio.to_thread.run_sync(hub.node.start)
        with trio.fail_after(LIMIT_S):
            async with opened(hub.node) as chain, open_simd(simd) as cosmos:
                await first_block(chain)
                follower = await SimdAndHub(simd, cosmos, chain).client_on_simd()
                first = (await follower.latest_height()).revision_height
                latest, updates, kills = first, 0, 0
                while latest < first + BLOCKS:
                    if latest - first >= BLOCKS * (kills + 1) // (KILLS + 1) and kills < KILLS:
                        signer.kill()
                        signer.start()
                        kills += 1
                    latest = (await follower.refresh()).revision_height
                    updates += 1
                assert await follower.status() is ClientStatus.ACTIVE
                assert await trio.to_thread.run_sync(simd.client_status, follower.client) == "Active"
        await trio.to_thread.run_sync(hub.stop)
        print(
            f"{name}: a client of stock ibc-go took {updates} updates over {latest - first} blocks, its signer killed {kills}"
            f" times; {len(hub.tap.signed)} signatures, {len(double_signs(hub.tap.signed))} of two contents, in"
            f" {time.monotonic() - began_s:.0f} s"
        )
        assert kills == KILLS and double_signs(hub.tap.signed) == []
        assert all_signed_by(hub.tap.signed, hub.public_key)
    finally:
        hub.close()
