"""A revocation on a real hub reaches a gate on a QBFT chain: by the relay, by a presenter where none runs, or by age alone."""

import json
import sys

import pytest
import trio

from tests.relay.core.observing.issuing_lane import MAX_AGE_S, issuing_on
from tests.relay.core.observing.observing_lane import observing_lane

pytestmark = pytest.mark.long
GOOD = 700_001
ROUNDS = (5, 1_000_000)
"""Indices that are revoked."""


@pytest.fixture
async def issuing(tmp_path, valkey):
    async with observing_lane(tmp_path, valkey.url) as world:
        yield await issuing_on(world)


async def caches(file, *options):
    """In a process of its own: the hub and the relay of this one log while the command runs."""
    command = [sys.executable, "-m", "hutong.relay.cli", "identity", "caches", "--config", str(file), *options]
    return await trio.run_process(command, capture_stdout=True, capture_stderr=True, check=False)


async def test_attack_N207_what_is_revoked_is_refused_by_push_and_after_that_by_age(issuing):
    """`bench identity revoke` in short: a credential that is not revoked is accepted all the time, as long as anybody brings
    headers of the hub; the revoked one is not, whichever list it shows."""
    async with issuing.world.relay().running():
        await issuing.says("accepted", GOOD)
        for index in ROUNDS:
            before = issuing.revoked
            await issuing.says("accepted", index, before)
            await issuing.revoke(index)
            await issuing.says("StatusNotProven", index, before)  # the age of the header would be StaleList
            await issuing.says("CredentialRevoked", index)
            await issuing.says("accepted", GOOD)
    said = await caches(issuing.file(), "--json")
    (row,) = json.loads(said.stdout)["caches"]
    assert (row["epoch"], row["standing_on_hub"], row["chain"]) == (row["epoch_on_hub"], "good", "alpha")
    await _without_relay(issuing)


async def _without_relay(issuing) -> None:
    chain = issuing.world.lane.alpha.chain
    await issuing.pull()
    before, index = issuing.revoked, 77
    await issuing.revoke(index)
    kept = await issuing.kept()
    height, verdicts = (await chain.head()).height, []
    while "StaleList" not in verdicts:
        head = await chain.wait_for_height(height + 1)
        height, age_s = head.height, head.time_ns // 10**9 - kept.header_time_s
        verdicts.append(await issuing.verdict(index, before, height))
        assert verdicts[-1] == ("accepted" if age_s <= MAX_AGE_S else "StaleList"), age_s
    assert await issuing.verdict(GOOD, before) == "StaleList", "nobody brings headers: closed for all"
    said = await caches(issuing.file())
    assert said.returncode == 1 and b"of an earlier epoch, and it is not brought yet" in said.stdout
    await issuing.pull_until("accepted", GOOD)
    await issuing.pull_until("CredentialRevoked", index)
