"""`hutong audit export` and `checkpoint`: bundles and checkpoints from the chains and the relay's evidence.

What asks the chains is imported when it is called.
"""

import json
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.relay.cli.common.options import AsJson, ConfigFile
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused

if TYPE_CHECKING:
    from hutong.relay.archive.bundle import Bundle
    from hutong.relay.archive.checkpoint import Checkpoint
    from hutong.relay.audit import Auditor
    from hutong.relay.config import Config


def export(
    config: ConfigFile,
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the bundle goes; with --all, a folder.")],
    packet_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="chain/client/sequence of the sending end.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every packet in the relay's archive.")] = False,
    checkpoint: Annotated[
        list[Path], typer.Option("--checkpoint", help="Make the bundle provable from this one; as often as needed.")
    ] = [],  # noqa: B006  typer copies it
    as_json: AsJson = False,
) -> None:
    """Write the proof bundle of a packet, of both legs if it was sent on. The chains give what the archive lacks."""
    from hutong.relay.administration.bundles.packet_bundles import export_bundle, packet_of
    from hutong.relay.administration.bundles.written import write_bundle
    from hutong.relay.cli.common.session import config_of, run_administration
    from hutong.relay.verify.bundles.bundle_files import auditor_of
    from hutong.relay.verify.bundles.inputs import read_checkpoints

    loaded = config_of(config)
    if (packet_id is None) is not every:
        raise Refused("give the id of a packet, or --all", UNUSABLE)
    source = None if packet_id is None else packet_of(loaded, packet_id)
    checkpoints = read_checkpoints(checkpoint)
    auditor = auditor_of(checkpoints, time.time_ns()) if checkpoints else None
    if source is None:
        _export_archive(loaded, checkpoints, auditor, output, as_json=as_json)
        return
    bundle = run_administration(partial(export_bundle, loaded, checkpoints, *source))
    write_bundle(output, bundle, auditor)
    typer.echo(json.dumps({"packet": bundle.packet_id, "file": str(output)}) if as_json else str(output))


def checkpoint(
    config: ConfigFile,
    chain: Annotated[str, typer.Option(help="Name of the chain or log.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the checkpoint goes.")],
    height: Annotated[int | None, typer.Option(help="Height of the block; without it the newest.", min=1)] = None,
) -> None:
    """Write down what a node says of a chain. Worth as much as that node: ask one of your own."""
    from hutong.relay.administration.bundles.packet_bundles import checkpoint_of
    from hutong.relay.administration.bundles.written import write_evidence
    from hutong.relay.archive.checkpoint import encode_checkpoint
    from hutong.relay.cli.common.session import config_of, run_administration

    loaded = config_of(config)
    if chain not in [one.name for one in (*loaded.chains, *loaded.logs)]:
        raise Refused(f"no chain or log is called {chain}", UNUSABLE)
    found = run_administration(partial(checkpoint_of, loaded, chain, height))
    write_evidence(output, encode_checkpoint(found))
    typer.echo(f"{found.chain_id} height {found.height} 0x{found.hash.hex()}")


def _export_archive(
    config: "Config", checkpoints: "Sequence[Checkpoint]", auditor: "Auditor | None", folder: Path, *, as_json: bool
) -> None:
    from hutong.relay.administration.bundles.packet_bundles import export_every_bundle
    from hutong.relay.administration.bundles.written import write_bundle
    from hutong.relay.cli.common.session import run_administration
    from hutong.relay.verify.bundles.names import bundle_file_names

    made: dict[str, Bundle] = {}
    without = run_administration(partial(export_every_bundle, config, checkpoints, made.__setitem__))
    if without.unreadable is not None:
        raise Refused(without.unreadable, REFUSED)
    files = bundle_file_names(made)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(f"{folder} cannot be made: {error.strerror}", UNUSABLE) from None
    for name, bundle in made.items():
        write_bundle(folder / files[name], bundle, auditor)
    if as_json:
        written = [{"packet": name, "file": str(folder / files[name])} for name in made]
        typer.echo(json.dumps({"bundles": written, "without": without.reasons}))
        return
    for name, reason in without.reasons.items():
        typer.echo(f"{name}: {reason}", err=True)
    typer.echo(f"{len(made)} bundles in {folder}, {len(without.reasons)} packets without one")
