"""Bundles and checkpoints from the chains and the relay's evidence, as `hutong audit export` and `checkpoint` write
them."""

import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import typer

from hutong.relay.base.durable_files import READABLE, write_durably
from hutong.relay.cli.audit.bundle_names import bundle_file_names
from hutong.relay.cli.audit.inputs import read_checkpoints
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused
from hutong.relay.cli.common.session import config_of, run_administration
from hutong.relay.config import Config, PathEnd
from hutong.relay.verify.inputs import UnusableInput

if TYPE_CHECKING:
    from hutong.adapters.interface import ChainAdapter
    from hutong.relay.archive.bundle import Bundle
    from hutong.relay.archive.checkpoint import Checkpoint
    from hutong.relay.audit import Auditor
    from hutong.relay.core.archiving.bundling import Exporter


def export_bundles(
    config: Path, output: Path, packet_id: str | None, checkpoint: list[Path], *, every: bool, as_json: bool
) -> None:
    """Write the bundle of one packet to a file, or of every packet in the archive to a folder.

    With checkpoints each bundle is judged before it is written.

    Args:
        packet_id: chain/client/sequence; None exactly where `every` is set.
        checkpoint: files and folders.
        as_json: print what was written as JSON.

    Raises:
        Refused: code 2, an input is unusable or a file cannot be written; code 1, there is no provable bundle, a
            chain does not answer, or a bundle does not hold.
    """
    from hutong.relay.audit import Auditor, MissingTrust

    loaded = config_of(config)
    if (packet_id is None) is not every:
        raise Refused("give the id of a packet, or --all", UNUSABLE)
    source = None if packet_id is None else _packet(loaded, packet_id)
    checkpoints = read_checkpoints(checkpoint)
    try:
        auditor = Auditor(checkpoints, time.time_ns()) if checkpoints else None
    except MissingTrust as error:
        raise UnusableInput(str(error)) from None
    if source is None:
        _export_archive(loaded, checkpoints, auditor, output, as_json=as_json)
        return
    bundle = run_administration(partial(_export_one, loaded, checkpoints, *source))
    if isinstance(bundle, str):
        raise Refused(bundle, REFUSED)
    _write(output, bundle, auditor)
    typer.echo(json.dumps({"packet": bundle.packet_id, "file": str(output)}) if as_json else str(output))


def write_checkpoint(config: Path, chain: str, output: Path, height: int | None) -> None:
    """Write down what a node says of a chain, and print height and hash for comparison. Nothing of it is proven.

    Args:
        height: None: the chain's head. Of an Ethereum chain no other can be had.

    Raises:
        Refused: code 2, an input is unusable or the file cannot be written; code 1, the chain does not answer, or no
            configured path says how to follow it.
    """
    from hutong.relay.archive.checkpoint import encode_checkpoint

    loaded = config_of(config)
    if chain not in [one.name for one in loaded.chains]:
        raise Refused(f"no chain is called {chain}", UNUSABLE)
    found = run_administration(partial(_read_checkpoint, loaded, chain, height))
    _write_file(output, encode_checkpoint(found))
    typer.echo(f"{found.chain_id} height {found.height} 0x{found.hash.hex()}")


def _export_archive(
    config: Config, checkpoints: "list[Checkpoint]", auditor: "Auditor | None", folder: Path, *, as_json: bool
) -> None:
    made: dict[str, Bundle] = {}
    reasons = run_administration(partial(_export_all, config, checkpoints, made.__setitem__))
    if isinstance(reasons, str):
        raise Refused(reasons, REFUSED)
    files = bundle_file_names(made)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(f"{folder} cannot be made: {error.strerror}", UNUSABLE) from None
    for name, bundle in made.items():
        _write(folder / files[name], bundle, auditor)
    if as_json:
        written = [{"packet": name, "file": str(folder / files[name])} for name in made]
        typer.echo(json.dumps({"bundles": written, "without": reasons}))
        return
    for name, reason in reasons.items():
        typer.echo(f"{name}: {reason}", err=True)
    typer.echo(f"{len(made)} bundles in {folder}, {len(reasons)} packets without one")


