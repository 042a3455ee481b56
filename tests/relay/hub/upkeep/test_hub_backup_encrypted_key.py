"""Backups, restorations and rollbacks of a home whose key is encrypted need no password, and never take it off."""

import json
import stat

import pytest

from hutong.relay.hub.consensus.signing import LastSigned
from hutong.relay.hub.home.key_file import encrypted, load_key, no_password
from hutong.relay.hub.home.process import NodeRefused
from hutong.relay.hub.process.start import open_node
from tests.relay.hub.joining.joining_members import HEIGHT
from tests.relay.hub.upkeep.test_hub_backup import KEY, run, write_home

pytestmark = pytest.mark.long

WORD = b"correct horse"


def known(_path):
    return WORD


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    made = write_home(tmp_path_factory.mktemp("encrypted") / "home")
    (made / "validator_key.json").write_bytes(encrypted(WORD, made, 2)(KEY))
    return made


def test_a_backup_carries_the_key_as_it_is_and_a_restored_home_opens_with_the_same_password(home, tmp_path):
    code, output = run("backup", home=home, to=tmp_path / "with", with_consensus_key=True)
    assert (code, "with the validator's key" in output) == (0, True), output
    assert KEY.private_key not in (tmp_path / "with").read_bytes()
    assert KEY.private_key.hex().encode() not in (tmp_path / "with").read_bytes()
    code, output = run("restore", home=tmp_path / "home", sign_above=HEIGHT, **{"from": tmp_path / "with"})
    assert code == 0, output
    restored = tmp_path / "home" / "validator_key.json"
    assert restored.read_bytes() == (home / "validator_key.json").read_bytes()
    assert stat.S_IMODE(restored.stat().st_mode) == 0o600
    with pytest.raises(NodeRefused, match="its password is needed"):
        open_node(tmp_path / "home", no_password)
    node = open_node(tmp_path / "home", known)
    assert (node.signer.public_key, node.signer.record.height) == (KEY.public_key, HEIGHT)
    node.store.close()


def test_attack_C45_the_record_is_asked_of_an_encrypted_key_too(home, tmp_path):
    assert run("backup", home=home, to=tmp_path / "with", with_consensus_key=True)[0] == 0
    for options, said in (
        ({}, "this key may have signed since"),
        ({"sign_above": HEIGHT - 1}, f"the backup shows that this key signed height {HEIGHT}"),
    ):
        code, output = run("restore", home=tmp_path / "home", **{"from": tmp_path / "with"}, **options)
        assert (code, said in output) == (1, True), output


def test_a_key_given_beside_the_backup_may_be_encrypted_and_a_new_one_is_as_told(home, tmp_path):
    assert run("backup", home=home, to=tmp_path / "without")[0] == 0
    key = home / "validator_key.json"
    code, output = run("restore", home=tmp_path / "given", key=key, sign_above=HEIGHT, **{"from": tmp_path / "without"})
    assert code == 0, output
    assert load_key(tmp_path / "given", known) == KEY
    word = tmp_path / "word"
    word.write_bytes(WORD)
    word.chmod(0o600)
    code, output = run("restore", home=tmp_path / "new", key_password_file=word, **{"from": tmp_path / "without"})
    assert code == 0, output
    assert load_key(tmp_path / "new", known) != KEY
    assert json.loads((tmp_path / "new" / "validator_key.json").read_bytes())["version"] == 3


def test_attack_C45_a_rollback_below_what_an_encrypted_key_signed_is_refused_and_one_above_done(tmp_path):
    for record, code_wanted, said in (
        (LastSigned(HEIGHT, 0, ()), 1, f"this key signed height {HEIGHT} and the chain would end at {HEIGHT - 1}"),
        (None, 1, "it would sign a second block"),
    ):
        made = write_home(tmp_path / f"home-{record is None}", record=record)
        (made / "validator_key.json").write_bytes(encrypted(WORD, made, 2)(KEY))
        code, output = run("rollback", home=made, blocks=1)
        assert (code, said in output) == (code_wanted, True), output
        code, output = run("rollback", home=made, blocks=1, sign_above=HEIGHT)
        assert (code, f"ends at block {HEIGHT - 1}" in output) == (0, True), output


def test_a_home_whose_key_is_with_a_signer_is_backed_up_without_key_and_record(home, tmp_path):
    made = write_home(tmp_path / "home")
    key = (made / "validator_key.json").read_bytes()
    (made / "validator_key.json").unlink()
    (made / "last_signed.json").unlink()
    (made / "consensus_key.toml").write_text('consensus_key = "remote"\n')
    code, output = run("backup", home=made, to=tmp_path / "file")
    assert (code, "without the validator's key" in output) == (0, True), output
    (tmp_path / "key").write_bytes(key)
    (tmp_path / "key").chmod(0o600)
    # What the chain shows is still the least that may be said.
    options = {"key": tmp_path / "key", "from": tmp_path / "file"}
    code, output = run("restore", home=tmp_path / "low", sign_above=1, **options)
    assert (code, "the backup shows that this key signed height" in output) == (1, True), output
    code, output = run("restore", home=tmp_path / "high", sign_above=HEIGHT, **options)
    assert code == 0, output
    code, output = run("restore", home=made, **{"from": tmp_path / "file"})
    assert (code, "a backup is restored into a new home" in output) == (1, True), output
