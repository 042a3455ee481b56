"""A token transfer from a Cosmos chain as its sender wishes it, and the packet that it means."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hutong.adapters.cosmos.transfer import CosmosTransfer

FORWARD_MARGIN_S = 600
"""Between the second leg's timeout and the first's: the hub settles the first when the second is settled."""


@dataclass(frozen=True, slots=True)
class CosmosWish:
    """What was asked for. `token`: a denomination (`stake`, `ibc/…`) or a voucher's trace
    (`transfer/07-tendermint-0/…`)."""

    client: str
    token: str
    amount: int
    receiver: str
    next_client: str | None
    memo: str
    timeout_s: int
    forward_margin_s: int


def transfer_of(wish: CosmosWish, now_s: int) -> "CosmosTransfer":
    """The send that a wish means. Over the hub, the packet itself times out `forward_margin_s` before what the hub
    sends on.

    With a `next_client` the wish's memo is not sent: the memo carries the instruction to the hub.

    Args:
        now_s: Unix time from which `timeout_s` counts, seconds.

    Raises:
        MalformedInput: the margin leaves the first leg no time, or token or instruction cannot be encoded.
    """
    from hutong.adapters.cosmos.transactions.fees import Coin
    from hutong.adapters.cosmos.transfer import CosmosTransfer
    from hutong.light_clients.ibc.transfer import ForwardInstruction, encode_forward_memo
    from hutong.light_clients.interface import MalformedInput

    token = Coin(wish.amount, local_name(wish.token))
    deadline_s = now_s + wish.timeout_s
    if wish.next_client is None:
        return CosmosTransfer(wish.client, token, wish.receiver, deadline_s, wish.memo)
    if wish.timeout_s <= wish.forward_margin_s:
        raise MalformedInput(
            "timeout_s",
            "leaves the first leg no time: raise --timeout-s above the margin, or lower --forward-margin-s",
            got=wish.timeout_s,
            expected=f"> {wish.forward_margin_s}",
        )
    memo = encode_forward_memo(ForwardInstruction(wish.receiver, wish.next_client, timeout_timestamp_s=deadline_s))
    return CosmosTransfer(wish.client, token, wish.receiver, deadline_s - wish.forward_margin_s, memo)


def local_name(token: str) -> str:
    """How the chain's bank names a token: as it is given (`stake`, `ibc/…`), or by its trace
    (`transfer/07-tendermint-0/…`).

    Raises:
        MalformedInput: a trace that is not one.
    """
    from hutong.light_clients.ibc.denom import Denom

    if "/" not in token or token.startswith("ibc/") or not token.startswith("transfer/"):
        return token
    return Denom.parse(token).local_name
