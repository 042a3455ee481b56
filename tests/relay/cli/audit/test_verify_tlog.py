"""`hutong verify tlog`: a log's files as it serves them, exit codes, what is printed, and the states of a client."""

import json
from base64 import b64encode

import pytest
from typer.testing import CliRunner

from hutong.light_clients.interface import Height, MemoryConsensusStates
from hutong.light_clients.table import light_client
from hutong.light_clients.tlog import COSIGNATURE_V1, ED25519, decode_client_state, encode_vkey
from hutong.light_clients.tlog.tiles import Tile
from hutong.relay.cli.audit.verify import app
from hutong.relay.devnet.log.tree import LogTree
from tests.light_clients.tlog.simulated_log import LOG, PUBLISHER, QUORUM, WITNESSES, SimulatedLog

LOG_OF_NINE = SimulatedLog()
LOG_OF_NINE.advance(8)
SIZE = 9
NOW_S = LOG_OF_NINE.time_s(SIZE)
SIGNED = ["checkpoint_well_formed", "checkpoint_is_of_the_log", "log_signed", "quorum_cosigned", "time_is_told"]
SIGNED += ["header_not_from_future"]
GREW = ["sizes_ascend", "nodes_are_hashes", "first_root_matches", "second_root_matches"]
STANDS = ["index_within_total", "path_is_canonical", "leaf_matches", "root_matches"]


def trusted(size: int | None = None, **changes) -> dict:
    document = {
        "origin": LOG.name,
        "log_key": encode_vkey(LOG.key, ED25519),
        "witnesses": [encode_vkey(witness.key, COSIGNATURE_V1) for witness in WITNESSES],
        "quorum": QUORUM,
        "publisher_key": b64encode(PUBLISHER.key.public_key).decode(),
    }
    if size is not None:
        document |= {"size": size, "root": b64encode(LOG_OF_NINE.root(size)).decode()}
    return document | changes


@pytest.fixture
def run(tmp_path):
    tree = LogTree(LOG_OF_NINE.entries)
    tile = Tile(0, 0, SIZE)
    path = tmp_path / "served" / tile.path
    path.parent.mkdir(parents=True)
    path.write_bytes(tree.tile(tile))

    def run(*options, note=None, trust=None, now=NOW_S, entry=None):
        checkpoint, root = tmp_path / "checkpoint", tmp_path / "trusted.json"
        checkpoint.write_bytes(LOG_OF_NINE.note(SIZE) if note is None else note)
        root.write_text(json.dumps(trusted() if trust is None else trust))
        if entry is not None:
            (tmp_path / "entry").write_bytes(entry)
            options = (*options, "--entry", str(tmp_path / "entry"))
        arguments = ["tlog", str(checkpoint), "--trusted", str(root), "--now", str(now), "--json", *options]
        result = CliRunner().invoke(app, arguments)
        said = {}
        if result.exit_code in (0, 1):
            said = {check["name"]: check["held"] for check in json.loads(result.stdout)["checks"]}
        return result, said

    run.tiles = ("--tiles", str(tmp_path / "served"))
    return run


def test_signed_checkpoint_is_judged_rule_by_rule(run):
    result, said = run()
    assert (result.exit_code, list(said)) == (0, SIGNED)
    few = LOG_OF_NINE.note(SIZE, [(WITNESSES[0], NOW_S)])
    result, said = run(note=few)
    assert (result.exit_code, said) == (1, dict.fromkeys(SIGNED[:3], True) | {"quorum_cosigned": False})
    result, said = run(now=NOW_S - 15)
    assert (result.exit_code, said["header_not_from_future"]) == (1, False)


def test_growth_from_a_believed_tree_and_an_entry_are_judged_by_tiles(run):
    result, said = run(*run.tiles, "--index", "4", trust=trusted(5), entry=b"entry 4")
    assert (result.exit_code, list(said)) == (0, SIGNED + GREW + STANDS)
    result, said = run(*run.tiles, "--index", "4", entry=b"entry 5")
    assert (result.exit_code, said["root_matches"]) == (1, False)
    result, said = run(*run.tiles, "--index", str(SIZE), entry=b"entry 5")
    assert (result.exit_code, said["index_within_total"]) == (1, False)
    other = trusted(5) | {"root": b64encode(bytes(32)).decode()}
    result, said = run(*run.tiles, trust=other)
    assert (result.exit_code, said["first_root_matches"]) == (1, False)
    larger = trusted(5) | {"size": SIZE + 1}
    result, said = run(*run.tiles, trust=larger)
    assert (result.exit_code, said["sizes_ascend"]) == (1, False)


