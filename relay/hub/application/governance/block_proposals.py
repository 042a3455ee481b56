"""What a proposer puts into a block, and which blocks are voted for."""

from collections.abc import Callable, Iterable, Sequence

from hutong.relay.evm.errors import InvalidTransaction
from hutong.relay.evm.vm.intrinsic_gas import GAS_TRANSACTION, least_gas
from hutong.relay.evm.vm.native import Address
from hutong.relay.evm.vm.rules import EvmRules
from hutong.relay.evm.vm.transaction import SignedTransaction, decode_cached
from hutong.relay.hub.application.abci import PreparedProposal
from hutong.relay.hub.application.genesis import Genesis
from hutong.relay.hub.application.machine.fees import payable

MAX_PASSED_OVER = 64
FRAMING_BYTES = 8
"""At most, of a transaction in a block."""


class BlockProposals:
    """Of one hub; the state that a block follows is given with each call."""

    def __init__(self, genesis: Genesis) -> None:
        self._evm_chain_id = genesis.evm_chain_id
        self._has_fees = genesis.fees is not None
        self._params = genesis.params

    def chosen(
        self,
        candidates: Iterable[SignedTransaction],
        max_bytes: int,
        base_fee_wei: int,
        balance_wei: Callable[[Address], int],
    ) -> PreparedProposal:
        """Raw transactions in the pool's order, as many as fit `max_bytes` and the block's gas.

        What does not fit is passed over with all later ones of its sender, so that nobody ends a block by stating much
        gas; after MAX_PASSED_OVER of them nothing more is looked at. With fees, unpayable ones go as `fees.payable`
        says.

        Args:
            base_fee_wei: of the block that is proposed.
            balance_wei: of an account, in the state before the block.
        """
        chosen, unpayable = list[bytes](), list[SignedTransaction]()
        if self._has_fees:
            candidates = payable(candidates, base_fee_wei, balance_wei, unpayable)
        used_bytes = used_gas = 0
        passed_over = set[Address]()
        for transaction in candidates:
            if transaction.sender in passed_over:
                continue
            more_bytes = len(transaction.raw) + FRAMING_BYTES
            if used_bytes + more_bytes > max_bytes or used_gas + transaction.gas_limit > self._params.block_max_gas:
                passed_over.add(transaction.sender)
                if len(passed_over) == MAX_PASSED_OVER:
                    break
                continue
            used_bytes += more_bytes
            used_gas += transaction.gas_limit
            chosen.append(transaction.raw)
        return PreparedProposal(tuple(chosen), tuple(unpayable))

    def are_worth_a_block(self, transactions: Sequence[bytes], rules: EvmRules, base_fee_wei: int) -> bool:
        """Whether a block with these raw transactions is voted for; signatures and nonces are not looked at.

        Each decodes, states at least the gas that it costs whatever it does, and offers the base fee; together they use
        no more gas and bytes than a block may. So a proposer can fill a block with no more junk than its gas pays for;
        pools let none of that in.
        """
        if len(transactions) > self._params.block_max_gas // GAS_TRANSACTION:
            return False  # counted before any is decoded: an empty one is a byte
        if sum(len(raw) + FRAMING_BYTES for raw in transactions) > self._params.block_max_bytes:
            return False
        used_gas = 0
        for raw in transactions:
            try:
                transaction = decode_cached(raw, self._evm_chain_id)
                needed = least_gas(rules, transaction.to, transaction.data, transaction.access_list)
            except InvalidTransaction:
                return False
            if not needed <= transaction.gas_limit <= self._params.transaction_max_gas:
                return False
            if transaction.max_fee_per_gas_wei < base_fee_wei:
                return False
            used_gas += transaction.gas_limit
            if used_gas > self._params.block_max_gas:
                return False
        return True
