"""The same rules on py-evm as it is: its frames, loop, journals and memory. What ours must equal."""

from eth.db.account import AccountDB
from eth.vm.forks.paris.computation import ParisComputation
from eth.vm.forks.prague.computation import PragueComputation
from eth.vm.transient_storage import TransientStorage

from hutong.relay.evm.vm.rules import NO_CHANGES, EvmRules
from hutong.relay.evm.vm.work_prices import priced_opcodes

STOCK = {"paris": ParisComputation, "prague": PragueComputation}


class PaidFrames:
    """Only the prices that a hub adds."""

    def apply_child_computation(self, child_msg):
        gas = self.prices.of_frame(len(child_msg.data), len(child_msg.code))
        self.consume_gas(gas, "call frame")
        return super().apply_child_computation(child_msg)

    def apply_native_child(self, child_msg):
        self.consume_gas(self.prices.frame_gas, "call frame")
        return super().apply_child_computation(child_msg)


def plain_rules(fork, chain_id, native=None, changes=NO_CHANGES):
    rules = EvmRules(fork, chain_id, native, changes)
    ours = rules.state_class
    attributes = {name: vars(ours.computation_class)[name] for name in ("_precompiles", "prices")}
    attributes["opcodes"] = priced_opcodes(STOCK[fork].opcodes, attributes["prices"].opcode_gas)
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
