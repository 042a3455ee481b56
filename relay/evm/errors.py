"""What may be refused in normal operation; anything else that execution raises is a bug and halts the node."""

from dataclasses import dataclass
from enum import StrEnum


class InvalidReason(StrEnum):
    """Why a transaction can never be, or cannot now be, in a block."""

    TOO_LARGE = "too large"
    MALFORMED = "malformed"
    UNSUPPORTED_TYPE = "unsupported type"
    WRONG_CHAIN_ID = "wrong chain id"
    BAD_SIGNATURE = "bad signature"
    NONCE_TOO_LOW = "nonce too low"
    NONCE_TOO_HIGH = "nonce too high"
    NONCE_LIMIT = "nonce at its limit"
    INTRINSIC_GAS_TOO_LOW = "intrinsic gas too low"
    GAS_LIMIT_EXCEEDED = "exceeds block gas limit"
    FEE_CAP_TOO_LOW = "max fee per gas less than block base fee"
    TIP_ABOVE_FEE_CAP = "max priority fee per gas higher than max fee per gas"
    INSUFFICIENT_FUNDS = "insufficient funds for gas * price + value"
    INIT_CODE_TOO_LARGE = "max initcode size exceeded"
    SENDER_HAS_CODE = "sender not an eoa"
    NOT_A_DEPLOYER = "only accounts that this hub names may create contracts"
    CODE_NOT_NAMED = "only contracts that this hub names may be called"
    ALREADY_KNOWN = "already known"
    REPLACEMENT_UNDERPRICED = "replacement transaction underpriced"
    POOL_FULL = "transaction pool is full"
    NOT_PASSED_ON = "could not be passed on"


@dataclass(eq=True)
class InvalidTransaction(Exception):
    """The transaction changes nothing and stays out of the block. `got` and `expected` are the compared values."""

    reason: InvalidReason
    detail: str = ""
    got: int | bytes | str | None = None
    expected: int | bytes | str | None = None

    def __str__(self) -> str:
        text = self.reason.value
        if self.detail:
            text += f": {self.detail}"
        if self.expected is not None:
            text += f"; expected {_shown(self.expected)}"
        if self.got is not None:
            text += f", got {_shown(self.got)}"
        return text


class CallFailure(StrEnum):
    """How a top-level call or transaction ended when it did not succeed."""

    REVERTED = "execution reverted"
    OUT_OF_GAS = "out of gas"
    EXCEPTIONAL_HALT = "exceptional halt"


def _shown(value: int | bytes | str) -> str:
    if isinstance(value, bytes):
        return f"0x{value[:32].hex()}" if len(value) <= 32 else f"0x{value[:32].hex()}… ({len(value)} bytes)"
    return str(value)


@dataclass(eq=True)
class StatePruned(Exception):
    """The block is there and the state after it is not."""

    number: int
    oldest: int

    def __str__(self) -> str:
        return f"pruned history unavailable: the oldest state of this node is {self.oldest}, wanted {self.number}"
