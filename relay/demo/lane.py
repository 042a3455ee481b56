"""One run of the ordinary demo: a hub, three EVM chains, a relay."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import monotonic

import trio
import typer
from rich.console import Console

from hutong.relay.demo.bundles import Bundles
from hutong.relay.demo.chaos import Chaos
from hutong.relay.demo.checker import Findings, check
from hutong.relay.demo.report import as_json, print_table
from hutong.relay.demo.scenario import Scenario
from hutong.relay.local.chain import DemoChain
from hutong.relay.local.config_file import explorer_of
from hutong.relay.local.hub import Disturbance, HubEngine
from hutong.relay.local.network import Network, Say, Through, bring_up, direct
from hutong.relay.local.network_file import NAME, write_network_file
from hutong.relay.local.processes import Daemon, RunningProcess
from hutong.relay.local.traffic import Traffic

SETTLE_LIMIT_S = 300
CHAOS_SETTLE_LIMIT_S = 240
MAX_PAID_DUPLICATES_PER_KILL = 2


@dataclass(frozen=True, slots=True)
class Lane:
    """What was asked for."""

    traffic: Traffic
    chaos: Chaos | None
    engine: HubEngine
    bundles: Bundles | None

    async def run(self, nursery: trio.Nursery, home: Path, console: Console, *, json_: bool, keep: bool) -> bool:
        """As `Run.run`: until the end, or with `keep` until cancelled.

        Whether every packet and token ended well, the validators agree, and kills made the relay pay in vain no more
        than allowed.

        Raises:
            DemoFailed: a step did not do what it should.
        """
        started = monotonic()

        def say(text: str) -> None:
            console.print(f"[{monotonic() - started:5.1f} s] {text}", markup=False, highlight=False, soft_wrap=True)

        async with self._network(nursery, home, say) as network:
            if self.bundles is not None:
                await self.bundles.take_checkpoints(network)
            cpu_before = _cpu_ms(network)
            limit_s = SETTLE_LIMIT_S if self.chaos is None else CHAOS_SETTLE_LIMIT_S
            disturbances = self._disturbances(nursery, network, say)
            await Scenario(network, self.traffic, disturbances, say, limit_s).run()
            say("reading what happened from the chains")
            findings = await trio.to_thread.run_sync(check, network, self.traffic.packets)
            validators = await self.engine.outcome()
            duration_s = monotonic() - started
            cpu = {
                name: round((used - cpu_before.get(name, 0.0)) / self.traffic.packets, 1)
                for name, used in _cpu_ms(network).items()
            }
            if self.bundles is not None:
                say(f"exporting proof bundles to {self.bundles.folder}")
                await self.bundles.export(network)
            if json_:
                where = {"explorer": explorer_of(network.config)} if keep else {}
                typer.echo(json.dumps(as_json(findings, duration_s, cpu, self.chaos, validators) | where))
            else:
                print_table(console, findings, duration_s, self.chaos, validators)
            if keep:
                await trio.to_thread.run_sync(_take_allowances_back, network)
                write_network_file(network)
                _say_where(network, console)
                await trio.sleep_forever()
        return self._is_good(findings) and (validators is None or validators.good)

    def _disturbances(self, nursery: trio.Nursery, network: Network, say: Say) -> list[Disturbance]:
        chaos = [] if self.chaos is None else self.chaos.schedule(network)
        return [*self.engine.disturbances(nursery, say), *chaos]

    def _is_good(self, findings: Findings) -> bool:
        bound = 0 if self.chaos is None else MAX_PAID_DUPLICATES_PER_KILL * len(self.chaos.kills)
        return findings.good and findings.paid_duplicates <= bound

    @asynccontextmanager
    async def _network(self, nursery: trio.Nursery, home: Path, say: Say) -> AsyncIterator[Network]:
        if self.chaos is None:
            yield await bring_up(nursery, home, say, direct, self.engine)
            return
        through: Through
        async with self.chaos.proxying() as through:
            yield await bring_up(nursery, home, say, through, self.engine)


def _cpu_ms(network: Network) -> dict[str, float]:
    used = {}
    processes: list[RunningProcess | Daemon] = [*network.processes, network.relay]
    for process in processes:
        if (own := process.cpu_ms()) is not None:
            used[process.name] = own
        if children := process.children_cpu_ms():
            used[f"{process.name}'s queue"] = children
    return used


def _take_allowances_back(network: Network) -> None:
    """The scenario's users allowed Transfer everything; a dapp begins as its users do, who have allowed nothing."""
    for chain in network.chains:
        chain.approve_transfer(network.users[chain.name], chain.token_address, 0)


def _say_where(network: Network, console: Console) -> None:
    say = partial(console.print, markup=False, highlight=False, soft_wrap=True)
    say(f"Files and logs: {network.home}; configuration: {network.config}")
    chain: DemoChain
    for chain in (*network.chains, network.hub):
        applications = f"mailbox {chain.mailbox_address or '-'} transfer {chain.transfer_address or '-'}"
        say(f"{chain.name}: {chain.rpc_url} router {chain.router_address} {applications}")
    say(f"explorer and API: {explorer_of(network.config)}; for dapps: {network.home / NAME}")
    say("Running until Ctrl-C.")
