"""`hutong hub pause` and `resume`: the hub's admins stop packets, and let them go on."""

import typer

from hutong.relay.administration.submission import new_salt
from hutong.relay.cli.common.admin_options import AdminDecision


def pause(*, admins: AdminDecision) -> None:
    """Stop sends and receives on the hub. Client updates go on, and so do acknowledgements and timeouts (rules version 1: they wait)."""
    from hutong.adapters.hub.admin import set_paused

    name = admins.decide(set_paused(new_salt(), True))
    typer.echo(f"{name} is paused")


def resume(*, admins: AdminDecision) -> None:
    """End the pause: the relay brings what has waited, as far as it is not late."""
    from hutong.adapters.hub.admin import set_paused

    name = admins.decide(set_paused(new_salt(), False))
    typer.echo(f"{name} takes packets again")
