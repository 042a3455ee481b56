"""`hutong storage auditor`: secrets for the hub's seeds, and the answers of operators judged and kept."""

from pathlib import Path
from typing import Annotated

import typer

from hutong.relay.base.error_groups import expected_leaves
from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.named_values import print_values
from hutong.relay.cli.common.options import AsJson
from hutong.relay.cli.common.refusal import UNUSABLE, Refused, refusing

app = command_group("An auditor of trusted storage: secrets for seeds, answers judged and kept.")

ConfigFile = Annotated[Path, typer.Option("--config", help="The auditor's TOML file (docs/storage/auditor.md).")]


@app.command()
def init(
    home: Annotated[Path, typer.Option(help="The directory to fill; one that was begun is never changed.")],
    chain_id: Annotated[str, typer.Option(help="Chain id of the hub, such as hutong-1.")],
    checkpoint: Annotated[Path, typer.Option(help="What you believe of the hub, `hutong audit checkpoint`.")],
    rpc: Annotated[str, typer.Option(help="URL of a hub node's eth_* RPC.")],
    consensus_rpc: Annotated[str, typer.Option(help="URL of the same node's consensus RPC.")],
    as_json: AsJson = False,
) -> None:
    """Draw an id and a key, and write the configuration. Prints what governance of the hub names.

    Exit codes: 0 done, 2 the home has one already, or what was given cannot be used.
    """
    from hutong.relay.administration.storage.auditor_daemon import AuditorUnusable, begin_auditor, believed_of
    from hutong.relay.administration.storage.auditor_settings import load_auditor_config
    from hutong.relay.config import ConfigError

    with refusing(AuditorUnusable, ConfigError):
        begun = begin_auditor(home, chain_id, checkpoint, rpc, consensus_rpc)
        believed_of(load_auditor_config(begun.config))
    print_values({"auditor": begun.auditor, "account": begun.account, "config": str(begun.config)}, as_json=as_json)


@app.command()
def run(config: ConfigFile) -> None:
    """Commit, reveal, judge and keep until SIGTERM or Ctrl-C. Prints one line when ready.

    Exit codes: 0 stopped as told, 2 it cannot start.
    """
    import trio

    from hutong.relay.administration.storage.auditor_daemon import AuditorUnusable, run_auditor
    from hutong.relay.administration.storage.auditor_settings import load_auditor_config
    from hutong.relay.config import ConfigError
    from hutong.relay.keys import forbid_core_dumps
    from hutong.relay.telemetry import configure_logs

    forbid_core_dumps()
    with refusing(ConfigError):
        loaded = load_auditor_config(config)
    configure_logs(loaded.auditor.log_level)
    try:
        trio.run(run_auditor, loaded, typer.echo)
    except (AuditorUnusable, BaseExceptionGroup) as error:
        raise Refused(str(expected_leaves(error, (AuditorUnusable,))[0]), UNUSABLE) from None
