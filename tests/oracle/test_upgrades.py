"""Client upgrades judged by stock ibc-go and by us: the same states where both accept, never laxer, and headers of both revisions after it."""

from dataclasses import replace

import pytest

from hutong.light_clients.interface import Height, Updated, VerificationError
from hutong.light_clients.tendermint.codec import (
    decode_client_state,
    encode_client_state,
    encode_consensus_state,
    encode_misbehaviour,
    encode_tendermint_header,
    encode_upgrade,
)
from hutong.light_clients.tendermint.types import TrustLevel, Upgrade
from tests.light_clients.tendermint.simulated_chain import DAY_NS
from tests.light_clients.tendermint.upgrading_chain import PLAN_HEIGHT, UpgradingChain
from tests.light_clients.tendermint.verifying import CLIENT, Verifier
from tests.oracle.case import Case
from tests.oracle.judges import build_stock, python_verdict, stock_verdicts

pytestmark = pytest.mark.nodes

SECOND = 10**9


def now_of(chain) -> int:
    """Whole seconds, as the cases have them."""
    return (chain.latest.header.time_ns // SECOND + 1) * SECOND


def case_of(name: str, planned: UpgradingChain, upgrade: Upgrade, **client_state) -> Case:
    old = planned.old
    return Case(
        "upgrade",
        name,
        "upgrade",
        now_of(old),
        encode_client_state(old.client_state(PLAN_HEIGHT, **client_state)),
        ((old.height(PLAN_HEIGHT), encode_consensus_state(old.consensus_state(PLAN_HEIGHT))),),
        message=encode_upgrade(upgrade),
        path=(
            encode_client_state(upgrade.client_state),
            encode_consensus_state(upgrade.consensus_state),
            upgrade.client_proof,
            upgrade.consensus_proof,
        ),
    )


def upgrade_cases() -> list[Case]:
    planned = UpgradingChain()
    good = planned.upgrade()
    smuggled = replace(
        good.client_state,
        trust_level=TrustLevel(1, 1_000),
        trusting_period_ns=DAY_NS,
        max_clock_drift_ns=DAY_NS,
        frozen_height=Height(0, 1),
    )
    cases = [
        case_of("honest", planned, good),
        case_of("smuggled fields", planned, replace(good, client_state=smuggled)),
        case_of("client without a path", planned, good, upgrade_path=()),
        case_of("client with another path", planned, good, upgrade_path=("elsewhere",)),
        case_of("frozen", planned, good, frozen_height=Height(0, 1)),
        case_of("proofs exchanged", planned, replace(good, client_proof=good.consensus_proof)),
        case_of("proof of the block before", planned, planned.upgrade(PLAN_HEIGHT - 1)),
    ]
    for field, value in (
        ("chain_id", "evil-2"),
        ("unbonding_period_ns", 28 * DAY_NS),
        ("latest_height", Height(2, 2)),
        ("proof_specs", ()),
        ("upgrade_path", ("elsewhere",)),
    ):
        cases.append(
            case_of(f"other {field}", planned, replace(good, client_state=replace(good.client_state, **{field: value})))
        )
    for field, value in (("timestamp_ns", good.consensus_state.timestamp_ns + 1), ("root", b"\x66" * 32)):
        changed = replace(good.consensus_state, **{field: value})
        cases.append(case_of(f"other {field}", planned, replace(good, consensus_state=changed)))
    for name, committed in (
        ("shorter unbonding", {"unbonding_period_ns": 3 * DAY_NS}),
        ("half the unbonding", {"unbonding_period_ns": 21 * DAY_NS // 2}),
        ("longer unbonding", {"unbonding_period_ns": 42 * DAY_NS}),
        ("another name", {"chain_id": "other-2"}),
        ("two revisions on", {"chain_id": "sim-3", "latest_height": Height(3, 1)}),
        ("same revision", {"chain_id": "sim-1", "latest_height": Height(1, 99)}),
        ("revision of the height is another", {"latest_height": Height(3, 1)}),
        ("height zero", {"latest_height": Height(2, 0)}),
        ("no specs", {"proof_specs": ()}),
        ("no unbonding", {"unbonding_period_ns": 0}),
        ("no further upgrades", {"upgrade_path": ()}),
    ):
        chain = UpgradingChain(**committed)
        cases.append(case_of(f"committed: {name}", chain, chain.upgrade()))
    return cases


STRICTER = {"upgrade: committed: same revision": "T12"}


def ours(case: Case) -> tuple[str, bytes]:
    (height, state) = case.consensus_states[0]
    planned = UpgradingChain()
    client = Verifier(planned.old, PLAN_HEIGHT)
    client.states = client.states.with_state(height, state)
    try:
        verdict = CLIENT.verify_upgrade(case.client_state, client.states, case.message, case.now_ns)
    except VerificationError as error:
        return "invalid", str(error).encode()
    return "valid", verdict.client_state + verdict.consensus_state


def test_stock_and_we_store_the_same_states():
    build_stock()
    cases = upgrade_cases()
    valid = 0
    for case, stock in zip(cases, stock_verdicts(cases), strict=True):
        word, states = ours(case)
        if case.id in STRICTER:
            assert (stock["verdict"], word) == ("valid", "invalid"), case.id
            continue
        assert word == stock["verdict"], (case.id, stock.get("error"), states)
        if word == "valid":
            valid += 1
            assert states.hex() == stock["value"], case.id
    assert valid == 8


def test_headers_and_evidence_of_both_revisions_after_an_upgrade():
    planned = UpgradingChain()
    client = Verifier(planned.old, 2, PLAN_HEIGHT)
    verdict = CLIENT.verify_upgrade(client.state, client.states, encode_upgrade(planned.upgrade()), client.now_ns)
    assert isinstance(verdict, Updated)
    planned.new.advance(4)
    planned.old.advance(2)
    states = (
        *((planned.old.height(n), client.states.get(planned.old.height(n))) for n in (2, PLAN_HEIGHT)),
        (verdict.height, verdict.consensus_state),
    )
    old, new = planned.old, planned.new
    fork = {"app_hash": b"\x66" * 32}
    asked = (
        ("first of the new revision", "header", new.update(2, 1), "valid"),
        ("far in the new revision", "header", new.update(5, 1), "valid"),
        ("of the old revision", "header", old.update(4, 2), "invalid"),
        ("the last of the old revision", "header", old.update(PLAN_HEIGHT, 2), "invalid"),
        ("the old chain goes on", "header", old.update(PLAN_HEIGHT + 2, PLAN_HEIGHT), "invalid"),
        ("a fork of the last old block", "header", old.update(6, 2, old.fork(6, **fork)), "invalid"),
        ("new by old", "header", replace(new.update(2, 1), trusted_height=Height(1, 2)), "invalid"),
        ("old by new", "header", replace(old.update(4, 2), trusted_height=Height(2, 1)), "invalid"),
        ("forks in the old", "misbehaviour", (old.update(4, 2), old.update(4, 2, old.fork(4, **fork))), "misbehaviour"),
        ("forks in the new", "misbehaviour", (new.update(4, 1), new.update(4, 1, new.fork(4, **fork))), "misbehaviour"),
        ("one of each", "misbehaviour", (new.update(4, 1), old.update(4, 2)), "invalid"),
    )
    cases = [
        Case(
            "upgraded",
            name,
            kind,
            now_of(new),
            verdict.client_state,
            states,
            encode_misbehaviour(old.misbehaviour(*message))
            if isinstance(message, tuple)
            else encode_tendermint_header(message),
        )
        for name, kind, message, _ in asked
    ]
    assert decode_client_state(verdict.client_state).latest_height == Height(2, 1)
    for case, stock, (_, _, _, expected) in zip(cases, stock_verdicts(cases), asked, strict=True):
        assert (python_verdict(case)[0], stock["verdict"]) == (expected, expected), (case.id, stock.get("error"))
