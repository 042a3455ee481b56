"""`hutong wallet accept`: an offer of credentials, by its code or in a browser; or what an issuer is asked for without one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.relay.cli.common.printable import printable
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused
from hutong.relay.cli.wallet.collecting import Wait, awaited, described
from hutong.relay.cli.wallet.links import given_link
from hutong.relay.cli.wallet.opening import WalletOptions

if TYPE_CHECKING:
    from hutong.relay.services.identity.wallet import Holding, OpenOffer, Wallet

MAX_BATCH = 100
BROWSER_WAIT_S = 300.0


def accept(
    wallet: WalletOptions,
    link: Annotated[
        str | None, typer.Argument(metavar="LINK", help="openid-credential-offer://… or haip-vci://…, or -")
    ] = None,
    tx_code: Annotated[
        str | None, typer.Option(help="The code that the issuer sent by another way; you are asked where it is needed.")
    ] = None,
    configuration: Annotated[
        str | None, typer.Option(help="Which of several credentials; without it the first that is offered.")
    ] = None,
    count: Annotated[
        int, typer.Option(min=1, max=MAX_BATCH, help="How many one-time credentials, if the issuer gives a batch.")
    ] = 20,
    seals: Annotated[
        bool, typer.Option("--seals", help="With a seal for contracts beside each; an issuer that makes none refuses.")
    ] = False,
    issuer: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="Ask this issuer without a link; say --configuration, too. A browser is needed."
        ),
    ] = None,
    provider: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Who vouches for this wallet; without it provider.toml of its folder."),
    ] = None,
    wait: Wait = 0,
    redirect_port: Annotated[
        int, typer.Option(min=0, max=65_535, help="Where your browser comes back to; 0: any free port.")
    ] = 0,
    yes: Annotated[bool, typer.Option("--yes", help="Accept without asking.")] = False,
) -> None:
    """Accept what an issuer offers. Every credential is judged before it is kept, and bound to a new key of its own."""
    from hutong.relay.services.identity.wallet import CredentialsPutOff

    with wallet.opened(provider) as opened_wallet:
        opened = _opened(opened_wallet, link, issuer, configuration)
        _show(opened)
        if not yes and not typer.confirm("Accept?", err=True):
            raise Refused("nothing was accepted", REFUSED)
        try:
            if opened.offer.pre_authorised is None:
                holding = _in_browser(opened_wallet, opened, redirect_port, count, with_seals=seals)
            else:
                code = tx_code
                if code is None and opened.needs_code:
                    code = str(typer.prompt("Transaction code", hide_input=True, err=True))
                holding = opened_wallet.accept(opened, code, count, with_seals=seals)
        except CredentialsPutOff as error:
            typer.echo(str(error), err=True)
            later = next(one for one in opened_wallet.pending() if one.name == error.name)
            if wait == 0:
                typer.echo(f"{later.name}: pending")
                return
            holding = awaited(opened_wallet, later, wait)
    typer.echo(described(holding))


def _opened(wallet: "Wallet", link: str | None, issuer: str | None, configuration: str | None) -> "OpenOffer":
    """What is offered by a link, or what the issuer that is named has.

    Raises:
        Refused: both are named, neither, or an issuer without a configuration.
    """
    if (link is None) == (issuer is None):
        raise Refused("give an offer's link, or --issuer with --configuration", UNUSABLE)
    if link is not None:
        return wallet.open_offer(given_link(link), configuration)
    if issuer is None or configuration is None:
        raise Refused("say by --configuration which of the issuer's credentials", UNUSABLE)
    return wallet.open_issuer(issuer, configuration)


def _show(opened: "OpenOffer") -> None:
    configuration = opened.metadata.configuration
    typer.echo(f"issuer: {printable(opened.offer.issuer)}", err=True)
    named = "" if configuration.display_name is None else f" ({printable(configuration.display_name)})"
    typer.echo(f"credential: {printable(configuration.vct)}{named}", err=True)
    if len(opened.offer.configurations) > 1:
        typer.echo(f"also offered: {printable(', '.join(opened.offer.configurations))}", err=True)


def _in_browser(wallet: "Wallet", opened: "OpenOffer", port: int, count: int, *, with_seals: bool) -> "Holding":
    """The holder identifies in a browser, which comes back to a port of this machine for one request."""
    from hutong.relay.services.identity.wallet.browser import RedirectListener

    with RedirectListener(port) as listener:
        step = wallet.begin_in_browser(opened, listener.redirect_uri)
        typer.echo(f"open in a browser: {step.address}", err=True)
        query = listener.wait(BROWSER_WAIT_S)
        if query is None:
            raise Refused(
                f"the browser did not come back within {BROWSER_WAIT_S:.0f} s; accept the offer again", REFUSED
            )
        return wallet.accept_after_browser(opened, step, query, count, with_seals=with_seals)
