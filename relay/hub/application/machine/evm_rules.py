"""The virtual machine of each rules version of the hub."""

from collections.abc import Mapping
from typing import Final

from eth.vm.forks.prague.computation import PragueComputation

from hutong.relay.evm.vm.native import Address, NativeModules
from hutong.relay.evm.vm.precompiles import FORK_PRECOMPILES, PRECOMPILES_WITHOUT_BLOBS, Precompile, PrecompileSet
from hutong.relay.evm.vm.rules import EvmRules, ForkChanges
from hutong.relay.evm.vm.work_prices import BOUNDED_WORK_PRICES, SLOW_CURVE_PRICES, WorkPrices
from hutong.relay.hub.application.named_code import HubCodePolicy
from hutong.relay.hub.application.revision import rules_versions

PRECOMPILE_SETS: Final[Mapping[int, PrecompileSet]] = {
    rules_versions.FIRST: FORK_PRECOMPILES,
    rules_versions.SETTLES_WHILE_PAUSED: FORK_PRECOMPILES,
    rules_versions.BOUNDED_EXECUTION: PRECOMPILES_WITHOUT_BLOBS,
    rules_versions.RECORDS: PRECOMPILES_WITHOUT_BLOBS,
    rules_versions.IDENTITY: PRECOMPILES_WITHOUT_BLOBS,
    rules_versions.SM2_KEYS: PRECOMPILES_WITHOUT_BLOBS,
    rules_versions.STORAGE: PRECOMPILES_WITHOUT_BLOBS,
    rules_versions.DIRECTORY: PRECOMPILES_WITHOUT_BLOBS,
}

PRICES: Final[Mapping[int, WorkPrices]] = {
    rules_versions.FIRST: SLOW_CURVE_PRICES,
    rules_versions.SETTLES_WHILE_PAUSED: SLOW_CURVE_PRICES,
    rules_versions.BOUNDED_EXECUTION: BOUNDED_WORK_PRICES,
    rules_versions.RECORDS: BOUNDED_WORK_PRICES,
    rules_versions.IDENTITY: BOUNDED_WORK_PRICES,
    rules_versions.SM2_KEYS: BOUNDED_WORK_PRICES,
    rules_versions.STORAGE: BOUNDED_WORK_PRICES,
    rules_versions.DIRECTORY: BOUNDED_WORK_PRICES,
}


def evm_rules(rules_version: int, evm_chain_id: int, native: NativeModules, transaction_max_gas: int) -> EvmRules:
    """The virtual machine of one of `rules_versions.ALL`.

    Raises:
        KeyError: it is another version.
    """
    changes = ForkChanges(
        PRICES[rules_version],
        PRECOMPILE_SETS[rules_version],
        transaction_max_gas,
        HubCodePolicy() if rules_version >= rules_versions.BOUNDED_EXECUTION else None,
    )
    return EvmRules("prague", evm_chain_id, native, changes)


def precompiles(rules_version: int) -> dict[Address, Precompile]:
    """By address, at the fork's own prices: the prices of the rules version come on top, in `evm_rules`."""
    return PRECOMPILE_SETS[rules_version].of(PragueComputation.get_precompiles())
