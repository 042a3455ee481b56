"""`hutong verify clique`: branches as nodes serve them, exit codes, and what is printed."""

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from hutong.light_clients.evm_header import encode_header, header_to_rpc
from hutong.relay.cli.audit.verify import app
from tests.light_clients.clique.simulated_clique_chain import (
    EPOCH,
    GENESIS_TIME_S,
    PERIOD_S,
    SimulatedCliqueChain,
    key_of,
)

CHAIN = SimulatedCliqueChain()
CHAIN.main.advance(9)
PREDICATES = [
    "headers_are_well_formed",
    "block_hashes_match",
    "within_trusting_period",
    "height_increases",
    "blocks_are_linked",
    "header_not_from_future",
    "clique_constant_fields",
    "times_keep_the_period",
    "buried_by_confirmations",
    "signers_may_seal",
    "majority_of_signers_sealed",
]


def rpc_block(block) -> dict:
    return {**header_to_rpc(block.execution), "hash": "0x" + block.hash.hex(), "transactions": []}


def branch_of(branch=CHAIN.main, start: int = 3) -> list[dict]:
    return [rpc_block(branch.at(number).block) for number in range(start, branch.height + 1)]


def checkpoint(height: int = 2, **changed) -> dict:
    at = CHAIN.main.at(height)
    return {
        "chain": 1338,
        "height": height,
        "hash": "0x" + at.block.hash.hex(),
        "time": at.block.execution.timestamp_s,
        "signers": ["0x" + signer.hex() for signer in at.snapshot.signers],
        "recents": ["0x" + signer.hex() for signer in at.snapshot.recents],
        "period": PERIOD_S,
        "epoch": EPOCH,
        **changed,
    }


@pytest.fixture
def run(tmp_path):
    def run(served, trusted=None, *options: str, confirmations: int = 2):
        files = []
        for index, one in enumerate(served if isinstance(served, tuple) else (served,)):
            files.append(tmp_path / f"{index}.json")
            files[-1].write_text(one if isinstance(one, str) else json.dumps(one))
        (tmp_path / "trusted.json").write_text(json.dumps(trusted or checkpoint()))
        arguments = ["clique", "--trusted", str(tmp_path / "trusted.json"), "--json", *options]
        arguments += ["--confirmations", str(confirmations), "--now", str(GENESIS_TIME_S + 20), *map(str, files)]
        result = CliRunner().invoke(app, arguments)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return run


def checks(result) -> dict[str, bool]:
    return {check["name"]: check["held"] for check in json.loads(result.stdout)["checks"]}


def test_branch_is_valid_in_every_form_and_order(run):
    blocks = branch_of()
    raw = encode_header(CHAIN.main.at(10).block.execution).hex()
    for served in (blocks, blocks[::-1], tuple(blocks), (blocks[:-1], raw), ({"result": blocks[0]}, blocks[1:])):
        result = run(served)
        assert result.exit_code == 0, result.output
        assert list(checks(result)) == PREDICATES
        assert all(checks(result).values())


def test_the_block_to_believe_is_named_or_the_highest_that_is_deep_enough(run):
    assert run(branch_of(), None, "--height", "8").exit_code == 0
    result = run(branch_of(), None, "--height", "9")
    assert result.exit_code == 1
    assert checks(result)["buried_by_confirmations"] is False
    assert run(branch_of(), confirmations=7).exit_code == 0
    assert checks(run(branch_of(), confirmations=8))["height_increases"] is False


def test_a_forged_block_is_named(run):
    forged = CHAIN.main.fork(10)
    forged.add(forged.propose(key=key_of(99))[0])
    result = run(branch_of(forged))
    assert result.exit_code == 1
    assert checks(result)["signers_may_seal"] is False
    assert "signer_is_authorized" in result.stdout
    gap = branch_of()
    assert checks(run(gap[:2] + gap[3:]))["blocks_are_linked"] is False
    renamed = branch_of()
    renamed[-1]["hash"] = "0x" + bytes(32).hex()
    assert checks(run(renamed))["block_hashes_match"] is False
    short = branch_of()
    short[-1]["extraData"] = "0x00"
    assert checks(run(short))["headers_are_well_formed"] is False


def test_recents_of_the_checkpoint_are_held_against_the_next_signer(run):
    branch = CHAIN.main.fork(2)
    recent = branch.snapshot.recents[-1]
    sealed, _ = branch.propose(recent)
    branch.add(replace(sealed, snapshot=replace(sealed.snapshot, recents=(recent,))))
    branch.advance(3)
    assert "signer_is_not_recent" in run(branch_of(branch)).stdout


def test_votes_of_the_checkpoint_count(run):
    chain = SimulatedCliqueChain()
    newcomer = chain.know(50)
    chain.main.vote(newcomer, add=True)
    chain.main.vote(newcomer, add=True)
    chain.main.advance(1, newcomer)
    chain.main.advance(4)
    at = chain.main.at(2)
    votes = [
        {"candidate": "0x" + vote.candidate.hex(), "signer": "0x" + vote.signer.hex()} for vote in at.snapshot.votes
    ]
    assert votes
    same = {
        "hash": "0x" + at.block.hash.hex(),
        "signers": ["0x" + signer.hex() for signer in at.snapshot.signers],
        "recents": ["0x" + signer.hex() for signer in at.snapshot.recents],
    }
    assert run(branch_of(chain.main), checkpoint(votes=votes, **same)).exit_code == 0
    assert "signer_is_authorized" in run(branch_of(chain.main), checkpoint(**same)).stdout


def test_the_checkpoints_own_block(run):
    own = rpc_block(CHAIN.main.at(2).block)
    assert run(own).exit_code == 0
    assert run(own, checkpoint(hash="0x" + bytes(32).hex())).exit_code == 1
    assert run(own, checkpoint(time=1)).exit_code == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"signers": []},
        {"signers": ["0x01"]},
        {"signers": "0x" + "11" * 20},
        {"signers": ["0x" + "11" * 20] * 2},
        {"epoch": 0},
        {"epoch": None},
        {"period": "x"},
        {"recents": {}},
        {"votes": [1]},
        {"votes": [{"candidate": "0x00", "signer": "0x00"}]},
        {"hash": "0x00"},
    ],
)
def test_checkpoints_that_are_invalid_are_one_sentence(run, changed):
    result = run(branch_of(), checkpoint(**changed))
    assert result.exit_code == 2
    assert "unusable input" in result.output or "unusable input" in result.stderr


def test_unusable_options(run):
    assert run(branch_of(), confirmations=0).exit_code == 2
    assert run(branch_of(), None, "--clock-drift", "0").exit_code == 2
    assert run("[]").exit_code == 2
    assert run('{"error": 1}').exit_code == 2
    assert CliRunner().invoke(app, ["clique", "nowhere.json"]).exit_code == 2
