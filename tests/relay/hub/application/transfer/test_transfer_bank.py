"""The hub's token book against a plain model: any moves between any holders, huge amounts included."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.ibc.transfer import Denom
from hutong.relay.hub.application.transfer import interface
from hutong.relay.hub.application.transfer.bank import (
    MAX_SUPPLY,
    Account,
    Bank,
    Escrow,
    Homeward,
    InsufficientTokens,
    Supply,
    SupplyOverflow,
)
from hutong.relay.hub.state import StateView, keys

DENOMS = [
    Denom.parse(path) for path in ("transfer/bft-evm-0/uatom", "transfer/bft-evm-1/uatom", "transfer/bft-evm-0/x")
]
HOLDERS = [Account(b"\x11" * 20), Account(b"\x22" * 20), Escrow("bft-evm-0"), Escrow("bft-evm-1"), Homeward()]
AMOUNTS = st.one_of(st.integers(1, 20), st.sampled_from([2**128, MAX_SUPPLY - 5, MAX_SUPPLY]))
MOVES = st.tuples(
    st.sampled_from(DENOMS), st.sampled_from([*HOLDERS, Supply()]), st.sampled_from([*HOLDERS, Supply()]), AMOUNTS
)


class Nothing:
    """An empty ordered store."""

    def get(self, key):
        return None

    def next(self, key):
        return None

    def previous(self, key):
        return None


def new_bank():
    view, events = StateView(Nothing()), []
    return Bank(view, lambda event, indexed, values: events.append((event, indexed, values))), view, events


@pytest.mark.long
@settings(max_examples=200)
@given(st.lists(MOVES, max_size=30))
def test_attack_F1_any_moves_conserve_the_supply_and_a_refused_one_changes_nothing(moves):
    bank, view, events = new_bank()
    model: Counter = Counter()
    done = 0
    for denom, source, target, amount in moves:
        supply = sum(model[denom, holder] for holder in HOLDERS)
        before = dict(view.changes())
        if isinstance(source, Supply):
            allowed = supply + amount <= MAX_SUPPLY
        else:
            allowed = model[denom, source] >= amount
        if allowed:
            bank.move(denom, source, target, amount)
            model[denom, source] -= amount
            model[denom, target] += amount
            done += 1
        else:
            with pytest.raises(SupplyOverflow if isinstance(source, Supply) else InsufficientTokens):
                bank.move(denom, source, target, amount)
            assert dict(view.changes()) == before
        for one in DENOMS:
            assert [bank.held(one, holder) for holder in HOLDERS] == [model[one, holder] for holder in HOLDERS]
            assert bank.supply(one) == sum(model[one, holder] for holder in HOLDERS) <= MAX_SUPPLY
    assert [event for event, _, _ in events] == [interface.TOKENS_MOVED_EVENT] * done


def test_errors_say_what_there_is_and_what_is_needed():
    bank, _, _ = new_bank()
    bank.move(DENOMS[0], Supply(), HOLDERS[0], 7)
    with pytest.raises(InsufficientTokens) as short:
        bank.move(DENOMS[0], HOLDERS[0], HOLDERS[1], 8)
    assert (short.value.denom, short.value.held, short.value.needed) == (DENOMS[0], 7, 8)
    with pytest.raises(SupplyOverflow) as over:
        bank.move(DENOMS[0], Supply(), HOLDERS[1], MAX_SUPPLY)
    assert (over.value.denom, over.value.supply, over.value.minted) == (DENOMS[0], 7, MAX_SUPPLY)


def test_events_name_accounts_only_and_the_denomination_is_found_by_its_hash():
    bank, view, events = new_bank()
    assert bank.denom(DENOMS[0].digest) is None
    bank.move(DENOMS[0], Supply(), Escrow("bft-evm-1"), 5)
    bank.move(DENOMS[0], Escrow("bft-evm-1"), HOLDERS[0], 5)
    bank.move(DENOMS[0], HOLDERS[0], Supply(), 5)
    nobody, account = bytes(20), HOLDERS[0].address
    assert [indexed[1:] for _, indexed, _ in events] == [(nobody, nobody), (nobody, account), (account, nobody)]
    assert {values for _, _, values in events} == {(5, DENOMS[0].path)}
    assert bank.denom(DENOMS[0].digest) == DENOMS[0]
    # Nothing of zero is kept but the name.
    assert [key for key, value in view.changes().items() if value] == [keys.transfer_denom_key(DENOMS[0].digest)]
