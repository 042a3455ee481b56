"""`hutong client create`: a client on the hub from states that were made elsewhere, for chains that no adapter
follows."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from hutong.relay.administration.configured import hub_of
from hutong.relay.base.durations import DAY_S
from hutong.relay.cli.common.options import ConfigFile, HubName
from hutong.relay.cli.common.refusal import UNUSABLE, Refused
from hutong.relay.cli.common.session import config_of, run_administration
from hutong.relay.cli.common.signers import OptionalHubAdminOptions
from hutong.relay.config import Config
from hutong.relay.verify.inputs import parse_hex, read_state


@dataclass(frozen=True, slots=True)
class Beginning:
    """From where the first states come: two files, or a signed log of the configuration."""

    client_type: Annotated[
        str | None, typer.Option("--type", help="Type of the client, such as bitcoin; of --log c2sp-tlog.")
    ] = None
    client_state: Annotated[Path | None, typer.Option(help="File with its client state, raw or hex.")] = None
    consensus_state: Annotated[Path | None, typer.Option(help="File with the consensus state that it starts from.")] = (
        None
    )
    log: Annotated[
        str | None, typer.Option(help="Signed log of the configuration, in place of --type and the files.")
    ] = None
    trusting_period: Annotated[int, typer.Option(help="With --log: seconds for which a tree is believed.")] = 14 * DAY_S
    clock_drift: Annotated[int, typer.Option(help="With --log: seconds that a quorum may be ahead of the hub.")] = 30

    def states(self, config: Config) -> tuple[str, bytes, bytes]:
        """The client's type and both states, which nobody has judged yet.

        Raises:
            Refused: code 2, options are missing or contradict each other, or no log has the name; code 1, the log serves
                nothing that a client could begin with.
            UnusableInput: a file cannot be read.
        """
        files = (self.client_type, self.client_state, self.consensus_state)
        if self.log is not None:
            if any(given is not None for given in files):
                raise Refused("--log stands in place of --type, --client-state and --consensus-state", UNUSABLE)
            return self._of_log(config, self.log)
        if self.client_type is None or self.client_state is None or self.consensus_state is None:
            raise Refused("give --type, --client-state and --consensus-state, or --log", UNUSABLE)
        return self.client_type, read_state(self.client_state), read_state(self.consensus_state)

    def _of_log(self, config: Config, name: str) -> tuple[str, bytes, bytes]:
        from hutong.light_clients.tlog import TlogClient
        from hutong.relay.administration.logs import LogPeriods, log_states

        log = config.log(name)
        if log is None:
            known = ", ".join(one.name for one in config.logs) or "none"
            raise Refused(f"no log is called {name}; the configuration has {known}", UNUSABLE)
        periods = LogPeriods(self.trusting_period, self.clock_drift)
        return (TlogClient.client_type, *run_administration(partial(log_states, log, periods)))


def create(
    config: ConfigFile,
    counterparty: Annotated[
        str | None, typer.Option(help="Client at the other end, registered for ever; without it no packets yet.")
    ] = None,
    merkle_prefix: Annotated[
        list[str], typer.Option(help="Element of the other end's key prefix, hex; without it one empty element.")
    ] = [],  # noqa: B006  typer reads it
    hub: HubName = None,
    *,
    beginning: Beginning,
    admins: OptionalHubAdminOptions,
) -> None:
    """Create a client on the hub from two states, or at the newest checkpoint of a signed log.

    The states are judged here first by the client's own rules: exit code 1 if they are refused.
    """
    from hutong.relay.administration.clients.on_hub import NewClient
    from hutong.relay.administration.clients.on_hub import create as make

    loaded = config_of(config)
    if not admins.hub_admin:
        raise Refused("clients on the hub are made by its admins: give --hub-admin", UNUSABLE)
    prefix = tuple(parse_hex(element, "--merkle-prefix") for element in merkle_prefix) or (b"",)
    new = NewClient(*beginning.states(loaded), counterparty, prefix)
    new.require_good_states()
    deciding = admins.open()
    typer.echo(run_administration(partial(make, hub_of(loaded, hub), new, deciding)))
