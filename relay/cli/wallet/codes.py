"""`hutong wallet qr`: a link as QR code, at the terminal or as an image."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from hutong.light_clients.interface import VerificationError
from hutong.relay.cli.common.refusal import UNUSABLE, Refused, refusing
from hutong.relay.cli.wallet.links import given_link


class ImageKind(Enum):
    """By the ending of a file's name."""

    PNG = ".png"
    SVG = ".svg"


def qr(
    link: Annotated[
        str, typer.Argument(metavar="LINK", help="A link of an offer or a request, or - for standard input.")
    ],
    to: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A new .png or .svg; without it the terminal.")
    ] = None,
) -> None:
    """Show a link as a QR code, for a wallet on a phone. The link is read first: a broken one makes no code."""
    from hutong.relay.base.durable_files import READABLE, create_durably
    from hutong.relay.services.identity.rules.wallet.links import read_link
    from hutong.relay.services.identity.wallet.qr_codes import LinkTooLong, as_png, as_svg, as_text

    text = given_link(link)
    with refusing(VerificationError, LinkTooLong):
        read_link(text)
        if to is None:
            typer.echo(as_text(text))
            return
        try:
            kind = ImageKind(to.suffix.lower())
        except ValueError:
            raise Refused(f"{to}: the name ends in .png or .svg", UNUSABLE) from None
        image = as_png(text) if kind is ImageKind.PNG else as_svg(text)
    try:
        create_durably(to, image, READABLE)
    except FileExistsError:
        raise Refused(f"{to} exists already; choose another file", UNUSABLE) from None
    typer.echo(f"written to {to}")
