from functools import partial

from light_clients.tendermint.types import KeyType
from tests.light_clients.conformance.suite import LightClientConformance
from tests.light_clients.tendermint.tendermint_harness import TendermintHarness


class TestTendermintSecp256k1Conformance(LightClientConformance):
    make_harness = staticmethod(partial(TendermintHarness, KeyType.SECP256K1))


class TestTendermintEd25519Conformance(LightClientConformance):
    make_harness = staticmethod(partial(TendermintHarness, KeyType.ED25519))
