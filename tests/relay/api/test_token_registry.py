"""The token registry over a written ledger: what a stranger sends or answers takes nobody's name or mark away."""

from contextlib import asynccontextmanager

import pytest
import trio

from hutong.adapters.interface import EndpointUnavailable
from hutong.relay.api.reading.backend import TrioBackend
from hutong.relay.api.reading.ledger_desk import LedgerDesk
from hutong.relay.api.tokens import registry as registry_module
from hutong.relay.api.tokens import seen as seen_module
from hutong.relay.api.tokens.metadata import Metadata
from hutong.relay.api.tokens.registry import FRESH_S, RETRY_S, TokenRegistry
from hutong.relay.ledger import App, Ledger
from tests.relay.api.api_world import MINUTE_NS, NOW_NS, chains_of, config_of, facts, received, sent


def token(number: int) -> str:
    return f"0x{number:040x}"


class Clock:
    s = 1_000.0

    def __call__(self) -> float:
        return self.s


class Contracts:
    """What each token of alpha answers: its metadata, an error, or nothing at all."""

    def __init__(self) -> None:
        self.answers = {}
        self.asked = []

    async def __call__(self, adapter, denom):
        self.asked.append(denom.path)
        answer = self.answers.get(denom.path, Metadata(name=f"Token {denom.base[-4:]}", symbol=f"T{denom.base[-4:]}"))
        if answer is None:
            await trio.sleep_forever()
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def contracts(monkeypatch):
    contracts = Contracts()
    monkeypatch.setattr(registry_module, "read_metadata", contracts)
    monkeypatch.setattr(registry_module, "TOKEN_LIMIT_S", 0.05)
    return contracts


@asynccontextmanager
async def registry_of(home, numbers, *, delivered=False):
    """One transfer of each token, a minute apart."""
    ledger = Ledger.open_file(home / "ledger.sqlite")
    for sequence, number in enumerate(numbers, 1):
        at_ns = NOW_NS - (len(numbers) - sequence + 1) * MINUTE_NS
        ports = {"source_port": "transfer", "destination_port": "transfer"}
        one = facts(sequence, app=App.TRANSFER.value, denom=token(number), amount=1, **ports)
        ledger.note([sent(one, at_ns), *([received(one, at_ns + 10**9)] if delivered else [])])
    await ledger.flush()
    ledger.close()
    config = config_of(home)
    chains, views = chains_of(config)
    desk, clock = LedgerDesk(config.relay), Clock()
    try:
        yield TokenRegistry(desk, TrioBackend(chains, views), chains.paths, clock), clock
    finally:
        desk.close()


async def refreshed(registry, clock, after_s=FRESH_S + 1):
    clock.s += after_s
    return await registry.tokens(None)


async def test_newer_dust_pushes_no_older_token_out_and_the_answer_says_that_some_are_missing(
    tmp_path, monkeypatch, contracts
):
    monkeypatch.setattr(registry_module, "PAGE", 2)
    monkeypatch.setattr(registry_module, "MAX_PAGES", 2)
    monkeypatch.setattr(seen_module, "MAX_TOKENS", 3)
    async with registry_of(tmp_path, range(1, 12)) as (registry, clock):
        first = await registry.tokens(None)
        assert not first.complete, "older transfers were not looked at yet"
        for _ in range(4):
            last = await refreshed(registry, clock)
        assert [one.denom for one in last.items] == [token(1), token(2), token(3)]
        assert not last.complete, "eight are left out"
        assert len(registry._metadata) <= 3


async def test_all_transfers_are_seen_over_some_refreshes(tmp_path, monkeypatch, contracts):
    monkeypatch.setattr(registry_module, "PAGE", 2)
    monkeypatch.setattr(registry_module, "MAX_PAGES", 2)
    async with registry_of(tmp_path, range(1, 8)) as (registry, clock):
        assert not (await registry.tokens(None)).complete
        await refreshed(registry, clock)
        last = await refreshed(registry, clock)
        assert len(last.items) == 7 and last.complete


async def test_contracts_that_do_not_answer_take_no_name_from_others_and_wait_for_their_turn(tmp_path, contracts):
    contracts.answers = {token(number): None for number in range(1, 30)}
    contracts.answers[token(30)] = EndpointUnavailable("alpha", "eth_call", ())
    async with registry_of(tmp_path, range(1, 36)) as (registry, clock):
        await registry.tokens(None)
        assert sorted(contracts.asked) == [token(number) for number in range(1, 25)], "the oldest first"
        found = {one.denom: one.symbol for one in (await refreshed(registry, clock)).items}
        assert all(found[token(number)] == f"T{number:04x}" for number in range(31, 36))
        assert found[token(1)] is None and found[token(30)] is None
        contracts.answers = {}
        contracts.asked.clear()
        assert (await refreshed(registry, clock)).complete and contracts.asked == []
        for _ in range(2):
            last = await refreshed(registry, clock, RETRY_S)
        assert len(contracts.asked) == 30 and {one.symbol for one in last.items if one.symbol is None} == set()


async def test_marks_need_every_name_asked_once(tmp_path, monkeypatch, contracts):
    monkeypatch.setattr(registry_module, "MAX_ASKED", 1)
    contracts.answers = {
        token(number): Metadata(name=name, symbol="USDC") for number, name in ((1, "USD Coin"), (2, "x"))
    }
    async with registry_of(tmp_path, (1, 2)) as (registry, clock):
        first = await registry.tokens(None)
        assert not first.complete and first.items[1].symbol is None
        second = await refreshed(registry, clock)
        assert second.complete and [one.look_alike for one in second.items] == [True, True]


async def test_an_undescribed_voucher_is_shown_by_its_token_s_symbol(tmp_path, contracts):
    trace = f"transfer/bft-evm-0/{token(1)}"
    contracts.answers = {
        token(1): Metadata(name="USD Coin", symbol="USDC"),
        trace: Metadata("0x" + "11" * 20, trace, "0x0000..0001"),
    }
    async with registry_of(tmp_path, (1,), delivered=True) as (registry, clock):
        (held,) = (await registry.tokens("beta")).items[0].held
        assert (held.denom, held.name, held.symbol) == (trace, trace, "USDC")
        registry._metadata.clear()
        contracts.answers[trace] = Metadata("0x" + "11" * 20, "Bridged USD", "0xUSD")
        (held,) = (await refreshed(registry, clock)).items[0].held
        assert held.symbol == "0xUSD", "its administrators have named it"
