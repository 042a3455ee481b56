"""A skipped block judged offline from a checkpoint; whatever a forger changes is refused by the rule that it breaks."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.tendermint.hashing import header_hash
from hutong.light_clients.tendermint.skip_certificate import encode_certificate
from hutong.light_clients.tendermint.types import TrustLevel
from hutong.relay.archive.bundle import ChainKind
from hutong.relay.archive.checkpoint import Checkpoint, TendermintTrust, encode_checkpoint
from hutong.relay.audit.skips import decode_evidence, judge_skip
from hutong.relay.base.durable_files import write_durably
from hutong.relay.cli.main import app
from hutong.relay.hub.application.genesis import encode_genesis
from hutong.relay.hub.home.home import GENESIS_FILE
from hutong.relay.hub.home.process import open_store
from hutong.relay.hub.upkeep.stopped import SkipNotDue, evidence_in_state
from tests.relay.hub.application.governance.validator_run import POOL
from tests.relay.hub.skipping.skipping_hub import KEYS, SkippingHub, certified

SKIPPED = 4
NOW_S = 60


@pytest.fixture(scope="module")
def audited(tmp_path_factory):
    """Home, checkpoint of block 2, evidence, and a time to judge at."""
    home = tmp_path_factory.mktemp("member")
    store = open_store(home)
    hub = SkippingHub(store)
    write_durably(home / GENESIS_FILE, encode_genesis(hub.genesis))
    hub.skip(hub.payment())
    for _ in range(3):
        hub.advance(hub.payment())
    header = hub.ledger.records.block(2).block.header
    now_ns = header.time_ns + NOW_S * 10**9
    store.close()
    checkpoint = Checkpoint(
        hub.genesis.chain_id,
        ChainKind.TENDERMINT,
        2,
        header_hash(header),
        header.time_ns,
        hub.genesis.params.trusting_period_s,
        10,
        {},
        TendermintTrust(TrustLevel(1, 3), (b"",), ("smt",)),
    )
    return home, checkpoint, evidence_in_state(home, SKIPPED, 2), now_ns


def test_the_evidence_of_a_members_home_holds(audited):
    _, checkpoint, data, now_ns = audited
    verdicts = judge_skip(decode_evidence(data), checkpoint, now_ns)
    assert all(one.held for one in verdicts), verdicts[-1].error
    assert [one.name for one in verdicts][-3:] == ["skip_is_about", "skip_is_decided", "skip_is_recorded"]


def refused_by(evidence, checkpoint, now_ns) -> str:
    verdicts = judge_skip(evidence, checkpoint, now_ns)
    assert not verdicts[-1].held
    return verdicts[-1].name


def test_attack_C47_evidence_that_is_altered_consistently_is_refused(audited):
    _, checkpoint, data, now_ns = audited
    good = decode_evidence(data)
    statement = good.certificate.statement
    cases = {
        "skip_is_decided": [
            replace(good, certificate=certified(statement, KEYS[:2])),
            replace(good, certificate=certified(statement, (*KEYS[:2], POOL[5]))),
        ],
        "skip_is_about": [replace(good, certificate=certified(replace(statement, block_hash=b"\x01" * 32)))],
        "skip_is_recorded": [
            replace(good, certificate=certified(statement, KEYS[1:])),
            replace(good, proof=good.proof[:-1]),
        ],
        "headers_follow_each_other": [replace(good, blocks=(good.blocks[0], good.blocks[2], good.blocks[2]))],
    }
    for rule, altered in cases.items():
        for evidence in altered:
            assert refused_by(evidence, checkpoint, now_ns) == rule
    signed, own = good.blocks[0]
    forged = replace(signed, header=replace(signed.header, app_hash=b"\x01" * 32))
    assert refused_by(replace(good, blocks=((forged, own), *good.blocks[1:])), checkpoint, now_ns) != "skip_is_recorded"
    assert refused_by(good, replace(checkpoint, hash=b"\x01" * 32), now_ns) == "checkpoint_is_of_the_hub"
    assert refused_by(good, checkpoint, now_ns + 10**18) == "within_trusting_period"


def test_blocks_that_were_executed_have_no_evidence(audited):
    home = audited[0]
    assert evidence_in_state(home, SKIPPED + 1, 2) is None
    with pytest.raises(SkipNotDue, match="block 100 is not stored here"):
        evidence_in_state(home, SKIPPED, 100)


def test_both_commands_from_a_members_home_to_an_auditors_verdict(audited, tmp_path):
    home, checkpoint, _, now_ns = audited
    run = CliRunner().invoke
    evidence, trusted = tmp_path / "evidence.json", tmp_path / "hub.checkpoint.json"
    trusted.write_bytes(encode_checkpoint(checkpoint))
    arguments = ["hub", "skip", "show", str(SKIPPED), "--home", str(home), "--out", str(tmp_path / "skip.json")]
    shown = run(app, [*arguments, "--evidence", str(evidence), "--trusted-height", "2"])
    assert shown.exit_code == 0, shown.output
    judged = ["audit", "skip", str(evidence), "--checkpoint", str(trusted), "--now", str(now_ns // 10**9)]
    good = run(app, judged)
    assert good.exit_code == 0, good.output
    assert good.output.startswith(f"holds: block {SKIPPED} ") and good.output.count("signed by") == 3
    document = json.loads(evidence.read_text())
    evidence.write_text(
        json.dumps(
            {
                **document,
                "certificate": encode_certificate(
                    certified(decode_evidence(json.dumps(document).encode()).certificate.statement, KEYS[:2])
                ).hex(),
            }
        )
    )
    bad = run(app, [*judged, "--json"])
    assert bad.exit_code == 1
    assert json.loads(bad.output)["predicates"][-1]["predicate"] == "skip_is_decided"
    executed = run(app, ["hub", "skip", "show", str(SKIPPED + 1), "--home", str(home)])
    assert executed.exit_code == 1 and "does not count as empty" in executed.output


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_changed_evidence_is_malformed_or_judged(audited, data):
    _, checkpoint, good, now_ns = audited
    document = json.loads(good)
    name = data.draw(st.sampled_from(sorted(document)))
    document[name] = data.draw(st.none() | st.integers() | st.text(max_size=20) | st.binary(max_size=60).map(bytes.hex))
    try:
        evidence = decode_evidence(json.dumps(document).encode())
    except MalformedInput:
        return
    judge_skip(evidence, checkpoint, now_ns)
