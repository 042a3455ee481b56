"""`hutong hub signer` and the other commands in a home whose key is with a signer."""

import json
import subprocess
import sys

import pytest
from eth_account import Account
from typer.testing import CliRunner

from hutong.relay.cli.hub.command import app
from hutong.relay.hub.consensus.signing import LastSigned
from hutong.relay.hub.home.home import load_validator_key
from hutong.relay.hub.home.key_file import load_key
from hutong.relay.hub.home.last_signed import decode_last_signed, encode_last_signed
from hutong.relay.hub.home.process import NodeRefused
from hutong.relay.hub.network.link.node_key import load_node_key
from hutong.relay.hub.network.network_file import decode_signer
from hutong.relay.hub.process.start import open_node
from hutong.relay.hub.remote_signer.places import load_nodes
from hutong.relay.hub.remote_signer.turns import Turn, decode_turn
from hutong.relay.local.ports import free_base_port, free_port

OPERATOR = Account.from_key(b"\x21" * 32).address


def run(*words):
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


@pytest.fixture
def node(tmp_path):
    code, output = run(
        "init", "--home", tmp_path / "net", "--validators", "2", "--base-port", free_base_port((0, 10)),
        "--admin", "0x" + "11" * 20,
    )  # fmt: skip
    assert code == 0, output
    return tmp_path / "net" / "validator-1"


def init(node, home, listen=None):
    listen = f"127.0.0.1:{free_port()}" if listen is None else listen
    return run("signer", "init", "--home", home, "--node", node, "--listen", listen)


def test_key_and_record_move_together_and_stay_nowhere_else(node, tmp_path):
    key = load_validator_key(node)
    record = LastSigned(12, 3, ())
    (node / "last_signed.json").write_bytes(encode_last_signed(record))
    home = tmp_path / "signer"
    code, output = init(node, home, "127.0.0.1:23999")
    assert code == 0, output
    assert key.private_key.hex() not in output
    assert load_key(home) == key
    assert decode_last_signed((home / "last_signed.json").read_bytes()) == record
    assert not (node / "validator_key.json").exists() and not (node / "last_signed.json").exists()
    place = decode_signer((node / "consensus_key.toml").read_bytes())
    assert (place.node_id, str(place.endpoint)) == (load_node_key(home).node_id, "127.0.0.1:23999")
    nodes = load_nodes(home)
    assert [peer.certificate for peer in nodes.peers] == [load_node_key(node).certificate]
    assert decode_turn((home / "signs_for.json").read_bytes()) == Turn(load_node_key(node).node_id, 0)
    for name in ("validator_key.json", "last_signed.json", "node_key.pem", "signs_for.json"):
        assert (home / name).stat().st_mode & 0o777 == 0o600
    assert home.stat().st_mode & 0o777 == 0o700


def test_a_signer_is_made_once_and_only_of_a_node_with_a_key_and_a_place_among_peers(node, tmp_path):
    home = tmp_path / "signer"
    for listen in ("here", "127.0.0.1:99999"):
        assert init(node, home, listen) == (2, f"--listen must look like host:port, not {listen!r}\n")
    (node / "network.toml").rename(tmp_path / "kept.toml")
    code, output = init(node, home)
    assert (code, "network.toml is missing" in output) == (2, True), output
    (tmp_path / "kept.toml").rename(node / "network.toml")
    (home).mkdir()
    (home / "genesis.json").touch()
    code, output = init(node, home)
    assert (code, "a signer's home is made once" in output) == (2, True), output
    (home / "genesis.json").unlink()
    assert load_validator_key(node)
    assert init(node, home)[0] == 0
    code, output = init(node, tmp_path / "another")
    assert (code, "this home's key is with a signer" in output) == (2, True), output
    assert not (tmp_path / "another").exists()


def test_commands_that_need_the_key_say_that_it_is_with_a_signer(node, tmp_path):
    home = tmp_path / "signer"
    assert init(node, home)[0] == 0
    for words in (
        ["key", "show", "--home", node],
        ["key", "encrypt", "--home", node],
        ["candidate", "--home", node, "--operator", OPERATOR],
        ["backup", "--home", node, "--to", tmp_path / "with", "--with-consensus-key"],
        ["rollback", "--home", node, "--blocks", "1"],
    ):
        code, output = run(*words)
        assert (code, output.count("\n")) == (2, 1), output
        assert "consensus_key.toml: this home's key is with a signer, so this is not supported here" in output
    from hutong.relay.administration.hub.candidates import next_key
    from hutong.relay.hub.home.home import UnusableHome
    from hutong.relay.hub.home.key_file import no_password

    with pytest.raises(UnusableHome):
        next_key(node, no_password)
    assert not (node / "next_validator_key.json").exists()
    # The signer's home has what they need.
    code, output = run("key", "show", "--home", home, "--json")
    assert (code, json.loads(output)["encrypted"]) == (0, False)
    code, output = run("candidate", "--home", home, "--operator", OPERATOR)
    assert (code, json.loads(output)["public_key"]) == (0, load_key(home).public_key.data.hex())
    assert next_key(home, no_password).public_key != load_key(home).public_key


def test_neither_home_is_started_as_the_other(node, tmp_path):
    home = tmp_path / "signer"
    code, output = run("signer", "start", "--home", node)
    assert (code, "make it with `hutong hub signer init`" in output) == (2, True), output
    assert init(node, home)[0] == 0
    code, output = run("start", "--home", home)
    assert (code, "is a signer's home: run `hutong hub signer start`" in output) == (2, True), output
    with pytest.raises(NodeRefused, match=r"Connection refused; a node starts when its signer answers"):
        open_node(node)


@pytest.mark.long
def test_a_second_start_in_a_home_leaves_its_signer_alone(node, tmp_path):
    """The signer would let the running node go for it."""
    assert init(node, tmp_path / "signer")[0] == 0
    # This process made the signer's home, and holds the node's for as long as it lives.
    command = [sys.executable, "-m", "hutong.relay.cli", "hub", "start", "--home", str(node)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    # Nothing listens where the signer should be, and that is not what is said.
    assert "another hub process runs in this home" in done.stderr + done.stdout


def test_a_key_in_two_places_is_refused(node, tmp_path):
    before = (node / "validator_key.json").read_bytes()
    assert init(node, tmp_path / "signer")[0] == 0
    (node / "validator_key.json").write_bytes(before)
    (node / "validator_key.json").chmod(0o600)
    with pytest.raises(NodeRefused, match="a key must be in one place"):
        open_node(node)
    (node / "validator_key.json").unlink()
    (node / "network.toml").unlink()
    with pytest.raises(NodeRefused, match=r"a key with a signer is not supported without network\.toml"):
        open_node(node)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace('"remote"', '"local"'), "one \\[\\[peers\\]\\], the signer"),
        (lambda text: text.replace('consensus_key = "remote"', ""), "one \\[\\[peers\\]\\], the signer"),
        (lambda text: text.replace("[[peers]]", "[[others]]"), "nothing else"),
        (lambda text: text + "x", "is not TOML"),
        (lambda text: 'consensus_key = "remote"', "one \\[\\[peers\\]\\], the signer"),
        (lambda text: text + "#" * 300_000, "has more than 262144 bytes"),
    ],
)
def test_a_file_that_names_no_signer_is_refused(node, tmp_path, change, said):
    assert init(node, tmp_path / "signer")[0] == 0
    file = node / "consensus_key.toml"
    good = file.read_text()
    file.write_text(change(good))
    with pytest.raises(NodeRefused, match=said):
        open_node(node)
