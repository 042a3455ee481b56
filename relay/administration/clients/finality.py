"""Waiting for a block of a chain to be final: a client may begin at it, and what its header commits to can be proven."""

from typing import TYPE_CHECKING

import trio

if TYPE_CHECKING:
    from hutong.adapters.interface import Chain

FINALITY_LIMIT_S = 120
FINALITY_POLL_S = 1.0


async def until_final(chain: "Chain", height: int, block: str, *, poll_s: float = FINALITY_POLL_S) -> None:
    """Wait for a block: commands return once theirs is there, which is before it is final where finality comes later.

    Args:
        block: what it is to the reader of an error.

    Raises:
        HeightUnavailable: it is not final after FINALITY_LIMIT_S.
        AdapterError: the chain does not answer.
    """
    from hutong.adapters.interface import HeightUnavailable

    head = (await chain.head()).height
    with trio.move_on_after(FINALITY_LIMIT_S):
        while head < height:
            await trio.sleep(poll_s)
            head = (await chain.head()).height
    if head < height:
        reason = f"{block} is not final yet, the newest final one is {head}: try again later"
        raise HeightUnavailable(chain.name, height, reason)
