"""A replay as one page that a lawyer can read and print: no scripts, nothing loaded, every text from outside escaped."""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from html import escape
from shlex import quote

from hutong.light_clients.tendermint.rpc_json import format_time
from hutong.relay.audit.period.entries import EntryState
from hutong.relay.audit.period.findings import Finding, FindingKind
from hutong.relay.audit.period.page_words import (
    ASSUMPTIONS,
    CONSERVATION,
    FINDINGS,
    GLOSSARY,
    NOT_SHOWN,
    SHOWN,
    STATES,
    STYLE,
)
from hutong.relay.audit.period.replay import Inputs, Replay
from hutong.relay.audit.period.totals import DeliveryState
from hutong.relay.base.dated_text import with_dates

MAX_LISTED_FINDINGS = 1_000
MAX_LISTED_ENTRIES = 1_000
MAX_LISTED_ROWS = 500
"""A page of more is read by nobody; the JSON has all, and the page says so."""

SHORT_ROWS = 12
"""A table of so few stays on one sheet."""

SECTIONS = (
    "Result",
    "What was examined",
    "On what this rests",
    "Findings",
    "What the period adds up to",
    "Tokens",
    "Completeness",
    "What this shows, and what it does not",
    "Terms",
    "Fingerprints of the evidence",
    "How to repeat this",
)


def page_of(replay: Replay) -> str:
    """HTML, complete in itself: no script, nothing loaded, and every text from outside escaped. Long lists are cut, and
    say so.
    """
    parts = [
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"<title>Audit of a period: {_text(replay.inputs.source)}</title><style>{STYLE}</style></head><body>",
        "<h1>Audit of a period of deliveries between blockchains</h1>",
        f'<p class="under">{_text(replay.inputs.source)}, {_judged(replay)}</p>',
    ]
    writers = (
        _result,
        _examined,
        _trust,
        _findings,
        _sums,
        _tokens,
        _completeness,
        _meaning,
        _terms,
        _fingerprints,
        _repeat,
    )
    links = "".join(f'<li><a href="#s{number}">{title}</a></li>' for number, title in enumerate(SECTIONS, 1))
    for number, (title, write) in enumerate(zip(SECTIONS, writers, strict=True), 1):
        parts.append(f'<section><h2 id="s{number}">{number}. {title}</h2>')
        parts.extend(write(replay))
        parts.append("</section>")
        if number == 1:
            parts.append(f'<nav aria-label="Contents"><h3>Contents</h3><ol>{links}</ol></nav>')
    parts.append("</body></html>\n")
    return "\n".join(parts)


def _judged(replay: Replay) -> str:
    time = _time(replay.inputs.judged_at_ns)
    return f"judged as of {time}" if replay.result_file is None else f"not judged here; said to be judged as of {time}"


def _text(value: str) -> str:
    """Text from a file: what a reader would not see, or would see in another order, is spelled out."""
    seen = "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in value)
    return escape(seen, quote=True)


def _name(value: str) -> str:
    """Of a chain or client: not broken over lines, if it is as short as such names are."""
    return f'<span class="name">{_text(value)}</span>' if len(value) <= 24 else _text(value)


def _mono(value: str) -> str:
    return f'<span class="mono">{_text(value)}</span>'


def _time(time_ns: int) -> str:
    date, _, rest = format_time(time_ns).partition("T")
    return f"{date} {rest[:8]} UTC"


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]], numbers: int = 0) -> str:
    """Cells are HTML already; the last `numbers` columns are numbers."""
    first_number = len(columns) - numbers
    head = "".join(_cell("th", index >= first_number, _text(name)) for index, name in enumerate(columns))
    body: list[str] = []
    left_out = 0
    for row in rows:
        if len(body) >= MAX_LISTED_ROWS:
            left_out += 1
            continue
        body.append("<tr>" + "".join(_cell("td", i >= first_number, cell) for i, cell in enumerate(row)) + "</tr>")
    more = f"<p>{left_out:,} more rows are in the machine-readable result.</p>" if left_out else ""
    title = f"<caption>{_text(caption)}</caption>" if caption else ""
    kind = ' class="short"' if len(body) <= SHORT_ROWS else ""
    return f"<table{kind}>{title}<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>{more}"


