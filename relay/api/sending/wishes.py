"""What a user wants to send, and over which way."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from hutong.relay.api.reading.describing import hops_of
from hutong.relay.api.reading.ways import Way
from hutong.relay.api.sending.choosing import Choice
from hutong.relay.schemas.sending import PreparedRoute, Sends, UnsignedCosmos, UnsignedEvm

MAX_UINT256 = 2**256 - 1


@dataclass(frozen=True, slots=True)
class Wish:
    """Tokens (`token` and `amount`) or a message (`payload`), from `sender` over one of the ways of `choice`. The timeout is absolute."""

    choice: Choice
    sender: str
    receiver: str
    timeout_timestamp_s: int
    token: str = ""
    amount: int = 0
    memo: str = ""
    payload: bytes | None = None
    receive_gas: int | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """Transactions in their order, the way that they go, and the packet that the last one sends."""

    way: Way
    transactions: Sequence[UnsignedEvm | UnsignedCosmos]
    sends: Sends


def absolute_timeout_s(timeout_s: int) -> int:
    """Unix time in seconds, `timeout_s` from now by this host's clock."""
    return int(time.time()) + timeout_s


def prepared_route(way: Way) -> PreparedRoute:
    """The way that a prepared send goes, as its answer names it."""
    return PreparedRoute(hops_of(way), way.via)
