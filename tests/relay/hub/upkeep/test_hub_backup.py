"""Backing up, restoring and rolling back: the chain comes back whole, and no key signs what it may have signed before."""

import io
import os
import random
import shutil
import stat
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from hutong.light_clients.interface import MalformedInput
from hutong.relay.cli.hub.command import app
from hutong.relay.evm.store.database import MemoryStore
from hutong.relay.evm.store.lmdb_store import LmdbStore
from hutong.relay.hub.application.genesis import encode_genesis
from hutong.relay.hub.chain.ledger import HubLedger
from hutong.relay.hub.chain.pruning import Pruner, Retention
from hutong.relay.hub.consensus.signing import LastSigned, Signed
from hutong.relay.hub.consensus.types import Step
from hutong.relay.hub.engine.block_sync import apply_verified
from hutong.relay.hub.engine.signing_record import floor_record
from hutong.relay.hub.home import process
from hutong.relay.hub.home.home import encode_validator_key, validator_key
from hutong.relay.hub.home.last_signed import decode_last_signed, encode_last_signed
from hutong.relay.hub.home.process import NodeRefused
from hutong.relay.hub.process import start
from hutong.relay.hub.process.start import open_node
from hutong.relay.hub.upkeep import backup
from hutong.relay.hub.upkeep import rollback as rolling
from hutong.relay.hub.upkeep.backup_file import BackupHead, BackupReader, BackupTail, write_backup
from tests.relay.hub.application.governance.validator_run import POOL
from tests.relay.hub.chain.test_hub_pruning import KEPT, reachable, setters, stored, write
from tests.relay.hub.joining.joining_members import HEIGHT, chain, member
from tests.relay.hub.simulated_hub import SimulatedHub

pytestmark = pytest.mark.long

KEY = POOL[0]


def run(command, **options):
    arguments = [str(part) for name, value in options.items() for part in (f"--{name.replace('_', '-')}", value)]
    done = CliRunner().invoke(app, [command, *(part for part in arguments if part != "True")])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def write_home(home, key=KEY, record=None):
    """A validator's home at the chain's tip, stopped."""
    store = LmdbStore(home / "data", sync=False)
    with store.batch() as batch:
        for row, value in chain().hub.store.items():
            batch.put(row, value)
    store.close()
    (home / "genesis.json").write_bytes(encode_genesis(chain().hub.genesis))
    (home / "validator_key.json").write_bytes(encode_validator_key(key))
    (home / "validator_key.json").chmod(0o600)
    record = LastSigned(HEIGHT, 0, ()) if record is None else record
    (home / "last_signed.json").write_bytes(encode_last_signed(record))
    return home


def rows_of(home):
    store = LmdbStore(home / "data")
    try:
        return dict(store.items())
    finally:
        store.close()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A validator's home, a backup of it with its key and one without."""
    directory = tmp_path_factory.mktemp("backups")
    home = write_home(directory / "home")
    for name, options in (("without", {}), ("with", {"with_consensus_key": True})):
        code, output = run("backup", home=home, to=directory / name, **options)
        assert (code, f"backup of block {HEIGHT}" in output, f"{name} the validator's key" in output) == (0, True, True)
    return directory


def test_a_backup_without_the_key_makes_a_node_with_a_new_one(made, tmp_path):
    home = tmp_path / "home"
    secret = KEY.private_key
    assert secret not in (made / "without").read_bytes()
    assert stat.S_IMODE((made / "without").stat().st_mode) == 0o600
    code, output = run("restore", home=home, **{"from": made / "without"})
    assert (code, f"restored block {HEIGHT}" in output) == (0, True), output
    assert rows_of(home) == rows_of(made / "home") == dict(chain().hub.store.items())
    node = open_node(home)
    assert (node.ledger.tip, node.signer.record) == (chain().hub.ledger.tip, LastSigned())
    assert node.signer.public_key != KEY.public_key
    node.store.close()
    assert stat.S_IMODE((home / "validator_key.json").stat().st_mode) == 0o600


