"""The bft-evm client passes the suite that every light client passes."""

from tests.light_clients.bft_evm.harness import BftEvmHarness
from tests.light_clients.conformance.trusted_heights import TrustedHeightConformance


class TestBftEvmConformance(TrustedHeightConformance):
    make_harness = staticmethod(BftEvmHarness)
