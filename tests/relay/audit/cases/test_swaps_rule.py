"""The rule of case 11 on what a run in a city left: three trades, of which one was not funded."""

import json
from dataclasses import replace
from functools import cache
from itertools import count
from pathlib import Path

import pytest

from hutong.light_clients.interface import Height, PredicateFailed
from hutong.relay.archive.checkpoint import decode_checkpoint
from hutong.relay.audit import MissingTrust
from hutong.relay.audit.cases import (
    CaseAuditor,
    CaseTrust,
    Evidence,
    Shown,
    decode_evidence,
    decode_trust,
    encode_evidence,
)
from hutong.relay.audit.cases.statements import Fate, MessageStatement, ShownMessage
from hutong.relay.audit.cases.swaps import conclude
from hutong.relay.audit.inquiry import Inquiry

FOLDER = Path(__file__).with_name("recorded")
CHECKPOINTS = tuple(
    decode_checkpoint((FOLDER / f"swaps-{chain}.checkpoint.json").read_bytes()) for chain in ("p1", "e1", "hub")
)
NOW_NS = max(one.time_ns for one in CHECKPOINTS) + 3_600 * 10**9
TRUST = decode_trust((FOLDER / "swaps.trust.json").read_bytes())
DATA = (FOLDER / "swaps.evidence.json").read_bytes()


@cache
def evidence() -> Evidence:
    return decode_evidence(DATA)


def audited(changed: Evidence | None = None, trust: CaseTrust = TRUST):
    return CaseAuditor(CHECKPOINTS, trust, NOW_NS).audit(encode_evidence(changed or evidence()))


def refusal(changed: Evidence | None = None, trust: CaseTrust = TRUST) -> str:
    report = audited(changed, trust)
    assert report.failure is not None
    return report.failure.check.name


def without(*ids: str) -> Evidence:
    """As if these statements had never been made, their bundles gone, trades numbered and the conclusion counted again."""
    kept, number = [], count()
    for one in evidence().statements:
        if one.id not in ids:
            is_trade = isinstance(one, MessageStatement)
            kept.append(replace(one, id=f"trade-{next(number):04}") if is_trade else one)
    bundles = {name: evidence().bundles[name] for name in {one.bundle for one in kept}}
    fates = [one.fate for one in kept if isinstance(one, MessageStatement)]
    settled = fates.count(Fate.DELIVERED)
    counted = {"trades": len(fates), "settled": settled, "refunded": len(fates) - settled}
    return replace(evidence(), statements=tuple(kept), bundles=bundles, conclusion={**evidence().conclusion, **counted})


def test_every_trade_was_settled_or_refunded():
    report = audited()
    assert report.failure is None, report.failure
    counts = {name: report.conclusion[name] for name in ("trades", "settled", "refunded")}
    assert counts == {"trades": 3, "settled": 2, "refunded": 1}
    assert report.conclusion["bond-taker"] == report.conclusion["bond-taker"].lstrip("0") != ""
    assert 2 * int(report.conclusion["bond-taker"]) == int(report.conclusion["cash-maker"])
    assert set(report.trust) == {"7101", "7103", "hutong-1"}


@pytest.mark.parametrize("number", range(3))
def test_attack_J21_a_settled_trade_left_out(number):
    """A refunded one changes no balance, so that only its count is gone; a settled one is missed in the balances."""
    name = f"trade-{number:04}"
    fate = next(one.fate for one in evidence().statements if one.id == name)
    report = audited(without(name))
    if fate is Fate.DELIVERED:
        assert report.failure is not None
        assert report.failure.check.name == "balances_follow_from_trades"
    else:
        assert report.is_valid
        assert report.conclusion["trades"] == 2


def test_attack_J20_a_trade_under_another_name():
    """Its name says nothing, so that no other one is taken: a byte of it turns the verdict too."""
    for old, new in (("trade-0002", "trade-0003"), ("trade-0000", "drade-0000")):
        renamed_one = tuple(replace(one, id=new) if one.id == old else one for one in evidence().statements)
        statements = tuple(sorted(renamed_one, key=lambda one: one.id))
        assert refusal(replace(evidence(), statements=statements)) == "statements_are_numbered"


