"""`hutong hub skip` on the home of a stopped node whose next block failed."""

import json

import pytest
from typer.testing import CliRunner

from hutong.relay.base.durable_files import write_durably
from hutong.relay.cli.main import app
from hutong.relay.hub.application.genesis import encode_genesis
from hutong.relay.hub.chain.execution_guard import ExecutionFailed, ExecutionGuard
from hutong.relay.hub.consensus.signing import LastSigned
from hutong.relay.hub.home.home import GENESIS_FILE, LAST_SIGNED_FILE, VALIDATOR_KEY_FILE, encode_validator_key
from hutong.relay.hub.home.last_signed import decode_last_signed, encode_last_signed
from hutong.relay.hub.home.process import open_store
from hutong.relay.hub.skipping.files import encode_file, read_file
from tests.relay.hub.skipping.skipping_hub import KEYS, SkippingHub, certified


def run(*arguments, asked: str = "", code: int = 0) -> str:
    done = CliRunner().invoke(app, ["hub", "skip", *map(str, arguments)], input=asked)
    assert done.exit_code == code, (arguments, done.output, done.exception)
    return done.output


@pytest.fixture
def stopped(tmp_path):
    """Home at block 3 with the first validator's key, the decided block 4, and its statement."""
    home = tmp_path / "node"
    home.mkdir()
    store = open_store(home)
    hub = SkippingHub(store)
    block, block_id, commit = hub.decide(hub.payment())
    statement = hub.statement(block_id)
    store.close()
    write_durably(home / GENESIS_FILE, encode_genesis(hub.genesis))
    write_durably(home / VALIDATOR_KEY_FILE, encode_validator_key(KEYS[0]))
    write_durably(home / LAST_SIGNED_FILE, encode_last_signed(LastSigned(3)))
    return home, statement


def fails(home, statement) -> None:
    def execute():
        raise MemoryError

    with pytest.raises(ExecutionFailed):
        ExecutionGuard(home).run(statement.height, statement.block_hash, statement.prior_app_hash, execute)


def test_a_node_without_a_failed_block_signs_nothing(stopped):
    home, statement = stopped
    assert "no execution failed here: the chain stands at block 3" in run("status", "--home", home)
    assert "no execution failed here" in run("sign", "--home", home, "--yes", code=1)
    guard = ExecutionGuard(home)
    guard.run(statement.height, statement.block_hash, statement.prior_app_hash, lambda: None)
    assert "was executed here" in run("status", "--home", home)
    assert "who executed a block signs no skip of it" in run("sign", "--home", home, "--yes", code=1)
    assert not json.loads(run("status", "--home", home, "--json"))["may_sign"]


def test_the_operator_is_told_asked_and_bound(stopped, tmp_path):
    home, statement = stopped
    fails(home, statement)
    said = run("status", "--home", home)
    assert f"block 4 ({statement.block_hash.hex()}) failed here: MemoryError" in said
    assert "members with 3 of 4 voting power must fail on the same hash" in said
    out = tmp_path / "mine.json"
    said = run("sign", "--home", home, "--out", out, asked="n\n", code=1)
    assert "cannot be taken back" in said and not out.exists()
    assert decode_last_signed((home / LAST_SIGNED_FILE).read_bytes()).skip is None
    run("sign", "--home", home, "--out", out, asked="y\n")
    assert read_file(out) == certified(statement, KEYS[:1])
    assert decode_last_signed((home / LAST_SIGNED_FILE).read_bytes()).skip.statement == statement


def test_attack_C48_a_key_that_voted_above_the_block_signs_no_skip_of_it(stopped):
    home, statement = stopped
    fails(home, statement)
    write_durably(home / LAST_SIGNED_FILE, encode_last_signed(LastSigned(5, 2)))
    assert "this key signed at height 5 already" in run("sign", "--home", home, "--yes", code=1)


def test_signatures_are_combined_and_a_complete_certificate_is_applied(stopped, tmp_path):
    home, statement = stopped
    fails(home, statement)
    files = []
    for index, key in enumerate(KEYS[:3]):
        files.append(tmp_path / f"{index}.json")
        files[-1].write_bytes(encode_file(certified(statement, (key,))))
    out = tmp_path / "skip.json"
    said = run("combine", *files[:2], "--home", home, "--out", out, code=1)
    assert "2 signatures with 2 of 4 voting power" in said and "more than 2 is needed" in said
    assert "skip_is_decided" in run("apply", out, "--home", home, code=1)
    assert "complete" in run("combine", *files, "--home", home, "--out", out)
    assert "applies block 4 as empty" in run("apply", out, "--home", home)
    assert "a certificate of block 4 is in" in run("status", "--home", home)
    false = json.loads(files[1].read_text())
    false["signatures"][0]["signature"] = "11" * 64
    files[1].write_text(json.dumps(false))
    assert f"{files[1]}: skip_signatures_hold" in run("combine", *files, "--home", home, "--out", out, code=1)


def test_unusable_input_is_one_sentence(stopped, tmp_path):
    home, _ = stopped
    nothing = tmp_path / "nothing.json"
    for arguments in (
        ("status", "--home", tmp_path / "none"),
        ("apply", nothing, "--home", home),
        ("combine", nothing, "--home", home),
        ("show", 3, "--home", tmp_path / "none"),
    ):
        said = run(*arguments, code=2)
        assert len(said.strip().splitlines()) == 1
    nothing.write_text("[]")
    assert "is not signatures of a skip; expected hutong-skip-1" in run("apply", nothing, "--home", home, code=2)
