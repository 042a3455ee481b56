"""The ethereum client passes the suite that every light client passes."""

import pytest

from hutong.light_clients.interface import PredicateFailed, Updated
from tests.light_clients.conformance.suite import LightClientConformance
from tests.light_clients.ethereum.ethereum_harness import EthereumHarness


class TestEthereumConformance(LightClientConformance):
    make_harness = staticmethod(EthereumHarness)

    def test_header_from_the_future_is_refused_at_the_exact_drift(self):
        """As in the suite, but from the slot in which the header was signed: that is later than its own time."""
        harness, client, trusted = self.start()
        height = harness.advance()
        header = harness.header(height, trusted)
        now_ns = harness.signed_ns(height) - harness.max_clock_drift_ns
        with pytest.raises(PredicateFailed) as caught:
            client.verify(header, now_ns)
        assert caught.value.predicate == "header_not_from_future"
        assert isinstance(client.verify(header, now_ns + 1), Updated)
