"""`hutong pending`: everything that is not settled, with its age and what it waits for."""

import json
import time
from typing import Annotated

import typer

from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.options import AsJson, ConfigFile
from hutong.relay.cli.common.session import config_of
from hutong.relay.ledger import age_text

app = command_group("Unsettled packets.")


@app.command()
def pending(
    config: ConfigFile,
    chain: Annotated[str | None, typer.Option(help="Only packets from or to this chain.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many, the oldest first.")] = 100,
    ask: Annotated[
        bool,
        typer.Option("--ask-chains", help="Also list what the chains hold unsettled and the ledger does not know."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List unsettled packets: id, age, state, what it waits for. Works beside a running relay. Exit code 0, 2 cannot tell."""
    from hutong.relay.administration.packets.unsettled import list_unsettled

    now_ns = time.time_ns()
    loaded = config_of(config)
    found = list_unsettled(loaded, chain, limit, now_ns, ask=ask)
    if as_json:
        typer.echo(json.dumps(found.as_dict(), indent=1))
        return
    if not found.has_ledger:
        typer.echo(f"no ledger in {loaded.relay.home}: has the relay run?", err=True)
    for row in found.rows:
        typer.echo(
            f"{row['id']}  {age_text(row['age_s'] * 10**9)}  {row['kind']} {row['state']}  {row['waits_for'] or ''}"
        )
    for packet_id in found.unknown:
        typer.echo(f"{packet_id}  unsettled on its chain, unknown to the ledger; see: hutong why {packet_id}")
    if found.more:
        typer.echo(f"more than {limit} are unsettled; raise --limit", err=True)
    if not found.rows and not found.unknown and found.has_ledger:
        typer.echo(f"nothing is pending{'' if ask else ' in the ledger; --ask-chains asks the chains too'}", err=True)
