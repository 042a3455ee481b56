"""`python -m bench identity revoke`: acceptance of docs/identity/contracts.md, with figures; exits with 1 unless all hold.

A hub, anvils at Paris with blocks of a second, each with an IdentityCache and a gate of `maxAge` 15 s, an issuer with a list
of 2^20 entries, and a relay, each a process. Credentials are presented as transactions at a rate, drawn from some that hold;
the one that is revoked in a round is presented beside them in every block, with the list as it is and as it was. First the
relay pushes, then it is killed and presenters pull, then the hub is stopped.
"""

import json
import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.hub.records_stages import p95
from bench.revoking.lane import RevokingLane, revoking_lane
from bench.revoking.presenting import MAX_AGE_S
from bench.revoking.rounds import Outcome, hub_stopped, pulled, pushed, wait_until_open

PUSHED_S = 5.0
"""Within which a push is refused everywhere, in 95 of 100 rounds and chains."""
RATE_SHARE = 0.95
"""Of the rate that is asked for, as it has to be kept."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is run. `rate`: presentations a second of credentials that hold, over all chains."""

    chains: int
    validators: int
    rounds: int
    rate: float
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Report:
    """Figures by name, and what does not hold."""

    figures: dict[str, float]
    broken: tuple[str, ...]


def main(console: Console, plan: Plan, home: Path | None) -> bool:
    """Whether all holds."""
    with tempfile.TemporaryDirectory(prefix="hutong-bench-") as temporary:
        report = measure(plan, home or Path(temporary))
    table = Table(title="a revocation, by gates on other chains", show_header=False, title_justify="left")
    table.add_column()
    table.add_column(justify="right")
    for name, figure in report.figures.items():
        table.add_row(name, f"{figure:,.2f}")
    console.print(table)
    print(json.dumps({name: round(figure, 3) for name, figure in report.figures.items()}))
    for sentence in report.broken:
        console.print(f"does not hold: {sentence}")
    return not report.broken


def measure(plan: Plan, home: Path) -> Report:
    """Run everything in `home`."""
    with revoking_lane(home, chains=plan.chains, validators=plan.validators, rate=plan.rate, seed=plan.seed) as lane:
        lane.start_relay()
        for presenter in lane.presenters:
            presenter.start()
        wait_until_open(lane)
        load, begun_s, sent = os.getloadavg()[0], time.monotonic(), _sent(lane)
        by_push = _rounds(plan.rounds, lane, pushed)
        rate = (_sent(lane) - sent) / (time.monotonic() - begun_s)
        lane.kill_relay()
        by_pull = _rounds(plan.rounds, lane, pulled)
        lane.pull()
        closed = hub_stopped(lane)
        for presenter in lane.presenters:
            presenter.stop()
    figures = {
        "chains": plan.chains,
        "validators of the hub": plan.validators,
        "load average before the rounds": load,
        "and after them": os.getloadavg()[0],
        "presentations a second, as transactions": rate,
        **_of("pushed", by_push),
        **_of("pulled", by_pull),
        "hub stopped: age of the header at the last acceptance, s: most": max(closed),
    }
    return Report(figures, tuple(_broken(plan, figures, by_push + by_pull)))


def _rounds(count: int, lane: RevokingLane, one: Callable[[RevokingLane], Outcome]) -> list[Outcome]:
    found = []
    for _ in range(count):
        found.append(one(lane))
        print(f"{one.__name__}: {found[-1]}", flush=True)
    return found


def _sent(lane: RevokingLane) -> int:
    return sum(presenter.sent for presenter in lane.presenters)


def _of(name: str, outcomes: Sequence[Outcome]) -> dict[str, float]:
    refused = [second for one in outcomes for second in one.refused_s]
    everywhere = [max(one.refused_s) for one in outcomes]
    seen = [max(one.seen_s) for one in outcomes]
    good: Counter[str] = sum((one.good for one in outcomes), Counter())
    revoked: Counter[str] = sum((one.revoked for one in outcomes), Counter())
    return {
        f"{name}: rounds": len(outcomes),
        f"{name}: refused after the hub's block, s: p50 of rounds and chains": sorted(refused)[len(refused) // 2],
        f"{name}: refused everywhere after the hub's block, s: p95 of rounds": p95(everywhere),
        f"{name}: refused everywhere, s: most": max(everywhere),
        f"{name}: block before that, s: most": max(max(one.before_s) for one in outcomes),
        f"{name}: refused everywhere since the issuer sent it, by the clock, s: p95": p95(seen),
        f"{name}: presentations of the revoked accepted after the bound": sum(one.late for one in outcomes),
        f"{name}: presentations of the revoked": sum(revoked.values()),
        f"{name}: presentations of others accepted": good["accepted"],
        f"{name}: shown with a list that moved meanwhile": good["other root"],
        f"{name}: refused as stale": good["stale"],
        f"{name}: refused for anything else": good["refused"],
    }


def _broken(plan: Plan, figures: dict[str, float], outcomes: Sequence[Outcome]) -> list[str]:
    late = sum(one.late for one in outcomes)
    checks = {
        f"{late} presentations of a revoked credential were accepted after the bound": late == 0,
        f"a push is refused everywhere within {PUSHED_S} s, p95": figures[
            "pushed: refused everywhere after the hub's block, s: p95 of rounds"
        ]
        <= PUSHED_S,
        f"without a relay it is refused in the first block after {MAX_AGE_S} s": figures[
            "pulled: block before that, s: most"
        ]
        <= MAX_AGE_S,
        f"gates close at {MAX_AGE_S} s where the hub is stopped": figures[
            "hub stopped: age of the header at the last acceptance, s: most"
        ]
        <= MAX_AGE_S,
        "credentials that hold are not refused while the relay runs": figures["pushed: refused for anything else"] == 0,
        f"{plan.rate} presentations a second": figures["presentations a second, as transactions"]
        >= RATE_SHARE * plan.rate,
    }
    return [sentence for sentence, holds in checks.items() if not holds]
