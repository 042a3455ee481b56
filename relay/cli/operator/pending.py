"""`hutong pending`: everything that is not settled, with its age and what it waits for."""

import json
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.options import AsJson, ConfigFile
from hutong.relay.cli.common.refusal import UNUSABLE, Refused
from hutong.relay.cli.operator.packet_lookup import ask_chains, opened_ledger
from hutong.relay.config import Config
from hutong.relay.ledger import KnownPacket, LedgerReader, age_text, why

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hutong.adapters.interface import ChainAdapter

MAX_EXPLAINED = 1_000
WINDOW = 1_000
MAX_UNKNOWN = 1_000
"""Packets of one path end that only its chain knows."""

app = command_group("Unsettled packets.")


@app.command()
def pending(
    config: ConfigFile,
    chain: Annotated[str | None, typer.Option(help="Only packets from or to this chain.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many, the oldest first.")] = 100,
    ask: Annotated[
        bool,
        typer.Option("--ask-chains", help="Also list what the chains hold unsettled and the ledger does not know."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List unsettled packets: id, age, state, what it waits for. Works beside a running relay. Exit code 0, 2 cannot tell."""
    now_ns = time.time_ns()
    with opened_ledger(config) as (loaded, reader):
        if chain is not None and all(one.name != chain for one in loaded.chains):
            raise Refused(f"no chain is called {chain}", UNUSABLE)
        found = None if reader is None else reader.pending(chain, limit)
        packets = () if found is None else found.packets
        rows = [_row(packet, reader, now_ns, explained=index < MAX_EXPLAINED) for index, packet in enumerate(packets)]
        more = found is not None and found.more
        unknown = _unknown(loaded, chain, reader) if ask else []
    if as_json:
        typer.echo(
            json.dumps(
                {"ledger": reader is not None, "pending": rows, "more": more, "unknown_to_ledger": unknown}, indent=1
            )
        )
        return
    if reader is None:
        typer.echo(f"no ledger in {loaded.relay.home}: has the relay run?", err=True)
    for row in rows:
        typer.echo(
            f"{row['id']}  {age_text(row['age_s'] * 10**9)}  {row['kind']} {row['state']}  {row['waits_for'] or ''}"
        )
    for packet_id in unknown:
        typer.echo(f"{packet_id}  unsettled on its chain, unknown to the ledger; see: hutong why {packet_id}")
    if more:
        typer.echo(f"more than {limit} are unsettled; raise --limit", err=True)
    if not rows and not unknown and reader is not None:
        typer.echo(f"nothing is pending{'' if ask else ' in the ledger; --ask-chains asks the chains too'}", err=True)


def _row(packet: KnownPacket, reader: LedgerReader | None, now_ns: int, *, explained: bool) -> dict[str, Any]:
    answer = None if reader is None or not explained else why(packet.packet_id, reader, now_ns)
    return {
        "id": packet.packet_id,
        "to": f"{packet.destination_chain}:{packet.destination_client}",
        "age_s": max(0, now_ns - packet.first_seen_at_ns) // 10**9,
        "kind": packet.kind,
        "state": packet.step,
        "since_s": max(0, now_ns - packet.at_ns) // 10**9,
        "reason": packet.reason,
        "waits_for": packet.reason if answer is None else answer.waits_for,
        "timeout_timestamp_s": packet.timeout_timestamp_s,
        "message_id": packet.message_id,
        "leg_of": packet.leg_of,
    }


def _unknown(config: Config, chain: str | None, reader: LedgerReader | None) -> list[str]:
    ends = [end for path in config.paths for end in (path.a, path.b) if chain in (None, path.a.chain, path.b.chain)]
    if not ends:
        return []

    async def read(adapters: "Mapping[str, ChainAdapter]") -> list[str]:
        standing: list[str] = []
        for end in ends:
            adapter, at, found = adapters[end.chain], 1, 0
            last = await adapter.next_sequence_send(end.client)
            while at < last and found < MAX_UNKNOWN:
                for sequence in await adapter.unsettled_sends(end.client, at, WINDOW):
                    packet_id = f"{end.chain}/{end.client}/{sequence}"
                    life = None if reader is None else reader.life(packet_id)
                    if life is None or life.packet is None or life.packet.outcome is not None:
                        standing.append(packet_id)
                        found += 1
                at += WINDOW
        return standing

    return ask_chains(config, {end.chain for end in ends}, read)
