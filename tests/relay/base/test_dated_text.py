"""Times in sentences as dates, and nothing else that has as many digits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.interface import ClientExpired, PredicateFailed
from hutong.light_clients.interface.trusting import header_not_from_future, within_trusting_period
from hutong.relay.base.dated_text import with_dates

HOUR_NS = 3_600 * 10**9
NOW_NS = 1_796_544_488_000_000_000


def test_trial_T17_an_expiry_is_a_date():
    with pytest.raises(ClientExpired) as raised:
        within_trusting_period(NOW_NS, HOUR_NS, NOW_NS + 2 * HOUR_NS + 1)
    said = with_dates(str(raised.value))
    assert said == "trusted state expired at 2026-12-06T09:08:08Z, now is 2026-12-06T10:08:08.000000001Z"


def test_trial_T17_a_header_from_the_future_has_dates():
    with pytest.raises(PredicateFailed) as raised:
        header_not_from_future(NOW_NS + HOUR_NS, 15 * 10**9, NOW_NS)
    said = with_dates(str(raised.value))
    assert said.endswith("expected < 2026-12-06T08:08:23Z, got 2026-12-06T09:08:08Z")


@pytest.mark.parametrize(
    "text", ["1796544488000000000 sent", "expected < 1796544488000000000, got 5", "17 ns", "0" * 18]
)
def test_an_amount_of_as_many_digits_stays(text):
    assert with_dates(text) == text


@given(st.text(max_size=200))
def test_no_text_breaks_it(text):
    assert len(with_dates(text)) <= 2 * len(text)
