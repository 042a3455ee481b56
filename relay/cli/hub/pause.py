"""`hutong hub pause` and `resume`: the hub's admins stop packets, and let them go on."""

from collections.abc import Sequence
from functools import partial
from random import Random

import typer

from hutong.relay.administration.hub_trust import approve
from hutong.relay.administration.submission import new_salt
from hutong.relay.cli.common.options import ConfigFile, HubAdminPasswordFiles, HubAdmins, HubName
from hutong.relay.cli.common.session import admins_of, config_of, hub_of, run_administration
from hutong.relay.config import HubChainConfig
from hutong.relay.keys import Signer


def pause(
    config: ConfigFile,
    hub_admin: HubAdmins,
    hub_admin_password_file: HubAdminPasswordFiles,
    hub: HubName = None,
) -> None:
    """Stop sends and receives on the hub. Client updates go on, and so do acknowledgements and timeouts (rules version 1: they wait)."""
    _run(config, hub_admin, hub_admin_password_file, hub, paused=True)


def resume(
    config: ConfigFile,
    hub_admin: HubAdmins,
    hub_admin_password_file: HubAdminPasswordFiles,
    hub: HubName = None,
) -> None:
    """End the pause: the relay brings what has waited, as far as it is not late."""
    _run(config, hub_admin, hub_admin_password_file, hub, paused=False)


def _run(
    config: ConfigFile, keystores: HubAdmins, password_files: HubAdminPasswordFiles, hub: HubName, *, paused: bool
) -> None:
    hub_chain = hub_of(config_of(config), hub)
    admins = admins_of(keystores, password_files)
    run_administration(partial(_set_paused, hub_chain, admins, paused))
    typer.echo(f"{hub_chain.name} {'is paused' if paused else 'takes packets again'}")


async def _set_paused(hub: HubChainConfig, admins: Sequence[Signer], paused: bool, random: Random) -> None:
    from hutong.adapters.hub import HubChain
    from hutong.adapters.hub.admin import set_paused
    from hutong.adapters.ics26.transactor import Transactor
    from hutong.relay.core.topology.chains import open_chain

    async with open_chain(hub, random) as chain:
        if not isinstance(chain, HubChain):
            raise TypeError("a hub")
        await chain.check_identity()
        chain_id = await chain.eth_chain_id()
        transactors = [Transactor(chain.execution, chain_id, admin) for admin in admins]
        await approve(hub, chain, transactors, set_paused(new_salt(), paused))