def test_attack_C45_a_restored_key_signs_only_from_its_newest_record_or_above_a_height(made, tmp_path):
    """The record in the backup is as old as the backup, and what it shows is the least that may be said."""
    source = {"from": made / "with"}
    older, newer = tmp_path / "older.json", tmp_path / "newer.json"
    older.write_bytes(encode_last_signed(LastSigned(HEIGHT - 1, 3, ())))
    newer.write_bytes(encode_last_signed(LastSigned(HEIGHT, 1, ())))
    home = tmp_path / "home"
    for options, sentence in (
        ({}, "this key may have signed since"),
        (
            {"sign_above": HEIGHT - 1},
            f"--sign-above {HEIGHT - 1}: the backup shows that this key signed height {HEIGHT}",
        ),
        (
            {"last_signed": older},
            f"ends at height {HEIGHT - 1} round 3, the backup shows that this key signed height {HEIGHT}",
        ),
    ):
        code, output = run("restore", home=home, **source, **options)
        assert (code, sentence in output) == (1, True), output
        assert not (home / "genesis.json").exists()
        assert not (home / "data").exists()
    code, output = run("restore", home=home, **source, last_signed=newer)
    assert code == 0, output
    assert (home / "last_signed.json").read_bytes() == newer.read_bytes()
    open_node(home).store.close()
    above = tmp_path / "above"
    code, output = run("restore", home=above, **source, sign_above=HEIGHT + 5)
    assert (code, f"signs above height {HEIGHT + 5} only" in output) == (0, True), output
    assert decode_last_signed((above / "last_signed.json").read_bytes()) == floor_record(HEIGHT + 5)
    with pytest.raises(NodeRefused, match=f"above height {HEIGHT + 5} only and the chain on disk ends at {HEIGHT}"):
        open_node(above)


@pytest.fixture
def signed_until_locked(monkeypatch):
    """Another process of the home signs one height more, and ends as this one asks for the lock."""
    newest = LastSigned(HEIGHT + 1, 0, (Signed(Step.PREVOTE, b"s", 1, b"x" * 64),))
    lock = start.lock_home

    def locked(home) -> None:
        (home / "last_signed.json").write_bytes(encode_last_signed(newest))
        lock(home)

    for module in (start, process):
        monkeypatch.setattr(module, "lock_home", locked)
    return newest


def test_attack_C45_a_node_reads_its_record_once_nobody_else_can_sign(tmp_path, signed_until_locked):
    node = open_node(write_home(tmp_path))
    assert node.signer.record == signed_until_locked
    node.store.close()


def test_attack_C45_a_rollback_reads_the_record_once_nobody_else_can_sign(tmp_path, signed_until_locked):
    home = write_home(tmp_path)
    code, output = run("rollback", home=home, blocks=1, sign_above=HEIGHT)
    assert (code, f"--sign-above {HEIGHT}: this key signed height {HEIGHT + 1}" in output) == (1, True), output
    assert decode_last_signed((home / "last_signed.json").read_bytes()) == signed_until_locked


def test_attack_C45_a_record_with_fewer_signatures_than_the_backup_shows_is_not_the_newest(tmp_path):
    prevote, precommit = (Signed(step, b"s", 1, b"x" * 64) for step in (Step.PREVOTE, Step.PRECOMMIT))
    home = write_home(tmp_path / "home", record=LastSigned(HEIGHT, 0, (prevote, precommit)))
    assert run("backup", home=home, to=tmp_path / "made", with_consensus_key=True)[0] == 0
    less, same = tmp_path / "less.json", tmp_path / "same.json"
    less.write_bytes(encode_last_signed(LastSigned(HEIGHT, 0, (prevote,))))
    same.write_bytes(encode_last_signed(LastSigned(HEIGHT, 0, (prevote, precommit))))
    restored = {"home": tmp_path / "restored", "from": tmp_path / "made"}
    code, output = run("restore", **restored, last_signed=less)
    assert (code, "it is not the newest" in output) == (1, True), output
    code, output = run("restore", **restored, last_signed=same)
    assert code == 0, output


def test_a_restored_validator_starts_once_it_has_caught_up_past_its_height(made, tmp_path):
    store = MemoryStore()
    for row, value in chain().hub.store.items():
        with store.batch() as batch:
            batch.put(row, value)
    further = SimulatedHub(
        store, genesis=chain().hub.genesis, validator_keys=tuple(chain().hub.validator_keys.values())
    )
    further.time_s = chain().hub.time_s
    further.absent = {KEY.public_key.address}
    for _ in range(6):
        further.advance()
    home = tmp_path / "home"
    assert run("restore", home=home, sign_above=HEIGHT + 5, **{"from": made / "with"})[0] == 0
    with member(None, ledger=further.ledger) as url:
        code, output = run("join", home=home, genesis=home / "genesis.json", **{"from": url})
    assert (code, f"at block {HEIGHT + 6}: 6 blocks verified" in output) == (0, True), output
    node = open_node(home)
    assert node.signer.record == floor_record(HEIGHT + 5)
    node.store.close()
    # Had it signed meanwhile, the chain would show it.
    further.absent = set()
    further.advance()
    with member(None, ledger=further.ledger) as url:
        assert run("join", home=home, genesis=home / "genesis.json", **{"from": url})[0] == 0
    with pytest.raises(
        NodeRefused, match=f"this key's vote of height {HEIGHT + 7} .* another node signs with this key"
    ):
        open_node(home)


