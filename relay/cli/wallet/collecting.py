"""`hutong wallet pending` and `collect`: credentials that their issuer put off."""

import json
import time
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.relay.cli.common.options import AsJson
from hutong.relay.cli.common.printable import printable
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused
from hutong.relay.cli.wallet.opening import WalletOptions

if TYPE_CHECKING:
    from hutong.relay.services.identity.wallet import Holding, Pending, Wallet

MAX_WAIT_S = 3_600
LEAST_WAIT_S = 1.0
Wait = Annotated[
    int,
    typer.Option(
        min=0, max=MAX_WAIT_S, metavar="SECONDS", help="How long to ask again, where the issuer is not ready; 0: not."
    ),
]


def pending(wallet: WalletOptions, as_json: AsJson = False) -> None:
    """List what issuers put off: name, type, issuer, and the time from which on they may be asked again."""
    with wallet.opened() as opened:
        found = opened.pending()
    if as_json:
        typer.echo(json.dumps([_fields(one) for one in found], indent=2, ensure_ascii=False))
        return
    for one in found:
        typer.echo(
            f"{one.name}  {printable(one.wanted.vct)}  {printable(one.wanted.issuer)}  from {one.ask_after_s} on"
        )


def collect(
    wallet: WalletOptions,
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="As `hutong wallet pending` names it; without it all.")
    ] = None,
    wait: Wait = 0,
) -> None:
    """Ask for what an issuer put off. It stays pending until it comes, or the issuer says that it will not."""
    with wallet.opened() as opened:
        found = [one for one in opened.pending() if name in (None, one.name)]
        if name is not None and not found:
            raise Refused(f"nothing named {printable(name)[:64]} is pending; see hutong wallet pending", UNUSABLE)
        for one in found:
            typer.echo(described(awaited(opened, one, wait)))


def awaited(wallet: "Wallet", pending: "Pending", limit_s: int) -> "Holding":
    """What the issuer put off, asked for again as it says for at most `limit_s` seconds.

    Raises:
        Refused: it is not ready by then.
    """
    from hutong.relay.services.identity.wallet import CredentialsPutOff

    ends_s = time.monotonic() + limit_s
    while True:
        try:
            return wallet.collect(pending)
        except CredentialsPutOff as error:
            pause_s = max(LEAST_WAIT_S, float(error.wait_s))
            if time.monotonic() + pause_s > ends_s:
                raise Refused(str(error), REFUSED) from None
            time.sleep(pause_s)
            pending = next(one for one in wallet.pending() if one.name == error.name)


def described(holding: "Holding") -> str:
    """One line of what came."""
    noun = "credential" if holding.count == 1 else "one-time credentials"
    return f"{holding.name}: {holding.count} {noun} of {printable(holding.vct)}"


def _fields(one: "Pending") -> dict[str, str | int]:
    return {
        "name": one.name,
        "type": one.wanted.vct,
        "issuer": one.wanted.issuer,
        "count": len(one.wanted.keys),
        "ask_after_s": one.ask_after_s,
    }
