"""`hutong why`: what a packet waits for and what to do, in one sentence."""

import json

import typer

from hutong.relay.administration.packets.names import checked_name
from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.options import AsJson, ConfigFile
from hutong.relay.cli.common.refusal import REFUSED
from hutong.relay.cli.common.session import config_of
from hutong.relay.cli.operator.packet_lookup import PacketName, looked_up

app = command_group("What a packet waits for.")


@app.command()
def why(packet: PacketName, config: ConfigFile, as_json: AsJson = False) -> None:
    """Say in one sentence what a packet waits for and what to do. Exit code 0 known, 1 unknown, 2 cannot tell."""
    from hutong.relay.administration.packets.looking_up import asked_of

    checked_name(packet)
    loaded = config_of(config)
    told = looked_up(packet, loaded)
    for one in told.named:
        name, answer = one.life.packet_id, one.answer
        if as_json:
            line = {"id": name, "settled": answer.settled, "waits_for": answer.waits_for, "do": answer.remedy}
            typer.echo(json.dumps(line))
        else:
            typer.echo(f"{name}: {answer}")
    if told.named:
        return
    said = asked_of(packet, loaded)
    if as_json:
        settled = said.sent and not said.unsettled
        typer.echo(json.dumps({"id": packet, "settled": settled, "waits_for": said.sentence, "do": None}))
    else:
        typer.echo(f"{packet}: the ledger does not know it; {said.sentence}")
    if not said.sent:
        raise typer.Exit(REFUSED)
