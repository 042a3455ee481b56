"""A simulated chain with the rules of Cosmos SDK chains where they differ: sequences, pool, and batches that are
atomic.
"""

from collections.abc import Callable
from dataclasses import replace

from hutong.adapters.ics26.reverts import ROUTER_REVERTS
from hutong.adapters.ics26.signing import sign
from hutong.adapters.interface import (
    AlreadyKnown,
    Batch,
    BroadcastRefused,
    InsufficientFunds,
    NonceTooHigh,
    NonceTooLow,
    PreparedTransaction,
    SignedTransaction,
    Signer,
    Underpriced,
)
from hutong.adapters.simulated.adapter import SimulatedAdapter
from hutong.adapters.simulated.chain import (
    BASE_FEE_WEI,
    PoolTransaction,
    SimulatedBlock,
    SimulatedChain,
    SimulatedReceipt,
)
from hutong.adapters.simulated.router import Router


class SequencedChain(SimulatedChain):
    """A pool takes exactly the next nonce and keeps what it took, until a block has it or a check after a block refuses
    it.

    `refuses` is that check: a reason, or None. `names_guilty`: results say which message undid a transaction.
    `executing`: a block is being made, so that a test's app can fail there and not in simulations.
    """

    refuses: Callable[[PoolTransaction], str | None] = staticmethod(lambda _: None)
    names_guilty = True
    executing = False

    def submit(self, raw: bytes) -> bytes:
        """Take a signed transaction into the pool, as CheckTx of the SDK does, and return its hash.

        Raises:
            AlreadyKnown: it is in the pool, or in a block.
            NonceTooLow, NonceTooHigh: its nonce is not the one after those in the pool.
            Underpriced: below the base fee.
            InsufficientFunds: the sender cannot pay all of its gas.
            BroadcastRefused: `refuses` gives a reason, or it cannot be read.
        """
        transaction = self._parse(raw)
        sender = transaction.sender
        mined = {receipt.transaction.hash for block in self.blocks for receipt in block.receipts}
        if transaction.hash in mined or self.pool.get((sender, transaction.nonce)) == transaction:
            raise AlreadyKnown(transaction.hash, "tx already exists in cache")
        expected = self.newest.nonces.get(sender, 0)
        while (sender, expected) in self.pool:
            expected += 1
        if transaction.nonce != expected:
            reason = f"account sequence mismatch, expected {expected}, got {transaction.nonce}"
            raise (NonceTooLow if transaction.nonce < expected else NonceTooHigh)(transaction.hash, reason)
        if transaction.max_fee_wei < BASE_FEE_WEI:
            raise Underpriced(transaction.hash, "insufficient fees")
        if self.newest.balances_wei.get(sender, 0) < transaction.gas * transaction.max_fee_wei:
            raise InsufficientFunds(transaction.hash, "insufficient funds")
        refusal = self.refuses(transaction)
        if refusal is not None:
            raise BroadcastRefused(transaction.hash, refusal)
        self.pool[sender, transaction.nonce] = transaction
        return transaction.hash

    def produce_block(self, time_s: int | None = None) -> SimulatedBlock:
        """As of SimulatedChain; then the pool is checked again, and what `refuses` names is dropped.

        With it goes all that the same sender has after it.
        """
        self.executing = True
        try:
            block = super().produce_block(time_s)
        finally:
            self.executing = False
        self.check_pool_again()
        return block

    def check_pool_again(self) -> None:
        """As a node does after each block: what the newest state would refuse leaves the pool."""
        for sender in {sender for sender, _ in self.pool}:
            dropped = False
            for nonce in sorted(nonce for owner, nonce in self.pool if owner == sender):
                dropped = dropped or self.refuses(self.pool[sender, nonce]) is not None
                if dropped:
                    del self.pool[sender, nonce]

    def _execute(self, router: Router, transaction: PoolTransaction, height: int) -> SimulatedReceipt:
        state = router.state
        receipt = super()._execute(router, transaction, height)
        if receipt.reverted is not None or not receipt.failures:
            return receipt
        router.state = state
        router.emitted.clear()
        guilty = receipt.failures[:1]
        reason = ROUTER_REVERTS.read(guilty[0][1]).reason
        return replace(receipt, reverted=reason, failures=guilty if self.names_guilty else ())


class SequencedAdapter(SimulatedAdapter):
    """See ChainAdapter for every public method."""

    atomic_batches = True

    async def prepare(self, batch: Batch, sender: str) -> PreparedTransaction:
        """As of SimulatedAdapter, at a fixed fee that does not depend on the gas that is used."""
        prepared = await super().prepare(batch, sender)
        fee_wei = prepared.gas * prepared.max_fee_per_gas_wei
        return replace(prepared, max_fee_per_gas_wei=0, fee_wei=fee_wei)

    async def sign(self, prepared: PreparedTransaction, nonce: int, signer: Signer) -> SignedTransaction:
        """As of SimulatedAdapter; the fixed fee becomes a fee per gas, as an Ethereum transaction has it."""
        per_gas_wei = -(-prepared.fee_cap_wei // prepared.gas)
        signed = await sign(replace(prepared, fee_wei=None, max_fee_per_gas_wei=per_gas_wei), nonce, signer)
        return replace(signed, prepared=prepared)
