"""`python -m bench identity privacy`: the run of the privacy scan with as many credentials as asked for, and what was found where."""

import tempfile
import time
from functools import partial
from pathlib import Path

import trio
from rich.console import Console
from rich.table import Table

from tests.relay.services.identity.privacy.scan import Report, scanned

LEAST = 200


def run(console: Console, credentials: int) -> bool:
    """Whether no marker was found where none may be, and every twin was. At least `LEAST`: twenty for each of ten people."""
    if credentials < LEAST:
        raise SystemExit(f"--credentials must be at least {LEAST}")
    began_s = time.process_time()
    with tempfile.TemporaryDirectory() as name:
        report = trio.run(partial(scanned, Path(name), credentials))
    console.print(_table(report, credentials))
    for line in (*report.wrong, *(str(hit) for hit in report.hits[:20])):
        console.print(line, style="red", markup=False)
    lost = [name for name, is_found in report.twins.items() if not is_found]
    console.print(
        f"{len(report.twins) - len(lost)} of {len(report.twins)} twins found, {report.fetches} fetches of lists alike, "
        f"{time.process_time() - began_s:.0f} s of processor time"
    )
    for name in lost:
        console.print(f"planted and not found: {name}", style="red", markup=False)
    return not (report.hits or report.wrong or lost)


def _table(report: Report, credentials: int) -> Table:
    table = Table(title=f"40 markers in {credentials:,} credentials", title_justify="left")
    for name in ("place", "bytes looked through", "found"):
        table.add_column(name, justify="left" if name == "place" else "right")
    for where, size in report.places.sizes.items():
        table.add_row(where, f"{size:,}", str(sum(hit.where == where for hit in report.hits)))
    return table
