"""The fisco-bcos client passes the suite that every light client passes, in each generation and suite."""

from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Updated
from tests.light_clients.conformance.suite import above
from tests.light_clients.conformance.trusted_heights import SkippingConformance
from tests.light_clients.fisco_bcos.fisco_harness import VALUE, FiscoBcosHarness, GmHarness, WeightedHarness


class _FiscoBcos:
    VALUE = VALUE
    proves_absence = False

    def test_time_that_goes_back_between_stored_states_freezes(self):
        """Here it does not: no rule of these chains orders block times, so that one leader could freeze the client."""
        harness, client, trusted = self.start()
        between, height = above(trusted), harness.advance(2)
        client.update(height, trusted)
        late_ns = harness.time_ns(height) + NANOSECONDS_PER_SECOND
        verdict = client.verify(harness.header_with_time(between, trusted, late_ns), late_ns)
        assert isinstance(verdict, Updated), verdict


class TestFiscoBcosConformance(_FiscoBcos, SkippingConformance):
    make_harness = staticmethod(FiscoBcosHarness)


class TestFiscoBcosGmConformance(_FiscoBcos, SkippingConformance):
    make_harness = staticmethod(GmHarness)


class TestFiscoBcosWeightedV3Conformance(_FiscoBcos, SkippingConformance):
    make_harness = staticmethod(WeightedHarness)
    proves_membership = False
