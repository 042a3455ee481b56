"""The page's HTML. Every text from outside is escaped; nothing in it is a script, a style or an address that it chose."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from importlib.resources import files
from typing import Any, Final

import segno

MAX_SHOWN: Final = 64
"""Claims of a credential that the page lists; the API gives all."""
FILES: Final[Mapping[str, str]] = {"page.css": "text/css; charset=utf-8", "live.js": "text/javascript; charset=utf-8"}
FILES_PATH: Final = "/verify/files"
_NOT_LISTED: Final = ("vct", "iss", "iat", "nbf", "exp")


@dataclass(frozen=True, slots=True)
class PageView:
    """What the page shows. Addresses are this server's own; `code_link` and `link` are a wallet's.

    `code_link` is for a wallet on another device, `link` for one on this: None where nothing is asked any more. `again` takes
    a POST, and `next` is where the browser goes on after an answer.
    """

    title: str
    lead: str
    state: str
    tone: str
    code_link: str | None = None
    link: str | None = None
    events: str | None = None
    again: str | None = None
    next: str | None = None
    credentials: Mapping[str, Any] = field(default_factory=dict)


def static_file(name: str) -> bytes | None:
    """One of FILES, as it is in the package."""
    if name not in FILES:
        return None
    return (files("hutong.relay.services.identity.verifier") / "page" / name).read_bytes()


def rendered(view: PageView) -> str:
    """The whole document."""
    told = (("events", view.events), ("next", view.next))
    data = "".join(f' data-{name}="{escape(value)}"' for name, value in told if value)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>{escape(view.state.partition(":")[0])} · {escape(view.title)}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{FILES_PATH}/page.css">
<script type="module" src="{FILES_PATH}/live.js"></script>
</head>
<body{data}>
<main>
<h1>{escape(view.title)}</h1>
<p class="muted">{escape(view.lead)}</p>
<p class="state {escape(view.tone)}" role="status">{escape(view.state)}</p>
{_asking(view)}{_shown(view.credentials)}{_again(view)}</main>
</body>
</html>
"""


def code_svg(link: str, title: str) -> str:
    """A QR code as an SVG element without styles, black on white in every theme."""
    svg: str = segno.make(link, error="m", micro=False).svg_inline(
        border=4, dark="#000000", light="#ffffff", omitsize=True, title=title
    )
    return svg.replace("<svg ", '<svg role="img" ', 1)


def _asking(view: PageView) -> str:
    if view.code_link is None or view.link is None:
        return ""
    return f"""<section class="card" aria-labelledby="other">
<h2 id="other">With a wallet on your phone</h2>
<p>Scan this code with the wallet.</p>
<div class="code">{code_svg(view.code_link, "Code of the request, for your wallet")}</div>
</section>
<section class="card" aria-labelledby="this">
<h2 id="this">With a wallet on this device</h2>
<p>The wallet leads you back to this page.</p>
<p><a class="button main" href="{escape(view.link)}">Open the wallet</a></p>
</section>
<noscript><p><a href="">Look whether the answer is here</a></p></noscript>
"""


def _shown(credentials: Mapping[str, Any]) -> str:
    sections = []
    for number, shown in enumerate(one for listed in credentials.values() for one in listed):
        issuer = shown["issuer"]["name"] or shown["issuer"]["certificate"] or shown["issuer"]["key"]
        rows = [("Type", shown["vct"]), ("Issued by", issuer), *list(_plain(shown["claims"]))[:MAX_SHOWN]]
        terms = "".join(f"<dt><bdi>{escape(name)}</bdi></dt><dd><bdi>{escape(text)}</bdi></dd>" for name, text in rows)
        sections.append(
            f'<section class="card" aria-labelledby="shown-{number}">\n'
            f'<h2 id="shown-{number}">What was shown</h2>\n<dl>{terms}</dl>\n</section>\n'
        )
    return "".join(sections)


def _plain(claims: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in claims.items():
        if isinstance(value, dict):
            yield from _plain(value, f"{prefix}{name}.")
        elif prefix or name not in _NOT_LISTED:
            yield prefix + name, ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _again(view: PageView) -> str:
    if view.again is None:
        return ""
    button = '<button class="button" type="submit">Ask again</button>'
    return f'<form method="post" action="{escape(view.again)}">{button}</form>\n'
