"""A live pause of the destination's Transfer: what waits for it, what that costs, and how soon all is delivered after its end.

Two anvils joined over a hub, attestors and relay as processes of their own (`bench.hub.lane`). A guardian, whom the owner gave
the roles for it, pauses Transfer on B; users of A go on sending tokens over the hub to B, whose timeouts lie beyond the pause;
the guardian ends it. Everything is read from the chains and from the relay's own metrics.
"""

import argparse
import json
import statistics
import tempfile
import time
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount
from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console
from rich.table import Table

from bench.direct_lane import SENDER_KEY
from bench.hub.lane import HubLane, hub_lane
from hutong.adapters.ics26.noops import packet_calls
from hutong.contracts.roles import PAUSER_ROLE, UNPAUSER_ROLE
from hutong.relay.local.chain import DemoChain
from hutong.relay.local.keys import make_key
from hutong.relay.local.traffic import User

WARM_UP = 2
WAVES = 10
SUPPLY = 10**24
FIRST_AMOUNT = 10**6
"""Every transfer has an amount of its own, by which it is known on B."""
BEYOND_S = 3_600
"""From the end of the pause to the timeouts."""
MOST_MINUTES = 20 * 60
"""Transfer takes no timeout beyond a day."""
REQUIRED_S = 60
LIMIT_S = 600
LOOK_S = 0.2
REQUESTS = "hutong_endpoint_requests_total"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--minutes", type=float, default=2, help="of the pause")
    parser.add_argument("--transfers", type=int, default=120, help="sent in ten waves, all along the pause")
    parser.add_argument("--rest-s", type=float, default=60, help="of rest before, to know what the relay asks anyway")
    parser.add_argument("--keys", type=int, default=1_000, help="in each chain's state beforehand")
    parser.add_argument("--home", type=Path, help="an empty directory to keep files and logs in")


def main(console: Console, arguments: argparse.Namespace) -> None:
    """Exits with 1 where a transfer is lost, or delivered later than a minute after the pause."""
    if not 0 < arguments.minutes <= MOST_MINUTES:
        raise SystemExit(f"--minutes is {arguments.minutes:g}, which must be above 0 and at most {MOST_MINUTES}")
    with (
        tempfile.TemporaryDirectory(prefix="hutong-bench-") as temporary,
        hub_lane(arguments.home or Path(temporary), keys=arguments.keys) as lane,
    ):
        run = _Run(lane)
        run.warm_up()
        resting = run.requests_over(arguments.rest_s)
        figures = run.pause(arguments.minutes * 60, arguments.transfers)
    figures["relay's requests per s, at rest before"] = resting
    title = f"Transfer of B paused for {arguments.minutes:g} minutes"
    table = Table(title=title, show_header=False, title_justify="left")
    table.add_column()
    table.add_column(justify="right")
    for name, figure in figures.items():
        table.add_row(name, f"{figure:,.2f}")
    console.print(table)
    print(json.dumps({"minutes": arguments.minutes} | {name: round(figure, 3) for name, figure in figures.items()}))
    if figures["delivered"] < figures["sent"] or figures["delivered after the end, s: max"] > REQUIRED_S:
        raise SystemExit(1)


