"""Transactions from preparation to outcome.

"wei" is the smallest unit of whatever a chain is paid in; addresses are as the chain writes them; hashes are 32 bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, Self


@dataclass(frozen=True, slots=True)
class PreparedTransaction:
    """Everything but nonce and signature.

    With `fee_wei` the transaction costs that, whatever gas it uses, and the fees per gas are 0 and None. Otherwise
    without `gas_price_wei` it is an EIP-1559 transaction.
    `expected` says for each message whether its simulation on the newest state succeeded; empty where the chain
    cannot simulate. A caller that does not want to pay for a failure drops those messages and prepares again.
    """

    chain_id: int | str
    sender: str
    to: str
    data: bytes
    value_wei: int
    gas: int
    max_fee_per_gas_wei: int
    max_priority_fee_per_gas_wei: int
    gas_price_wei: int | None
    expected: tuple[bool, ...] = ()
    fee_wei: int | None = None

    @property
    def is_replaceable(self) -> bool:
        """Whether a dearer copy takes the place of a pending one.

        Pools of chains with fixed fees keep the first that they took, and where gas costs nothing (GoQuorum without
        `enableGasPriceBlock`) they refuse every other price.
        """
        return self.fee_wei is None and self.gas_price_wei != 0

    @property
    def fee_cap_wei(self) -> int:
        """The most that the transaction can cost, without its value."""
        if self.fee_wei is not None:
            return self.fee_wei
        return self.gas * (self.gas_price_wei if self.gas_price_wei is not None else self.max_fee_per_gas_wei)

    def with_raised_fee(self, percent: int) -> Self:
        """The same transaction at a higher fee: what replaces a pending or refused one.

        Args:
            percent: by how much each fee rises, rounded up, and by 1 wei at least.
        """

        def raised(fee_wei: int) -> int:
            return max(fee_wei + 1, -(-fee_wei * (100 + percent) // 100))

        if self.fee_wei is not None:
            return replace(self, fee_wei=raised(self.fee_wei))
        return replace(
            self,
            max_fee_per_gas_wei=raised(self.max_fee_per_gas_wei),
            max_priority_fee_per_gas_wei=raised(self.max_priority_fee_per_gas_wei),
            gas_price_wei=None if self.gas_price_wei is None else raised(self.gas_price_wei),
        )


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """`raw` is what is broadcast; `hash` is known before and never changes."""

    hash: bytes
    raw: bytes
    nonce: int
    prepared: PreparedTransaction


class Signer(Protocol):
    """Holds one account's key, here or far away."""

    @property
    def address(self) -> str:
        """EIP-55. What an account is called on a chain, its adapter says: `address_of`."""

    @property
    def public_key(self) -> bytes:
        """33 bytes: the compressed secp256k1 key."""

    async def sign_transaction(self, fields: dict[str, Any]) -> bytes:
        """The raw signed transaction of these fields, as eth-account names them (`nonce`, `chainId`, `gas`, …).

        Raises:
            SigningFailed: no signature is had, now or ever, as its subclass says. The caller bounds the time.
            ValueError: fields that are no transaction which is signed here.
        """

    async def sign_document(self, document: bytes) -> bytes:
        """64 bytes r ‖ s with low s over the SHA-256 of a Cosmos SignDoc of this key.

        Raises:
            SigningFailed: as `sign_transaction`.
            ValueError: any other bytes, so that no signature is had for something else.
        """


@dataclass(frozen=True, slots=True)
class MessageFailure:
    """A message of the batch that failed alone. `data` is the revert data, `reason` its sentence."""

    index: int
    reason: str
    data: bytes


@dataclass(frozen=True, slots=True)
class TransactionOutcome:
    """A transaction in a final block.

    `reverted` carries the reason when the whole transaction failed, else `failures` lists the messages that did. Where
    batches are atomic and the chain says which message undid a reverted one, `failures` has that message alone.
    `noops` are the indexes of messages that did not fail and changed nothing: another transaction had done it before.
    """

    transaction_hash: bytes
    height: int
    block_hash: bytes
    block_time_ns: int
    gas_used: int
    fee_wei: int
    reverted: str | None
    failures: tuple[MessageFailure, ...]
    noops: tuple[int, ...] = ()

    def failure_of(self, index: int) -> str | None:
        """Why the message at `index` of the batch had no effect, None if it succeeded."""
        if self.reverted is not None:
            return self.reverted
        return next((failure.reason for failure in self.failures if failure.index == index), None)

    def succeeded(self, count: int) -> Sequence[bool]:
        """Whether each of the batch's `count` messages took effect, in their order."""
        return [self.failure_of(index) is None for index in range(count)]


@dataclass(frozen=True, slots=True)
class AccountState:
    """`latest_nonce` counts mined transactions; `pending_nonce` those in the pool as well."""

    address: str
    latest_nonce: int
    pending_nonce: int
    balance_wei: int
