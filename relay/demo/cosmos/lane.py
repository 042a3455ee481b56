"""One run of the Cosmos demo."""

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import monotonic

import trio
import typer
from rich.console import Console

from hutong.relay.demo.cosmos.checker import ACTIVE, FROZEN, KILLS, MAX_PAID_DUPLICATES_PER_KILL, Findings, check
from hutong.relay.demo.cosmos.evidence import freeze_by_evidence
from hutong.relay.demo.cosmos.network import CosmosNetwork, bring_up
from hutong.relay.demo.cosmos.report import as_json, print_table
from hutong.relay.demo.cosmos.traffic import Journey
from hutong.relay.demo.cosmos.wallet import open_wallet
from hutong.relay.demo.cosmos.watch import StatusWatch, settled_status
from hutong.relay.local.config_file import explorer_of
from hutong.relay.local.hub import HubEngine
from hutong.relay.local.validators import Validators


@dataclass(frozen=True, slots=True)
class CosmosLane:
    """What was asked for."""

    simd: Path
    transfers: int
    timeouts: int
    engine: HubEngine

    async def run(self, nursery: trio.Nursery, home: Path, console: Console, *, json_: bool, keep: bool) -> bool:
        """As `Run.run`: until the end, or with `keep` until cancelled.

        Whether every packet and token ended well, the relay was killed KILLS times, and the client froze over the
        evidence and not before.

        Raises:
            DemoFailed: a step did not do what it should.
        """
        started = monotonic()

        def say(text: str) -> None:
            console.print(f"[{monotonic() - started:5.1f} s] {text}", markup=False, highlight=False, soft_wrap=True)

        network = await bring_up(nursery, home, self.simd, self.engine, say)
        watch = StatusWatch(network.simd)
        async with open_wallet(network.administration, network.simd, network.simd_user) as wallet:
            disturbances = self.engine.disturbances(nursery, say)
            parts = network, wallet, self.transfers, self.timeouts, disturbances, say
            journey = await trio.to_thread.run_sync(Journey, *parts)
            async with trio.open_nursery() as watching:
                watching.start_soon(watch.run)
                await journey.run()
                say("reading what happened from the chains")
                supplies = await trio.to_thread.run_sync(journey.supplies)
                findings = await trio.to_thread.run_sync(check, network, journey.intended, journey.abroad, supplies)
                watching.cancel_scope.cancel()
        validators = await self.engine.outcome()
        say("the hub's validator keys sign a second block at one height; simd is shown both")
        await freeze_by_evidence(network)
        status = await settled_status(network.simd)
        report = as_json(findings, journey.kills, watch.seen, status, validators, monotonic() - started)
        if json_:
            where = {"explorer": explorer_of(network.home / "relay.toml")} if keep else {}
            typer.echo(json.dumps(report | where))
        else:
            print_table(console, report, validators)
        if keep:
            _say_where(network, console)
            await trio.sleep_forever()
        return _is_good(findings, len(journey.kills), set(watch.seen), status, validators)


def _is_good(
    findings: Findings, kills: int, seen: set[str], after_evidence: str, validators: Validators | None
) -> bool:
    return (
        findings.good
        and findings.paid_duplicates <= MAX_PAID_DUPLICATES_PER_KILL * kills
        and kills == KILLS
        and seen == {ACTIVE}
        and after_evidence == FROZEN
        and (validators is None or validators.good)
    )


def _say_where(network: CosmosNetwork, console: Console) -> None:
    say = partial(console.print, markup=False, highlight=False, soft_wrap=True)
    say(f"Files and logs: {network.home}; configuration: {network.home / 'relay.toml'}")
    say(f"simd: {network.simd.rpc_url} REST {network.simd.rest_url}, home {network.home / 'simd'}")
    for chain in (network.alpha, network.hub.chain):
        say(f"{chain.name}: {chain.rpc_url} router {chain.router_address}")
    say(f"explorer: {explorer_of(network.home / 'relay.toml')}")
    say("Running until Ctrl-C.")
