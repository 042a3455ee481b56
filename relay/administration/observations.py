"""What the configuration has observed of other chains, as it stands on the hubs: value, age, epoch, what holds it up."""

import time
from collections.abc import Sequence
from random import Random
from typing import Any

import trio

from hutong.relay.administration.configured import followed_of
from hutong.relay.config import Config, PathEnd
from hutong.relay.core.observing.explaining import Explained, explain
from hutong.relay.core.observing.watched import watched_over
from hutong.relay.core.topology.chains import open_chain
from hutong.relay.keys import account_of_key
from hutong.relay.telemetry import configure_logs

NS_PER_S = 10**9
ANSWER_LIMIT_S = 30
"""For both chains of one client; after that they count as silent."""


async def read_watched(config: Config, random: Random) -> list[dict[str, Any]]:
    """Each configured observation as it stands by the word of its two chains, by the names that `--json` prints.

    A chain that gives no answer in ANSWER_LIMIT_S is what holds its observations up, and no error.

    Raises:
        StartRefused: what is to be observed cannot be looked at over the path that the configuration names for it.
    """
    ends = list(dict.fromkeys(end for one in config.observations for end in config.observed_over(one)))
    named = {end: watched_over(config, end) for end in ends}
    rows: dict[str, dict[str, Any]] = {}
    for end in ends:
        source = followed_of(config, end).chain
        for one in await _explained(config, end, source, named[end], random):
            rows[one.watched.name] = _row(one, source, end)
    return [rows[one.name] for one in config.observations]


async def _explained(
    config: Config, end: PathEnd, source: str, watched: Sequence[Any], random: Random
) -> Sequence[Explained]:
    configure_logs("error")
    hub = config.chain(end.chain)
    accounts = [address for key in hub.all_keys if (address := account_of_key(key).address) is not None]
    with trio.move_on_after(ANSWER_LIMIT_S):
        async with open_chain(config.chain(source), random) as observed, open_chain(hub, random) as host:
            return await explain(observed, host, end.client, watched, accounts)
    silent = f"{source} or {end.chain} gave no answer in {ANSWER_LIMIT_S} s"
    return [Explained(one, None, False, False, None, None, silent) for one in watched]


def _row(one: Explained, source: str, end: PathEnd) -> dict[str, Any]:
    record, watched = one.record, one.watched
    trust = None if record is None else record.trust
    return {
        "name": watched.name,
        "chain": source,
        "over": f"{end.chain}:{end.client}",
        "key": f"0x{watched.key.hex()}",
        "kind": watched.place.kind.family,
        "interval_s": None if watched.interval_ns is None else watched.interval_ns // NS_PER_S,
        "on_change": watched.on_change,
        "written": record is not None,
        "value": _hex(None if record is None else record.value),
        "height": None if record is None else str(record.height),
        "source_time_ns": None if record is None else record.source_time_ns,
        "age_s": None if record is None else max(0, time.time_ns() - record.source_time_ns) // NS_PER_S,
        "epoch": None if record is None else record.epoch,
        "is_current": one.is_current,
        "trust": None if trust is None else trust.kind.name.lower(),
        "threshold": None if trust is None else trust.threshold,
        "attestors": None if trust is None else trust.attestors,
        "value_read": one.is_read,
        "value_now": _hex(one.value_now),
        "due_because": one.due_because,
        "held_up_by": one.held_up_by,
    }


def _hex(value: bytes | None) -> str | None:
    return None if value is None else f"0x{value.hex()}"
