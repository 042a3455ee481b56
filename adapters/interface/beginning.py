"""From which block a new client begins."""

from collections.abc import Awaitable, Callable

from hutong.adapters.interface.clients import ClientParameters
from hutong.adapters.interface.errors import HeightUnavailable
from hutong.adapters.interface.events import Head


async def begin_height(chain: str, parameters: ClientParameters, head: Callable[[], Awaitable[Head]]) -> int:
    """The height that was asked for, else the head's.

    Raises:
        HeightUnavailable: it is not final yet.
    """
    newest = (await head()).height
    wanted = newest if parameters.begin_height is None else parameters.begin_height
    if wanted > newest:
        raise HeightUnavailable(chain, wanted, f"the newest final block is {newest}")
    return wanted
