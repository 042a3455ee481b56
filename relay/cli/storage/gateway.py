"""`hutong storage gateway`: objects in by S3 or plain HTTP, packs out to operators."""

import signal
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

if TYPE_CHECKING:
    from hutong.relay.services.storage.gateway.settings import GatewayConfig

app = command_group("A gateway of trusted storage: S3 and plain HTTP in front of many operators.")

ConfigFile = Annotated[Path, typer.Option("--config", help="The gateway's TOML file (docs/storage/gateway.md).")]


@dataclass(frozen=True, slots=True)
class HubOptions:
    """The hub that batches are recorded on."""

    rpc: Annotated[str | None, typer.Option(help="URL of a hub node's eth_* RPC.")] = None
    consensus_rpc: Annotated[str | None, typer.Option(help="URL of the same node's consensus RPC.")] = None


@dataclass(frozen=True, slots=True)
class CodeOptions:
    """The code, where no hub says it."""

    data: Annotated[int, typer.Option(min=1, max=63, help="Shards that an object is cut in.")] = 10
    parity: Annotated[int, typer.Option(min=1, max=63, help="Shards more, of which as many may be lost.")] = 4


@app.command()
def init(
    home: Annotated[Path, typer.Option(help="The directory to fill; one that was begun is never changed.")],
    chain_id: Annotated[str, typer.Option(help="Chain id of the hub, such as hutong-1.")],
    hub: HubOptions,
    code: CodeOptions,
    listen: Annotated[str, typer.Option(help="HOST:PORT to serve on.")] = "127.0.0.1:9000",
    as_json: AsJson = False,
) -> None:
    """Draw a writer's id and key, the tenant's secret and first keys, and write the configuration.

    Keys are shown once. Exit codes: 0 done, 2 the home has one already, or what was given cannot be used.
    """
    from hutong.relay.services.storage.beginning import NotBegun
    from hutong.relay.services.storage.gateway.beginning import NewGateway, begin_gateway

    if (hub.rpc is None) != (hub.consensus_rpc is None):
        raise Refused("give both --rpc and --consensus-rpc, or neither", UNUSABLE)
    new = NewGateway(home, chain_id, listen, code.data, code.parity, hub.rpc, hub.consensus_rpc)
    with refusing(NotBegun):
        begun = begin_gateway(new)
    values = {
        "writer": begun.writer,
        "account": begun.account,
        "config": str(begun.config),
        "s3_access_key": begun.s3_key.access_key,
        "s3_secret_key": begun.s3_key.secret_key,
        "api_key": begun.api_key,
    }
    print_values(values, as_json=as_json)


@app.command()
def add(
    config: ConfigFile,
    operator: Annotated[str, typer.Option(help="Its id, 64 digits.")],
    url: Annotated[str, typer.Option(help="Where it is reached.")],
    account: Annotated[str | None, typer.Option(help="Its account, 0x…, where no hub says it.")] = None,
    organisation: Annotated[str, typer.Option(help="Whose it is, where no hub says it.")] = "none",
    site: Annotated[str, typer.Option(help="Where it stands, where no hub says it.")] = "none",
) -> None:
    """Add an operator to the configuration; the gateway knows it when it starts again.

    Exit codes: 0 done, 2 it is there already, or what was given cannot be used.
    """
    from hutong.relay.services.storage.beginning import NotBegun
    from hutong.relay.services.storage.gateway.beginning import NewOperator, add_operator

    for given in (operator, url, account or "", organisation, site):
        if not given.isprintable() or '"' in given or "\\" in given:
            raise Refused("quotes and backslashes are in no id, address or label", UNUSABLE)
    before = config.read_bytes() if config.is_file() else b""
    with refusing(NotBegun):
        add_operator(config, NewOperator(operator, url, account, organisation, site))
    try:
        _loaded(config)
    except Refused:
        config.write_bytes(before)
        raise


@app.command()
def key(config: ConfigFile, as_json: AsJson = False) -> None:
    """Make one more S3 key; it counts from the next request on, and is shown once.

    Exit codes: 0 done, 2 the file of keys cannot be used.
    """
    from hutong.relay.services.storage.gateway.secrets import SecretsUnusable, add_s3_key

    path = _loaded(config).gateway.s3_keys_file
    if path is None:
        raise Refused("the configuration names no s3_keys_file", UNUSABLE)
    with refusing(SecretsUnusable):
        made = add_s3_key(path)
    print_values({"s3_access_key": made.access_key, "s3_secret_key": made.secret_key}, as_json=as_json)


@app.command()
def repair_root(
    config: ConfigFile,
    out: Annotated[Path, typer.Option(help="File to write, mode 0600; one that is there is never replaced.")],
) -> None:
    """Write what a repairer needs of this writer: the key of its masks. It opens no object and no name of one.

    Whoever has it and is an operator passes audits without holding its shards: give it to a repairer of nobody's operator.
    Exit codes: 0 done, 2 the secret cannot be read, or the file is there.
    """
    from hutong.relay.base.durable_files import create_durably
    from hutong.relay.services.storage.gateway.events import TenantKeys
    from hutong.relay.services.storage.gateway.secrets import SecretsUnusable, read_tenant_secret

    with refusing(SecretsUnusable):
        keys = TenantKeys.of(read_tenant_secret(_loaded(config).gateway.secret_file))
    try:
        create_durably(out, keys.repair_root.hex().encode() + b"\n")
    except OSError as error:
        raise Refused(f"{out} cannot be written: {os_reason(error)}", UNUSABLE) from None


