"""The attestation client passes the suite that every light client passes: as it is made, with the public digest, and by
signatures of the set before a rotation."""

from tests.light_clients.attestation.attestation_harness import (
    AttestationHarness,
    PreviousSetHarness,
    PublicDigestHarness,
)
from tests.light_clients.conformance.suite import LightClientConformance


class TestAttestationConformance(LightClientConformance):
    make_harness = staticmethod(AttestationHarness)


class TestPublicDigestConformance(LightClientConformance):
    make_harness = staticmethod(PublicDigestHarness)


class TestPreviousSetConformance(LightClientConformance):
    make_harness = staticmethod(PreviousSetHarness)