def _packet(config: Config, text: str) -> tuple[PathEnd, int]:
    chain, _, rest = text.partition("/")
    client, _, sequence = rest.partition("/")
    ends = [end for path in config.paths for end in (path.a, path.b)]
    named = {one.name for one in config.chains if chain in (one.name, str(one.chain_id))}
    for end in ends:
        if end.chain in named and end.client == client and sequence.isascii() and sequence.isdigit():
            return end, int(sequence[:20])
    raise Refused(f"{text[:80]} is not a chain/client/sequence of a configured path", UNUSABLE)


async def _export_one(
    config: Config, checkpoints: "list[Checkpoint]", source: PathEnd, sequence: int, random: Random
) -> "Bundle | str":
    from hutong.light_clients.interface import UnsupportedOperation
    from hutong.relay.archive import ArchiveUnavailable
    from hutong.relay.core.archiving.bundling import NotExportable

    async with _exporter(config, checkpoints, random) as exporter:
        try:
            return await exporter.export(source, sequence)
        except (NotExportable, ArchiveUnavailable, UnsupportedOperation) as error:
            return str(error)


async def _export_all(
    config: Config, checkpoints: "list[Checkpoint]", keep: "Callable[[str, Bundle], None]", random: Random
) -> dict[str, str] | str:
    from hutong.relay.archive import ArchiveUnavailable

    async with _exporter(config, checkpoints, random) as exporter:
        try:
            return await exporter.export_all(keep)
        except ArchiveUnavailable as error:
            return str(error)


@asynccontextmanager
async def _exporter(config: Config, checkpoints: "list[Checkpoint]", random: Random) -> AsyncIterator["Exporter"]:
    from hutong.relay.archive import Archive
    from hutong.relay.core.archiving.bundling import Exporter
    from hutong.relay.core.topology.chains import open_chain
    from hutong.relay.core.topology.paths import Paths

    async with AsyncExitStack() as stack:
        adapters: dict[str, ChainAdapter] = {}
        for chain in config.chains:
            adapters[chain.name] = await stack.enter_async_context(open_chain(chain, random))
        archive = Archive(config.relay.home / "evidence")
        yield Exporter(adapters, Paths.of(config.paths), archive, checkpoints)


async def _read_checkpoint(config: Config, name: str, height: int | None, random: Random) -> "Checkpoint":
    from hutong.relay.core.archiving.bundling import read_checkpoint
    from hutong.relay.core.topology.chains import open_chain

    ends = [(path.a, path.b) for path in config.paths] + [(path.b, path.a) for path in config.paths]
    here = [(end, other) for end, other in ends if end.chain == name]
    async with AsyncExitStack() as stack:
        chain: ChainAdapter = await stack.enter_async_context(open_chain(config.chain(name), random))
        followers = []
        for _, other in here:
            opposite: ChainAdapter = await stack.enter_async_context(open_chain(config.chain(other.chain), random))
            followers.append(await opposite.client(other.client))
        return await read_checkpoint(chain, [end.client for end, _ in here], followers, height)


def _write(path: Path, bundle: "Bundle", auditor: "Auditor | None") -> None:
    """Judged first, where there are checkpoints to judge it by."""
    from hutong.relay.archive.bundle import encode_bundle
    from hutong.relay.audit import MissingTrust

    data = encode_bundle(bundle)
    if auditor is not None:
        try:
            failure = auditor.audit(data).failure
        except MissingTrust as error:
            raise Refused(str(error), UNUSABLE) from None
        if failure is not None:
            raise Refused(f"{bundle.packet_id}: {failure.subject}: {failure.check.error}", REFUSED)
    _write_file(path, data)


def _write_file(path: Path, data: bytes) -> None:
    try:
        write_durably(path, data, READABLE)
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}", UNUSABLE) from None