@app.command()
def run(config: ConfigFile) -> None:
    """Serve S3 and plain HTTP until SIGTERM or Ctrl-C. Prints one line when ready.

    Exit codes: 0 stopped as told, 2 it cannot start.
    """
    import trio

    from hutong.light_clients.interface import MalformedInput
    from hutong.relay.keys import forbid_core_dumps
    from hutong.relay.services.storage.gateway.daemon import GatewayUnusable
    from hutong.relay.services.storage.pipeline.pool import PipelineBroken
    from hutong.relay.telemetry import configure_logs

    forbid_core_dumps()
    loaded = _loaded(config)
    configure_logs(loaded.gateway.log_level)
    expected = (GatewayUnusable, PipelineBroken, MalformedInput, OSError)
    try:
        trio.run(_until_stopped, loaded)
    except (*expected, BaseExceptionGroup) as error:
        leaf = expected_leaves(error, expected)[0]
        said = f"{loaded.gateway.listen}: {os_reason(leaf)}" if isinstance(leaf, OSError) else str(leaf)
        raise Refused(said, UNUSABLE) from None


@app.command()
def reindex(config: ConfigFile, as_json: AsJson = False) -> None:
    """Make the catalogue again from what operators hold; the gateway must be stopped.

    Prints the digest of what the catalogue says. Exit codes: 0 done, 1 some packs cannot be read, 2 it cannot be done.
    """
    import trio

    from hutong.light_clients.interface import MalformedInput
    from hutong.relay.services.storage.catalogue.database import CatalogueUnavailable
    from hutong.relay.services.storage.gateway.daemon import GatewayUnusable, reindexed
    from hutong.relay.services.storage.gateway.operators import OperatorFailed

    loaded = _loaded(config)
    expected = (GatewayUnusable, OperatorFailed, CatalogueUnavailable, MalformedInput, OSError)
    try:
        found = trio.run(reindexed, loaded, lambda sentence: typer.echo(sentence, err=True))
    except (*expected, BaseExceptionGroup) as error:
        raise Refused(str(expected_leaves(error, expected)[0]), UNUSABLE) from None
    values = {"packs": found.packs, "catalogue_packs": found.catalogue_packs, "events": found.events}
    print_values({**values, "objects": found.objects, "digest": found.digest.hex()}, as_json=as_json)
    for sentence in found.unreadable:
        typer.echo(sentence, err=True)
    if found.unreadable:
        raise typer.Exit(REFUSED)


@app.command()
def compact(
    config: ConfigFile,
    percent: Annotated[int, typer.Option(min=1, max=100, help="Of a pack that must be dead.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Let go of what was deleted: packs are emptied of what is of use, and removed by all operators; the gateway must be stopped.

    A gateway that runs does so by itself. Nothing is removed before its retention is over.
    Exit codes: 0 done, 1 some operators have not let a pack go yet (run it again), 2 it cannot be done.
    """
    import trio

    from hutong.light_clients.interface import MalformedInput
    from hutong.relay.services.storage.catalogue.database import CatalogueUnavailable
    from hutong.relay.services.storage.gateway.committing import Unavailable
    from hutong.relay.services.storage.gateway.daemon import GatewayUnusable, compacted
    from hutong.relay.services.storage.gateway.upkeep.compacting import Asked
    from hutong.relay.services.storage.hub.refusals import HubSilent
    from hutong.relay.services.storage.pipeline.pool import PipelineBroken

    loaded = _loaded(config)
    expected = (GatewayUnusable, Unavailable, HubSilent, CatalogueUnavailable, PipelineBroken, MalformedInput, OSError)
    try:
        done = trio.run(compacted, loaded, Asked(percent))
    except (*expected, BaseExceptionGroup) as error:
        raise Refused(str(expected_leaves(error, expected)[0]), UNUSABLE) from None
    values = {"objects_moved": done.objects_moved, "bytes_moved": done.bytes_moved, "packs_emptied": done.packs_emptied}
    more = {"packs_removed": done.packs_removed, "receipts": done.receipts, "kept": len(done.kept)}
    print_values({**values, **more, "waiting": len(done.waiting)}, as_json=as_json)
    for sentence in (*done.kept, *done.waiting):
        typer.echo(sentence, err=True)
    if done.waiting:
        raise typer.Exit(REFUSED)


async def _until_stopped(config: "GatewayConfig") -> None:
    import trio

    from hutong.relay.services.storage.gateway.daemon import serve

    def ready(address: str) -> None:
        typer.echo(f"storage gateway ready at {address}")

    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(serve, config, ready)
            await anext(signals)
            nursery.cancel_scope.cancel()


def _loaded(config: Path) -> "GatewayConfig":
    from hutong.relay.config import ConfigError
    from hutong.relay.services.storage.gateway.settings import load_gateway_config

    with refusing(ConfigError):
        return load_gateway_config(config)
