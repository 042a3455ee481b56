"""`hutong client quota`: what may be in flight over a client of the hub."""

import json
from functools import partial
from typing import Annotated

import typer

from hutong.relay.administration.configured import hub_of
from hutong.relay.administration.submission import new_salt
from hutong.relay.cli.common.admin_options import AdminDecision
from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.options import AsJson, ConfigFile, HubName
from hutong.relay.cli.common.refusal import REFUSED, Refused
from hutong.relay.cli.common.session import config_of, run_administration

app = command_group("Packets and bytes that may be in flight over a client.")

Client = Annotated[str, typer.Option(help="The hub's client.")]

MAX_UINT64 = 2**64 - 1


@app.command()
def show(config: ConfigFile, client: Client, hub: HubName = None, as_json: AsJson = False) -> None:
    """Both limits of a client, and what is in flight over it."""
    from hutong.relay.administration.hub.records import read_quota

    quota = run_administration(partial(read_quota, hub_of(config_of(config), hub), client))
    values = {name: getattr(quota, name) for name in quota.__slots__}
    typer.echo(json.dumps(values) if as_json else "\n".join(f"{name}: {value}" for name, value in values.items()))


@app.command(name="set")
def set_(
    client: Client,
    packets: Annotated[
        int, typer.Option(min=0, max=MAX_UINT64, help="Packets sent and not settled; 0 stops new ones.")
    ],
    payload_bytes: Annotated[int, typer.Option("--bytes", min=0, max=MAX_UINT64, help="Bytes of their payloads.")],
    *,
    admins: AdminDecision,
) -> None:
    """Set both limits, by as many admins as the hub asks for. Settlements and refunds are never held up by a quota."""
    from hutong.adapters.hub.admin import set_quota
    from hutong.light_clients.interface import MalformedInput

    try:
        action = set_quota(new_salt(), client, packets, payload_bytes)
    except MalformedInput as error:
        raise Refused(str(error), REFUSED) from None
    admins.decide(action)
    typer.echo(f"over {client} at most {packets} packets and {payload_bytes} bytes may be in flight")
