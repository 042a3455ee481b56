"""What a transaction pays: its gas limit times a price that the operator sets, in one denomination."""

import re
from dataclasses import dataclass
from fractions import Fraction

from hutong.adapters.interface import AdapterError
from hutong.light_clients.interface import MalformedInput

MAX_PRICE_CHARS = 180
_PRICE = re.compile(r"([0-9]{1,20}(?:\.[0-9]{1,18})?)([a-zA-Z][a-zA-Z0-9/:._-]{2,127})", re.ASCII)
"""A decimal of the SDK with a denomination of x/bank."""


@dataclass(eq=False)
class FeeAboveCap(AdapterError):
    """The chain's configuration forbids a fee this high; nothing was signed."""

    chain: str
    got: int
    limit: int
    denom: str

    def __str__(self) -> str:
        return (
            f"{self.chain}: the transaction would pay {self.got}{self.denom}, "
            f"max_fee allows {self.limit}{self.denom}: raise it, or lower gas_price"
        )


@dataclass(frozen=True, slots=True)
class Coin:
    """An amount in the smallest unit of a denomination."""

    amount: int
    denom: str

    def __str__(self) -> str:
        return f"{self.amount}{self.denom}"


@dataclass(frozen=True, slots=True)
class GasPrice:
    """Exact, so that equal gas costs an equal fee everywhere."""

    per_gas: Fraction
    denom: str

    @classmethod
    def parse(cls, text: str) -> "GasPrice":
        """Read a decimal with its denomination, such as `0.025stake`: at most 18 places, as the SDK has them.

        Raises:
            MalformedInput: any other text, or one of more than MAX_PRICE_CHARS characters.
        """
        match = _PRICE.fullmatch(text) if len(text) <= MAX_PRICE_CHARS else None
        if match is None:
            raise MalformedInput(
                "gas_price", "is not a decimal number with a denomination, such as 0.025stake", got=text
            )
        return cls(Fraction(match[1]), match[2])

    def fee(self, gas: int) -> int:
        """The fee for a gas limit, in the smallest unit, rounded up: nodes compare with the exact product."""
        return -(-gas * self.per_gas.numerator // self.per_gas.denominator)


def adjusted_gas(gas_used: int, percent: int) -> int:
    """The gas limit for a transaction whose simulation used `gas_used`: that times `percent` / 100, rounded up.

    It lies above the simulation's figure because the state moves on until the transaction is in a block.
    """
    return -(-gas_used * percent // 100)
