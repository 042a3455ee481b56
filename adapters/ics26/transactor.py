"""Transactions sent and waited for: what deployment and administration need, and a relay does not."""

from collections.abc import Callable, Sequence
from contextlib import suppress

import rlp
import trio

from hutong.adapters.ics26.answers import Receipt
from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.adapters.ics26.signing import sign
from hutong.adapters.ics26.submission import account_state, broadcast, prepare_call, why_reverted
from hutong.adapters.interface import AlreadyKnown, PreparedTransaction, RefusedByChain, Signer
from hutong.adapters.rpc import all_of
from hutong.light_clients.crypto.hashes import keccak256

MAX_CALL_GAS = 2**24
"""EIP-7825, and below the block gas limit of every chain that is deployed to; a HubClient costs about 5 million."""
POLL_INTERVAL_S = 0.2

Call = tuple[bytes | None, bytes]
"""(address or None for a creation, calldata or init code)."""


def creation_address(sender: bytes, nonce: int) -> bytes:
    """The 20 bytes of the contract that `sender` creates with `nonce` (yellow paper, section 7)."""
    return keccak256(rlp.encode([sender, nonce]))[12:]


class Transactor:
    """Signs for one account. Not for an account that a running relay signs with: both would take the same nonce."""

    def __init__(
        self,
        execution: ExecutionRpc,
        chain_id: int,
        signer: Signer,
        within_caps: Callable[[PreparedTransaction], PreparedTransaction] = lambda prepared: prepared,
    ) -> None:
        """`within_caps`: lowers what a priced transaction offers to pay, or raises where that is too much."""
        self._within_caps = within_caps
        self.execution = execution
        self.chain_id = chain_id
        self.signer = signer

    async def next_nonce(self) -> int:
        """The nonce of the transaction that is sent next: after those in the node's pool.

        Raises:
            EndpointUnavailable, RpcRefused: no endpoint answers.
        """
        return (await account_state(self.execution, self.signer.address)).pending_nonce

    async def settled_nonce(self) -> int:
        """As `next_nonce`, once nothing of the account is waiting in the pool. The caller's deadline bounds the wait.

        Raises:
            EndpointUnavailable, RpcRefused: no endpoint answers.
        """
        while True:
            state = await account_state(self.execution, self.signer.address)
            if state.latest_nonce == state.pending_nonce:
                return state.latest_nonce
            await trio.sleep(POLL_INTERVAL_S)

    async def send(self, to: bytes | None, data: bytes) -> Receipt:
        """Send one call and wait for its receipt.

        Args:
            to: 20 bytes; None creates a contract.

        Raises:
            As `send_all`.
        """
        (receipt,) = await self.send_all([(to, data)])
        return receipt

    async def send_all(self, calls: Sequence[Call], first_nonce: int | None = None) -> tuple[Receipt, ...]:
        """Estimate all, then sign and send in this order, and wait for every receipt; usually they share a block.

        Each call is estimated on the state before all of them: none may need the effect of another. The caller's
        deadline bounds the wait.

        Raises:
            RefusedByChain: one would revert (then nothing was sent), or did.
            BroadcastRefused: the pool does not take one; those before it are sent.
            SigningFailed: a signature is not had; nothing was sent.
        """
        prepared: dict[int, PreparedTransaction] = {}

        async def prepare(index: int) -> None:
            to, data = calls[index]
            sender = self.signer.address
            priced = await prepare_call(self.execution, self.chain_id, sender, to, data, MAX_CALL_GAS)
            prepared[index] = self._within_caps(priced)

        await all_of([(prepare, index) for index in range(len(calls))])
        nonce = await self.next_nonce() if first_nonce is None else first_nonce
        signed = [await sign(prepared[index], nonce + index, self.signer) for index in range(len(calls))]
        for transaction in signed:
            with suppress(AlreadyKnown):  # an answer was lost, and the retry met the first attempt
                await broadcast(self.execution, transaction)
        receipts = tuple([await self._mined(transaction.hash) for transaction in signed])
        for receipt in receipts:
            if not receipt.status:
                reason = await why_reverted(self.execution, receipt)
                raise RefusedByChain("reverted", reason)
        return receipts

    async def _mined(self, transaction_hash: bytes) -> Receipt:
        while True:
            receipt = await self.execution.receipt(transaction_hash)
            if receipt is not None:
                return receipt
            await trio.sleep(POLL_INTERVAL_S)