def test_wrong_hubs_keys_homes_and_files_are_refused_in_one_sentence(made, tmp_path):
    other, sibling = tmp_path / "other.json", tmp_path / "sibling.json"
    genesis = chain().hub.genesis
    other.write_bytes(encode_genesis(replace(genesis, chain_id="elsewhere-1")))
    sibling.write_bytes(encode_genesis(replace(genesis, genesis_time_ns=genesis.genesis_time_ns + 10**9)))
    mine, key_file, readable = tmp_path / "mine.json", tmp_path / "key.json", tmp_path / "readable.json"
    mine.write_bytes(encode_genesis(genesis))
    for path in (key_file, readable):
        path.write_bytes(encode_validator_key(validator_key(sha256(b"another").digest())))
    key_file.chmod(0o600)
    readable.chmod(0o644)
    cut = tmp_path / "cut"
    cut.write_bytes((made / "without").read_bytes()[:-1])
    home = tmp_path / "home"
    for file, options, code, sentence in (
        ("without", {"genesis": other}, 1, "the backup is of hub hutong-1, the genesis given is of elsewhere-1"),
        ("without", {"genesis": sibling}, 1, "both of hutong-1"),
        ("without", {"sign_above": 99}, 1, "neither the backup nor --key gives one"),
        ("with", {"key": key_file, "sign_above": 99}, 1, "another validator key than the one given"),
        ("without", {"key": key_file}, 1, "this key may have signed since"),
        ("without", {"key": readable, "sign_above": 99}, 2, "readable"),
        ("without", {"key": tmp_path / "none", "sign_above": 99}, 2, "none"),
        ("with", {"last_signed": mine}, 2, "is not a last-signed record"),
        ("with", {"last_signed": mine, "sign_above": 99}, 2, "not both"),
        ("home/genesis.json", {}, 1, "this is not a backup of a hub"),
        ("none", {}, 1, "No such file"),
    ):
        got, output = run("restore", home=home, **{"from": made / file}, **options)
        assert (got, sentence in output) == (code, True), (file, options, output)
    assert run("restore", home=home, **{"from": cut})[0] == 1
    assert not (home / "genesis.json").exists()
    assert (
        run("restore", home=home, genesis=mine, key=key_file, sign_above=HEIGHT, **{"from": made / "without"})[0] == 0
    )
    code, output = run("restore", home=home, **{"from": made / "without"})
    assert (code, "restored into a new home" in output) == (1, True)
    code, output = run("backup", home=made / "home", to=made / "with")
    assert (code, "exists" in output) == (1, True)
    assert run("backup", home=tmp_path / "nothing", to=tmp_path / "b")[0] == 2
    only = tmp_path / "only" / "last_signed.json"
    only.parent.mkdir()
    only.write_bytes(encode_last_signed(LastSigned(HEIGHT, 9, ())))
    code, output = run("restore", home=only.parent, last_signed=only, **{"from": made / "with"})
    assert (code, f"{only} exists" in output, only.exists()) == (1, True, True)
    (tmp_path / "abci" / "cometbft").mkdir(parents=True)
    (tmp_path / "abci" / "genesis.json").write_bytes(encode_genesis(genesis))
    assert run("backup", home=tmp_path / "abci", to=tmp_path / "b")[0] == 1
    assert not (tmp_path / "b").exists()


def test_a_chain_in_a_backup_whose_last_commit_is_false_is_refused(made, tmp_path):
    home = tmp_path / "forged"
    shutil.copytree(made / "home", home)
    store = LmdbStore(home / "data")
    key = b"hub-commits/" + HEIGHT.to_bytes(8, "big")
    with store.batch() as batch:
        value = bytearray(store.get(key))
        value[-1] ^= 1  # in the last signature
        batch.put(key, bytes(value))
    store.close()
    assert run("backup", home=home, to=tmp_path / "file")[0] == 0
    code, output = run("restore", home=tmp_path / "new", **{"from": tmp_path / "file"})
    assert (code, "the chain in the backup does not hold" in output) == (1, True), output
    assert not (tmp_path / "new" / "data").exists()


