"""What every `hutong hub propose` command shares: its options, and how an action is put to the vote."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated

import typer

from hutong.relay.cli.common.refusal import UNUSABLE, Refused
from hutong.relay.cli.hub.governance import OperatorOptions, trusted
from hutong.relay.config import HubChainConfig

MAX_TITLE_BYTES = 256


@dataclass(frozen=True, slots=True)
class Ballot:
    """The options of one command."""

    operator: OperatorOptions
    title: Annotated[str | None, typer.Option(help="What for, in at most 256 bytes; the members read it.")] = None

    @property
    def hub_chain(self) -> HubChainConfig:
        """As `OperatorOptions.hub_chain`."""
        return self.operator.hub_chain

    def propose(self, action: bytes, change: tuple[bytes, int] | None = None) -> None:
        """Propose it, prove what came of that where a genesis is trusted, and say it.

        Args:
            action: encoded, with a salt of its own.
            change: a validator's key (compressed) and coming power, for which it is checked that the hub can go on.

        Raises:
            Refused: code 2, an option is unusable; code 1, the hub refused it or its answer does not prove.
        """
        from hutong.relay.administration.hub import governance

        title = governance.describe(action) if self.title is None else self.title
        if not 0 < len(title.encode()) <= MAX_TITLE_BYTES:
            raise Refused(f"--title takes 1 to {MAX_TITLE_BYTES} bytes", UNUSABLE)
        trust = trusted(self.hub_chain)
        motion = governance.Motion(action, title, change)
        operator = self.operator
        operator.decide(partial(governance.propose, self.hub_chain, operator.open(), trust, motion))
