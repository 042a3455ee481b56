"""The clique client passes the suite that every light client passes."""

from tests.light_clients.clique.clique_harness import CliqueHarness
from tests.light_clients.conformance.trusted_heights import TrustedHeightConformance


class TestCliqueConformance(TrustedHeightConformance):
    make_harness = staticmethod(CliqueHarness)
