"""Headers of a client that missed much, in transactions that hold them."""

from hypothesis import given
from hypothesis import strategies as st

from hutong.adapters.interface import BatchLimits, UpdateClient
from hutong.relay.core.route.catching_up import header_room_bytes, in_transactions

LIMITS = BatchLimits(max_messages=4, max_bytes=100, max_gas=10**7)


@given(st.lists(st.integers(1, 120), max_size=20))
def test_updates_stay_in_order_and_fit(sizes):
    updates = [UpdateClient("client-0", bytes([index % 256]) * size) for index, size in enumerate(sizes)]
    groups = list(in_transactions(updates, LIMITS))
    assert [update for group in groups for update in group] == updates
    for group in groups:
        assert 0 < len(group) <= LIMITS.max_messages
        assert len(group) == 1 or sum(len(update.header) for update in group) <= header_room_bytes(LIMITS)
    for before, after in zip(groups, groups[1:], strict=False):
        total = sum(len(update.header) for update in (*before, after[0]))
        assert total > header_room_bytes(LIMITS) or len(before) == LIMITS.max_messages, "no transaction too many"
