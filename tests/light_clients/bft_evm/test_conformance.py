"""The bft-evm client passes the suite that every light client passes."""

from tests.light_clients.bft_evm.harness import BftEvmHarness
from tests.light_clients.conformance.trusted_heights import SkippingConformance


class TestBftEvmConformance(SkippingConformance):
    make_harness = staticmethod(BftEvmHarness)
