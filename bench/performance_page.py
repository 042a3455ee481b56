"""docs/performance.md and its plot, written by the run that they show."""

import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from xml.sax.saxutils import escape

from bench.verify.peers import PeerRow
from bench.verify.rows import Row

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGE = DOCS / "performance.md"
PLOT = DOCS / "images" / "verify-peers.svg"
LIBRARIES = ("pyblst", "py-ed25519-zebra-bindings", "coincurve", "safe-pysha3", "protobuf", "rlp")

_BAR, _GAP, _LEFT, _WIDTH = 16, 14, 330, 420
_OURS, _THEIRS = "#00796b", "#b8860b"

_HEAD = """# How quick the verifiers are

Written by `python -m bench verify --page`, which measures everything in one run. Rates are calls a second of **processor time of one
core**, the best of some rounds, since the machine ran other work beside it; ours and a peer's rounds take turns. Every
row goes from bytes to verdict.

"""


def machine() -> str:
    """Processor, interpreter and the libraries that do the work."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        names = [
            line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        model = f"{names[0]}, {len(names)} cores" if names else model
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return f"{model}; Python {platform.python_version()}; {libraries}"


HUB_HEADING = "\n## The hub\n"
"""From here on the page is written by hand, from `bench hub`, `hub_growth` and `hub_chains`."""


def write(rows: Sequence[Row], peers: Sequence[PeerRow], node: str) -> None:
    """Both files."""
    lines = [_HEAD, f"Machine: {machine()}; node {node}.\n\n", "## Beside other projects\n\n"]
    lines += [
        "The same proofs and updates for both sides.\n\n",
        f"![Rates beside other projects](images/{PLOT.name})\n\n",
    ]
    lines += ["| what | ours a second | peer | its a second | ours over it |\n", "| --- | ---: | --- | ---: | ---: |\n"]
    for row in peers:
        for name, rate in row.peers_per_s.items():
            lines.append(
                f"| {row.name} | {row.rate_per_s:,.0f} | {name} | {rate:,.0f} | {row.rate_per_s / rate:.2f} |\n"
            )
    lines += [
        (
            "\nLodestar decodes a committee's keys without showing that they are in their subgroup (`keys not checked`); we always "
            "show it, once a period, so the row beside us is `keys in their subgroup`, and the other one is what the check costs. "
            "Nearly all of our time there is the library's decoding of 512 keys (`sync committee decoded`, below). It cannot be shared: "
            "a sum in the subgroup does not show that its parts are, and a random combination of keys misses a part of order 3, 11 or "
            "another small factor of the cofactor far too often.\n\n"
        ),
        "## Beside the bare cost\n\n",
        "Bare: the signatures and hashes that no verifier can leave out, by the same libraries; of a CometBFT header its signatures alone.\n\n",
        "| what | a second | bare a second | cost over bare |\n| --- | ---: | ---: | ---: |\n",
    ]
    lines += [
        f"| {row.name} | {row.rate_per_s:,.0f} | {row.bare_rate_per_s:,.0f} | {row.ratio:.2f} |\n" for row in rows
    ]
    _, heading, hub = PAGE.read_text().partition(HUB_HEADING)
    PAGE.write_text("".join(lines) + heading + hub)
    PLOT.write_text(plot(peers))


def plot(peers: Sequence[PeerRow]) -> str:
    """Bars of each row relative to the quickest in it."""
    parts: list[str] = []
    y = 40
    for row in peers:
        bars = [("hutong", row.rate_per_s, _OURS), *((name, rate, _THEIRS) for name, rate in row.peers_per_s.items())]
        most = max(rate for _, rate, _ in bars)
        parts.append(f'<text x="12" y="{y}" font-weight="600">{escape(row.name)}</text>')
        y += 8
        for name, rate, colour in bars:
            width = max(1, round(_WIDTH * rate / most))
            base = y + _BAR - 4
            parts.append(f'<text x="{_LEFT - 8}" y="{base}" text-anchor="end" font-size="11">{escape(name)}</text>')
            parts.append(f'<rect x="{_LEFT}" y="{y}" width="{width}" height="{_BAR - 3}" fill="{colour}"/>')
            parts.append(f'<text x="{_LEFT + width + 6}" y="{base}" font-size="11">{rate:,.0f}/s</text>')
            y += _BAR
        y += _GAP + _BAR
    width = _LEFT + _WIDTH + 90
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {y}" font-family="sans-serif" font-size="13" '
        f'role="img" aria-labelledby="title">\n<title id="title">Verifications a second of processor time, ours and other '
        f'projects\', each group beside its quickest.</title>\n<rect width="{width}" height="{y}" rx="8" fill="#fff"/>\n'
    )
    return head + "\n".join(parts) + "\n</svg>\n"
