"""`hutong storage operator`: hold shards of others, receipted and shown to auditors."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.relay.base.error_groups import expected_leaves
from hutong.relay.base.os_errors import os_reason
from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.named_values import print_values
from hutong.relay.cli.common.options import AsJson
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused, refusing
from hutong.relay.cli.storage.with_hub import with_hub

if TYPE_CHECKING:
    from hutong.relay.services.storage.operator.hub_door import HubDoor
    from hutong.relay.services.storage.operator.settings import OperatorConfig
    from hutong.relay.services.storage.operator.state import OpenHome

app = command_group("An operator of trusted storage: any S3 engine or folder, receipts, audits, scrub.")

ConfigFile = Annotated[Path, typer.Option("--config", help="The operator's TOML file (docs/storage/operator.md).")]


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """Where shards lie."""

    shards: Annotated[Path | None, typer.Option(help="Folder for the shards; relative to the home.")] = None
    bucket: Annotated[str | None, typer.Option(help="Or s3://bucket/prefix; the environment says whose.")] = None
    durable_by: Annotated[
        str | None, typer.Option(help="Of a bucket: journal, disk (with --disk) or answer. See the page.")
    ] = None
    disk: Annotated[Path | None, typer.Option(help="With --durable-by disk: any folder on the engine's disk.")] = None


@dataclass(frozen=True, slots=True)
class HubOptions:
    """The hub that audits."""

    rpc: Annotated[str | None, typer.Option(help="URL of a hub node's eth_* RPC.")] = None
    consensus_rpc: Annotated[str | None, typer.Option(help="URL of the same node's consensus RPC.")] = None


@app.command()
def init(
    home: Annotated[Path, typer.Option(help="The directory to fill; one that was begun is never changed.")],
    chain_id: Annotated[str, typer.Option(help="Chain id of the hub, such as hutong-1.")],
    engine: EngineOptions,
    hub: HubOptions,
    listen: Annotated[str, typer.Option(help="HOST:PORT to serve on.")] = "127.0.0.1:9500",
    writer: Annotated[
        list[str], typer.Option(help="Id of a writer to serve, 64 digits; without a hub ID:0xACCOUNT. Again for more.")
    ] = [],  # noqa: B006
    repairer: Annotated[
        list[str], typer.Option(help="Id of a repairer to serve, as of a writer; with a hub. Again for more.")
    ] = [],  # noqa: B006
    as_json: AsJson = False,
) -> None:
    """Draw an id and a key, and write the configuration. Prints what governance of the hub registers.

    Exit codes: 0 done, 2 the home has one already, or what was given cannot be used.
    """
    from hutong.relay.config import ConfigError
    from hutong.relay.services.storage.beginning import NotBegun
    from hutong.relay.services.storage.operator.beginning import NewOperator, begin_operator
    from hutong.relay.services.storage.operator.settings import load_operator_config

    if (hub.rpc is None) != (hub.consensus_rpc is None):
        raise Refused("give both --rpc and --consensus-rpc, or neither", UNUSABLE)
    new = NewOperator(
        home, chain_id, listen, _engine_lines(engine), hub.rpc, hub.consensus_rpc, tuple(writer), tuple(repairer)
    )
    with refusing(NotBegun):
        begun = begin_operator(new)
    print_values({"operator": begun.operator, "account": begun.account, "config": str(begun.config)}, as_json=as_json)
    with refusing(ConfigError):
        load_operator_config(begun.config)


def _engine_lines(engine: EngineOptions) -> list[str]:
    if engine.bucket is None:
        if engine.durable_by is not None or engine.disk is not None:
            raise Refused("--durable-by and --disk are for a --bucket; a folder is synced by the operator", UNUSABLE)
        return [f'folder = "{engine.shards or "shards"}"']
    if engine.shards is not None:
        raise Refused("give --shards or --bucket, not both", UNUSABLE)
    lines = [f'bucket = "{engine.bucket}"', f'durable_by = "{engine.durable_by or "journal"}"']
    return lines if engine.disk is None else [*lines, f'disk = "{engine.disk.resolve()}"']


@app.command()
def run(config: ConfigFile) -> None:
    """Hold shards and answer audits until SIGTERM or Ctrl-C. Prints one line when ready.

    Exit codes: 0 stopped as told, 2 it cannot start.
    """
    import trio

    from hutong.relay.keys import forbid_core_dumps
    from hutong.relay.services.storage.operator.daemon import run_operator
    from hutong.relay.services.storage.operator.state import OperatorUnusable
    from hutong.relay.telemetry import configure_logs

    forbid_core_dumps()
    loaded = _loaded(config)
    configure_logs(loaded.operator.log_level)
    expected = (OperatorUnusable, OSError)
    try:
        trio.run(run_operator, loaded, typer.echo)
    except (*expected, BaseExceptionGroup) as error:
        leaf = expected_leaves(error, expected)[0]
        said = f"{loaded.operator.listen}: {os_reason(leaf)}" if isinstance(leaf, OSError) else str(leaf)
        raise Refused(said, UNUSABLE) from None


@app.command()
def scrub(
    config: ConfigFile,
    remove_orphans: Annotated[
        bool, typer.Option(help="Delete what nobody receipted, such as of a killed put; the operator must be stopped.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Read every shard whole and judge it by its root; name each one that rotted. May run beside the operator.

    Exit codes: 0 all whole, 1 some are damaged, 2 it cannot read.
    """
    import sqlite3

    from hutong.relay.services.storage.engines.engine import EngineUnavailable
    from hutong.relay.services.storage.engines.opening import open_engine
    from hutong.relay.services.storage.operator.index import ShardIndex
    from hutong.relay.services.storage.operator.scrub import remove_orphans as remove
    from hutong.relay.services.storage.operator.scrub import scrub_steps
    from hutong.relay.services.storage.operator.shelf import Shelf
    from hutong.relay.services.storage.operator.state import OperatorUnusable

    loaded = _loaded(config)
    looked, octets, damaged, orphans = 0, 0, 0, None
    with refusing(EngineUnavailable, OperatorUnusable, sqlite3.Error, ValueError):
        if remove_orphans:
            home = _opened(loaded)
            try:
                orphans = remove(home.index, home.shelf)
            finally:
                home.close()
        if not (loaded.operator.home / "index.sqlite").is_file():
            raise Refused(f"{loaded.operator.home} has no index: this operator never ran", UNUSABLE)
        index, shelf = ShardIndex(loaded.operator.home), Shelf(open_engine(loaded.engine, loaded.operator.home))
        try:
            for step in scrub_steps(index, shelf, lambda: int(time.time())):
                looked, octets = looked + 1, octets + step.held.bytes
                if step.damage is not None:
                    damaged += 1
                    typer.echo(str(step.damage), err=True)
        finally:
            index.close()
    values: dict[str, object] = {"shards": looked, "bytes": octets, "damaged": damaged}
    print_values(values if orphans is None else {**values, "orphans_removed": orphans}, as_json=as_json)
    if damaged:
        raise typer.Exit(REFUSED)


