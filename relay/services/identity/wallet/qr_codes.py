"""Links as QR codes: for a terminal, as PNG and as SVG."""

from io import BytesIO, StringIO
from typing import Final

import segno

MAX_QR_CHARS: Final = 2_300
"""What the largest code holds of bytes at the error correction that is used."""
SCALE: Final = 6
BORDER: Final = 4


class LinkTooLong(ValueError):
    """It does not fit into a QR code; the remedy is its sender's: an offer by `credential_offer_uri`."""

    def __init__(self, chars: int) -> None:
        super().__init__(f"a link of {chars} characters, and a QR code holds {MAX_QR_CHARS}; offer it by reference")


def _code(text: str) -> segno.QRCode:
    if len(text) > MAX_QR_CHARS:
        raise LinkTooLong(len(text))
    return segno.make_qr(text, error="m")


def as_text(text: str) -> str:
    """For a terminal, in half blocks.

    Raises:
        LinkTooLong: see there.
    """
    out = StringIO()
    _code(text).terminal(out, compact=True, border=BORDER)
    return out.getvalue().rstrip("\n")


def as_png(text: str) -> bytes:
    """An image of `SCALE` pixels a module.

    Raises:
        LinkTooLong: see there.
    """
    out = BytesIO()
    _code(text).save(out, kind="png", scale=SCALE, border=BORDER)
    return out.getvalue()


def as_svg(text: str) -> bytes:
    """A drawing without a fixed size, for pages.

    Raises:
        LinkTooLong: see there.
    """
    out = BytesIO()
    _code(text).save(out, kind="svg", border=BORDER, omitsize=True, xmldecl=False, title="QR code")
    return out.getvalue()
