"""`hutong show`: the whole life of a packet: times, heights, hashes, costs, both legs."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

import typer

from hutong.relay.administration.packets.names import checked_name
from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.options import AsJson, ConfigFile
from hutong.relay.cli.common.refusal import REFUSED
from hutong.relay.cli.common.session import config_of
from hutong.relay.cli.operator.packet_lookup import PacketName, looked_up
from hutong.relay.ledger import StepRecord, ToldPacket, costs_of

app = command_group("The life of a packet.")


@app.command()
def show(packet: PacketName, config: ConfigFile, as_json: AsJson = False) -> None:
    """Show everything that is known of a packet, or of both packets of a forwarded one. Exit code 0 known, 1 unknown, 2 cannot tell."""
    from hutong.relay.administration.packets.looking_up import asked_of

    checked_name(packet)
    loaded = config_of(config)
    told = looked_up(packet, loaded).legs
    if not told:
        said = asked_of(packet, loaded)
        if as_json:
            document = {"packets": [], "chains_say": said.sentence, "sent": said.sent, "unsettled": said.unsettled}
            typer.echo(json.dumps(document))
        else:
            typer.echo(f"{packet}: the ledger does not know it; {said.sentence}")
        if not said.sent:
            raise typer.Exit(REFUSED)
        return
    costs = costs_of([one.life for one in told])
    if as_json:
        typer.echo(json.dumps({"packets": [one.as_dict() for one in told], "costs": costs}, indent=1))
        return
    units = {chain.name: chain.fee_denom for chain in loaded.chains}
    for one in told:
        _print(one, units)
    for chain, cost in costs.items():
        typer.echo(f"cost on {chain}: {cost['gas_used']} gas, {cost['fee_wei']} {units.get(chain, 'wei')}")


def _print(told: ToldPacket, units: Mapping[str, str]) -> None:
    life, packet = told.life, told.life.packet
    typer.echo(life.packet_id)
    if packet is not None:
        typer.echo(f"  to        {packet.destination_chain}:{packet.destination_client}")
        typer.echo(f"  app       {packet.source_port} to {packet.destination_port}, {packet.payload_bytes} bytes")
        typer.echo(f"  timeout   {_instant(packet.timeout_timestamp_s * 10**9)}")
        if packet.message_id is not None:
            typer.echo(f"  message   {packet.message_id}")
        if packet.leg_of is not None:
            typer.echo(f"  sent on   because of {packet.leg_of}")
        typer.echo(f"  state     {told.state}")
    typer.echo(f"  why       {told.answer}")
    for step in life.steps:
        typer.echo(f"  {_instant(step.first_at_ns)}  {step.kind} {step.step} on {step.chain}{_details(step)}")
    for one in life.deliveries:
        typer.echo(
            f"  {one.kind} cost {one.gas_used} gas, {one.fee_wei} {units.get(one.chain, 'wei')} on {one.chain} (its share of {one.batch_size} in"
            f" 0x{one.transaction_hash.hex()})"
        )


def _details(step: StepRecord) -> str:
    parts = []
    if step.height is not None:
        parts.append(f"height {step.height}")
    if step.transaction_hash is not None:
        parts.append(step.transaction_hash)
    if step.count > 1:
        parts.append(f"{step.count} times, last {_instant(step.at_ns)}")
    if step.reason is not None:
        parts.append(step.reason)
    return "".join(f", {part}" for part in parts)


def _instant(time_ns: int) -> str:
    try:
        return datetime.fromtimestamp(time_ns / 1e9, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return f"{time_ns // 10**9} s"