@app.command()
def drain(
    config: ConfigFile,
    undo: Annotated[bool, typer.Option(help="Take shards again; of a hub's operator governance says that.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take nothing new from now on: on the hub, by the operator's key, or without a hub by a file in the home.

    What is held is served and shown still; repairers rebuild it elsewhere. Exit codes: 0 draining, 1 refused, 2 unusable.
    """
    from hutong.relay.services.storage.hub.refusals import HubRefused, HubSilent
    from hutong.relay.services.storage.operator.leaving import NotLeft
    from hutong.relay.services.storage.operator.state import DRAINING_FILE, OperatorUnusable

    loaded = _loaded(config)
    if loaded.hub is None:
        marker = loaded.operator.home / DRAINING_FILE
        with refusing(OSError):
            loaded.operator.home.mkdir(parents=True, exist_ok=True, mode=0o700)
            marker.unlink(missing_ok=True) if undo else marker.touch(mode=0o600)
        print_values({"state": "active" if undo else "draining"}, as_json=as_json)
        return
    if undo:
        raise Refused("the hub's governance says when an operator is active again", REFUSED)

    async def ask(hub: "HubDoor") -> str:
        from hutong.relay.services.storage.operator.leaving import drain_on_hub

        return (await drain_on_hub(hub, bytes.fromhex(loaded.operator.operator_id))).name.lower()

    with refusing(HubSilent, OperatorUnusable, refused=(HubRefused, NotLeft)):
        print_values({"state": with_hub(loaded, ask)}, as_json=as_json)


@app.command()
def leave(
    config: ConfigFile,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before shards are deleted.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete every shard, once the hub says that this operator has left; receipts go into deletions.jsonl of the home.

    The operator must be stopped. Exit codes: 0 all is gone, 1 it has not left, 2 unusable.
    """
    from hutong.relay.services.storage.engines.engine import EngineUnavailable
    from hutong.relay.services.storage.hub.refusals import HubSilent
    from hutong.relay.services.storage.operator.leaving import Left, NotLeft
    from hutong.relay.services.storage.operator.leaving import leave as let_all_go
    from hutong.relay.services.storage.operator.state import OperatorUnusable, load_key

    loaded = _loaded(config)
    if loaded.hub is None:
        raise Refused("this operator follows no hub, so nobody says that its shards are elsewhere", REFUSED)
    if not yes and not typer.confirm("Delete every shard that this operator holds?"):
        raise Refused("nothing was deleted", REFUSED)
    with refusing(EngineUnavailable, HubSilent, OperatorUnusable, refused=(NotLeft,)):
        home = _opened(loaded)
        try:

            async def go(hub: "HubDoor") -> Left:
                signer = load_key(loaded)
                return await let_all_go(home, hub, signer, lambda: int(time.time()))

            left = with_hub(loaded, go)
        finally:
            home.close()
    print_values({"deleted": left.shards, "receipts": str(left.receipts)}, as_json=as_json)


def _loaded(config: Path) -> "OperatorConfig":
    from hutong.relay.config import ConfigError
    from hutong.relay.services.storage.operator.settings import load_operator_config

    with refusing(ConfigError):
        return load_operator_config(config)


def _opened(config: "OperatorConfig") -> "OpenHome":
    from hutong.relay.services.storage.operator.state import open_home

    return open_home(config)
