from dataclasses import replace

import pytest

from hutong.relay.demo.supply import Supply
from hutong.relay.local.member import TOKEN_SUPPLY

AWAY = 300
SOUND = Supply(
    "alpha",
    total=TOKEN_SUPPLY,
    owned=TOKEN_SUPPLY - AWAY,
    escrow=AWAY,
    balance=AWAY,
    hub_supply=AWAY,
    onward=((100, 100), (200, 200)),
)


def test_every_unit_is_accounted_for_at_home_on_the_hub_and_abroad():
    assert SOUND.conserved
    assert (SOUND.conserved_at_home, SOUND.conserved_on_hub, SOUND.conserved_abroad) == (True, True, True)


@pytest.mark.parametrize(
    ("field", "value", "where"),
    [
        ("total", TOKEN_SUPPLY + 1, "conserved_at_home"),
        ("owned", TOKEN_SUPPLY - AWAY + 1, "conserved_at_home"),
        ("balance", AWAY - 1, "conserved_at_home"),
        ("hub_supply", AWAY + 1, "conserved_on_hub"),
        ("onward", ((100, 100), (201, 201)), "conserved_on_hub"),
        ("onward", ((100, 100), (200, 201)), "conserved_abroad"),
    ],
)
def test_a_unit_too_many_or_too_few_is_seen_where_it_is(field, value, where):
    wrong = replace(SOUND, **{field: value})
    assert not wrong.conserved
    places = ("conserved_at_home", "conserved_on_hub", "conserved_abroad")
    assert [place for place in places if not getattr(wrong, place)] == [where]
