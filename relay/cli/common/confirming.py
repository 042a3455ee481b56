"""Asking a person whether the first blocks of a path's clients are the right ones, and the options that pin them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import trio
import typer

from hutong.relay.administration.beginnings import Beginning, NotConfirmed, Pin
from hutong.relay.cli.common.refusal import UNUSABLE, Refused

ANSWER_LIMIT_S = 240
"""A state that was read much longer ago may be pruned before the client can be brought on from it."""
HASH = re.compile(r"(?:0x)?[0-9a-fA-F]{64}")


@dataclass(frozen=True, slots=True)
class AtTerminal:
    """Asks at the terminal; `yes` is for whoever asks no questions."""

    yes: bool = False

    async def confirm(self, beginnings: Sequence[Beginning]) -> None:
        """Show all, and ask about those that nobody pinned. Nothing has been sent yet.

        A person has ANSWER_LIMIT_S seconds; the beginnings go to standard error.

        Raises:
            NotConfirmed: the answer was no or did not come, or there is no terminal to ask at.
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
    """The block that the options `--PREFIXtrusted-height` and `--PREFIXtrusted-hash` name; None where both are absent.

    Args:
        block_hash: 64 hex digits, with or without 0x.
        prefix: empty, or with a hyphen at its end.

    Raises:
        Refused: code 2, one lacks the other, or the hash is not 64 hex digits.
    """
    option = f"--{prefix}trusted-hash"
    if (height is None) != (block_hash is None):
        raise Refused(f"{option} goes with --{prefix}trusted-height", UNUSABLE)
    if height is None or block_hash is None:
        return None
    if HASH.fullmatch(block_hash) is None:
        raise Refused(f"{option} must be the 64 hex digits of a block's hash", UNUSABLE)
    return Pin(height, bytes.fromhex(block_hash.removeprefix("0x")), option)
