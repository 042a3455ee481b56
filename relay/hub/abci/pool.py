"""What CometBFT's pool holds, as the application knows it from CheckTx.

CometBFT keeps transactions in the order of their arrival and knows no nonces. The mirror knows senders and nonces: it
answers for pending nonces, refuses what replaces nothing, and gives blocks their order.
"""

import math
from collections.abc import Iterator

from eth_hash.auto import keccak

from hutong.relay.evm.chain.mempool import SenderAccount
from hutong.relay.evm.errors import InvalidReason, InvalidTransaction
from hutong.relay.evm.vm.transaction import SignedTransaction, decode_cached
from hutong.relay.hub.application.abci import CODE_INVALID, CODE_OK, CheckTxResponse
from hutong.relay.hub.application.application import HubApplication
from hutong.relay.hub.pool.known_relays import KnownRelays, governors, is_writer, pool_of

MAX_BLOCKS_WAITING = 300
"""So long a transaction may wait for the nonces before it, or for a base fee that it offers: 1 to 5 minutes. While any waits, CometBFT makes no pause between
blocks, and asks for it again after each."""


class PoolMirror:
    """Thread safe. Filled by CheckTx only, so that it never holds what CometBFT was not offered."""

    def __init__(self, application: HubApplication) -> None:
        self._application = application
        self._awaited: dict[bytes, InvalidTransaction | None] = {}
        # Here the age is counted in blocks: what left by the clock would come back at CometBFT's next question.
        self.relays = KnownRelays(application.blocks, governors(application.genesis), is_writer(application))
        self.mempool = pool_of(application.genesis, self.relays, math.inf)
        self._blocks = 0
        self._came_after: dict[bytes, int] = {}
        """`_blocks` when CometBFT first asked for what the pool holds."""

    def clear(self) -> None:
        """CometBFT has started anew with an empty pool: forget what it held."""
        self.mempool.clear()
        self._came_after.clear()

    def check(self, raw: bytes) -> CheckTxResponse:
        """CheckTx, the first and every later one: what we hold stays if the newest state still takes it.

        After MAX_BLOCKS_WAITING blocks it must also be executable. A refusal is a code and a sentence.
        """
        transaction_hash = keccak(raw)
        transaction = self.mempool.get(transaction_hash)
        try:
            if transaction is None:
                transaction = decode_cached(raw, self._application.genesis.evm_chain_id)
                self._add(transaction, self._application.check_sender(transaction))
            else:
                self._keep(transaction, self._application.check_sender(transaction, held=True))
        except InvalidTransaction as error:
            self._refuse(transaction_hash, error)
            return CheckTxResponse(CODE_INVALID, str(error), 0)
        return CheckTxResponse(CODE_OK, "", transaction.gas_limit)

    def _add(self, transaction: SignedTransaction, sender: SenderAccount) -> None:
        base_fee_wei = self._application.next_base_fee_wei
        self.mempool.add(transaction, sender.nonce, sender.balance_wei, base_fee_wei=base_fee_wei)
        self._came_after[transaction.hash] = self._blocks

    def _keep(self, transaction: SignedTransaction, sender: SenderAccount) -> None:
        if transaction.nonce < sender.nonce:
            raise InvalidTransaction(InvalidReason.NONCE_TOO_LOW, "", transaction.nonce, sender.nonce)
        waited = self._blocks - self._came_after.setdefault(transaction.hash, self._blocks)
        if waited <= MAX_BLOCKS_WAITING:
            return
        executable_to = self.mempool.next_nonce(transaction.sender, sender.nonce)
        if transaction.nonce > executable_to:
            detail = f"waited {waited} blocks for the nonces before it"
            raise InvalidTransaction(InvalidReason.NONCE_TOO_HIGH, detail, transaction.nonce, executable_to)
        demanded_wei = self._application.next_base_fee_wei
        if transaction.max_fee_per_gas_wei < demanded_wei:
            detail = f"waited {waited} blocks for a lower one"
            raise InvalidTransaction(
                InvalidReason.FEE_CAP_TOO_LOW, detail, transaction.max_fee_per_gas_wei, demanded_wei
            )

    def _refuse(self, transaction_hash: bytes, error: InvalidTransaction) -> None:
        self.mempool.drop(transaction_hash)
        self._came_after.pop(transaction_hash, None)
        if transaction_hash in self._awaited:
            self._awaited[transaction_hash] = error

    def candidates(self) -> Iterator[SignedTransaction]:
        """What a block may hold, in its order: each sender's by nonce, with no gap, at the next block's base fee."""
        return self.mempool.select(self._application.next_base_fee_wei)

    def settle(self, block: tuple[bytes, ...], executed: tuple[SignedTransaction, ...]) -> None:
        """Forget, after a block, what was executed, and what was in it for nothing.

        `block` are the raw transactions of the block, `executed` those of them that were executed.
        """
        self._blocks += 1
        self.mempool.remove_included(executed)
        included = {transaction.hash for transaction in executed}
        for transaction_hash in map(keccak, block):
            if transaction_hash not in included:
                self.mempool.drop(transaction_hash)
        for transaction_hash in list(self._came_after):
            if self.mempool.get(transaction_hash) is None:
                self._came_after.pop(transaction_hash, None)

    # --- why CheckTx refused what this process itself handed to CometBFT, as the error and not as its text

    def expect(self, transaction_hash: bytes) -> None:
        """Remember the refusal of the transaction with this hash until `refusal` asks for it."""
        self._awaited[transaction_hash] = None

    def refusal(self, transaction_hash: bytes) -> InvalidTransaction | None:
        """The refusal since `expect`, if there was one; ends the waiting."""
        return self._awaited.pop(transaction_hash, None)
