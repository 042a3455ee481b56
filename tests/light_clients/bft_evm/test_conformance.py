"""The bft-evm client passes the suite that every light client passes."""

from tests.light_clients.bft_evm.harness import BftEvmHarness
from tests.light_clients.conformance.suite import LightClientConformance


class TestBftEvmConformance(LightClientConformance):
    make_harness = staticmethod(BftEvmHarness)
