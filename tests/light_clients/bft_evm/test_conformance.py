"""The bft-evm client passes the suite that every light client passes, under each of its rules."""

from functools import partial

from hutong.light_clients.bft_evm import Consensus, QuorumRule, SealRules
from tests.light_clients.bft_evm.harness import BftEvmHarness
from tests.light_clients.bft_evm.simulated_chain import CONTRACT
from tests.light_clients.conformance.trusted_heights import SkippingConformance


class TestBftEvmConformance(SkippingConformance):
    make_harness = staticmethod(BftEvmHarness)


class TestIbft2Conformance(SkippingConformance):
    make_harness = staticmethod(partial(BftEvmHarness, SealRules(Consensus.IBFT2)))


class TestIstanbulConformance(SkippingConformance):
    make_harness = staticmethod(partial(BftEvmHarness, SealRules(Consensus.ISTANBUL, QuorumRule.TWO_F_PLUS_ONE)))


class TestContractSelectionConformance(SkippingConformance):
    make_harness = staticmethod(partial(BftEvmHarness, SealRules(validator_contract=CONTRACT)))
