"""`hutong directory entry`, `catalogue`: the document of a data set before it is published, and catalogues compared."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.options import AsJson
from hutong.relay.cli.common.printable import printable
from hutong.relay.cli.common.refusal import REFUSED
from hutong.relay.services.directory.rules.entries.catalogues import catalogue_changes, hashes_of
from hutong.relay.services.directory.rules.entries.document import DatasetDocument
from hutong.relay.services.directory.rules.entries.pages import MAX_PAGE_ENTRIES, CatalogueHead, head_of
from hutong.relay.verify.directory.entries import (
    document_fields,
    judge_page_file,
    page_of,
    read_catalogue_file,
    read_document_file,
    refusal_of,
)
from hutong.relay.verify.inputs import parse_hex

entry = command_group("The document of a data set, before it is published.")
catalogue = command_group("Catalogues, as published and as served.")


@entry.command()
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A data set of the Dataspace Protocol, as JSON.")],
    as_json: AsJson = False,
) -> None:
    """Read the document of a data set as the directory will: 0 it can be published, 1 an offer could never be used, 2 it is refused."""
    document = read_document_file(file)
    refusal = refusal_of(document)
    if as_json:
        typer.echo(json.dumps(document_fields(document), indent=2, ensure_ascii=False))
    else:
        _print(document, refusal)
    raise typer.Exit(0 if refusal is None else REFUSED)


def _print(document: DatasetDocument, refusal: str | None) -> None:
    console = Console(soft_wrap=True)
    console.print(
        f"{printable(document.id)}\n  document hash {document.hash.hex()}\n  policy hash {document.policy_hash.hex()}"
    )
    for title, values in (("themes", document.themes), ("formats", document.formats)):
        console.print(f"  {title}: {printable(', '.join(values)) or 'none'}")
    for offer in document.offers:
        console.print(f"  offer {printable(str(offer.id))}: hash {offer.hash.hex()}")
    if refusal is not None:
        console.print(f"[red]cannot be used[/]: {printable(refusal)}")


@catalogue.command("compare")
def compare(
    published: Annotated[Path, typer.Argument(metavar="PUBLISHED", help="The catalogue as it was published.")],
    served: Annotated[Path, typer.Argument(metavar="SERVED", help="The catalogue as somebody serves it.")],
    as_json: AsJson = False,
) -> None:
    """Say which entries are added, left out or changed, whatever the bytes: 0 none, 1 some, 2 a file cannot be read."""
    changes = catalogue_changes(hashes_of(read_catalogue_file(published)), hashes_of(read_catalogue_file(served)))
    if as_json:
        typer.echo(json.dumps(asdict(changes), indent=2, ensure_ascii=False))
    else:
        console = Console(soft_wrap=True)
        for word, names in (("added", changes.added), ("left out", changes.removed), ("changed", changes.changed)):
            for name in names:
                console.print(f"{word} {printable(name)}")
        if changes.are_none:
            console.print("the same entries")
    raise typer.Exit(0 if changes.are_none else REFUSED)


@catalogue.command("head")
def head_command(
    file: Annotated[Path, typer.Argument(metavar="CATALOGUE", help="The catalogue as it is published.")],
    as_json: AsJson = False,
) -> None:
    """Print the number of entries and the root over them, which a publisher signs or anchors: 0 done, 2 it cannot be read."""
    head = head_of(hashes_of(read_catalogue_file(file)))
    shown = {"size": head.size, "root": head.root.hex()}
    typer.echo(json.dumps(shown) if as_json else f"{head.size} entries\nroot {head.root.hex()}")


@catalogue.command("page")
def page_command(
    file: Annotated[Path, typer.Argument(metavar="CATALOGUE", help="The catalogue as it is published.")],
    first: Annotated[int, typer.Option(min=0, help="Number of the first entry, by identifiers, from 0.")] = 0,
    count: Annotated[int, typer.Option(min=1, max=MAX_PAGE_ENTRIES, help="How many entries.")] = 50,
) -> None:
    """Print a page of a catalogue with the proof that nothing between its entries is left out: 0 done, 2 there are no such entries."""
    typer.echo(page_of(file, first, count).decode(), nl=False)


@catalogue.command("check")
def check_page(
    page: Annotated[Path, typer.Argument(metavar="PAGE", help="A page of any origin.")],
    size: Annotated[int, typer.Option(min=1, help="How many entries the catalogue has, by a head that you believe.")],
    root: Annotated[str, typer.Option(help="Its root, 64 hexadecimal digits.")],
    as_json: AsJson = False,
) -> None:
    """Judge a page under a head: 0 all entries from its first to its last are there, 1 refused, 2 it cannot be read."""
    read, verdicts = judge_page_file(page, CatalogueHead(size, parse_hex(root, "--root", 32)))
    first, last = read.proof.first, read.proof.first + read.proof.count - 1
    if as_json:
        rules = [{"rule": one.name, "error": None if one.error is None else str(one.error)} for one in verdicts]
        shown = {"complete": verdicts[-1].held, "first": first, "last": last, "size": size, "rules": rules}
        typer.echo(json.dumps(shown, indent=2, ensure_ascii=False))
    else:
        console = Console(soft_wrap=True)
        for one in verdicts:
            mark = "[green]holds[/]" if one.held else "[red]refused[/]"
            console.print(f"{mark} {one.name}" + ("" if one.error is None else f": {printable(str(one.error))}"))
        if verdicts[-1].held:
            console.print(f"entries {first} to {last} of {size}, none left out")
    raise typer.Exit(0 if verdicts[-1].held else REFUSED)
