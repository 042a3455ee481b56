"""A database that is full or lacks a record is refused in one sentence that says what to do, and is closed again."""

from functools import partial

import pytest
from typer.testing import CliRunner

from hutong.light_clients.crypto import ed25519
from hutong.light_clients.interface import MalformedInput
from hutong.relay.cli.hub.command import app
from hutong.relay.evm.store.lmdb_store import LmdbStore
from hutong.relay.hub.abci.start import open_abci_node
from hutong.relay.hub.application.frame import Frame, MeteredReader, MeteredStore
from hutong.relay.hub.application.machine.evm_pruning import EVM_PRUNING_TABLE, EVM_TABLE
from hutong.relay.hub.home.process import NodeRefused, open_store
from hutong.relay.hub.joining import joining
from hutong.relay.hub.process.start import Kept, NodeOptions, open_node, prune_node
from hutong.relay.hub.upkeep import backup, backup_file
from hutong.relay.hub.upkeep.backup_file import BackupReader
from tests.relay.hub.hub_process import new_home
from tests.relay.hub.simulated_hub import SimulatedHub

STATE_TABLE = b"hub-state/"
SMALL = 16 * 1024
"""Of a database: less than the state of genesis takes."""


def run(*arguments):
    done = CliRunner().invoke(app, [str(part) for part in arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def begun(home):
    """A home whose database holds the state of genesis, closed."""
    made = new_home(home)
    node = open_node(made)
    node.log.close()
    node.store.close()
    return made


def without_rows(home, prefix):
    """Takes every row of a table out."""
    store = LmdbStore(home / "data")
    rows = [key for key, _ in store.items(prefix, prefix[:-1] + bytes([prefix[-1] + 1]))]
    with store.batch() as batch:
        for key in rows:
            batch.delete(key)
    store.close()
    assert rows


def is_closed(home) -> bool:
    """LMDB opens a folder once in a process."""
    LmdbStore(home / "data").close()
    return True


# --- a full disk


def test_a_restore_that_does_not_fit_is_one_sentence_and_leaves_nothing(tmp_path, monkeypatch):
    made = tmp_path / "backup"
    assert run("backup", "--home", begun(tmp_path / "old"), "--to", made)[0] == 0
    monkeypatch.setattr(backup, "MAP_BYTES", SMALL)
    code, output = run("restore", "--home", tmp_path / "new", "--from", made)
    assert (code, output.count("\n")) == (1, 1), output
    assert "the database has its most of 0 MiB; nothing was restored" in output
    assert list((tmp_path / "new").iterdir()) == []


def test_a_join_that_does_not_fit_is_one_sentence_and_may_be_given_again(tmp_path, monkeypatch):
    genesis = new_home(tmp_path / "member") / "genesis.json"
    monkeypatch.setattr(joining, "open_store", partial(open_store, map_bytes=SMALL))
    home = tmp_path / "new"
    for _ in range(2):
        code, output = run("join", "--home", home, "--genesis", genesis, "--from", "http://127.0.0.1:9")
        assert (code, "not joined: " in output) == (1, True), output
        assert "the database has its most of 0 MiB; nothing is lost: give the same command again" in output
    assert is_closed(home)


def test_a_start_whose_database_is_full_is_refused_with_its_remedy_and_closed(tmp_path):
    home = new_home(tmp_path)
    with pytest.raises(NodeRefused, match="the database has its most of 0 MiB; nothing is lost, start again with more"):
        open_node(home, options=NodeOptions(map_bytes=SMALL))
    assert is_closed(home)
    with pytest.raises(NodeRefused, match="the database has its most of 0 MiB; nothing is lost, start again with more"):
        open_abci_node(home, SMALL)
    assert is_closed(home)


# --- an engine of cryptography that computes wrongly


@pytest.mark.parametrize("opened", [open_node, open_abci_node])
def test_a_start_with_an_engine_that_computes_wrongly_is_refused_and_names_it(tmp_path, monkeypatch, opened):
    home = new_home(tmp_path)
    # a library that takes every signature: this node would fork off the chain, so it halts before it begins
    monkeypatch.setattr(ed25519, "ed_verify", lambda signature, message, key: True)
    known = "the known answer 'another message' gives False"
    with pytest.raises(NodeRefused, match=f"the engine ed25519-zebra answers True where {known} for ed25519 verify"):
        opened(home)
    assert is_closed(home)


# --- a damaged database


def test_a_start_on_a_state_with_a_hole_is_refused_with_its_remedy_and_closed(tmp_path):
    home = begun(tmp_path)
    without_rows(home, STATE_TABLE + b"r")
    for opened in (open_node, open_abci_node):
        with pytest.raises(
            NodeRefused, match=r"data: the state has no version 0; .* restore a backup .* or join again"
        ):
            opened(home)
        assert is_closed(home)
    code, output = run("start", "--home", home, "--port", "0", "--cometbft-port", "0")
    assert (code, output.count("\n")) == (2, 1), output


def test_a_start_on_an_EVM_state_with_a_hole_is_refused_with_its_remedy(tmp_path):
    home = begun(tmp_path)
    without_rows(home, EVM_TABLE)
    without_rows(home, EVM_PRUNING_TABLE)  # as of a home from before places were counted
    node = open_node(home)
    with pytest.raises(NodeRefused, match=r"data: .* is missing; .* restore a backup .* or join again"):
        prune_node(node, Kept())
    node.store.close()


# --- a backup


def test_a_backup_names_the_file_of_the_home_that_cannot_be_read(tmp_path):
    home = begun(tmp_path / "home")
    record = home / "last_signed.json"
    record.unlink()
    code, output = run("backup", "--home", home, "--to", tmp_path / "backup")
    assert (code, output) == (1, f"{record}: No such file or directory\n")
    assert not (tmp_path / "backup").exists()


def test_the_rows_of_a_backup_are_bounded(tmp_path, monkeypatch):
    assert run("backup", "--home", begun(tmp_path / "home"), "--to", tmp_path / "backup")[0] == 0
    with (tmp_path / "backup").open("rb") as file:
        count = sum(1 for _ in BackupReader(file).rows())
    for most in (count, count - 1):
        monkeypatch.setattr(backup_file, "MAX_ROWS", most)
        with (tmp_path / "backup").open("rb") as file:
            rows = BackupReader(file).rows()
            if most == count:
                assert sum(1 for _ in rows) == count
                continue
            with pytest.raises(MalformedInput, match=f"backup.rows: more than {most}"):
                list(rows)


# --- what a call may write to


class _Call:
    """A native call over one frame, which pays for everything."""

    def __init__(self, frame) -> None:
        self.journaled = (frame,)
        self.paid = []

    def require_writable(self) -> None:
        pass

    def charge(self, gas: int, reason: str) -> None:
        self.paid.append((gas, reason))


def test_the_state_before_the_block_is_read_and_never_written():
    hub = SimulatedHub()
    state = hub.application.state
    frame = Frame(state.view_at(hub.height), state.view_at(hub.height), 1, 1, 3)
    call = _Call(frame)
    written, before = MeteredStore(call, frame), MeteredReader.before_block(call)
    written.set(b"key", b"value")
    assert (written.get(b"key"), before.get(b"key"), before.next(b"key")) == (b"value", None, written.next(b"key"))
    assert [reason for _, reason in call.paid].count("hub state read") == 2
    for name in ("set", "delete"):
        assert hasattr(written, name) and not hasattr(before, name)
