"""What an operator asks of dead letters."""

from pydantic import Field

from hutong.relay.api.models.base import Demand


class RetryAll(Demand):
    """Which dead letters; at least one of the three."""

    cause: str | None = Field(None, max_length=24, examples=["would_fail"])
    route: str | None = Field(None, max_length=100, examples=["beta:client-0"])
    all: bool = False


class Ignore(Demand):
    reason: str = Field(min_length=1, max_length=500, examples=["the receiver is known to be broken"])