def _cell(tag: str, is_number: bool, content: str) -> str:
    kind = ' class="number"' if is_number else ""
    scope = ' scope="col"' if tag == "th" else ""
    return f"<{tag}{scope}{kind}>{content}</{tag}>"


def _result(replay: Replay) -> Iterator[str]:
    if replay.result_file is not None:
        yield (
            '<div class="verdict bad"><p><strong>Nothing was judged for this page.</strong></p><p>It repeats what the file '
            f"{_mono(replay.result_file)} says, and is worth as much as whoever wrote that file. To judge the evidence, "
            "follow “How to repeat this”.</p></div>"
        )
    total, proven = len(replay.entries), replay.count(EntryState.PROVEN)
    kind = "good" if replay.is_clean else "bad"
    if replay.is_clean:
        said = "Nothing was found."
        more = (
            f"All {_count(total, 'file')} of evidence hold. They prove {_count(replay.deliveries, 'delivery', 'deliveries')}; "
            "none is missing between the first and the last of each sender, none is presented twice, and nothing "
            "contradicts anything else."
        )
    else:
        said = f"{_count(len(replay.findings), 'finding')}."
        more = (
            f"{_count(proven, 'file')} of {total:,} {'holds' if proven == 1 else 'hold'} and "
            f"{'proves' if proven == 1 else 'prove'} {_count(replay.deliveries, 'delivery', 'deliveries')}. "
            "What is wrong or missing is listed under Findings, each with its file, packet and reason."
        )
    yield f'<div class="verdict {kind}"><p><strong>{said}</strong></p><p>{more}</p></div>'
    counted: dict[FindingKind, int] = {}
    for finding in replay.findings:
        counted[finding.kind] = counted.get(finding.kind, 0) + 1
    if counted:
        yield _table(
            "",
            ("Finding", "Number"),
            ((_text(FINDINGS[kind][0]), f"{number:,}") for kind, number in counted.items()),
            1,
        )


def _examined(replay: Replay) -> Iterator[str]:
    yield (
        f"<p>{'' if replay.result_file is None else 'By the result file: '}"
        f"{_count(len(replay.entries), 'file')} of evidence (“bundles”) from {_mono(replay.inputs.source)} "
        f"were judged one by one, and then together. {_count(replay.predicates, 'single rule', 'single rules')} were "
        "checked, in the order of the published specifications, by a program that had no network connection to ask "
        "anybody: all that counts is in the files and in the checkpoints. The first rule that did not hold ended the "
        "judgement of its file, not that of the others.</p>"
    )
    counts = ((STATES[state].capitalize(), f"{replay.count(state):,}") for state in EntryState if replay.count(state))
    yield _table("", ("Files", "Number"), counts, 1)


def _trust(replay: Replay) -> Iterator[str]:
    if replay.result_file is None:
        yield (
            "<p>No statement of whoever presented the evidence was believed. Everything is derived from the following "
            "blocks (“checkpoints”), which the reader supplied:</p>"
        )
    else:
        yield (
            "<p>Everything on this page rests on the word of whoever wrote the result file. It says that it was derived "
            "from the following blocks (“checkpoints”); whether it was, and whether these are the chains' blocks, was not "
            "checked:</p>"
        )
    rows = (
        (
            _name(root.chain_id),
            f"{root.height:,}",
            _mono("0x" + root.hash.hex() if root.hash else "none: attested"),
            _time(root.time_ns),
            _time(root.expires_at_ns),
        )
        for root in replay.inputs.roots
    )
    yield _table("Checkpoints", ("Chain", "Block", "Hash of the block", "Time of the block", "Vouches until"), rows)
    if replay.modes:
        yield "<p>By what the blocks under the evidence were believed (forward, backward and attested are under Terms):</p><ul>"
        for chain_id, mode in replay.modes:
            yield f"<li>chain {_name(chain_id)}: {_text(mode)}</li>"
        yield "</ul>"
    yield "<p>It is assumed that:</p><ol>"
    yield from (f"<li>{_text(assumption)}</li>" for assumption in ASSUMPTIONS)
    yield "</ol>"