def test_states_of_a_client_are_written_where_all_holds(run, tmp_path):
    result, _ = run("--states", str(tmp_path), "--trusting-period", "3600", "--clock-drift", "10")
    assert result.exit_code == 0
    client, state = (bytes.fromhex((tmp_path / f"{name}.hex").read_text()) for name in ("client", "consensus"))
    assert (client, state) == (LOG_OF_NINE.client_state(SIZE), LOG_OF_NINE.consensus_state(SIZE))
    light_client("c2sp-tlog").create(client, state, LOG_OF_NINE.time_ns(SIZE))
    (tmp_path / "client.hex").unlink()
    result, _ = run("--states", str(tmp_path), note=LOG_OF_NINE.note(SIZE, []))
    assert result.exit_code == 1
    assert not (tmp_path / "client.hex").exists()
    result, _ = run("--states", str(tmp_path / "absent"))
    assert result.exit_code == 2


@pytest.mark.parametrize(
    ("options", "changes", "sentence"),
    [
        ((), {"quorum": 1}, "more than half"),
        ((), {"quorum": "two"}, "is not a number"),
        ((), {"log_key": None}, "has no log_key"),
        ((), {"log_key": "x"}, "is not name+id+key"),
        ((), {"log_key": encode_vkey(LOG.key, COSIGNATURE_V1)}, "is not an Ed25519 key"),
        ((), {"witnesses": "x"}, "is not a list"),
        ((), {"size": 3}, "one of size and root"),
        ((), {"size": 0, "root": b64encode(bytes(32)).decode()}, "a size above 0"),
        ((), {"size": 3, "root": b64encode(LOG_OF_NINE.root(3)).decode()}, "needs the log's tiles"),
        (("--index", "1"), {}, "--index and --entry together"),
        (("--clock-drift", "0"), {}, "must be positive"),
        (("--clock-drift", str(2**32)), {}, "--clock-drift"),
    ],
)
def test_unusable_input_is_one_sentence(run, options, changes, sentence):
    result, _ = run(*options, trust=trusted() | changes)
    assert result.exit_code == 2
    assert sentence in " ".join(str(result.exception or result.output).split()) or sentence in result.output


def test_tile_of_another_length_is_unusable(run, tmp_path):
    (tmp_path / "served" / "tile" / "0" / "000.p" / str(SIZE)).write_bytes(bytes(31))
    result, _ = run(*run.tiles, trust=trusted(5))
    assert result.exit_code == 2


CONFLICT = ["headers_conflict"]
CONFLICT += [f"{name}: {rule}" for name in ("smaller", "larger") for rule in SIGNED[1:5]]


@pytest.mark.parametrize("size", [5, SIZE])
def test_two_signed_trees_are_evidence_that_freezes_a_client(run, tmp_path, size):
    """Two roots of one size, or a smaller tree that the larger one left."""
    rewritten = SimulatedLog([b"rewritten", *LOG_OF_NINE.entries[1:]])
    other, out = tmp_path / "other", tmp_path / "evidence.hex"
    other.write_bytes(rewritten.note(size))
    options = (*run.tiles, "--conflicting", str(other), "--evidence", str(out))
    result, said = run(*options)
    assert (result.exit_code, list(said)) == (0, CONFLICT + GREW), result.output
    client = light_client("c2sp-tlog")
    state = client.check_misbehaviour(
        LOG_OF_NINE.client_state(SIZE),
        MemoryConsensusStates({Height(0, SIZE): LOG_OF_NINE.consensus_state(SIZE)}),
        bytes.fromhex(out.read_text()),
        LOG_OF_NINE.time_ns(SIZE),
    )
    assert decode_client_state(state.client_state).is_frozen
    out.unlink()
    other.write_bytes(LOG_OF_NINE.note(size))
    result, said = run(*options)
    assert (result.exit_code, said) == (1, {"headers_conflict": False})
    other.write_bytes(rewritten.note(size, [(WITNESSES[0], NOW_S)]))
    result, said = run(*options)
    assert result.exit_code == 1
    assert not all(said.values())
    assert not out.exists()
    other.write_bytes(b"no note")
    assert run(*options)[0].exit_code == 2
    assert run("--evidence", str(out))[0].exit_code == 2
