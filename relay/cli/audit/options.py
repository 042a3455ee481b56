"""Options of commands that judge what somebody else gave, and the time at which they judge it."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from hutong.relay.base.durations import DAY_S

File = Annotated[Path, typer.Argument(metavar="FILE", help="The file to judge.")]
VerdictsAsJson = Annotated[bool, typer.Option("--json", help="Print the verdicts as JSON.")]
Now = Annotated[
    str | None, typer.Option(help="The time to judge at, RFC 3339 or Unix seconds; without it the host's clock.")
]
TWO_WEEKS_S = 14 * DAY_S


def judged_at_ns(now: str | None, option: str = "--now") -> int:
    """Nanoseconds of Unix time that `--now` says, or another option; without it those of the host's clock.

    Raises:
        UnusableInput: it is no time.
    """
    from hutong.relay.verify.tendermint import parse_time

    return time.time_ns() if now is None else parse_time(now, option)


@dataclass(frozen=True, slots=True)
class HeaderTrust:
    """For how long a checkpoint is believed, judged at which time; periods in seconds."""

    now: Now = None
    trusting_period: Annotated[int, typer.Option(help="Seconds for which a checkpoint is believed.")] = TWO_WEEKS_S
    clock_drift: Annotated[int, typer.Option(help="Seconds that a header may be ahead of now.")] = 15
    as_json: VerdictsAsJson = False

    def judged_at_ns(self) -> int:
        """As `judged_at_ns`, for bounds that can be meant.

        Raises:
            UnusableInput: a period is not positive, or `--now` is no time.
        """
        from hutong.relay.verify.inputs import UnusableInput

        if min(self.trusting_period, self.clock_drift) <= 0:
            raise UnusableInput("--trusting-period and --clock-drift must be positive")
        return judged_at_ns(self.now)
