"""Transactions of a Cosmos SDK chain: the destination half of `CosmosChain`."""

from adapters.cosmos.rpc import CosmosRpc
from adapters.cosmos.settings import CosmosSettings
from adapters.interface import (
    AccountState,
    Batch,
    BatchLimits,
    NotSupported,
    PreparedTransaction,
    SignedTransaction,
    Signer,
    TransactionOutcome,
)


class Submission:
    """See ChainAdapter for every public method."""

    def __init__(self, settings: CosmosSettings, rpc: CosmosRpc) -> None:
        self._settings = settings
        self._rpc = rpc

    @property
    def batch_limits(self) -> BatchLimits:
        return self._settings.limits

    async def prepare(self, batch: Batch, sender: str) -> PreparedTransaction:
        raise NotSupported("transactions of a Cosmos SDK chain")

    async def refusal(self, batch: Batch, sender: str) -> str:
        raise NotSupported("transactions of a Cosmos SDK chain")

    async def sign(self, prepared: PreparedTransaction, nonce: int, signer: Signer) -> SignedTransaction:
        raise NotSupported("transactions of a Cosmos SDK chain")

    async def broadcast(self, signed: SignedTransaction) -> None:
        raise NotSupported("transactions of a Cosmos SDK chain")

    async def outcome(self, transaction_hash: bytes) -> TransactionOutcome | None:
        raise NotSupported("transactions of a Cosmos SDK chain")

    async def account(self, address: str) -> AccountState:
        raise NotSupported("accounts of a Cosmos SDK chain")

    async def final_nonce(self, address: str) -> int:
        raise NotSupported("accounts of a Cosmos SDK chain")
