"""The fisco-bcos client passes the suite that every light client passes, in each generation and suite."""

from tests.light_clients.conformance.trusted_heights import SkippingConformance
from tests.light_clients.fisco_bcos.fisco_harness import VALUE, FiscoBcosHarness, GmHarness, WeightedHarness


class _FiscoBcos:
    VALUE = VALUE
    proves_absence = False


class TestFiscoBcosConformance(_FiscoBcos, SkippingConformance):
    make_harness = staticmethod(FiscoBcosHarness)


class TestFiscoBcosGmConformance(_FiscoBcos, SkippingConformance):
    make_harness = staticmethod(GmHarness)


class TestFiscoBcosWeightedV3Conformance(_FiscoBcos, SkippingConformance):
    make_harness = staticmethod(WeightedHarness)
    proves_membership = False
