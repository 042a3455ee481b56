"""One run of the demo of trusted storage: the scenario and its report."""

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import trio
import typer
from rich.console import Console

from hutong.relay.demo.identity.commands import Commands
from hutong.relay.demo.identity.report import Report, print_report
from hutong.relay.demo.storage.scenario import STEPS, Scenario


@dataclass(frozen=True, slots=True)
class StorageDemo:
    """What was asked for. `versitygw` is the S3 engine's program; None: all operators store in folders."""

    versitygw: Path | None

    async def run(self, nursery: trio.Nursery, home: Path, console: Console, *, json_: bool, keep: bool) -> bool:
        """As `Run.run`: until the end, or with `keep` until cancelled. Whether each step was as it should be.

        The report is printed also where a step could not be taken.

        Raises:
            DemoFailed: a step could not be taken.
        """
        say = partial(console.print, markup=False, highlight=False, soft_wrap=True)
        report = Report(say)
        try:
            await Scenario(home, Commands(home / "commands.txt"), report, self.versitygw).run(nursery)
        finally:
            if json_:
                typer.echo(json.dumps(report.fields(len(STEPS))))
            else:
                print_report(console, report)
        if keep:
            say(f"Running until Ctrl-C. Files, logs and commands.txt: {home}")
            await trio.sleep_forever()
        return report.is_good(len(STEPS))
