"""From which blocks the clients of a new path begin: shown, compared with what others say, and confirmed by a person.

A light client proves every later block from its first one, and nothing proves the first: it is what the operator's endpoint
says. If a client begins on another chain's block, everything after it is false.
"""

import re
from dataclasses import dataclass

import trio
import typer

from adapters.interface import AdapterError, InitialStates
from relay.cli.session import UNUSABLE, refuse

ANSWER_LIMIT_S = 240
"""A state that was read much longer ago may be pruned before the client can be brought on from it."""
HASH = re.compile(r"(?:0x)?[0-9a-fA-F]{64}")


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


@dataclass(frozen=True, slots=True)
class Agreement:
    """What was agreed on before: pins of the member chain and of the hub, and `yes` for whoever asks no questions."""

    chain: Pin | None = None
    hub: Pin | None = None
    yes: bool = False

    async def reach(self, beginnings: tuple[Beginning, ...]) -> None:
        """Show all, and ask about those that nobody pinned. Nothing has been sent yet.

        Raises:
            NotConfirmed: the answer was no, or there is no terminal to ask at.
        """
        for one in beginnings:
            typer.echo(f"# {one}", err=True)
        if self.yes or all(one.pinned for one in beginnings):
            return
        question = "Nothing can prove these first blocks. Did you compare them with what other nodes say?"
        agreed: bool | None = None
        try:
            with trio.move_on_after(ANSWER_LIMIT_S):
                agreed = await trio.to_thread.run_sync(
                    lambda: typer.confirm(question, err=True), abandon_on_cancel=True
                )
        except typer.Abort:
            raise NotConfirmed(
                "nothing was made: the first blocks were not confirmed; compare them and say --yes, or pin them with"
                " --trusted-height and --trusted-hash, --hub-trusted-height and --hub-trusted-hash"
            ) from None
        if agreed is None:
            raise NotConfirmed(
                f"nothing was made: no answer in {ANSWER_LIMIT_S} s; compare, then run the command again"
            )
        if not agreed:
            raise NotConfirmed("nothing was made: the first blocks were not confirmed")


def pin_of(height: int | None, block_hash: str | None, prefix: str) -> Pin | None:
    """Of the options `--PREFIXtrusted-height` and `--PREFIXtrusted-hash`; typer.Exit where one lacks the other."""
    option = f"--{prefix}trusted-hash"
    if (height is None) != (block_hash is None):
        raise refuse(f"{option} goes with --{prefix}trusted-height", UNUSABLE)
    if height is None or block_hash is None:
        return None
    if HASH.fullmatch(block_hash) is None:
        raise refuse(f"{option} must be the 64 hex digits of a block's hash", UNUSABLE)
    return Pin(height, bytes.fromhex(block_hash.removeprefix("0x")), option)


def beginning_of(
    host: str, followed: str, states: InitialStates, pin: Pin | None, *, by_root: bool = False
) -> Beginning:
    """Of states that were read at the pin's height, if there is one; `by_root`: a person named the block by its root.

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