@dataclass
class _Run:
    """The lane with a token on A, a guardian on B, and a user who has both chains' addresses."""

    lane: HubLane
    _sent: set[int] = field(default_factory=set)
    """Amounts, by which transfers are known."""

    def __post_init__(self) -> None:
        self._next_amount = FIRST_AMOUNT
        self._a, self._b = _seen_by_users(self.lane, "a"), _seen_by_users(self.lane, "b")
        account = Account.from_key(SENDER_KEY)
        token = self._a.deploy(account, "ExampleToken", "bench token", "BENCH", SUPPLY)
        self._a = self._a.with_contracts("", token)
        self._a.approve_transfer(account, token)
        self._user = User(self._a, account)
        self._guardian = self._appoint_guardian()

    def _appoint_guardian(self) -> LocalAccount:
        owner, guardian = self.lane.owners["b"].account(), make_key(self.lane.hub_home.parent, "guardian-b")
        self.lane.b.fund(guardian.address)
        authority = self._b.contract("Router", self._b.router_address).functions.authority().call()
        manager = self._b.contract("AccessManager", authority)
        for role in (PAUSER_ROLE, UNPAUSER_ROLE):
            self._b.call(owner, manager, "grantRole", role, guardian.address, 0)
        return guardian.account()

    def warm_up(self) -> None:
        """Some transfers there, acknowledged here."""
        self._send(WARM_UP, BEYOND_S)
        deadline = time.monotonic() + LIMIT_S
        while self._completed(0) < WARM_UP:
            if time.monotonic() > deadline:
                raise SystemExit(f"the warm-up was not settled in {LIMIT_S} s")
            time.sleep(LOOK_S)

    def requests_over(self, seconds: float, after_s: float = 0.0) -> float:
        """The relay's requests a second to all endpoints, counted after `after_s`."""
        time.sleep(after_s)
        before, began = self.metric(REQUESTS), time.monotonic()
        time.sleep(seconds)
        return (self.metric(REQUESTS) - before) / (time.monotonic() - began)

    def pause(self, pause_s: float, transfers: int) -> dict[str, float]:
        """Ten waves of transfers, the first at once."""
        self._sent.clear()
        home_from = self._a.head() + 1
        balance = self._b.web3.eth.get_balance(self.lane.relayers["b"].address)
        before = _Metrics.of(self)
        paused = self._b.call(self._guardian, self._b.transfer, "pause")
        began = time.monotonic()
        for wave in range(WAVES):
            self._send(transfers * (wave + 1) // WAVES - transfers * wave // WAVES, int(pause_s) + BEYOND_S)
            until = began + pause_s * (wave + 1) / WAVES
            if wave == WAVES - 1:
                waiting = self.requests_over((until - time.monotonic()) / 2, after_s=(until - time.monotonic()) / 2)
            time.sleep(max(0.0, until - time.monotonic()))
        early = len(self._received(paused["blockNumber"]))
        meanwhile = _Metrics.of(self)
        spent_wei = balance - self._b.web3.eth.get_balance(self.lane.relayers["b"].address)
        ended = self._b.call(self._guardian, self._b.transfer, "unpause")
        ended_at = time.monotonic()
        seen_s = self._until_delivered(ended["blockNumber"], ended_at)
        settled_s = self._until_settled(home_from, ended_at)
        attempts = self._paid(paused["blockNumber"], ended["blockNumber"])
        took_s = ended_at - began
        return (
            {"paused, s": took_s, "sent": len(self._sent), "delivered during the pause": early}
            | self._delivered(ended["blockNumber"])
            | {
                "seen by the clock after the end, s: last": seen_s,
                "acknowledged at home after the end, s: last": settled_s,
            }
            | attempts
            | {"spent by the relay on B during the pause, wei": spent_wei}
            | meanwhile.since(before, took_s)
            | {"relay's requests per s, in the end when all wait": waiting}
        )

    def _send(self, count: int, lifetime_s: int) -> None:
        receiver = self._user.receiver
        for _ in range(count):
            timeout_s = self._user.timeout_s(lifetime_s)
            self._user.send_tokens(self._b, receiver, self._a.token_address, self._next_amount, timeout_s)
            self._sent.add(self._next_amount)
            self._next_amount += 1

    _next: int = 0

    def _received(self, first: int) -> list[Any]:
        """Events of B from block `first` on."""
        found = self._b.transfer.events.TransferReceived().get_logs(from_block=first)
        return [event for event in found if event.args.amount in self._sent]

    def _completed(self, first: int) -> int:
        return len(self._a.transfer.events.TransferCompleted().get_logs(from_block=first))

    def _until_delivered(self, first: int, ended_at: float) -> float:
        while len(self._received(first)) < len(self._sent) and time.monotonic() < ended_at + LIMIT_S:
            time.sleep(LOOK_S)
        return time.monotonic() - ended_at

    def _until_settled(self, first: int, ended_at: float) -> float:
        while self._completed(first) < len(self._sent) and time.monotonic() < ended_at + LIMIT_S:
            time.sleep(LOOK_S)
        return time.monotonic() - ended_at

    def _delivered(self, ended: int) -> dict[str, float]:
        """By B's own blocks, each of one second; a packet that is not there is in no figure but the count."""
        received = self._received(ended)
        end_s, times = self._b.time_s(ended), {}
        for event in received:
            if event.blockNumber not in times:
                times[event.blockNumber] = self._b.time_s(event.blockNumber)
        waits = sorted(times[event.blockNumber] - end_s for event in received)
        if len(waits) < 2:
            return {"delivered": len(waits), "delivered after the end, s: max": float("inf")}
        return {
            "delivered": len({event.args.amount for event in received}),
            "delivered twice": len(received) - len({event.args.amount for event in received}),
            "delivered after the end, s: p50": statistics.median(waits),
            "delivered after the end, s: p95": statistics.quantiles(waits, n=20, method="inclusive")[-1],
            "delivered after the end, s: max": waits[-1],
            f"delivered later than {REQUIRED_S} s": sum(wait > REQUIRED_S for wait in waits),
        }

    def _paid(self, paused: int, ended: int) -> dict[str, float]:
        """What the relay's account sent to B while Transfer was paused, and until all was settled: from the blocks."""
        during, after = self._attempts(paused + 1, ended), self._attempts(ended + 1, self._b.head())
        count = max(1, len(self._sent))
        return {
            "relay's transactions on B during the pause": during.transactions,
            "paid attempts during the pause, of a packet: mean": sum(during.packets.values()) / count,
            "paid attempts during the pause, of a packet: max": max(during.packets.values(), default=0),
            "relay's transactions on B after the pause": after.transactions,
            "paid attempts after the pause, of a packet: mean": sum(after.packets.values()) / count,
            "paid attempts after the pause, of a packet: max": max(after.packets.values(), default=0),
        }

    def _attempts(self, first: int, last: int) -> "_Attempts":
        found, relayer = _Attempts(), self.lane.relayers["b"].address
        for height in range(first, last + 1):
            for transaction in self._b.web3.eth.get_block(height, full_transactions=True)["transactions"]:
                if transaction["from"] == relayer:
                    found.transactions += 1
                    calls = packet_calls(bytes(transaction["input"]))
                    found.packets.update(call.packet.sequence for call in calls if call is not None)
        return found

    def metric(self, name: str, **labels: str) -> float:
        with urllib.request.urlopen(self.lane.metrics_url, timeout=30) as response:
            text = response.read().decode()
        return sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )


