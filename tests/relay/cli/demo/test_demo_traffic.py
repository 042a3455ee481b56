from hypothesis import given
from hypothesis import strategies as st

from hutong.relay.local.traffic import LEAST_WITH_TIMEOUTS, Traffic


@given(st.integers(1, 10_000))
def test_traffic_has_as_many_packets_as_were_asked_for(packets):
    traffic = Traffic.of(packets)
    assert traffic.packets == packets
    assert min(traffic.messages, traffic.tokens_out, traffic.late_first_leg, traffic.late_second_leg) >= 0


@given(st.integers(LEAST_WITH_TIMEOUTS, 10_000))
def test_all_but_the_smallest_runs_have_every_kind(packets):
    traffic = Traffic.of(packets)
    assert min(traffic.messages, traffic.tokens_out, traffic.late_first_leg, traffic.late_second_leg) > 0
