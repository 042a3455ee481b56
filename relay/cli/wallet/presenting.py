"""`hutong wallet present`: answer a verifier's request, after its holder has seen what would be shown to whom."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.relay.cli.common.options import AsJson
from hutong.relay.cli.common.printable import printable
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused
from hutong.relay.cli.wallet.links import given_link
from hutong.relay.cli.wallet.opening import WalletOptions

if TYPE_CHECKING:
    from hutong.relay.services.identity.wallet import Consent, Shown


def present(
    link: Annotated[str, typer.Argument(metavar="LINK", help="openid4vp://… or haip-vp://…, or - for standard input")],
    wallet: WalletOptions,
    use: Annotated[
        list[str] | None,
        typer.Option(metavar="QUERY=NAME", help="Answer this query of the request with this credential; repeatable."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Present without asking.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be presented, and send nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Answer a request: shows who asks and what would be disclosed, and sends it when you agree."""
    with wallet.opened() as opened:
        showable = opened.fetch_request(given_link(link))
        consent = opened.propose(showable, _picked(use or []))
        if as_json:
            typer.echo(json.dumps(_fields(consent), indent=2, ensure_ascii=False))
        else:
            _show(consent)
        if dry_run:
            return
        if not yes and not typer.confirm("Present this?", err=True):
            opened.decline(showable)
            raise Refused("nothing was presented; the verifier was told so", REFUSED)
        redirect = opened.present(consent)
    typer.echo("presented" if redirect is None else f"presented; go on at {printable(redirect)}", err=as_json)


def _picked(words: list[str]) -> dict[str, str]:
    found = {}
    for word in words:
        query, equals, name = word.partition("=")
        if not equals or query in found:
            raise Refused(f"--use is QUERY=NAME, once for each query, not {word!r}", UNUSABLE)
        found[query] = name
    return found


def _show(consent: "Consent") -> None:
    typer.echo(f"asks: {printable(consent.asker)}")
    typer.echo(f"answer goes to: {printable(consent.goes_to)}")
    for shown in consent.shown:
        typer.echo(f"{printable(shown.query_id)}: {shown.holding.name} {printable(shown.holding.vct)}")
        for path, value in shown.disclosed:
            typer.echo(f"  discloses {_written(path)}: {_value(value)}")
        for path, value in shown.always:
            typer.echo(f"  always shows {_written(path)}: {_value(value)}")
        typer.echo("  always shows issuer, type, times, and where its status stands")
        typer.echo(f"  {_linkable(shown)}")


def _linkable(shown: "Shown") -> str:
    if shown.holding.is_one_time:
        return f"one-time credential, {shown.left} left with this one"
    return "shown before or again, verifiers can tell that it is the same credential"


def _written(path: tuple[str | int, ...]) -> str:
    from hutong.relay.services.identity.wallet.consent import written_path

    return printable(written_path(path))


def _value(value: object) -> str:
    return printable(json.dumps(value, ensure_ascii=False))


def _fields(consent: "Consent") -> dict[str, object]:
    return {
        "asks": consent.asker,
        "client_id": consent.showable.request.client_id,
        "answer_goes_to": consent.goes_to,
        "credentials": [
            {
                "query": shown.query_id,
                "name": shown.holding.name,
                "type": shown.holding.vct,
                "discloses": [{"path": list(path), "value": value} for path, value in shown.disclosed],
                "always_shows": [{"path": list(path), "value": value} for path, value in shown.always],
                "one_time": shown.holding.is_one_time,
                "left": shown.left,
            }
            for shown in consent.shown
        ],
    }
