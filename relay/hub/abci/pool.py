"""What CometBFT's pool holds, as the application knows it from CheckTx.

CometBFT keeps transactions in the order of their arrival and knows no nonces. The mirror knows senders and nonces: it
answers for pending nonces, refuses what replaces nothing, and gives blocks their order.
"""

from eth_hash.auto import keccak

from relay.evm.errors import InvalidReason, InvalidTransaction
from relay.evm.mempool import Mempool
from relay.evm.transaction import SignedTransaction, decode_cached
from relay.hub.application.abci import CODE_INVALID, CODE_OK, CheckTxResponse
from relay.hub.application.application import HubApplication

MAX_BLOCKS_BEHIND_GAP = 300
"""So long a transaction may wait for the nonces before it: 1 to 5 minutes. While any waits, CometBFT makes no pause between
blocks, and asks for it again after each."""


class PoolMirror:
    """Thread safe. Filled by CheckTx only, so that it never holds what CometBFT was not offered."""

    def __init__(self, application: HubApplication) -> None:
        self._application = application
        self._awaited: dict[bytes, InvalidTransaction | None] = {}
        self.mempool = Mempool()
        self._blocks = 0
        self._came_after: dict[bytes, int] = {}
        """`_blocks` when CometBFT first asked for what the pool holds."""

    def clear(self) -> None:
        """CometBFT has started anew with an empty pool."""
        self.mempool.clear()
        self._came_after.clear()

    def check(self, raw: bytes) -> CheckTxResponse:
        """CheckTx, the first and every later one: what we hold stays if the newest state still takes it."""
        transaction_hash = keccak(raw)
        transaction = self.mempool.get(transaction_hash)
        try:
            if transaction is None:
                transaction = decode_cached(raw, self._application.genesis.evm_chain_id)
            self._add(transaction, self._application.check_sender(transaction))
        except InvalidTransaction as error:
            self._refuse(transaction_hash, error)
            return CheckTxResponse(CODE_INVALID, str(error), 0)
        return CheckTxResponse(CODE_OK, "", transaction.gas_limit)

    def _add(self, transaction: SignedTransaction, nonce: int) -> None:
        if transaction.nonce < nonce:
            raise InvalidTransaction(InvalidReason.NONCE_TOO_LOW, "", transaction.nonce, nonce)
        if self.mempool.get(transaction.hash) is None:
            self.mempool.add(transaction, nonce)
        waited = self._blocks - self._came_after.setdefault(transaction.hash, self._blocks)
        if waited > MAX_BLOCKS_BEHIND_GAP:
            executable_to = self.mempool.next_nonce(transaction.sender, nonce)
            if transaction.nonce > executable_to:
                detail = f"waited {waited} blocks for the nonces before it"
                raise InvalidTransaction(InvalidReason.NONCE_TOO_HIGH, detail, transaction.nonce, executable_to)

    def _refuse(self, transaction_hash: bytes, error: InvalidTransaction) -> None:
        self.mempool.drop(transaction_hash)
        self._came_after.pop(transaction_hash, None)
        if transaction_hash in self._awaited:
            self._awaited[transaction_hash] = error

    def candidates(self) -> list[bytes]:
        """For a block, in its order: each sender's by nonce, with no gap."""
        return [transaction.raw for transaction in self.mempool.select()]

    def settle(self, block: tuple[bytes, ...], executed: tuple[SignedTransaction, ...]) -> None:
        """After a block: forget what was executed, and what was in it for nothing."""
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
        self._awaited[transaction_hash] = None

    def refusal(self, transaction_hash: bytes) -> InvalidTransaction | None:
        """The refusal since `expect`, if there was one; ends the waiting."""
        return self._awaited.pop(transaction_hash, None)
