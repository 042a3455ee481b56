"""`hutong demo`."""

import json
import shutil
import signal
import tempfile
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Annotated

import trio
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from relay.cli.demo.checker import Findings, check, count_settled
from relay.cli.demo.network import Network, bring_up
from relay.cli.demo.processes import DemoFailed, DemoStopped
from relay.cli.demo.report import as_json, print_table
from relay.cli.demo.traffic import send_messages

SETTLE_LIMIT_S = 600
POLL_INTERVAL_S = 0.5
MAX_MESSAGES = 10_000

app = typer.Typer(rich_markup_mode=None)


@app.command()
def demo(
    messages: Annotated[
        int, typer.Option(help="How many messages, half of them each way.", min=1, max=MAX_MESSAGES)
    ] = 20,
    json_: Annotated[
        bool, typer.Option("--json", help="Print the checker's findings as JSON, progress on stderr.")
    ] = False,
    keep: Annotated[bool, typer.Option(help="Leave everything running until Ctrl-C, and keep the files.")] = False,
) -> None:
    """Start a hub, two chains and a relay as separate processes, send messages both ways, and check the chains.

    Exit code 0 if every message was delivered once and acknowledged, 1 otherwise.
    """
    console = Console(stderr=json_)
    home = Path(tempfile.mkdtemp(prefix="hutong-demo-"))
    try:
        findings = trio.run(partial(_run, home, messages, keep, json_, console), strict_exception_groups=True)
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
    good = findings.delivered == findings.sent == findings.acknowledged == messages and not findings.duplicates
    if good and not keep:
        shutil.rmtree(home, ignore_errors=True)
    elif not good:
        console.print(f"Not everything arrived. Logs are in {home}", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(0 if good else 1)


async def _run(home: Path, messages: int, keep: bool, json_: bool, console: Console) -> Findings:
    started = monotonic()
    say = partial(console.print, highlight=False)
    async with trio.open_nursery() as nursery:
        await nursery.start(_stop_on_signal)
        network = await bring_up(
            nursery, home, lambda text: say(f"[{monotonic() - started:5.1f} s] {text}", markup=False)
        )
        cpu_before = _cpu_ms(network)
        await _send_and_follow(network, messages, console)
        findings = await trio.to_thread.run_sync(check, network.chains, network.hub, network.relayers)
        duration_s = monotonic() - started
        cpu = {name: round((used - cpu_before.get(name, 0.0)) / messages, 1) for name, used in _cpu_ms(network).items()}
        if json_:
            typer.echo(json.dumps(as_json(findings, duration_s, cpu)))
        else:
            print_table(console, findings, duration_s)
        if keep:
            _say_where(network, console)
            await trio.sleep_forever()
        nursery.cancel_scope.cancel()
    return findings


async def _stop_on_signal(task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
    """Turn a signal into an ordered end, so that no daemon outlives the demo."""
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM, signal.SIGHUP) as signals:
        task_status.started()
        async for number in signals:
            raise DemoStopped(signal.Signals(number).name)


async def _send_and_follow(network: Network, messages: int, console: Console) -> None:
    """Send half each way, and wait until every acknowledgement is back or the limit has passed."""
    alpha, beta = network.chains
    there, back = messages - messages // 2, messages // 2
    columns = (TextColumn("{task.description:12}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) if console.is_terminal else nullcontext() as progress:
        bars = [progress.add_task(name, total=messages) for name in ("delivered", "acknowledged")] if progress else []
        with trio.move_on_after(SETTLE_LIMIT_S):
            async with trio.open_nursery() as nursery:
                for source, destination, count in ((alpha, beta, there), (beta, alpha, back)):
                    send = partial(send_messages, source, destination, network.users[source.name], count)
                    nursery.start_soon(trio.to_thread.run_sync, send)
                done = (0, 0)
                while done[1] < messages:
                    await trio.sleep(POLL_INTERVAL_S)
                    done = await trio.to_thread.run_sync(count_settled, network.chains)
                    if progress is not None:
                        for bar, count in zip(bars, done, strict=True):
                            progress.update(bar, completed=count)


def _cpu_ms(network: Network) -> dict[str, float]:
    used = {}
    for process in network.processes:
        if (own := process.cpu_ms()) is not None:
            used[process.name] = own
        if (children := process.children_cpu_ms()) is not None:
            used[f"{process.name}'s queue"] = children
    return used


def _say_where(network: Network, console: Console) -> None:
    say = partial(console.print, markup=False, highlight=False, soft_wrap=True)
    say(f"Files and logs: {network.home}; configuration: {network.config}")
    for chain in (*network.chains, network.hub):
        say(f"{chain.name}: {chain.rpc_url} router {chain.router_address} mailbox {chain.mailbox_address or '-'}")
    say("Running until Ctrl-C.")
