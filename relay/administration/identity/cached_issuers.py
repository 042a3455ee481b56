"""What the configuration has brought to caches of identity records, as it stands there: epoch, age, what holds it up."""

import time
from collections.abc import Sequence
from random import Random
from typing import Any

import trio
from eth_utils.address import to_checksum_address

from hutong.relay.config import Config, PathEnd
from hutong.relay.core.observing.explaining_caches import ExplainedIssuer, explain_caches
from hutong.relay.core.observing.issuers import PushedIssuer
from hutong.relay.core.observing.watched import issuers_over
from hutong.relay.core.topology.chains import open_chain
from hutong.relay.services.identity.rules.seals.issuer_records import Flaw
from hutong.relay.telemetry import configure_logs

ANSWER_LIMIT_S = 30
"""For both chains of one cache; after that they count as silent."""


async def read_caches(config: Config, random: Random) -> list[dict[str, Any]]:
    """Each configured issuer at each of its caches, by the word of both chains, by the names that `--json` prints.

    A chain that gives no answer in ANSWER_LIMIT_S is what holds its issuers up, and no error.
    """
    rows: list[dict[str, Any]] = []
    for path in config.paths:
        for end, other in ((path.a, path.b), (path.b, path.a)):
            if config.chain(end.chain).kind != "evm" or config.chain(other.chain).kind != "hub":
                continue
            for cache, pushed in issuers_over(config, end).items():
                rows += [
                    _row(one, config, end) for one in await _explained(config, end, other.chain, cache, pushed, random)
                ]
    order = {one.name: place for place, one in enumerate(config.issuers)}
    return sorted(rows, key=lambda row: order[row["name"]])


async def _explained(
    config: Config, end: PathEnd, hub: str, cache: bytes, pushed: Sequence[PushedIssuer], random: Random
) -> Sequence[ExplainedIssuer]:
    configure_logs("error")
    with trio.move_on_after(ANSWER_LIMIT_S):
        async with open_chain(config.chain(hub), random) as host, open_chain(config.chain(end.chain), random) as chain:
            return await explain_caches(host, chain, end.client, cache, pushed)
    silent = f"{hub} or {end.chain} gave no answer in {ANSWER_LIMIT_S} s"
    return [ExplainedIssuer(one, cache, held_up_by=silent) for one in pushed]


def _row(one: ExplainedIssuer, config: Config, end: PathEnd) -> dict[str, Any]:
    said = next(entry for entry in config.issuers if entry.name == one.pushed.name)
    flaw = one.standing_on_hub
    return {
        "name": one.pushed.name,
        "issuer": said.issuer,
        "lists": list(one.pushed.lists),
        "chain": end.chain,
        "cache": to_checksum_address(one.cache),
        "over": f"{end.chain}:{end.client}",
        "interval_s": one.pushed.interval_s,
        "epoch_on_hub": one.epoch_on_hub,
        "standing_on_hub": None if flaw is None else "good" if flaw is Flaw.NONE else flaw.name.lower(),
        "epoch": one.epoch,
        "header_time_s": one.header_time_s,
        "age_s": None if one.header_time_s is None else max(0, int(time.time()) - one.header_time_s),
        "due_because": one.due_because,
        "held_up_by": one.held_up_by,
    }
