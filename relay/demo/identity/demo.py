"""One run of the demo of identity: the scenario, its report, and the wait for an outside wallet."""

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import trio
import typer
from rich.console import Console

from hutong.relay.demo.identity.commands import Commands
from hutong.relay.demo.identity.report import Report, print_report
from hutong.relay.demo.identity.scenario import STEPS, Cast, Links, Scenario
from hutong.relay.services.identity.wallet.qr_codes import as_text

LOOK_S = 1


@dataclass(frozen=True, slots=True)
class IdentityDemo:
    """What was asked for. `max_age_s` is the contract's."""

    max_age_s: int

    async def run(self, nursery: trio.Nursery, home: Path, console: Console, *, json_: bool, keep: bool) -> bool:
        """As `Run.run`: until the end, or with `keep` until cancelled. Whether each step was as it should be.

        The report is printed also where a step could not be taken.

        Raises:
            DemoFailed: a step could not be taken.
        """
        say = partial(console.print, markup=False, highlight=False, soft_wrap=True)
        report = Report(say)
        try:
            cast, links = await Scenario(home, Commands(home / "commands.txt"), report, self.max_age_s).run(nursery)
        finally:
            if json_:
                typer.echo(json.dumps(report.fields(len(STEPS))))
            else:
                print_report(console, report)
        if keep:
            _show(console, home, cast, links)
            await _watch(console, cast, links)
        return report.is_good(len(STEPS))


def _show(console: Console, home: Path, cast: Cast, links: Links) -> None:
    say = partial(console.print, markup=False, highlight=False, soft_wrap=True)
    say("Take a diploma with a wallet on this machine:")
    say(as_text(links.offer))
    say(f"{links.offer}\ntransaction code: {links.transaction_code}")
    say("Then show it:")
    say(as_text(links.request))
    say(links.request)
    say(f"The same as a page: {cast.verifier.url}/verify/diploma")
    say(f"The wallet has to trust {home / 'authority.pem'}. Files, logs and commands.txt: {home}")
    say("Running until Ctrl-C.")


async def _watch(console: Console, cast: Cast, links: Links) -> None:
    """Say what came of the request, then only wait."""
    while True:
        found = await cast.desk.result(links.request_id)
        if found["is_final"]:
            break
        await trio.sleep(LOOK_S)
    console.print(
        f"The request is {found['state']}: {json.dumps(found.get('result', {}), ensure_ascii=False)}", markup=False
    )
    await trio.sleep_forever()
