"""`hutong identity serve`: the daemon of the roles that a file names."""

import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.relay.base.error_groups import expected_leaves
from hutong.relay.cli.common.refusal import UNUSABLE, Refused, refusing

if TYPE_CHECKING:
    from hutong.relay.services.identity.daemon.hub_records import HubRecords
    from hutong.relay.services.identity.serving.configuration import IdentityConfig

IdentityFile = Annotated[Path, typer.Option("--config", help="The identity daemon's TOML file.")]


def serve(config: IdentityFile) -> None:
    """Serve every role whose table the file has until SIGTERM or Ctrl-C. Exit code 0 stopped, 2 cannot start."""
    import trio

    from hutong.relay.config import ConfigError
    from hutong.relay.services.identity.daemon.errors import RoleUnusable
    from hutong.relay.services.identity.serving.configuration import load_identity_config
    from hutong.relay.telemetry import configure_logs

    with refusing(ConfigError):
        loaded = load_identity_config(config)
    configure_logs(loaded.server.log_level)
    expected = (OSError, RoleUnusable)
    try:
        trio.run(_until_stopped, loaded)
    except (*expected, BaseExceptionGroup) as error:
        found = expected_leaves(error, expected)[0]
        said = found.strerror or str(found) if isinstance(found, OSError) else str(found)
        where = f"server.listen {loaded.server.listen} cannot be used: " if isinstance(found, OSError) else ""
        raise Refused(f"{where}{said}", UNUSABLE) from None


async def _until_stopped(config: "IdentityConfig") -> None:
    import trio

    from hutong.relay.administration.identity.resolving import open_records
    from hutong.relay.services.identity.serving.daemon import serve as serve_roles

    hub = hub_records_of(config)

    def ready(address: str) -> None:
        typer.echo(f"identity ready at {address}")

    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(serve_roles, config, ready, hub, open_records)
            await anext(signals)
            nursery.cancel_scope.cancel()


def hub_records_of(config: "IdentityConfig") -> "HubRecords | None":
    """What reads the hub that the verifier's table names; None where it names none.

    Raises:
        RoleUnusable: its configuration or checkpoint cannot be used.
    """
    from random import SystemRandom

    from hutong.relay.administration.configured import hub_of
    from hutong.relay.administration.errors import Declined, Unusable
    from hutong.relay.administration.identity.proven_ground import NodeRecords
    from hutong.relay.config import ConfigError, load_config
    from hutong.relay.services.identity.daemon.errors import RoleUnusable
    from hutong.relay.verify.bundles.inputs import read_checkpoint
    from hutong.relay.verify.inputs import UnusableInput

    table = None if config.verifier is None else config.verifier.hub
    if table is None:
        return None
    try:
        loaded = load_config(table.relay_config)
        return NodeRecords(loaded, hub_of(loaded, table.chain), read_checkpoint(table.checkpoint), SystemRandom())
    except (ConfigError, Declined, Unusable, UnusableInput) as error:
        raise RoleUnusable(f"verifier.hub: {error}") from None