def _findings(replay: Replay) -> Iterator[str]:
    if not replay.findings:
        yield "<p>None.</p>"
    kind = None
    for number, finding in enumerate(replay.findings[:MAX_LISTED_FINDINGS], 1):
        if finding.kind is not kind:
            kind = finding.kind
            title, meaning = FINDINGS[kind]
            yield f"<h3>{_text(title)}</h3><p>{_text(meaning)}</p>"
        yield _finding(number, finding)
    left_out = len(replay.findings) - MAX_LISTED_FINDINGS
    if left_out > 0:
        yield f"<p>{_count(left_out, 'more finding')}: the machine-readable result lists them all.</p>"


def _finding(number: int, finding: Finding) -> str:
    rows = [
        ("Finding", f"F{number}"),
        ("Files" if len(finding.entries) > 1 else "File", ", ".join(map(_mono, finding.entries)) or "none"),
        ("Packets" if len(finding.packets) > 1 else "Packet", ", ".join(map(_mono, finding.packets)) or "not known"),
    ]
    if finding.predicate:
        rows.append(("Rule", f"{_mono(finding.predicate)}, of {_text(finding.subject)}"))
    rows.append(("Reason", _text(with_dates(finding.reason))))
    listed = "".join(f"<dt>{name}</dt><dd>{content}</dd>" for name, content in rows)
    return f'<div class="finding"><dl>{listed}</dl></div>'


def _sums(replay: Replay) -> Iterator[str]:
    yield "<p>Only what is proven is counted, and each packet once.</p>"
    names = {
        DeliveryState.SUCCEEDED: "Succeeded",
        DeliveryState.REFUSED: "Refused",
        DeliveryState.TIMED_OUT: "Timed out",
        DeliveryState.OPEN: "Open",
    }
    columns = ("Route", "Deliveries", "Messages", "Transfers", *(names[state] for state in DeliveryState))
    rows = (
        (
            _route(route.chains),
            *(f"{value:,}" for value in (route.deliveries, route.messages, route.transfers)),
            *(f"{route.states[state]:,}" for state in DeliveryState),
        )
        for route in replay.routes
    )
    yield _table("Deliveries by route", columns, rows, 7)
    yield (
        "<p>Refused: the destination, or the hub, answered with an error. Timed out: proven not to have arrived within the "
        "time limit. Both return tokens to their sender. Open: received, and the answer is not shown yet.</p>"
    )
    chains = (
        (
            _name(one.chain_id),
            *(f"{value:,}" for value in (one.sent, one.received, one.refused, one.timed_out, one.settled)),
        )
        for one in replay.chains
    )
    columns = ("Chain", "Sent", "Received", "Refused elsewhere", "Timed out", "Settled")
    yield _table("Packets by chain (over a hub a delivery is two packets)", columns, chains, 5)


def _route(chains: Sequence[str]) -> str:
    return " → ".join(map(_name, chains))


def _tokens(replay: Replay) -> Iterator[str]:
    if not replay.supply:
        yield "<p>No transfer of tokens is proven in this period.</p>"
        return
    yield "<p>All amounts are in the smallest unit of the token, as the chains count.</p>"
    rows = (
        (
            _route(route.chains),
            _mono(row.token),
            *(f"{value:,}" for value in (row.transfers, row.delivered, row.refunded, row.open)),
        )
        for route in replay.routes
        for row in route.tokens.values()
    )
    columns = ("Route", "Token (chain / contract)", "Transfers", "Delivered", "Refunded", "Open")
    yield _table("Tokens by route", columns, rows, 4)
    yield (
        "<p>When tokens leave a chain, it keeps them in custody for the connection over which they left, and gives them "
        "out again only to what comes home over the same connection. So over each connection no more may come home than "
        "was sent. This was computed from proven transfers alone.</p>"
    )
    lines = (
        (
            f"{_name(line.chain_id)}, {_name(line.client_id)}",
            _mono(line.denom),
            _text(CONSERVATION[line.conservation])
            + (f"; {line.unexplained:,} must have been sent in packets that are not here" if line.unexplained else "")
            + (f": {_text(line.reason)}" if line.reason else ""),
            *(f"{value:,}" for value in (line.sent, line.sent_open, line.sent_back, line.came_home, line.home_open)),
        )
        for line in replay.supply
    )
    heads = ("Left over", "Denomination there", "Result", "Sent", "Sent, open", "Refunded", "Came home", "Home, open")
    yield _table("Conservation of tokens", heads, lines, 5)


