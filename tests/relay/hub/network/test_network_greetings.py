"""The table of connections that have not said hello, by itself."""

from collections import Counter

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.relay.hub.network.link.greetings import MAX_OF_HOST, MAX_STRANGERS, Greetings

NAMED = "10.0.0.1"


async def test_the_oldest_of_the_host_that_has_most_goes():
    table = Greetings([NAMED])
    alone = table.admit("192.0.2.1")
    many = [table.admit("192.0.2.2") for _ in range(MAX_OF_HOST)]
    others = [table.admit(f"192.0.3.{number}") for number in range(MAX_STRANGERS - MAX_OF_HOST - 1)]
    assert len(table) == MAX_STRANGERS
    assert table.admit("192.0.2.9") is not None
    assert [item.scope.cancel_called for item in many[:2]] == [True, False]
    assert not alone.scope.cancel_called
    assert not any(item.scope.cancel_called for item in others)
    assert table.admit("192.0.2.2") is not None
    assert [item.scope.cancel_called for item in many[:3]] == [True, True, False]


async def test_a_host_that_has_its_bound_loses_its_own_oldest():
    table = Greetings([NAMED])
    first, *rest = [table.admit(NAMED) for _ in range(MAX_OF_HOST)]
    assert table.admit(NAMED) is not None
    assert first.scope.cancel_called
    assert not any(item.scope.cancel_called for item in rest)
    assert len(table) == MAX_OF_HOST


async def test_whoever_has_shown_a_certificate_stays_and_where_all_have_the_newcomer_goes():
    table = Greetings([])
    known = [table.admit("192.0.2.1") for _ in range(MAX_OF_HOST)]
    for item in known:
        item.authenticated = True
    assert table.admit("192.0.2.1") is None
    known[3].authenticated = False
    assert table.admit("192.0.2.1") is not None
    assert [number for number, item in enumerate(known) if item.scope.cancel_called] == [3]


HOSTS = st.sampled_from([NAMED, *(f"h{number}" for number in range(9))])


@pytest.mark.long
@settings(max_examples=25)
@given(st.lists(st.tuples(HOSTS, st.integers(0, 9)), min_size=100, max_size=200))
def test_the_bounds_hold_whoever_comes_and_goes(arrivals):
    async def scenario() -> None:
        table, inside = Greetings([NAMED]), []
        for host, action in arrivals:
            greeting = table.admit(host)
            inside = [item for item in inside if not item.scope.cancel_called]
            if greeting is not None:
                greeting.authenticated = action == 1
                inside.append(greeting)
            if action == 2:
                table.leave(inside.pop(0))
            of_host = Counter(item.host for item in inside)
            assert len(table) == len(inside)
            assert sum(of_host.values()) - of_host[NAMED] <= MAX_STRANGERS
            assert max(of_host.values(), default=0) <= MAX_OF_HOST

    trio.run(scenario)
