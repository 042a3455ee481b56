"""`hutong show`: the whole life of a packet: times, heights, hashes, costs, both legs."""

import json
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

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
from hutong.relay.ledger import Delivery, Explanation, LifeCycle, StepRecord, packet_columns, why_of_life

app = command_group("The life of a packet.")


@app.command()
def show(packet: PacketName, config: ConfigFile, as_json: AsJson = False) -> None:
    """Show everything that is known of a packet, or of both packets of a forwarded one. Exit code 0 known, 1 unknown, 2 cannot tell."""
    checked_name(packet)
    now_ns = time.time_ns()
    with opened_ledger(config) as (loaded, reader):
        ids = ids_of(packet, reader)
        ref = packet_ref(packet, loaded)
        legs = [] if reader is None else list(dict.fromkeys(leg for one in ids for leg in reader.legs(one)))
        lives = [] if reader is None else [life for leg in legs if (life := reader.life(leg)) is not None]
        answers = [] if reader is None else [why_of_life(life, reader, now_ns) for life in lives]
    if not lives:
        if ref is None:
            raise Refused("the ledger knows neither a message nor a transaction of that name", REFUSED)
        opposite, said = standing_of(ref, loaded)
        sentence = said.sentence(ref.end, opposite)
        if as_json:
            typer.echo(
                json.dumps({"packets": [], "chains_say": sentence, "sent": said.sent, "unsettled": said.unsettled})
            )
        else:
            typer.echo(f"{packet}: the ledger does not know it; {sentence}")
        if not said.sent:
            raise typer.Exit(REFUSED)
        return
    told = list(zip(lives, answers, strict=True))
    if as_json:
        document = {"packets": [_document(life, answer) for life, answer in told], "costs": _costs(lives)}
        typer.echo(json.dumps(document, indent=1))
        return
    units = {chain.name: chain.fee_denom for chain in loaded.chains}
    for life, answer in told:
        _print(life, answer, units)
    for chain, cost in _costs(lives).items():
        typer.echo(f"cost on {chain}: {cost['gas_used']} gas, {cost['fee_wei']} {units.get(chain, 'wei')}")


def _costs(lives: Sequence[LifeCycle]) -> dict[str, dict[str, Any]]:
    sums: dict[str, tuple[int, int]] = {}
    for life in lives:
        for delivery in life.deliveries:
            gas_used, fee_wei = sums.get(delivery.chain, (0, 0))
            sums[delivery.chain] = (gas_used + delivery.gas_used, fee_wei + delivery.fee_wei)
    return {
        chain: {"gas_used": gas_used, "fee_wei": str(fee_wei)} for chain, (gas_used, fee_wei) in sorted(sums.items())
    }


def _document(life: LifeCycle, answer: Explanation) -> dict[str, Any]:
    packet = life.packet
    facts: dict[str, Any] = {}
    if packet is not None:
        facts = packet_columns(packet)
        del facts["packet_id"], facts["forward_key"]
    return {
        "id": life.packet_id,
        "packet": facts or None,
        "settled": answer.settled,
        "waits_for": answer.waits_for,
        "do": answer.remedy,
        "steps": [{name: getattr(step, name) for name in step.__slots__ if name != "packet_id"} for step in life.steps],
        "deliveries": [_delivery(one) for one in life.deliveries],
    }


def _delivery(one: Delivery) -> dict[str, Any]:
    fields = {name: getattr(one, name) for name in one.__slots__ if name != "packet_id"}
    return fields | {"transaction_hash": f"0x{one.transaction_hash.hex()}", "fee_wei": str(one.fee_wei)}


def _print(life: LifeCycle, answer: Explanation, units: Mapping[str, str]) -> None:
    packet = life.packet
    typer.echo(life.packet_id)
    if packet is not None:
        typer.echo(f"  to        {packet.destination_chain}:{packet.destination_client}")
        typer.echo(f"  app       {packet.source_port} to {packet.destination_port}, {packet.payload_bytes} bytes")
        typer.echo(f"  timeout   {_instant(packet.timeout_timestamp_s * 10**9)}")
        if packet.message_id is not None:
            typer.echo(f"  message   {packet.message_id}")
        if packet.leg_of is not None:
            typer.echo(f"  sent on   because of {packet.leg_of}")
        typer.echo(f"  state     {packet.outcome or f'{packet.kind} {packet.step}'}")
    typer.echo(f"  why       {answer}")
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
