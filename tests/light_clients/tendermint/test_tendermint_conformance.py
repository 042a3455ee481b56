from functools import partial

from hutong.light_clients.tendermint.types import KeyType
from tests.light_clients.conformance.trusted_heights import SkippingConformance
from tests.light_clients.tendermint.tendermint_harness import TendermintHarness


class TestTendermintSecp256k1Conformance(SkippingConformance):
    make_harness = staticmethod(partial(TendermintHarness, KeyType.SECP256K1))


class TestTendermintEd25519Conformance(SkippingConformance):
    make_harness = staticmethod(partial(TendermintHarness, KeyType.ED25519))
