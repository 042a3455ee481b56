"""`hutong storage repairer`: lost shards rebuilt out of the others, and held by another operator under the same root."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.relay.base.error_groups import expected_leaves
from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.named_values import print_values
from hutong.relay.cli.common.options import AsJson
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused, refusing

if TYPE_CHECKING:
    from hutong.relay.services.storage.repairer.settings import RepairerConfig
    from hutong.relay.services.storage.repairer.work import Passed, RepairWork

app = command_group("A repairer of trusted storage: lost shards rebuilt from others, under the root that the hub has.")

ConfigFile = Annotated[Path, typer.Option("--config", help="The repairer's TOML file (docs/storage/repairer.md).")]


@app.command()
def init(
    home: Annotated[Path, typer.Option(help="The directory to fill; one that was begun is never changed.")],
    chain_id: Annotated[str, typer.Option(help="Chain id of the hub, such as hutong-1.")],
    rpc: Annotated[str, typer.Option(help="URL of a hub node's eth_* RPC.")],
    consensus_rpc: Annotated[str, typer.Option(help="URL of the same node's consensus RPC.")],
    as_json: AsJson = False,
) -> None:
    """Draw an id and a key, and write the configuration. Prints what governance of the hub names.

    Exit codes: 0 done, 2 the home has one already, or what was given cannot be used.
    """
    from hutong.relay.config import ConfigError
    from hutong.relay.services.storage.beginning import NotBegun
    from hutong.relay.services.storage.repairer.beginning import begin_repairer
    from hutong.relay.services.storage.repairer.settings import load_repairer_config

    with refusing(NotBegun):
        begun = begin_repairer(home, chain_id, rpc, consensus_rpc)
    print_values({"repairer": begun.repairer, "account": begun.account, "config": str(begun.config)}, as_json=as_json)
    with refusing(ConfigError):
        load_repairer_config(begun.config)


@app.command()
def add(
    config: ConfigFile,
    operator: Annotated[str | None, typer.Option(help="Id of an operator, 64 digits, with --url.")] = None,
    url: Annotated[str | None, typer.Option(help="Where the operator is reached.")] = None,
    owner: Annotated[str | None, typer.Option(help="Id of a writer, 64 digits, with --repair-root.")] = None,
    repair_root: Annotated[
        Path | None, typer.Option(help="File that `hutong storage gateway repair-root` wrote for the writer.")
    ] = None,
) -> None:
    """Add an operator that is read from and written to, or a writer whose packs are looked after.

    The repairer knows it when it starts again. Exit codes: 0 done, 2 it is there already, or what was given cannot be used.
    """
    from hutong.relay.services.storage.beginning import NotBegun
    from hutong.relay.services.storage.repairer.beginning import add_operator, add_owner

    given = (operator is not None and url is not None, owner is not None and repair_root is not None)
    if given not in ((True, False), (False, True)) or (operator is None) != (url is None):
        raise Refused("give --operator with --url, or --owner with --repair-root", UNUSABLE)
    for text in (operator or "", url or "", owner or "", str(repair_root or "")):
        if not text.isprintable() or '"' in text or "\\" in text:
            raise Refused("quotes and backslashes are in no id, address or path of this file", UNUSABLE)
    before = config.read_bytes() if config.is_file() else b""
    with refusing(NotBegun):
        if operator is not None and url is not None:
            add_operator(config, operator, url)
        elif owner is not None and repair_root is not None:
            add_owner(config, owner, repair_root)
    try:
        _loaded(config)
    except Refused:
        config.write_bytes(before)
        raise


@app.command()
def run(config: ConfigFile) -> None:
    """Look after the packs until SIGTERM or Ctrl-C: what is lost is rebuilt. Prints one line when ready.

    Exit codes: 0 stopped as told, 2 it cannot start.
    """
    import trio

    from hutong.relay.services.storage.repairer.daemon import RepairerUnusable, run_repairer

    loaded = _begun(config)
    try:
        trio.run(run_repairer, loaded, typer.echo)
    except (RepairerUnusable, BaseExceptionGroup) as error:
        raise Refused(str(expected_leaves(error, (RepairerUnusable,))[0]), UNUSABLE) from None


@app.command()
def once(config: ConfigFile, as_json: AsJson = False) -> None:
    """One pass: find what is lost, rebuild it, say what was done. `run` must not have the same home.

    Exit codes: 0 every shard is held, 1 some are lost still, each with a sentence, 2 it cannot look.
    """
    _said(_act(_begun(config), lambda work: work.mend()), as_json=as_json)


@app.command()
def look(config: ConfigFile, as_json: AsJson = False) -> None:
    """What is lost, as far as the hub says, and nothing done about it.

    Exit codes: 0 every shard is held, 1 some are lost, 2 it cannot look.
    """

    async def looked(work: "RepairWork") -> "Passed":
        return (await work.look())[1]

    _said(_act(_begun(config), looked), as_json=as_json)


def _said(passed: "Passed", *, as_json: bool) -> None:
    print_values(passed.document(), as_json=as_json)
    if not passed.is_whole:
        raise typer.Exit(REFUSED)


def _act(config: "RepairerConfig", act: "Callable[[RepairWork], Awaitable[Passed]]") -> "Passed":
    import trio

    from hutong.relay.services.storage.hub.refusals import HubSilent
    from hutong.relay.services.storage.repairer.daemon import RepairerUnusable, open_repairer
    from hutong.relay.services.storage.repairer.ledger import LedgerUnusable

    async def acting() -> "Passed":
        async with open_repairer(config) as work:
            return await act(work)

    expected = (RepairerUnusable, LedgerUnusable, HubSilent)
    try:
        return trio.run(acting)
    except (*expected, BaseExceptionGroup) as error:
        raise Refused(str(expected_leaves(error, expected)[0]), UNUSABLE) from None


def _begun(config: Path) -> "RepairerConfig":
    from hutong.relay.keys import forbid_core_dumps
    from hutong.relay.telemetry import configure_logs

    forbid_core_dumps()
    loaded = _loaded(config)
    configure_logs(loaded.repairer.log_level)
    return loaded


def _loaded(config: Path) -> "RepairerConfig":
    from hutong.relay.config import ConfigError
    from hutong.relay.services.storage.repairer.settings import load_repairer_config

    with refusing(ConfigError):
        return load_repairer_config(config)