def dying_restore(home, source, steps):
    """In a process that ends without cleaning up before step `steps` + 1; True where it came to the end."""
    child = os.fork()
    if child == 0:
        left = [steps]

        def counted(function):
            def call(*arguments, **options):
                if left[0] == 0:
                    os._exit(9)
                left[0] -= 1
                return function(*arguments, **options)

            return call

        backup.write_durably, backup._put = counted(backup.write_durably), counted(backup._put)
        Path.rename = counted(Path.rename)
        Path.mkdir = counted(Path.mkdir)
        shutil.rmtree = counted(shutil.rmtree)
        code, _ = run("restore", home=home, sign_above=HEIGHT, **{"from": source})
        os._exit(code)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, 9)
    return code == 0


def test_attack_C45_a_restoration_that_dies_at_any_step_is_begun_anew_or_whole(made, tmp_path):
    for steps in range(40):
        home = tmp_path / str(steps)
        ended = dying_restore(home, made / "with", steps)
        if not (home / "genesis.json").exists():
            with pytest.raises(NodeRefused):
                open_node(home)
            code, output = run("restore", home=home, sign_above=HEIGHT, **{"from": made / "with"})
            assert code == 0, output
        node = open_node(home)
        assert node.ledger.tip == chain().hub.ledger.tip
        assert node.signer.record == floor_record(HEIGHT)
        assert node.signer.public_key == KEY.public_key
        node.store.close()
        if ended:
            break
    assert 6 < steps < 39


# --- rolling back


def roll(home, blocks, **options):
    return run("rollback", home=home, blocks=blocks, **options)


def test_attack_C45_a_rollback_below_what_the_key_signed_needs_a_height_to_sign_above(tmp_path):
    home = write_home(tmp_path / "home")
    code, output = roll(home, 3)
    assert (code, f"signed height {HEIGHT} and the chain would end at {HEIGHT - 3}" in output) == (1, True), output
    code, output = roll(home, 3, sign_above=HEIGHT - 1)
    assert (code, f"--sign-above {HEIGHT - 1}: this key signed height {HEIGHT}" in output) == (1, True), output
    assert rows_of(home) == dict(chain().hub.store.items())
    code, output = roll(home, 3, sign_above=HEIGHT)
    assert (code, f"ends at block {HEIGHT - 3}" in output) == (0, True), output
    with pytest.raises(NodeRefused, match=f"above height {HEIGHT} only"):
        open_node(home)
    with member(None) as url:
        code, output = run("join", home=home, genesis=home / "genesis.json", **{"from": url})
    assert (code, f"at block {HEIGHT}: 3 blocks verified" in output) == (0, True), output
    node = open_node(home)
    assert node.ledger.tip == chain().hub.ledger.tip
    node.store.close()


def test_attack_C45_a_rollback_does_not_take_away_what_shows_that_the_record_is_old(tmp_path):
    home = write_home(tmp_path / "home", record=LastSigned(HEIGHT - 5, 0, ()))
    with pytest.raises(NodeRefused, match="the record was rolled back"):
        open_node(home)
    code, output = roll(home, 5)
    assert (code, f"signed height {HEIGHT} and the chain would end at {HEIGHT - 5}" in output) == (1, True), output
    code, output = roll(home, 5, sign_above=HEIGHT - 1)
    assert (code, f"--sign-above {HEIGHT - 1}: this key signed height {HEIGHT}" in output) == (1, True), output


def test_a_backup_with_the_key_goes_into_no_file_of_somebody_elses(tmp_path):
    home = write_home(tmp_path / "home")
    theirs = tmp_path / "theirs"
    theirs.write_bytes(b"")
    theirs.chmod(0o666)
    (tmp_path / "mine.unfinished").symlink_to(theirs)
    code, output = run("backup", home=home, to=tmp_path / "mine", with_consensus_key=True)
    assert code == 0, output
    assert theirs.read_bytes() == b""
    assert not (tmp_path / "mine").is_symlink()
    assert (tmp_path / "mine").stat().st_mode & 0o777 == 0o600


def test_a_node_that_never_signed_rolls_back_and_gets_the_same_blocks_again(tmp_path):
    home = write_home(tmp_path / "home", validator_key(sha256(b"new").digest()), LastSigned())
    code, output = roll(home, HEIGHT + 1)
    assert (code, f"reaches from 0 to {HEIGHT}" in output) == (1, True), output
    for blocks in (1, 20, HEIGHT):
        assert roll(home, blocks)[0] == 0
        with member(None) as url:
            assert run("join", home=home, genesis=home / "genesis.json", **{"from": url})[0] == 0
    node = open_node(home)
    assert node.ledger.tip == chain().hub.ledger.tip
    kept = node.ledger.application.state
    for version in (0, 30, HEIGHT):
        assert kept.require_root(version) == chain().hub.application.state.require_root(version)
    node.store.close()
    assert roll(tmp_path / "nothing", 1)[0] == 2


