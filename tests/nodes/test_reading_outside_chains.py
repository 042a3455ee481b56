"""As `test_reading_real_chains`, of chains that are programs of others; and every record is read by stock Cosmos code too."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache

import pytest

from tests.adapters.conformance.reading.read_lane import read_lane
from tests.adapters.conformance.reading.suite import check_audited_offline, observed_and_read
from tests.nodes import provision
from tests.nodes.cosmos.joined_simd import RELAYER_SECRET
from tests.nodes.cosmos.simd_chain import SimdChain, running_simd
from tests.nodes.reading.outside_chains import attested_anvil, cosmos_chain, geth_clique
from tests.nodes.reading.stock_reading import check_reads_by_stock_code

pytestmark = pytest.mark.nodes

V10, V11 = provision.simd, provision.simd11
READERS = {"geth-clique": V10, "anvil": V10, "simd on ibc-go v10": V10, "simd on ibc-go v11": V11}
"""The simd that reads the records of each; the last two are what is observed as well."""
CLIQUE_STEP = 29
"""A file of a Clique chain has every header since its checkpoint, tens of kilobytes, and costs all of their seals."""


@pytest.fixture(scope="module")
def simd_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., SimdChain]]:
    """Of a program: one chain for all tests that ask for it."""
    with ExitStack() as stack:

        @cache
        def started(program) -> SimdChain:
            home = tmp_path_factory.mktemp("simd")
            chain = running_simd(home, {"relayer": RELAYER_SECRET}, block_time_s=0.5, program=program())
            return stack.enter_context(chain)

        yield started


@pytest.mark.parametrize("kind", READERS)
async def test_attack_J3_a_value_of_an_outside_chain_is_read_elsewhere_and_each_changed_byte_refused(
    kind, tmp_path, simd_of
):
    simd = simd_of(READERS[kind])
    start = {"geth-clique": geth_clique, "anvil": attested_anvil}.get(kind) or cosmos_chain(simd)
    async with read_lane(tmp_path, start) as lane:
        bundles = await observed_and_read(lane)
        await check_reads_by_stock_code(lane, simd)
    check_audited_offline(bundles, CLIQUE_STEP if kind == "geth-clique" else 1)
