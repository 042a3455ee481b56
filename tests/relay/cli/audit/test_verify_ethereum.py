"""`hutong verify ethereum`: files as beacon nodes serve them, exit codes, and what is printed."""

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from hutong.light_clients.ethereum import MINIMAL_PRESET, Fork, ssz
from hutong.light_clients.ethereum.snappy import compress
from hutong.relay.cli.audit.verify import app
from tests.light_clients.ethereum.beacon_api import bootstrap_object, genesis_of, spec_of, update_object
from tests.light_clients.ethereum.simulated_beacon import FIRST_SLOT
from tests.light_clients.ethereum.verifying import chain_of

CHAIN = chain_of(blocks=6)
UPDATES = [CHAIN.update(FIRST_SLOT + 1, with_committee=True), CHAIN.update(FIRST_SLOT + 3)]
ROOT = CHAIN.blocks[FIRST_SLOT].root.hex()
NOW_S = CHAIN.now_ns // 10**9
PER_BOOTSTRAP, PER_UPDATE = 4, 15


def enveloped(value: dict) -> dict:
    return {"version": "electra", "data": value}


@pytest.fixture
def run(tmp_path):
    network = tmp_path / "network.json"
    network.write_text(json.dumps({"spec": {"data": spec_of(CHAIN.network)}, "genesis": genesis_of(CHAIN.network)}))

    def run(files: dict, *options, root=ROOT, now=NOW_S, chain=network):
        paths = []
        for name, content in files.items():
            path = tmp_path / name
            path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
            paths.append(str(path))
        trust = [] if root is None else ["--root", root]
        result = CliRunner().invoke(
            app, ["ethereum", "--network", str(chain), "--now", str(now), "--json", *trust, *options, *paths]
        )
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return run


BOOTSTRAP = enveloped(bootstrap_object(CHAIN.bootstrap(FIRST_SLOT)))
JSON_FILES = {"bootstrap.json": BOOTSTRAP, "updates.json": [enveloped(update_object(update)) for update in UPDATES]}


def names(result) -> list[str]:
    return [check["name"] for check in json.loads(result.stdout)["checks"]]


def failed(result) -> str:
    assert result.exit_code == 1, result.output
    (name,) = [check["name"] for check in json.loads(result.stdout)["checks"] if not check["held"]]
    return name


def unusable(result) -> str:
    assert result.exit_code == 2, result.output
    return result.stderr


def test_json_files_are_judged_predicate_by_predicate(run):
    result = run(JSON_FILES)
    assert result.exit_code == 0, result.output
    seen = names(result)
    assert len(seen) == 1 + PER_BOOTSTRAP + 2 * PER_UPDATE
    assert seen[0] == "within_trusting_period"
    assert "bootstrap.json: current_committee_proven" in seen
    assert "updates.json[1]: signed_by_committee" in seen
    newest = json.loads(result.stdout)["subject"]["newest finalized header"]
    assert newest.startswith(f"slot {FIRST_SLOT + 3}, execution block {FIRST_SLOT}")


def test_ssz_snappy_and_streams_are_read_as_json_is(run):
    fork = Fork.ELECTRA
    first = ssz.encode_bootstrap(CHAIN.bootstrap(FIRST_SLOT), fork)
    digest = CHAIN.network.fork_digest(CHAIN.network.forks[fork])
    encoded = [ssz.encode_update(update, fork, MINIMAL_PRESET) for update in UPDATES]
    stream = b"".join((4 + len(data)).to_bytes(8, "little") + digest + data for data in encoded)
    finality = ssz.encode_finality_update(CHAIN.update(FIRST_SLOT + 4), fork)
    bare = replace(CHAIN.update(FIRST_SLOT + 5), finalized_header=None, finality_branch=())
    files = {
        "bootstrap.ssz_snappy": compress(first),
        "updates.ssz": stream,
        "finality.ssz": finality,
        "optimistic.ssz": ssz.encode_optimistic_update(bare, fork),
    }
    result = run(files, "--fork", "electra")
    assert result.exit_code == 0, result.output
    assert "optimistic.ssz: signed_by_supermajority" in names(result)


def test_wrong_root_signature_time_and_few_signers_are_named(run):
    assert failed(run(JSON_FILES, root="11" * 32)) == "bootstrap.json: bootstrap_header_trusted"
    assert failed(run(JSON_FILES, now=NOW_S + 15 * 86_400)) == "within_trusting_period"
    early = failed(run(JSON_FILES, "--clock-drift", "1", now=CHAIN.network.slot_time_s(FIRST_SLOT + 2)))
    assert early == "updates.json[0]: header_not_from_future"
    forged = update_object(replace(UPDATES[0], sync_aggregate=UPDATES[1].sync_aggregate))
    files = {"bootstrap.json": BOOTSTRAP, "update.json": enveloped(forged)}
    assert failed(run(files)) == "update.json: signed_by_committee"
    few = enveloped(update_object(CHAIN.update(FIRST_SLOT + 1, members=range(21))))
    files = {"bootstrap.json": BOOTSTRAP, "update.json": few}
    assert failed(run(files)) == "update.json: signed_by_supermajority"


def test_what_cannot_be_judged_is_said_in_a_sentence(run, tmp_path):
    update = {"update.json": JSON_FILES["updates.json"][0]}
    first = {"bootstrap.json": BOOTSTRAP}
    bare = {"bootstrap.json": BOOTSTRAP["data"]}
    for result, words in (
        (run(JSON_FILES, root=None), "no trust root"),
        (run(JSON_FILES, root="11" * 31), "32 bytes"),
        (run(update), "the first file is not a bootstrap"),
        (run(first | {"again.json": BOOTSTRAP}), "more than one bootstrap"),
        (run(first | {"error.json": {"code": 404, "message": "no"}}), "error response"),
        (run(first | {"bad.json": {"version": "electra", "data": {}}}), "is not a light client object"),
        (run(first | {"bad.json": {"version": "gloas", "data": {}}}), "not supported"),
        (run(first | {"bad.json": [7]}), "not an answer of a beacon node"),
        (run(first | {"bad.json": b"{"}), "is not JSON"),
        (run(first | {"bad.ssz": b"\1" * 40}), "give --fork"),
        (run(first | {"bad.ssz": b"\1" * 40}, "--fork", "electra"), "neither JSON nor"),
        (run(first | {"bad.ssz_snappy": b"\xff" * 40}, "--fork", "electra"), "not a raw snappy block"),
        (run(bare), "names no version"),
        (run(first, "--fork", "gloas"), "--fork gloas is not one of"),
        (run(first, chain="nowhere"), "no file of that name"),
        (run(first, chain=tmp_path / "bootstrap.json"), "has no spec and genesis"),
        (run(first, "--trusting-period", "0"), "must be positive"),
    ):
        assert words in unusable(result)
