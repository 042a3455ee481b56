"""`hutong directory publish`, `withdraw`, `show`, `head`, `page`, `check-page`: entries on a hub, and pages of which nothing is left out."""

import json
import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, MalformedInput
from hutong.relay.cli.audit.options import judged_at_ns
from hutong.relay.cli.common.options import AsJson, ConfigFile, HubName
from hutong.relay.cli.common.printable import printable
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused, refusing
from hutong.relay.cli.directory.account_options import PublishingAccount
from hutong.relay.cli.directory.facet_options import FacetOptions
from hutong.relay.services.directory.rules.log.contents import open_content, restricted_content
from hutong.relay.services.directory.rules.log.pages import MAX_PAGE_OPERATIONS
from hutong.relay.services.directory.rules.records.keys import local_of
from hutong.relay.verify.directory.entries import read_document_file, refusal_of
from hutong.relay.verify.inputs import parse_hex

if TYPE_CHECKING:
    from hutong.relay.administration.directory.publishing import PublishedEntry, WantedEntry
    from hutong.relay.config import HubChainConfig

PublisherId = Annotated[
    str, typer.Option("--publisher", metavar="ID", help="The publisher's id, 64 hexadecimal digits.")
]


@dataclass(frozen=True, slots=True)
class PublishedOptions:
    """How documents are put on record."""

    valid_until: Annotated[int, typer.Option(min=0, help="Unix seconds; 0 without an end.")] = 0
    restricted: Annotated[
        Path | None,
        typer.Option(
            metavar="SECRETS",
            help="The documents are restricted: they are counted, and found by nobody who guesses them. Ids and salts are"
            " written to this new file first, mode 0600; without it nobody can show or withdraw them.",
        ),
    ] = None


def publish(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Data sets of the Dataspace Protocol, as JSON.")
    ],
    publisher: PublisherId,
    account: PublishingAccount,
    options: PublishedOptions,
    as_json: AsJson = False,
) -> None:
    """Put documents on record on the hub, or update those that stand otherwise: 0 done, 1 refused, 2 unusable.

    The hub gets hashes and codes; documents stay with whoever serves them.
    """
    from hutong.relay.administration.directory.publishing import WantedEntry

    wanted, secrets = [], []
    for file in files:
        document = read_document_file(file)
        refusal = refusal_of(document)
        if refusal is not None:
            raise Refused(f"{file}: {printable(refusal)}", REFUSED)
        with refusing(MalformedInput):
            if options.restricted is None:
                wanted.append(WantedEntry(local_of(document.id), open_content(document, options.valid_until)))
            else:
                local, salt = os.urandom(32), os.urandom(32)
                content = restricted_content(document, salt, ((), ()), options.valid_until)
                wanted.append(WantedEntry(local, content))
                secrets.append({"document": document.id, "local": local.hex(), "salt": salt.hex()})
    if options.restricted is not None:
        _keep(options.restricted, secrets)
    _send(account, publisher, wanted, as_json=as_json)


def withdraw(
    names: Annotated[
        list[str], typer.Argument(metavar="NAME...", help="`@id` of documents; or local:HEX of a restricted one.")
    ],
    publisher: PublisherId,
    account: PublishingAccount,
    as_json: AsJson = False,
) -> None:
    """Withdraw entries of a publisher; they may be put again: 0 done, 1 refused, 2 unusable."""
    from hutong.relay.administration.directory.publishing import WantedEntry

    wanted = [
        WantedEntry(
            parse_hex(name.removeprefix("local:"), "NAME", 32) if name.startswith("local:") else local_of(name), None
        )
        for name in names
    ]
    _send(account, publisher, wanted, as_json=as_json)


def show(
    entry: Annotated[str, typer.Argument(metavar="ENTRY", help="Its id, 64 hexadecimal digits.")],
    config: ConfigFile,
    hub: HubName = None,
    as_json: AsJson = False,
) -> None:
    """Say what stands of an entry, by the node's word: 0 it is there, 1 it is not, or was withdrawn."""
    from hutong.relay.administration.directory.reading import read_entry
    from hutong.relay.cli.common.session import run_administration
    from hutong.relay.verify.directory.operation_fields import operation_fields

    found = run_administration(partial(read_entry, _hub(config, hub), parse_hex(entry, "ENTRY", 32)))
    fields = {"entry": entry, "live": False} if found is None else operation_fields(found)
    _print(fields, as_json=as_json)
    raise typer.Exit(0 if found is not None and found.is_live else REFUSED)


def head(config: ConfigFile, facet: FacetOptions, hub: HubName = None, as_json: AsJson = False) -> None:
    """Say how many operations and entries a facet has, by the node's word; `page` proves it."""
    from hutong.relay.administration.directory.reading import read_head
    from hutong.relay.cli.common.session import run_administration

    found = run_administration(partial(read_head, _hub(config, hub), facet.facet()))
    shown = {"operations": found.size, "entries": found.live, "restricted": found.restricted, "root": found.root.hex()}
    _print(shown, as_json=as_json)


