"""The cosmos adapter passes the suite against a stock simd joined to a hub, as source and as destination."""

import pytest
from suite import CHECKS, acknowledge, check_poor_sender, receive, send_one

from relay.keys import Signer
from tests.nodes.joined_simd import BLOCK_TIME_S, RELAYER_SECRET, joined_chains
from tests.nodes.simd_chain import running_simd

pytestmark = pytest.mark.nodes

POOR = Signer(bytes(31) + b"\x99")


@pytest.fixture(scope="module", params=[True, False], ids=["indexed", "unindexed"])
def simd(tmp_path_factory, request):
    home = tmp_path_factory.mktemp("simd")
    with running_simd(home, {"relayer": RELAYER_SECRET}, block_time_s=BLOCK_TIME_S, tx_index=request.param) as chain:
        yield chain


async def check_all(link):
    for check in CHECKS:
        try:
            await check(link)
        except BaseException as error:
            error.add_note(f"in {check.__name__}")
            raise


async def test_conformance_as_source(tmp_path, simd):
    async with joined_chains(tmp_path, simd) as (from_simd, _):
        await check_all(from_simd)


async def test_conformance_as_destination(tmp_path, simd):
    async with joined_chains(tmp_path, simd) as (from_simd, from_hub):
        sent = await send_one(from_simd)
        await receive(from_simd, sent)
        written = await from_simd.b.adapter.written_acknowledgement(from_simd.b.client, sent.packet.sequence)
        await acknowledge(from_simd, written)
        await check_all(from_hub)
        await check_poor_sender(from_hub, POOR)