def test_attack_J21_a_trade_counted_twice():
    first = next(one for one in evidence().statements if isinstance(one, MessageStatement))
    again = replace(first, id="trade-0003")
    statements = tuple(sorted((*evidence().statements, again), key=lambda one: one.id))
    assert refusal(replace(evidence(), statements=statements)) == "every_trade_is_another"


@pytest.mark.parametrize("person", ("maker", "taker"))
def test_attack_J21_trades_of_other_people(person):
    other = replace(TRUST, people={**TRUST.people, person: bytes(19) + b"\x07"})
    assert refusal(trust=other) == "trade_is_meant"


def renamed(chain: str, **contracts: bytes) -> CaseTrust:
    meant = TRUST.chains[chain]
    return replace(TRUST, chains={**TRUST.chains, chain: replace(meant, contracts={**meant.contracts, **contracts})})


def test_attack_J21_trades_of_other_tokens_or_contracts():
    assert refusal(trust=renamed("p1", bond=bytes(19) + b"\x07")) == "trade_is_meant"
    assert refusal(trust=renamed("e1", cash=bytes(19) + b"\x07")) == "trade_is_meant"
    assert refusal(trust=renamed("e1", swap=bytes(19) + b"\x07")) == "slot_is_meant"


def test_attack_J21_trades_between_other_chains():
    swapped = {**TRUST.chains, "p1": TRUST.chains["e1"], "e1": TRUST.chains["p1"]}
    assert refusal(trust=replace(TRUST, chains=swapped)) == "message_is_between"


def test_attack_J21_a_balance_of_somebody_else():
    """The statement is true of another account's slot, and called by the taker's name."""
    by_id = {one.id: one for one in evidence().statements}
    moved = replace(by_id["bond-maker"], id="bond-taker")
    statements = tuple(moved if one.id == "bond-taker" else one for one in evidence().statements)
    assert refusal(replace(evidence(), statements=statements)) == "slot_is_meant"


def concluded(shown: Shown, heights: dict[str, Height]):
    """As if these balances, to the same amounts, had been read after other blocks."""
    changed = dict(shown.statements)
    for name, height in heights.items():
        state = changed[name]
        changed[name] = replace(state, statement=replace(state.statement, height=height))
    return conclude(Inquiry(), Shown(changed), TRUST)


def last_proven_height(shown: Shown, chain_id: str) -> Height:
    """The newest block of the chain under which anything of a trade is proven."""
    return max(
        proof.height
        for message in shown.of_kind(ShownMessage).values()
        for leg in message.bundle.legs
        for proof in leg.proofs
        if leg.chain_id_of(proof.claim) == chain_id
    )


def test_attack_J21_balances_of_several_moments():
    """What a thief took between two readings would be in neither: each is true, and together they are no state at all."""
    shown = audited().shown
    for name in ("bond-supply", "bond-swap", "cash-taker"):
        with pytest.raises(PredicateFailed) as caught:
            concluded(shown, {name: Height(0, 470)})
        assert caught.value.predicate == "balances_are_of_one_block"


@pytest.mark.parametrize(("token", "chain"), [("bond", "p1"), ("cash", "e1")])
def test_attack_J21_balances_of_before_a_trade(token, chain):
    """A swap holds nothing of a trade that is not opened yet, so that what it still holds today would not be seen."""
    shown = audited().shown
    names = [name for name in shown.statements if name.startswith(f"{token}-")]
    ended = last_proven_height(shown, TRUST.chains[chain].chain_id)
    assert concluded(shown, dict.fromkeys(names, ended))["trades"] == 3
    with pytest.raises(PredicateFailed) as caught:
        concluded(shown, dict.fromkeys(names, Height(0, ended.revision_height - 1)))
    assert caught.value.predicate == "trades_had_ended"


def test_a_balance_that_is_missing():
    assert refusal(without("cash-swap")) == "statement_is_there"


def test_the_reader_says_who_is_meant():
    with pytest.raises(MissingTrust, match="a person maker"):
        audited(trust=replace(TRUST, people={}))


def test_recorded_trust_names_no_key():
    assert json.loads((FOLDER / "swaps.trust.json").read_text()).keys() == {
        "format",
        "version",
        "hub_chain_id",
        "chains",
        "people",
        "values",
    }