def page(
    config: ConfigFile,
    facet: FacetOptions,
    out: Annotated[Path, typer.Option("--out", "-o", help="Where the page goes.")],
    record: Annotated[Path, typer.Option("--record", help="Where the record bundle of its head goes.")],
    first: Annotated[int, typer.Option(min=0, help="Number of the first operation of the facet, from 0.")] = 0,
    count: Annotated[int, typer.Option(min=1, max=MAX_PAGE_OPERATIONS, help="How many, or as many as there are.")] = 50,
    checkpoint: Annotated[
        Path | None, typer.Option(help="What you trust of the hub; without it the node's word.")
    ] = None,
    hub: HubName = None,
    as_json: AsJson = False,
) -> None:
    """Write a page of operations and the proof of its head, which `check-page` judges offline: 0 written, 1 not to be had."""
    from hutong.relay.administration.configured import hub_of
    from hutong.relay.administration.directory.reading import AskedPage, make_facet_page
    from hutong.relay.cli.common.session import config_of, run_administration
    from hutong.relay.verify.bundles.inputs import read_checkpoint

    loaded = config_of(config)
    asked = AskedPage(facet.facet(), first, count, out, record)
    trusted = None if checkpoint is None else read_checkpoint(checkpoint)
    made = run_administration(partial(make_facet_page, loaded, hub_of(loaded, hub), asked, trusted))
    shown = {"operations": made.head.size, "shown": made.shown, "entries": made.head.live, "height": made.height}
    _print(shown, as_json=as_json)


def check_page(
    file: Annotated[Path, typer.Argument(metavar="PAGE", help="A page of operations, of any origin.")],
    record: Annotated[Path, typer.Argument(metavar="RECORD", help="The record bundle of its head.")],
    checkpoint: Annotated[Path, typer.Option(help="What you trust of the hub.")],
    facet: FacetOptions,
    max_age: Annotated[int, typer.Option(min=1, help="Seconds that the head may be old.")] = 30,
    at: Annotated[
        str | None, typer.Option(help="Your time, RFC 3339 or Unix seconds; without it the host's clock.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Judge a page offline: 0 all operations from its first to its last are there, 1 refused, 2 it cannot be judged."""
    from hutong.relay.audit.records import Asked
    from hutong.relay.verify.bundles.inputs import read_checkpoint
    from hutong.relay.verify.directory.operation_fields import operation_fields
    from hutong.relay.verify.directory.operations import judge_operations_file

    now_ns = judged_at_ns(at, "--at")
    asked = Asked(now_ns // NANOSECONDS_PER_SECOND, max_age)
    wanted = facet.facet() if facet.is_given else None
    judged = judge_operations_file(file, record, wanted, read_checkpoint(checkpoint), asked, now_ns)
    failed = judged.record.failure
    reason = failed.check.error if failed is not None else judged.verdicts[-1].error
    proof = judged.page.proof
    if as_json:
        shown: dict[str, Any] = {"whole": judged.is_whole, "refusal": None if reason is None else str(reason)}
        if judged.head is not None:
            shown |= {"operations": judged.head.size, "entries": judged.head.live, "restricted": judged.head.restricted}
        rows = [operation_fields(one) for one in judged.page.operations] if judged.is_whole else []
        typer.echo(json.dumps(shown | {"first": proof.first, "shown": rows}, indent=2))
    elif judged.head is not None and judged.is_whole:
        last, size = proof.first + proof.count - 1, judged.head.size
        typer.echo(f"operations {proof.first} to {last} of {size}, none left out")
        typer.echo(f"{judged.head.live} entries, {judged.head.restricted} of them restricted")
    else:
        Console(soft_wrap=True).print(f"[red]refused[/]: {printable(str(reason))}")
    raise typer.Exit(0 if judged.is_whole else REFUSED)


def _hub(config: Path, name: str | None) -> "HubChainConfig":
    from hutong.relay.administration.configured import hub_of
    from hutong.relay.cli.common.session import config_of

    return hub_of(config_of(config), name)


def _keep(file: Path, secrets: list[dict[str, str]]) -> None:
    from hutong.relay.base.durable_files import create_durably

    try:
        create_durably(file, json.dumps(secrets, indent=1).encode() + b"\n")
    except OSError as error:
        raise Refused(f"{file} cannot be written: {error.strerror}", UNUSABLE) from None


def _send(account: PublishingAccount, publisher: str, wanted: "list[WantedEntry]", *, as_json: bool) -> None:
    from hutong.relay.administration.directory.publishing import publish_entries
    from hutong.relay.cli.common.session import run_administration

    by = parse_hex(publisher, "--publisher", 32)
    signer = account.open()
    done = run_administration(partial(publish_entries, account.hub_config(), signer, by, wanted))
    rows = [{"entry": one.entry.hex(), "done": _word(one)} for one in done]
    typer.echo(json.dumps(rows) if as_json else "\n".join(f"{row['entry']} {row['done']}" for row in rows))


def _word(one: "PublishedEntry") -> str:
    return "as before" if one.done is None else one.done.name.lower()


def _print(fields: dict[str, Any], *, as_json: bool) -> None:
    typer.echo(json.dumps(fields) if as_json else "\n".join(f"{name}: {value}" for name, value in fields.items()))
