"""`hutong wallet list`, `show`, `export`, `forget`: what a wallet holds."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from hutong.relay.cli.common.options import AsJson
from hutong.relay.cli.common.printable import printable
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused
from hutong.relay.cli.wallet.opening import WalletOptions

Name = Annotated[str, typer.Argument(metavar="NAME", help="As `hutong wallet list` names it.")]


def list_command(wallet: WalletOptions, as_json: AsJson = False) -> None:
    """List what the wallet holds: name, how many are left, type, issuer."""
    with wallet.opened() as opened:
        rows = [(holding, opened.left(holding)) for holding in opened.holdings()]
    if as_json:
        typer.echo(json.dumps([_fields(holding, left) for holding, left in rows], indent=2, ensure_ascii=False))
        return
    for holding, left in rows:
        kept = f"{left} of {holding.count} left" if holding.is_one_time else "shown again and again"
        typer.echo(f"{holding.name}  {kept}  {printable(holding.vct)}  {printable(holding.issuer)}")


def show(name: Name, wallet: WalletOptions, as_json: AsJson = False) -> None:
    """Show a credential's claims, and to whom it was presented."""
    with wallet.opened() as opened:
        holding = opened.holding(name)
        left = opened.left(holding)
        diary = [each for each in opened.diary() if each.holding == name]
    if as_json:
        presented = [{"time_s": each.time_s, "verifier": each.verifier, "claims": list(each.claims)} for each in diary]
        fields = {**_fields(holding, left), "claims": holding.claims, "presented": presented}
        typer.echo(json.dumps(fields, indent=2, ensure_ascii=False))
        return
    for label, value in _fields(holding, left).items():
        typer.echo(f"{label}: {printable(str(value))}")
    for claim, value in holding.claims.items():
        typer.echo(f"  {printable(claim)}: {printable(json.dumps(value, ensure_ascii=False))}")
    for each in diary:
        shown = ", ".join(each.claims) or "no claim that could be withheld"
        typer.echo(f"presented to {printable(each.verifier)} at {each.time_s}: {printable(shown)}")


def _fields(holding: Any, left: int) -> dict[str, Any]:
    return {
        "name": holding.name,
        "type": holding.vct,
        "issuer": holding.issuer,
        "display_name": holding.display_name,
        "one_time": holding.is_one_time,
        "left": left,
        "count": holding.count,
        "accepted_s": holding.accepted_s,
    }


def export(
    name: Name,
    wallet: WalletOptions,
    to: Annotated[Path, typer.Option(metavar="FILE", help="A new file, which only you can read.")],
    with_keys: Annotated[
        bool, typer.Option("--with-keys", help="With the private keys: whoever has the file can present them.")
    ] = False,
) -> None:
    """Write credentials with all their claims, and seals, as JSON, for another wallet or a backup."""
    from hutong.relay.base.durable_files import create_durably
    from hutong.relay.services.identity.wallet.exporting import exported

    with wallet.opened() as opened:
        holding = opened.holding(name)
        document = exported(holding, opened.instances(holding), with_keys=with_keys)
    try:
        create_durably(to, json.dumps(document, indent=1, ensure_ascii=False).encode())
    except FileExistsError:
        raise Refused(f"{to} exists already; choose another file", UNUSABLE) from None
    typer.echo(f"{holding.count} written to {to}{', with private keys' if with_keys else ''}")


def forget(
    name: Name, wallet: WalletOptions, yes: Annotated[bool, typer.Option("--yes", help="Without asking.")] = False
) -> None:
    """Remove a credential and its keys for good, or what is still pending. The diary of presentations stays."""
    with wallet.opened() as opened:
        put_off = next((one for one in opened.pending() if one.name == name), None)
        if put_off is not None:
            if not yes and not typer.confirm(f"Give up {name} ({printable(put_off.wanted.vct)})?", err=True):
                raise Refused("nothing was forgotten", REFUSED)
            opened.give_up(put_off)
            typer.echo(f"{name} is forgotten")
            return
        holding = opened.holding(name)
        if not yes and not typer.confirm(f"Forget {name} ({printable(holding.vct)})?", err=True):
            raise Refused("nothing was forgotten", REFUSED)
        opened.forget(holding)
    typer.echo(f"{name} is forgotten")
