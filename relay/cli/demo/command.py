"""`hutong demo`."""

import json
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Annotated

import trio
import typer
from rich.console import Console

from relay.cli.demo.bundles import Bundles
from relay.cli.demo.chain import DemoChain
from relay.cli.demo.chaos import Chaos
from relay.cli.demo.checker import Findings, check
from relay.cli.demo.network import Network, Say, Through, bring_up, direct
from relay.cli.demo.processes import Daemon, DemoFailed, DemoStopped, RunningProcess
from relay.cli.demo.report import as_json, print_table
from relay.cli.demo.scenario import Scenario
from relay.cli.demo.traffic import Traffic

SETTLE_LIMIT_S = 300
CHAOS_SETTLE_LIMIT_S = 240
MAX_MESSAGES = 10_000
MAX_PAID_DUPLICATES_PER_KILL = 2

app = typer.Typer(rich_markup_mode=None)


@app.command()
def demo(
    messages: Annotated[
        int,
        typer.Option(
            help="How many packets: a fifth are tokens that go out, a fifth the same coming home, a tenth is made to time out.",
            min=1,
            max=MAX_MESSAGES,
        ),
    ] = 20,
    chaos: Annotated[
        bool,
        typer.Option(help="Kill the relay, wipe its queue, and put a hostile proxy before each of its endpoints."),
    ] = False,
    seed: Annotated[int, typer.Option(help="Of the chaos.", min=0)] = 1,
    bundles: Annotated[
        Path | None, typer.Option(help="Folder for checkpoints and the proof bundle of every packet (hutong audit).")
    ] = None,
    json_: Annotated[
        bool, typer.Option("--json", help="Print the checker's findings as JSON, progress on stderr.")
    ] = False,
    keep: Annotated[bool, typer.Option(help="Leave everything running until Ctrl-C, and keep the files.")] = False,
) -> None:
    """Start a hub, three chains and a relay as separate processes, send messages and tokens, and check the chains.

    Exit code 0 if every packet was delivered once and acknowledged, or timed out and was refunded, and no token was made
    or lost; 1 otherwise.
    """
    console = Console(stderr=json_)
    home = Path(tempfile.mkdtemp(prefix="hutong-demo-"))
    good = False
    try:
        kept = None if bundles is None else Bundles(bundles)
        run = partial(_run, home, Traffic.of(messages), Chaos(seed) if chaos else None, kept, json_, keep, console)
        good = trio.run(run, strict_exception_groups=True)
    except* DemoFailed as group:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        console.print(f"The demo failed: {error}", markup=False, highlight=False, soft_wrap=True)
        console.print(f"Its logs are in {home}", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None
    except* DemoStopped:
        console.print(f"Stopped. Files and logs are in {home}", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(130) from None
    if good and not keep:
        shutil.rmtree(home, ignore_errors=True)
    elif not good:
        console.print(f"Not everything is as it should be. Logs are in {home}", markup=False, soft_wrap=True)
    raise typer.Exit(0 if good else 1)


async def _run(
    home: Path,
    traffic: Traffic,
    chaos: Chaos | None,
    bundles: Bundles | None,
    json_: bool,
    keep: bool,
    console: Console,
) -> bool:
    started = monotonic()

    def say(text: str) -> None:
        console.print(f"[{monotonic() - started:5.1f} s] {text}", markup=False, highlight=False)

    async with trio.open_nursery() as nursery:
        await nursery.start(_stop_on_signal)
        async with _network(nursery, home, chaos, say) as network:
            if bundles is not None:
                await bundles.take_checkpoints(network)
            cpu_before = _cpu_ms(network)
            disturbances = [] if chaos is None else chaos.schedule(network)
            limit_s = SETTLE_LIMIT_S if chaos is None else CHAOS_SETTLE_LIMIT_S
            await Scenario(network, traffic, disturbances, say, limit_s).run()
            say("reading what happened from the chains")
            findings = await trio.to_thread.run_sync(check, network, traffic.packets)
            duration_s = monotonic() - started
            cpu = {
                name: round((used - cpu_before.get(name, 0.0)) / traffic.packets, 1)
                for name, used in _cpu_ms(network).items()
            }
            if bundles is not None:
                say(f"exporting proof bundles to {bundles.folder}")
                await bundles.export(network)
            if json_:
                typer.echo(json.dumps(as_json(findings, duration_s, cpu, chaos)))
            else:
                print_table(console, findings, duration_s, chaos)
            if keep:
                _say_where(network, console)
                await trio.sleep_forever()
        nursery.cancel_scope.cancel()
    return _is_good(findings, chaos)


def _is_good(findings: Findings, chaos: Chaos | None) -> bool:
    bound = 0 if chaos is None else MAX_PAID_DUPLICATES_PER_KILL * len(chaos.kills)
    return findings.good and findings.paid_duplicates <= bound


@asynccontextmanager
async def _network(nursery: trio.Nursery, home: Path, chaos: Chaos | None, say: Say) -> AsyncIterator[Network]:
    if chaos is None:
        yield await bring_up(nursery, home, say, direct)
        return
    through: Through
    async with chaos.proxying() as through:
        yield await bring_up(nursery, home, say, through)


async def _stop_on_signal(task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
    """Turn a signal into an ordered end, so that no daemon outlives the demo."""
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM, signal.SIGHUP) as signals:
        task_status.started()
        async for number in signals:
            raise DemoStopped(signal.Signals(number).name)


def _cpu_ms(network: Network) -> dict[str, float]:
    used = {}
    processes: list[RunningProcess | Daemon] = [*network.processes, network.relay]
    for process in processes:
        if (own := process.cpu_ms()) is not None:
            used[process.name] = own
        if (children := process.children_cpu_ms()) is not None:
            used[f"{process.name}'s queue"] = children
    return used


def _say_where(network: Network, console: Console) -> None:
    say = partial(console.print, markup=False, highlight=False, soft_wrap=True)
    say(f"Files and logs: {network.home}; configuration: {network.config}")
    chain: DemoChain
    for chain in (*network.chains, network.hub):
        applications = f"mailbox {chain.mailbox_address or '-'} transfer {chain.transfer_address or '-'}"
        say(f"{chain.name}: {chain.rpc_url} router {chain.router_address} {applications}")
    say("Running until Ctrl-C.")
