"""One transaction at a time, sent and waited for: what deployment and administration need, and a relay does not."""

from contextlib import suppress

import trio

from adapters.ics26.execution import ExecutionRpc, Receipt
from adapters.ics26.signing import sign
from adapters.ics26.submission import account_state, broadcast, prepare_call, why_reverted
from adapters.interface import AlreadyKnown, RefusedByChain, Signer

MAX_CALL_GAS = 28_000_000
"""Below the block gas limit of every chain that is deployed to; a HubClient costs about 5 million."""
POLL_INTERVAL_S = 0.2


class Transactor:
    """Signs for one account. Not for an account that a running relay signs with: both would take the same nonce."""

    def __init__(self, execution: ExecutionRpc, chain_id: int, signer: Signer) -> None:
        self.execution = execution
        self.chain_id = chain_id
        self.signer = signer

    async def send(self, to: bytes | None, data: bytes) -> Receipt:
        """Estimate, sign, send and wait for the receipt (`to` None: a creation). The caller's deadline bounds the wait.

        Raises:
            RefusedByChain: it would revert, or did.
            BroadcastRefused: the pool does not take it.
        """
        sender = self.signer.address
        prepared = await prepare_call(self.execution, self.chain_id, sender, to, data, MAX_CALL_GAS)
        nonce = (await account_state(self.execution, sender)).pending_nonce
        signed = sign(prepared, nonce, self.signer)
        with suppress(AlreadyKnown):  # an answer was lost, and the retry met the first attempt
            await broadcast(self.execution, signed)
        receipt = await self._mined(signed.hash)
        if not receipt.status:
            raise RefusedByChain("reverted", await why_reverted(self.execution, signed.hash, receipt))
        return receipt

    async def _mined(self, transaction_hash: bytes) -> Receipt:
        while True:
            receipt = await self.execution.receipt(transaction_hash)
            if receipt is not None:
                return receipt
            await trio.sleep(POLL_INTERVAL_S)
