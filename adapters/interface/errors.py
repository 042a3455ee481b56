"""The one error taxonomy of every adapter, cut by who must act.

Expected failures derive from `AdapterError` and carry their evidence as fields. Verification of what was fetched
fails with `hutong.light_clients.interface.VerificationError` instead; anything else is a bug and must be loud.
"""

from dataclasses import dataclass
from typing import Any

from hutong.light_clients.interface.errors import shown


class AdapterError(Exception):
    """Base of every expected failure of talking to a chain."""


@dataclass(eq=False)
class EndpointUnavailable(AdapterError):
    """No configured endpoint gave a usable answer in the given attempts: the network's or the operator's turn.

    `reasons` pairs each endpoint (credentials removed) with its last failure; `foreign`: each serves another chain.
    """

    chain: str
    operation: str
    reasons: tuple[tuple[str, str], ...]
    foreign: bool = False

    def __str__(self) -> str:
        said = (
            "; ".join(f"{at}: {reason.removeprefix(f'{at}: ')}" for at, reason in self.reasons) or "no endpoint is left"
        )
        return f"{self.chain}: {self.operation} failed on every endpoint: {said}"


@dataclass(eq=False)
class EndpointMismatch(AdapterError):
    """An endpoint serves another chain, or contradicts what is known of this one: it is lying or misconfigured."""

    endpoint: str
    what: str
    got: Any
    expected: Any

    def __str__(self) -> str:
        return f"{self.endpoint}: {self.what} is {shown(self.got)}, expected {shown(self.expected)}"


@dataclass(eq=False)
class BadAnswer(AdapterError):
    """An endpoint's answer is malformed, oversized or inconsistent in itself; `field` is a dotted path."""

    method: str
    field: str
    reason: str
    got: Any = None

    def __str__(self) -> str:
        text = f"{self.method} answered badly: {self.field}: {self.reason}"
        return text if self.got is None else f"{text}, got {shown(self.got)}"


@dataclass(eq=False)
class RpcRefused(AdapterError):
    """A well-formed JSON-RPC error object that no other class describes."""

    method: str
    code: int
    message: str
    data: Any = None

    def __str__(self) -> str:
        return f"{self.method} refused with code {self.code}: {shown(self.message)}"


@dataclass(eq=False)
class HeightUnavailable(AdapterError):
    """The chain has not reached the height, or the node no longer keeps its state."""

    chain: str
    height: int
    reason: str

    def __str__(self) -> str:
        return f"{self.chain}: height {self.height} is not available: {self.reason}"


@dataclass(eq=False)
class RefusedByChain(AdapterError):
    """A contract or native module reverted. `name` is the custom error (or `Error`, `Panic`), `reason` a sentence."""

    name: str
    reason: str
    data: bytes = b""

    def __str__(self) -> str:
        return self.reason


@dataclass(eq=False)
class UnknownClient(AdapterError):
    """No light client is registered under the identifier."""

    chain: str
    client_id: str

    def __str__(self) -> str:
        return f"{self.chain} has no client {self.client_id}"


@dataclass(eq=False)
class NotSupported(AdapterError):
    """This kind of chain, or this endpoint, does not offer the operation (never a plausible default)."""

    operation: str

    def __str__(self) -> str:
        return f"not supported: {self.operation}"


@dataclass(eq=False)
class BatchTooLarge(AdapterError):
    """The encoded batch exceeds a limit of the chain; the caller splits it."""

    what: str
    got: int
    limit: int

    def __str__(self) -> str:
        return f"the batch has {self.got} {self.what}, the limit is {self.limit}"


@dataclass(eq=False)
class BroadcastRefused(AdapterError):
    """The pool refused the transaction for a reason that no subclass names."""

    transaction_hash: bytes
    reason: str

    def __str__(self) -> str:
        return f"transaction 0x{self.transaction_hash.hex()} was refused: {shown(self.reason)}"


class NonceTooLow(BroadcastRefused):
    """The account's nonce has passed this one: reconcile with the chain."""


class NonceTooHigh(BroadcastRefused):
    """The pool does not take transactions this far ahead of the account's nonce."""


class AlreadyKnown(BroadcastRefused):
    """The pool or chain already has exactly this transaction: not a failure, wait for its outcome."""


class Underpriced(BroadcastRefused):
    """The fee is below the pool's floor, or below what replaces the pending transaction of this nonce."""


class AlreadyRelayed(BroadcastRefused):
    """Another relayer delivered every packet in it first: nothing was paid, and nothing is wrong with it."""


class InsufficientFunds(BroadcastRefused):
    """The sender cannot pay gas times fee: the operator's turn."""


@dataclass(eq=False)
class SigningFailed(AdapterError):
    """No signature was had from a key's source, and nothing was sent. `source` is what the operator calls it."""

    source: str
    reason: str

    def __str__(self) -> str:
        return f"{self.source}: {self.reason}"


class SignerUnavailable(SigningFailed):
    """The signer does not answer now: what waits for it is kept and asked again. Whoever runs it acts if it lasts."""


class SigningRefused(SigningFailed):
    """A policy forbids the document: the key's owner changes the policy, or finds out who asked."""


class SignerFaulty(SigningFailed):
    """The signer gave a wrong signature, or has another key: whoever runs it must look. Nothing was let out."""


class DocumentUnsupported(SigningFailed):
    """This kind of source never signs such documents: the configuration must name another kind."""
