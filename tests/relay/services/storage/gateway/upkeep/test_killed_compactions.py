"""A compaction that is killed at any of its steps loses nothing that is stored, and leaves nothing over."""

import pytest

from hutong.relay.services.storage.gateway.upkeep.sequences import Sequences
from tests.relay.services.storage.gateway.test_put_and_get import asked_again_at_once  # noqa: F401  a fixture
from tests.relay.services.storage.gateway.upkeep.kill_compactions import begun, rounds

pytestmark = pytest.mark.long


async def test_kills_at_drawn_steps_lose_nothing_and_leave_nothing(tmp_path):
    assert await rounds(tmp_path, 4, seed=3) > 20


@pytest.mark.parametrize("is_after", [False, True])
async def test_batch_that_was_cut_off_is_let_go_and_without_that_stays(tmp_path, monkeypatch, is_after):
    """Cut off before the hub has it operators hold what they signed for, and after it what is in their logs."""
    life = begun(tmp_path)
    steps, left = await life.round("store", is_after=is_after)
    assert steps.has_killed and left == []

    async def close_nothing(_sequences, _now_s):
        return []

    monkeypatch.setattr(Sequences, "close", close_nothing)
    _, left = await life.round("store", is_after=is_after)
    assert {one.split()[0] for one in left} == {"placed" if is_after else "signed"}
