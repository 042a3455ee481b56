"""From which blocks the clients of a new path begin: shown, compared with what others say, and confirmed by a person.

A light client proves every later block from its first one, and nothing proves the first: it is what the operator's
endpoint says. If a client begins on another chain's block, everything after it is false.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from hutong.adapters.interface import AdapterError, InitialStates


class OtherBeginning(AdapterError):
    """The block from where a client would begin is not the pinned one."""


class NotConfirmed(AdapterError):
    """A person did not agree, or there was nobody to ask."""


@dataclass(frozen=True, slots=True)
class Pin:
    """A block that somebody trusts: the client begins there. `source` is the option that said so."""

    height: int
    block_hash: bytes
    source: str


@dataclass(frozen=True, slots=True)
class Beginning:
    """A client on `host` of the chain `followed` begins at this block. `pinned`: a person has named it already."""

    host: str
    followed: str
    height: str
    block_hash: bytes
    pinned: bool

    def __str__(self) -> str:
        how = "as given" if self.pinned else f"as the endpoints of {self.followed} say"
        return (
            f"the client of {self.followed} on {self.host} begins at height {self.height},"
            f" block hash 0x{self.block_hash.hex()}, {how}"
        )


Confirm = Callable[[Sequence[Beginning]], Awaitable[None]]
"""Shows where the clients would begin and asks about those that nobody pinned; raises NotConfirmed."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Pins of the member chain and of the hub, and who is asked about the rest. Nothing has been sent yet.

    `anew`: clients are made even where those of an earlier run wait for their other end.
    """

    confirm: Confirm
    chain: Pin | None = None
    hub: Pin | None = None
    anew: bool = False


def beginning_of(
    host: str, followed: str, states: InitialStates, pin: Pin | None, *, by_root: bool = False
) -> Beginning:
    """Where a new client begins: of states that were read at the pin's height, if there is one.

    Args:
        host: name of the chain that the client will be on.
        followed: name of the chain that it follows.
        by_root: a person named the block by its root.

    Raises:
        OtherBeginning: the endpoints have another block there.
    """
    if pin is not None and states.block_hash != pin.block_hash:
        raise OtherBeginning(
            f"nothing was made: block {pin.height} of {followed} is 0x{states.block_hash.hex()} to its endpoints, and"
            f" 0x{pin.block_hash.hex()} by {pin.source}; one of them is wrong, or of another chain"
        )
    height = states.height
    shown = str(height.revision_height) if not height.revision_number else str(height)
    return Beginning(host, followed, shown, states.block_hash, pin is not None or by_root)