@pytest.mark.parametrize("seed", range(3))
def test_pruning_after_a_rollback_loses_nothing_that_a_kept_state_needs(seed, monkeypatch):
    monkeypatch.setattr("hutong.relay.hub.chain.pruning.LEAST_STATES", KEPT)
    choice = random.Random(seed)
    hub = setters(SimulatedHub())
    for _ in range(20):
        write(hub, choice)
    straight = {height: hub.ledger.records.block(height) for height in range(1, hub.height + 1)}
    last = {height: hub.ledger.records.commit(height) for height in straight}
    target = hub.height - choice.randrange(1, 12)
    with hub.store.batch() as batch:
        rolling.take_off(batch, hub.store, hub.ledger, target)
    ledger = HubLedger(hub.store, hub.genesis)
    assert (ledger.tip.height, ledger.tip.app_hash) == (target, hub.application.state.require_root(target))
    for height in range(target + 1, hub.height + 1):
        apply_verified(ledger, [straight[height].block], last[height])
    assert ledger.tip == hub.ledger.tip
    hub.ledger = ledger
    hub.ledger.pruner = Pruner(hub.store, hub.application, ledger.records, Retention(1, None))
    for _ in range(30):
        write(hub, choice)
    versions = range(hub.application.oldest_state(), hub.height + 1)
    assert versions[0] == hub.height - KEPT + 1
    needed, here = reachable(hub, versions), stored(hub)
    assert needed[0] <= here[0]
    assert needed[1] <= here[1]


# --- the file


HEAD, TAIL = BackupHead(b'{"g":1}', b""), b'{"r":1}'


def file_of(rows, head=HEAD):
    out = io.BytesIO()
    write_backup(out, head, rows, lambda count: BackupTail(count, TAIL))
    return out.getvalue()


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.binary(min_size=1, max_size=20), st.binary(max_size=200), max_size=8))
def test_a_backup_reads_as_it_was_written(rows):
    reader = BackupReader(io.BytesIO(file_of(sorted(rows.items()))))
    assert (reader.head, dict(reader.rows()), reader.tail) == (HEAD, rows, BackupTail(len(rows), TAIL))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_changed_cut_or_longer_backup_is_malformed(data):
    whole = file_of([(b"a", b"1" * 40), (b"b", b""), (b"c", b"3")])
    how = data.draw(st.sampled_from(["change", "cut", "more"]))
    if how == "cut":
        changed = whole[: data.draw(st.integers(0, len(whole) - 1))]
    elif how == "more":
        changed = whole + data.draw(st.binary(min_size=1, max_size=3))
    else:
        at = data.draw(st.integers(0, len(whole) - 1))
        changed = whole[:at] + bytes([whole[at] ^ data.draw(st.integers(1, 255))]) + whole[at + 1 :]
    with pytest.raises(MalformedInput):
        for _ in BackupReader(io.BytesIO(changed)).rows():
            pass


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_anything_after_the_magic_is_read_within_bounds(data):
    with pytest.raises(MalformedInput):
        for _ in BackupReader(io.BytesIO(b"hutong-backup\x01" + data)).rows():
            pass


def test_sizes_and_order_are_bounded_before_they_are_believed():
    head = file_of([])[:-_TAIL_BYTES]
    for row, field in (
        (b"r" + b"\x02\x00" + bytes(4), "backup.row.key"),
        (b"r" + b"\x00\x01" + b"\xff" * 4, "backup.row.value"),
        (b"r" + b"\x00\x00" + bytes(4), "backup.row.key"),
        (b"x", "backup.mark"),
    ):
        with pytest.raises(MalformedInput) as refused:
            list(BackupReader(io.BytesIO(head + row)).rows())
        assert refused.value.field == field
    with pytest.raises(MalformedInput) as refused:
        list(BackupReader(io.BytesIO(file_of([(b"b", b""), (b"a", b"")]))).rows())
    assert (refused.value.field, refused.value.got) == ("backup.row.key", b"a")
    with pytest.raises(MalformedInput) as refused:
        BackupReader(io.BytesIO(b"hutong-backup\x01" + b"\xff" * 8))
    assert refused.value.field == "backup.head.size"


_TAIL_BYTES = 1 + 4 + len(b'{"last_signed":"{\\"r\\":1}","rows":0}') + 32