def _completeness(replay: Replay) -> Iterator[str]:
    yield (
        "<p>Each connection numbers its packets from 1 on without a gap. For each, the first and the last number that is "
        "proven here, and what is absent between them. Whether packets came before the first or after the last cannot be "
        "seen from the evidence; compare these numbers with what you know from elsewhere.</p>"
    )
    rows = (
        (
            _name(one.chain_id),
            _name(one.client_id),
            _gaps(one.gaps),
            f"{one.first:,}",
            f"{one.last:,}",
            f"{one.proven:,}",
        )
        for one in replay.ranges
    )
    yield _table("", ("Sending chain", "Connection", "Absent between", "First", "Last", "Proven"), rows, 3)


def _gaps(gaps: Sequence[tuple[int, int]]) -> str:
    if not gaps:
        return "none"
    said = [f"{first:,}" if first == last else f"{first:,} to {last:,}" for first, last in gaps[:20]]
    return ", ".join(said) + (f" and {len(gaps) - 20:,} more rows" if len(gaps) > 20 else "")


def _meaning(_: Replay) -> Iterator[str]:
    for title, items in (("It shows:", SHOWN), ("It does not show:", NOT_SHOWN)):
        yield f"<p>{title}</p><ul>"
        yield from (f"<li>{_text(item)}</li>" for item in items)
        yield "</ul>"


def _terms(_: Replay) -> Iterator[str]:
    items = "".join(f"<dt>{_text(term)}</dt><dd>{_text(meaning)}</dd>" for term, meaning in GLOSSARY)
    yield f'<dl class="glossary">{items}</dl>'


def _fingerprints(replay: Replay) -> Iterator[str]:
    lines = "".join(f"{entry.sha256.hex()}  {entry.name}\n" for entry in replay.entries)
    whole = sha256(lines.encode(errors="backslashreplace")).hexdigest()
    yield (
        "<p>SHA-256, in hexadecimal. Anyone who holds the same files can compute the same numbers; one changed character "
        "gives others.</p>"
    )
    roots = ((_mono(root.file), _mono(root.sha256.hex())) for root in replay.inputs.roots)
    yield _table("Checkpoint files", ("File", "SHA-256"), roots)
    yield (
        f"<p>All {_count(len(replay.entries), 'file')} of evidence together (the SHA-256 of the list that "
        f"<code>sha256sum</code> prints of them, in this report's order): {_mono(whole)}</p>"
    )
    if len(replay.entries) > MAX_LISTED_ENTRIES:
        yield f"<p>The fingerprints of the {len(replay.entries):,} single files are in the machine-readable result.</p>"
        return
    rows = [(_mono(entry.name), STATES[entry.state], _mono(entry.sha256.hex())) for entry in replay.entries]
    for start in range(0, len(rows), MAX_LISTED_ROWS):
        yield _table("Files of evidence", ("File", "Verdict", "SHA-256"), rows[start : start + MAX_LISTED_ROWS])


def _repeat(replay: Replay) -> Iterator[str]:
    commands = "\n".join(map(_text, _commands(replay.inputs)))
    yield (
        f"<p>This report was made by hutong {_text(replay.inputs.version)}. The program is open; it can be read, and its "
        "rules are published with it. To repeat the judgement, take the files whose fingerprints are above, on any "
        "computer, with no network, in a checkout of the source of that version (hutong is in no package index: a package of "
        "that name there would be somebody else's):</p>"
        f"<pre>{commands}</pre>"
        "<p>It prints the same sums and findings. Anyone who doubts this program can write another: the formats of the "
        "evidence (docs/spec/bundle.md), of the checkpoints (docs/spec/checkpoint.md) and of the machine-readable result "
        "(docs/spec/audit-replay.md) are public.</p>"
    )


def _commands(inputs: Inputs) -> Iterator[str]:
    """Lines for a POSIX shell. Names of files and the version come from outside and are to be copied by a reader: each is
    one word, and none an option."""
    yield "pip install -c constraints.txt '.[audit]'"
    yield f"hutong audit replay --now {format_time(inputs.judged_at_ns)} \\"
    for root in inputs.roots:
        yield f"    {quote(f'--checkpoint={root.file}')} \\"
    yield f"    -- {quote(inputs.source)}"
