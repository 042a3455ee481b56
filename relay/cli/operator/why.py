"""`hutong why`: what a packet waits for and what to do, in one sentence."""

import json
import time

import typer

from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.options import AsJson, ConfigFile
from hutong.relay.cli.common.refusal import REFUSED, Refused
from hutong.relay.cli.operator.packet_lookup import (
    PacketName,
    checked_name,
    ids_of,
    opened_ledger,
    packet_ref,
    standing_of,
)
from hutong.relay.ledger import why as explained

app = command_group("What a packet waits for.")


@app.command()
def why(packet: PacketName, config: ConfigFile, as_json: AsJson = False) -> None:
    """Say in one sentence what a packet waits for and what to do. Exit code 0 known, 1 unknown, 2 cannot tell."""
    checked_name(packet)
    with opened_ledger(config) as (loaded, reader):
        ids = ids_of(packet, reader)
        ref = packet_ref(packet, loaded)
        answers = {} if reader is None else {one: explained(one, reader, time.time_ns()) for one in ids}
        known = {one: answer for one, answer in answers.items() if answer is not None}
    if known:
        for one, answer in known.items():
            if as_json:
                line = {"id": one, "settled": answer.settled, "waits_for": answer.waits_for, "do": answer.remedy}
                typer.echo(json.dumps(line))
            else:
                typer.echo(f"{one}: {answer}")
        return
    if ref is None:
        raise Refused("the ledger knows neither a message nor a transaction of that name", REFUSED)
    opposite, said = standing_of(ref, loaded)
    sentence = said.sentence(ref.end, opposite)
    if as_json:
        typer.echo(
            json.dumps({"id": packet, "settled": said.sent and not said.unsettled, "waits_for": sentence, "do": None})
        )
    else:
        typer.echo(f"{packet}: the ledger does not know it; {sentence}")
    if not said.sent:
        raise typer.Exit(REFUSED)
