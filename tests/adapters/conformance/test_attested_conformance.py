"""The evm adapter passes the suite with chains that attestors speak for, here dev chains taken as attested, 2 of 3."""

from contextlib import AsyncExitStack

import pytest

from hutong.relay.devnet import Genesis, Pace, running_devnet
from tests.adapters.conformance.attested_pair import DEPLOYER, RELAYER, Node, address_bytes, attested_pair, quick_pause
from tests.adapters.conformance.suite import CHECKS

pytestmark = pytest.mark.long


@pytest.fixture
async def nodes():
    async with AsyncExitStack() as stack:
        found = []
        for name, chain_id in (("alpha", 1001), ("beta", 1002)):
            funds = {address_bytes(signer): 10**24 for signer in (DEPLOYER, RELAYER)}
            devnet = await stack.enter_async_context(running_devnet(Genesis(chain_id, funds_wei=funds), Pace(150, 40)))
            found.append(Node(name, chain_id, devnet.url, devnet.websocket_url))
        yield found


async def test_conformance(nodes, tmp_path):
    async with attested_pair(tmp_path, *nodes) as pair:
        link = pair.link(quick_pause)
        for check in CHECKS:
            try:
                await check(link)
            except BaseException as error:
                error.add_note(f"in {check.__name__}")
                raise
        assert pair.a.alerts == [] and pair.b.alerts == []
