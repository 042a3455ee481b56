from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.tendermint.calendar_days import date_of, days_since_1970


@given(st.dates())
def test_days_are_those_of_datetime(day):
    days = days_since_1970(day.year, day.month, day.day)
    assert days == (day - date(1970, 1, 1)).days
    assert date_of(days) == (day.year, day.month, day.day)


def test_every_day_around_the_ends_of_years_and_centuries():
    for year in (1, 4, 99, 100, 101, 400, 1600, 1899, 1900, 1970, 1999, 2000, 2024, 2100, 9999):
        for day in (date(year, 1, 1), date(year, 2, 28), date(year, 3, 1), date(year, 12, 31)):
            for near in (day - timedelta(days=day.toordinal() > 1), day):
                assert date_of((near - date(1970, 1, 1)).days) == (near.year, near.month, near.day)


@pytest.mark.parametrize(
    "day", [(0, 1, 1), (10_000, 1, 1), (2023, 2, 29), (1900, 2, 29), (2024, 13, 1), (2024, 4, 31), (2024, 1, 0)]
)
def test_dates_that_are_invalid(day):
    assert days_since_1970(*day) is None
