"""The attestation client passes the suite that every light client passes."""

from tests.light_clients.attestation.attestation_harness import AttestationHarness
from tests.light_clients.conformance.suite import LightClientConformance


class TestAttestationConformance(LightClientConformance):
    make_harness = staticmethod(AttestationHarness)
