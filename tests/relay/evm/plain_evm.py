"""The same rules on py-evm as it is: its frames, loop, journals and memory. What ours must equal."""

from eth.db.account import AccountDB
from eth.vm.forks.paris.computation import ParisComputation
from eth.vm.forks.prague.computation import PragueComputation
from eth.vm.transient_storage import TransientStorage

from relay.evm.rules import EvmRules

STOCK = {"paris": ParisComputation, "prague": PragueComputation}


class PaidFrames:
    """Only the price of a frame, which the hub asked for before."""

    def apply_child_computation(self, child_msg):
        if self.frame_gas:
            self.consume_gas(self.frame_gas, "call frame")
        return super().apply_child_computation(child_msg)


def plain_rules(fork, chain_id, native=None, **options):
    rules = EvmRules(fork, chain_id, native, **options)
    ours = rules.state_class
    attributes = {name: vars(ours.computation_class)[name] for name in ("_precompiles", "frame_gas")}
    computation = type("PlainComputation", (PaidFrames, STOCK[fork]), attributes)
    rules.state_class = type(
        "PlainState",
        ours.__bases__,
        {
            "computation_class": computation,
            "transaction_executor_class": ours.transaction_executor_class,
            "account_db_class": AccountDB,
            "_transient_storage_class": TransientStorage,
        },
    )
    return rules
