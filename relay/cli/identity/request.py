"""`hutong identity request`: ask a wallet by a policy of the verifier, from a terminal."""

import json
import signal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hutong.relay.cli.common.options import AsJson
from hutong.relay.cli.common.printable import printable
from hutong.relay.cli.common.refusal import REFUSED, STOPPED, UNUSABLE, Refused, refusing
from hutong.relay.cli.identity.serve import IdentityFile, hub_records_of

if TYPE_CHECKING:
    from hutong.relay.services.identity.serving.configuration import IdentityConfig

LOOK_S = 0.5
OWNER = "key:terminal"
"""Whoever has the configuration and the database has more than any key."""


def request(
    config: IdentityFile,
    policy: Annotated[str, typer.Option(help="A policy of [verifier.policies].")],
    as_json: AsJson = False,
) -> None:
    """Print a request's link and code, and wait for the answer: 0 accepted, 1 refused, declined or too late, 2 unusable.

    The daemon of the same file must run: the wallet fetches the request from it and answers there. With --json the first
    line is the request, the second the result.
    """
    import trio

    from hutong.relay.config import ConfigError
    from hutong.relay.services.identity.daemon.errors import RoleUnusable
    from hutong.relay.services.identity.serving.configuration import load_identity_config

    with refusing(ConfigError):
        loaded = load_identity_config(config)
    if loaded.verifier is None:
        raise Refused(f"{config} has no [verifier] table, so nobody is asked by it", UNUSABLE)
    if policy not in loaded.verifier.policies:
        raise Refused(
            f"{config} has no policy {policy!r}; it has {', '.join(sorted(loaded.verifier.policies))}", UNUSABLE
        )
    with refusing(RoleUnusable):
        found = trio.run(_ask, loaded, policy, as_json)
    if found is None:
        raise typer.Exit(STOPPED)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
    else:
        _print_result(found)
    raise typer.Exit(0 if found["state"] == "accepted" else REFUSED)


async def _ask(config: "IdentityConfig", policy: str, as_json: bool) -> dict[str, Any] | None:
    """The final state of a new request; None if a signal came first, and then the request is removed."""
    import trio

    from hutong.relay.services.identity.serving.daemon import common_of
    from hutong.relay.services.identity.store.database import open_database
    from hutong.relay.services.identity.verifier.desk import Wish, result_fields
    from hutong.relay.services.identity.verifier.role import begin_desk, status_fetching

    if config.verifier is None:
        raise TypeError("the command looked for the table before")
    common = common_of(config, hub_records_of(config))
    with open_database(config.server) as engine, trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with status_fetching(common) as fetch:
            desk = begin_desk(config.verifier, common, engine, fetch)
            asked = await desk.ask(Wish(policy, OWNER))
            print_request(desk.link(asked), result_fields(asked), as_json)
            while True:
                with trio.move_on_after(LOOK_S):
                    await anext(signals)
                    await desk.forget([asked.id])
                    return None
                found = await desk.find(asked.id)
                fields = {"state": "removed", "is_final": True} if found is None else result_fields(found)
                if fields["is_final"]:
                    return fields


def print_request(link: str, fields: dict[str, Any], as_json: bool) -> None:
    """The request as a code and a link, or as one line of JSON."""
    from hutong.relay.services.identity.wallet.qr_codes import as_text

    if as_json:
        typer.echo(json.dumps({**fields, "link": link}))
        return
    typer.echo(as_text(link))
    typer.echo(link)
    typer.echo("waiting for a wallet; Ctrl-C takes the request back")


def _print_result(found: dict[str, Any]) -> None:
    result = found.get("result", {})
    typer.echo(found["state"])
    if "rule" in result:
        typer.echo(f"  {printable(result['rule'])}: {printable(result['reason'])}")
    if "error" in result:
        typer.echo(f"  {printable(result['error'])}: {printable(result['description'] or 'the wallet says no more')}")
    for name, shown in result.get("credentials", {}).items():
        for one in shown:
            issuer = one["issuer"]["name"] or one["issuer"]["certificate"] or one["issuer"]["key"]
            typer.echo(f"{printable(name)}: {printable(one['vct'])} by {printable(issuer)}")
            for claim, value in one["claims"].items():
                typer.echo(f"  {printable(claim)}: {printable(json.dumps(value, ensure_ascii=False))}")
