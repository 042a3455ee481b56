"""What an account holds of a token."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Holding:
    """`trace` of a voucher is where it came from, of a native token its own name; None where the chain does not say."""

    amount: int
    denom: str
    trace: str | None