@dataclass
class _Attempts:
    """Transactions, and how many of them held each packet, by its sequence."""

    transactions: int = 0
    packets: Counter[int] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class _Metrics:
    """The relay's counters at one time."""

    requests: float
    requests_to_b: float
    probe_rounds: float
    probed_jobs: float

    @classmethod
    def of(cls, run: _Run) -> "_Metrics":
        return cls(
            run.metric(REQUESTS),
            run.metric(REQUESTS, chain="b"),
            run.metric("hutong_probe_rounds_total", chain="b"),
            run.metric("hutong_probed_jobs_total", chain="b"),
        )

    def since(self, before: "_Metrics", seconds: float) -> dict[str, float]:
        return {
            "relay's requests per s, during the pause": (self.requests - before.requests) / seconds,
            "relay's requests per s, during the pause: to B": (self.requests_to_b - before.requests_to_b) / seconds,
            "free rounds of simulation during the pause": self.probe_rounds - before.probe_rounds,
            "packets in a free round, mean": (self.probed_jobs - before.probed_jobs)
            / max(1.0, self.probe_rounds - before.probe_rounds),
        }


def _seen_by_users(lane: HubLane, name: str) -> DemoChain:
    anvil, deployed = {"a": lane.a, "b": lane.b}[name], lane.deployments[name]
    addresses = deployed["router"], deployed["mailbox"], deployed["transfer"]
    clients = lane.clients[name]
    return DemoChain(
        name, anvil.url, anvil.chain_id, *addresses, hub_client=clients["own"], client_on_hub=clients["hub"]
    )
