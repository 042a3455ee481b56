"""`hutong directory index`: an index over entries, searches in it, and proofs that a search left nothing out."""

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.options import AsJson
from hutong.relay.cli.common.printable import printable
from hutong.relay.cli.common.refusal import REFUSED, refusing
from hutong.relay.services.directory.search.engine import MAX_PAGE_HITS, DatabaseEngine, SearchUnavailable
from hutong.relay.verify.directory import searching
from hutong.relay.verify.inputs import parse_hex

app = command_group("An index over entries, and searches that leave nothing out.")

Home = Annotated[Path, typer.Argument(metavar="INDEX", help="The folder of the index.")]
QueryText = Annotated[
    str,
    typer.Argument(
        metavar="QUERY",
        help='Words that all have to match, "a phrase", begin*, theme:NAME, format:NAME, publisher:NAME.',
    ),
]
Entries = Annotated[
    Path | None,
    typer.Option("--entries", help="The entries, as for build: needed where the query is more than words."),
]
Database = Annotated[
    str | None,
    typer.Option(
        help="postgresql://…: where entries are searched in place of the folder. Its password is PGPASSWORD or in .pgpass."
    ),
]


@contextmanager
def _opened(url: str | None) -> Iterator[DatabaseEngine | None]:
    if url is None:
        yield None
        return
    # here, because opening databases takes a second to import, and an installation that judges alone does not have it
    from hutong.relay.services.directory.search.postgresql_engine import PostgresqlEngine

    with refusing(SearchUnavailable), closing(PostgresqlEngine(url)) as engine:
        yield engine


@app.command()
def build(
    entries: Annotated[
        Path,
        typer.Argument(
            metavar="ENTRIES", help="A catalogue (.json), a log (.jsonl), or a folder of documents (.json)."
        ),
    ],
    home: Annotated[Path, typer.Option("--into", help="The folder of the index; an old one there is replaced whole.")],
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Make an index over entries and print the digest that a keeper publishes: 0 done, 2 it cannot be made and the old one stays."""
    with _opened(database) as engine:
        head = searching.build(entries, home, engine)
    if as_json:
        typer.echo(json.dumps(searching.head_fields(head), indent=2))
    else:
        typer.echo(f"{head.size} operations, {head.leaves} leaves\nroot {head.root.hex()}\ndigest {head.digest.hex()}")


@app.command("search")
def search_command(
    home: Home,
    query: QueryText,
    before: Annotated[int | None, typer.Option(min=0, help="The cursor that the page before printed.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=MAX_PAGE_HITS, help="Hits of a page.")] = 20,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Print the entries that match, newest first: 0 some, 1 none, 2 no index or another query."""
    with _opened(database) as engine:
        page = searching.search(home, searching.query_of(query), before, limit, engine)
    if as_json:
        typer.echo(json.dumps(searching.page_fields(page), indent=2, ensure_ascii=False))
    else:
        console = Console(soft_wrap=True)
        for hit in page.hits:
            console.print(f"{hit.sequence} {printable(hit.entry)}")
        console.print(f"{page.total} entries match, of {page.size} operations")
        if page.before is not None:
            console.print(f"more with --before {page.before}")
    raise typer.Exit(0 if page.total else REFUSED)


@app.command("prove")
def prove_command(home: Home, query: QueryText, entries: Entries = None) -> None:
    """Print all operations that match, with the proof that none is left out, as a file: 0 done, 2 it cannot be proven."""
    typer.echo(searching.prove(home, searching.query_of(query), entries).decode(), nl=False)


@app.command("check")
def check_command(
    answer: Annotated[Path, typer.Argument(metavar="ANSWER", help="An answer of any origin.")],
    query: QueryText,
    digest: Annotated[str, typer.Option(help="The digest that you believe, 64 hexadecimal digits.")],
    entries: Entries = None,
    as_json: AsJson = False,
) -> None:
    """Judge an answer under a digest: 0 everything that matches is there and nothing else, 1 refused, 2 it cannot be read."""
    parsed = searching.query_of(query)
    read, verdicts = searching.judge_answer_file(answer, parsed, parse_hex(digest, "--digest", 32), entries)
    if as_json:
        rules = [{"rule": one.name, "error": None if one.error is None else str(one.error)} for one in verdicts]
        shown = {"complete": verdicts[-1].held, "hits": len(read.hits), "size": read.head.size, "rules": rules}
        typer.echo(json.dumps(shown, indent=2, ensure_ascii=False))
    else:
        console = Console(soft_wrap=True)
        for one in verdicts:
            mark = "[green]holds[/]" if one.held else "[red]refused[/]"
            console.print(
                f"{mark} {printable(one.name)}" + ("" if one.error is None else f": {printable(str(one.error))}")
            )
        if verdicts[-1].held:
            console.print(f"{len(read.hits)} of {read.head.size} operations match, none left out")
    raise typer.Exit(0 if verdicts[-1].held else REFUSED)
