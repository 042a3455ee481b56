"""Rounds: one of 2^20 entries is revoked, and every gate is looked at, block by block, until well after it must refuse."""

import time
from collections import Counter
from dataclasses import dataclass, field

from bench.direct_lane import BenchFailed
from bench.revoking.issuer import Revocation
from bench.revoking.lane import RevokingLane
from bench.revoking.presenting import MAX_AGE_S, Block, Presenter

LOOK_S = 0.1
AFTERWARDS_S = 3
"""For so long a round goes on after all has to be refused."""
OPEN_LIMIT_S = 180
"""On a machine that runs much else a push takes its time."""


@dataclass
class Outcome:
    """Of one round on all chains. Seconds are of the chains' block times, from the hub's header with the revocation on."""

    revocation: Revocation
    refused_s: list[float] = field(default_factory=list)
    """By chain: its first block in which the gate refused every presentation, and in no later one took any."""
    before_s: list[float] = field(default_factory=list)
    """By chain: the block before that one."""
    seen_s: list[float] = field(default_factory=list)
    """By chain: since the issuer began to send, by this machine's clock, until such a block was there."""
    late: int = 0
    """Presentations of the revoked credential that were accepted after the bound."""
    good: Counter[str] = field(default_factory=Counter)
    """What became of those of credentials that hold."""
    revoked: Counter[str] = field(default_factory=Counter)


def wait_until_open(lane: RevokingLane) -> None:
    """Every gate takes a credential that holds. Raises BenchFailed after OPEN_LIMIT_S."""
    deadline = time.monotonic() + OPEN_LIMIT_S
    for presenter in lane.presenters:
        while not is_open(presenter):
            presenter.check()
            if time.monotonic() > deadline:
                raise BenchFailed(f"the gate on chain {presenter.anvil.chain_id} stays closed: {presenter.kept}")
            time.sleep(LOOK_S)


def is_open(presenter: Presenter) -> bool:
    """Whether credentials that hold were accepted, and not one refused, in the newest block that has any."""
    blocks = [block for block in list(presenter.blocks.values())[-3:] if block.good]
    return bool(blocks) and blocks[-1].good["accepted"] > 0 and blocks[-1].good["stale"] == 0


def pushed(lane: RevokingLane) -> Outcome:
    """With the relay: it brings the change."""
    wait_until_open(lane)
    victim = _shown_victim(lane)
    time.sleep(lane.random.uniform(0, 5))
    found = Outcome(lane.issuer.revoke(victim))
    _watch(lane, found, found.revocation.time_s + MAX_AGE_S)
    return found


def pulled(lane: RevokingLane) -> Outcome:
    """Without a relay. Presenters bring update and `sync`; whoever holds the revoked credential brings the last header that
    does not say so, which is that of the very block, and nobody brings another one until all are refused.
    """
    lane.pull()
    wait_until_open(lane)
    victim = _shown_victim(lane)
    found = Outcome(lane.issuer.revoke(victim))
    lane.pull(found.revocation.height)
    _watch(lane, found, found.revocation.time_s + MAX_AGE_S)
    return found


def hub_stopped(lane: RevokingLane) -> list[float]:
    """By chain, how old the newest header was in the last block in which its gate took a credential that holds, in seconds."""
    wait_until_open(lane)
    lane.stop_hub()
    stopped_s = time.time()
    before = {id(presenter): set(presenter.blocks) for presenter in lane.presenters}
    while any(_newest_s(one) < stopped_s + 2 * MAX_AGE_S + AFTERWARDS_S for one in lane.presenters):
        _check(lane)
        time.sleep(LOOK_S)
    ages: list[float] = []
    for presenter in lane.presenters:
        blocks = [block for height, block in presenter.blocks.items() if height not in before[id(presenter)]]
        if not any(block.good["stale"] for block in blocks):
            raise BenchFailed("nothing was presented to a closed gate")
        ages.append(
            max(
                (block.time_s - block.kept.header_time_s for block in blocks if block.kept and block.good["accepted"]),
                default=0,
            )
        )
    return ages


def _shown_victim(lane: RevokingLane) -> int:
    """A new credential, which every gate has accepted; its index."""
    victim = lane.issuer.credential()
    for presenter in lane.presenters:
        presenter.blocks.clear()
        presenter.victim = victim
    deadline = time.monotonic() + OPEN_LIMIT_S
    while not all(_accepted(presenter) for presenter in lane.presenters):
        _check(lane)
        if time.monotonic() > deadline:
            raise BenchFailed("a credential that holds is not accepted everywhere")
        time.sleep(LOOK_S)
    return victim.sealed.seal.index


def _accepted(presenter: Presenter) -> bool:
    return any(block.revoked["accepted"] for block in list(presenter.blocks.values()))


def _watch(lane: RevokingLane, found: Outcome, bound_s: float) -> None:
    """Until every chain has blocks well after the bound (Unix seconds)."""
    seen: dict[int, float] = {}
    while any(_newest_s(one) < bound_s + AFTERWARDS_S for one in lane.presenters):
        _check(lane)
        for number, presenter in enumerate(lane.presenters):
            if _refusing(presenter, found.revocation) is None:
                seen.pop(number, None)
            else:
                seen.setdefault(number, time.time() - found.revocation.sent_s)
        time.sleep(LOOK_S)
    for number, presenter in enumerate(lane.presenters):
        presenter.victim = None
        blocks = list(presenter.blocks.values())
        refusing = _refusing(presenter, found.revocation)
        if refusing is None:
            raise BenchFailed(f"the revoked credential is accepted on chain {presenter.anvil.chain_id} to the end")
        found.refused_s.append(refusing.time_s - found.revocation.time_s)
        before = max((block.time_s for block in blocks if block.height < refusing.height), default=refusing.time_s)
        found.before_s.append(before - found.revocation.time_s)
        found.seen_s.append(seen[number])
        for block in blocks:
            found.good += block.good
            found.revoked += block.revoked
            if block.time_s > bound_s:
                found.late += block.revoked["accepted"]


def _refusing(presenter: Presenter, revocation: Revocation) -> Block | None:
    """The first block after the last one that accepted the revoked credential, in which it was presented; None before it."""
    refusing: Block | None = None
    for block in list(presenter.blocks.values()):
        if block.revoked["accepted"]:
            refusing = None
        elif refusing is None and block.revoked and block.time_s >= int(revocation.time_s):
            refusing = block
    return refusing


def _newest_s(presenter: Presenter) -> int:
    return max((block.time_s for block in list(presenter.blocks.values())), default=0)


def _check(lane: RevokingLane) -> None:
    for presenter in lane.presenters:
        presenter.check()
