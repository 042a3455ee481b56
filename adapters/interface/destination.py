"""What is asked of the chain that packets go to."""

from typing import Protocol

from hutong.adapters.interface.administered import Administered
from hutong.adapters.interface.events import PooledPacket, Relayed
from hutong.adapters.interface.messages import Batch, BatchLimits
from hutong.adapters.interface.packet_records import PacketRecords
from hutong.adapters.interface.transactions import (
    AccountState,
    PreparedTransaction,
    SignedTransaction,
    Signer,
    TransactionOutcome,
)


class Destination(PacketRecords, Administered, Protocol):
    """A chain that takes transactions: batches of messages for its router, and what became of them."""

    @property
    def batch_limits(self) -> BatchLimits:
        """Bounds for `prepare`: messages, bytes and gas of one transaction."""

    @property
    def atomic_batches(self) -> bool:
        """Whether one failing message undoes the whole transaction; `prepare` then finds every message that would fail."""

    def address_of(self, signer: Signer) -> str:
        """The signer's account on this chain, as text: `sender` of `prepare`, `address` of `account`."""

    async def prepare(self, batch: Batch, sender: str) -> PreparedTransaction:
        """Encode, bound, simulate and price a batch. Nothing is signed or sent.

        With `atomic_batches` and not all of `expected` true, it is not to be sent, and its gas and fee mean nothing.

        Args:
            sender: as `address_of` gives it.

        Raises:
            BatchTooLarge: the caller splits the batch.
            RefusedByChain: the whole batch would revert.
        """

    async def refusal(self, batch: Batch, sender: str) -> str:
        """Why the last message of `batch` would fail after the others, for a person to read.

        Raises:
            NotSupported: the chain cannot say.
        """

    async def sign(self, prepared: PreparedTransaction, nonce: int, signer: Signer) -> SignedTransaction:
        """Sign a prepared transaction with `nonce`. Nothing is sent; the result's hash is recorded before `broadcast`.

        Args:
            signer: of the account that `prepared` names as its sender.
        """

    async def broadcast(self, signed: SignedTransaction) -> None:
        """Hand a signed transaction to the pool. That it is taken says nothing of its outcome.

        Raises:
            BroadcastRefused: the pool refuses it; a subclass says whose turn it is.
            EndpointUnavailable: unknown, so look for it: it may be in a pool all the same.
        """

    async def outcome(self, transaction_hash: bytes) -> TransactionOutcome | None:
        """What became of a transaction, by its hash.

        Returns:
            None while it is not in a final block (pending, dropped or unknown: `account` tells which).
        """

    def idle_transactions(self) -> tuple[bytes, ...]:
        """Hashes of mined transactions that found work done, met while `packet_events` was answered.

        Each is given once. Empty if the chain leaves no trace of them.
        """

    async def relayed_by(self, transaction_hash: bytes) -> Relayed | None:
        """Who sent a mined transaction, and over which clients it brought packets: an endpoint's word.

        Returns:
            None if no endpoint can say.
        """

    async def pooled_packets(self) -> tuple[PooledPacket, ...] | None:
        """What pending transactions would do with packets: those that the next blocks may include.

        Returns:
            None if no endpoint tells. It costs no endpoint its place, and raises nothing.
        """

    async def account(self, address: str) -> AccountState:
        """Nonces and balance on the newest state, which may still be undone.

        Args:
            address: as `address_of` gives it.
        """

    async def final_nonce(self, address: str) -> int:
        """How many transactions of the account are in final blocks: their nonces are used for good."""
