"""`hutong layout`: which slot a state variable of a Solidity contract lies in, and what the words of its slots say."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hutong.light_clients.interface import MalformedInput, UnsupportedOperation
from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.options import AsJson
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused

if TYPE_CHECKING:
    from hutong.relay.storage_layout import Place, StorageLayout

app = command_group("Slots of a Solidity contract's state variables, and what their words say.")


@app.callback()
def layout_group() -> None:
    """Slots of a Solidity contract's state variables, and what their words say: 0 done, 1 impossible word, 2 unusable input."""


LayoutFile = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        help="solc's storageLayout, its standard JSON output, or an artifact of Foundry or Hardhat that holds it.",
    ),
]


@dataclass(frozen=True, slots=True)
class LayoutOptions:
    """Which layout of the file, and what the file does not say."""

    contract: Annotated[
        str | None, typer.Option(help="Token or src/Token.sol:Token, where the file has several contracts.")
    ] = None
    types: Annotated[
        list[str],
        typer.Option(
            "--type",
            metavar="NAME=TYPE",
            help="What a user-defined value type is made of, such as Price=uint128, where the file has no ABI that says it.",
        ),
    ] = field(default_factory=list)

    def read(self, file: Path) -> "StorageLayout":
        """The layout.

        Raises:
            UnusableInput: the file cannot be read.
            MalformedInput: it holds no such layout.
            Refused: a --type is not NAME=TYPE.
        """
        from hutong.relay.storage_layout import read_layout
        from hutong.relay.storage_layout.compiler_output import MAX_DOCUMENT_BYTES
        from hutong.relay.verify.inputs import read_file

        made_of = {}
        for text in self.types:
            name, equals, elementary = text.partition("=")
            if not equals or name in made_of:
                raise Refused(
                    f"--type {text[:80]}: write NAME=TYPE, such as Price=uint128, once for each name", UNUSABLE
                )
            made_of[name] = elementary
        return read_layout(read_file(file, MAX_DOCUMENT_BYTES), self.contract, made_of)


@app.command("slot")
def slot_command(
    file: LayoutFile,
    path: Annotated[
        str | None,
        typer.Argument(
            metavar="[PATH]", help="""Such as owner, 'balances[0x…]' or 'items[3].price'; without it all variables."""
        ),
    ] = None,
    as_json: AsJson = False,
    *,
    options: LayoutOptions,
) -> None:
    """Print slot, offset, size and type of a value, or of all state variables. Exit code 0 found, 2 unusable input."""
    from hutong.relay.storage_layout import locate
    from hutong.relay.storage_layout.fields import place_fields
    from hutong.relay.storage_layout.slots import variable_place

    with _refusals():
        layout = options.read(file)
        places = (
            [variable_place(layout, variable) for variable in layout.variables]
            if path is None
            else [locate(layout, path)]
        )
    if as_json:
        rows = [place_fields(place) for place in places]
        found: dict[str, Any] = {"variables": rows} if path is None else rows[0]
        typer.echo(json.dumps({"contract": layout.contract, **found}))
    elif path is None:
        _print_table(places)
    else:
        _print_place(places[0])


@app.command("value")
def value_command(
    file: LayoutFile,
    path: Annotated[str, typer.Argument(metavar="PATH", help="As `hutong layout slot` takes it.")],
    given: Annotated[
        list[str] | None,
        typer.Option(
            "--word",
            metavar="[SLOT=]WORD",
            help="The word of a slot; the slot may be left out for a value in one slot.",
        ),
    ] = None,
    words_file: Annotated[
        Path | None,
        typer.Option("--words", help="Words in a file: an eth_getProof answer, or a JSON object of slots and words."),
    ] = None,
    as_json: AsJson = False,
    *,
    options: LayoutOptions,
) -> None:
    """Print the value that the words of its slots say; they are believed, `hutong verify eip1186` judges proofs.

    Exit code 0 read, 1 no compiler writes such a word, 2 unusable input, or more words are needed, which it names.
    """
    from hutong.relay.storage_layout import WordsMissing, decode, locate
    from hutong.relay.storage_layout.fields import place_fields, value_fields, word_text
    from hutong.relay.storage_layout.words import MAX_WORDS_BYTES, read_words, words_of
    from hutong.relay.verify.inputs import read_file

    with _refusals():
        layout = options.read(file)
        place = locate(layout, path)
        known = {} if words_file is None else read_words(read_file(words_file, MAX_WORDS_BYTES))
        words = words_of(place, given or (), known)
        try:
            value = decode(layout, place, words)
        except WordsMissing as missing:
            if not as_json:
                raise Refused(str(missing), UNUSABLE) from None
            typer.echo(json.dumps({**place_fields(place), "missing": [word_text(slot) for slot in missing.slots]}))
            raise typer.Exit(UNUSABLE) from None
    if as_json:
        typer.echo(json.dumps({**place_fields(place), "value": value_fields(value, numbers_as_text=True)}))
    else:
        said = json.dumps(value_fields(value, numbers_as_text=False), indent=2, ensure_ascii=False)
        typer.echo("\n".join(map(_visible, said.split("\n"))))


@contextmanager
def _refusals() -> Iterator[None]:
    from hutong.relay.storage_layout import ImpossibleWord

    try:
        yield
    except ImpossibleWord as error:
        raise Refused(_visible(str(error)), REFUSED) from None
    except (MalformedInput, UnsupportedOperation) as error:
        raise Refused(_visible(str(error)), UNUSABLE) from None


def _print_table(places: "Sequence[Place]") -> None:
    rows = [("slot", "offset", "bytes", "name", "type")]
    rows += [
        (hex(place.slot), str(place.offset), str(place.type.size_bytes), place.path, _visible(place.type.label))
        for place in places
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        typer.echo("  ".join((*cells, row[-1])))


def _print_place(place: "Place") -> None:
    from hutong.relay.storage_layout.fields import word_text

    size_bytes = place.type.size_bytes
    typer.echo(f"slot    {word_text(place.slot)}")
    if place.slot_count > 1:
        typer.echo(f"slots   {place.slot_count}, from that one on")
    typer.echo(f"offset  {place.offset}\nbytes   {size_bytes}\ntype    {_visible(place.type.label)}")


def _visible(text: str) -> str:
    """Text from files and chains in one line for a terminal, which must not be steered by it."""
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)
