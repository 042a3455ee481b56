"""`hutong hub key source`, `hutong hub signer init --privval` and `hutong keys check --key`: a validator's key elsewhere."""

import json

import pytest
import trio
from typer.testing import CliRunner

from hutong.light_clients.crypto import secp256k1
from hutong.relay.cli.hub.command import app
from hutong.relay.cli.operator.keys import app as keys_app
from hutong.relay.hub.consensus.signing import DoubleSignRefused, LastSigned
from hutong.relay.hub.engine.source_signer import SourceSigner
from hutong.relay.hub.home.home import UnusableHome, load_validator_key
from hutong.relay.hub.home.key_file import no_password
from hutong.relay.hub.home.last_signed import encode_last_signed, load_record
from hutong.relay.hub.process.start import signer_of
from hutong.relay.hub.remote_signer.start import asking_source, own_signer_of
from hutong.relay.keys import create_keystore
from tests.relay.hub.remote_signer.signed_home import BLOCKS, connected, make_place, serving, vote
from tests.relay.keys.privval.dialling_signer import DiallingSigner

RECORD = LastSigned(12, 3, ())


def run(*words, on=app):
    done = CliRunner().invoke(on, [str(word) for word in words])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


@pytest.fixture
def place(tmp_path):
    made = make_place(tmp_path)
    yield made
    made.close()


@pytest.fixture
def node(place):
    """A node that has its own key, and signed at height 12."""
    (place.nodes[1] / "last_signed.json").write_bytes(encode_last_signed(RECORD))
    return place.nodes[1]


def privval_file(folder, key: bytes, **more: str):
    table = {
        "kind": "privval",
        "listen": f"unix://{folder}/signer.sock",
        "chain_id": "hutong-1",
        "public_key": key.hex(),
    }
    file = folder / "key.toml"
    file.write_text("[key]\n" + "".join(f'{name} = "{value}"\n' for name, value in (table | more).items()))
    return file


def test_a_nodes_key_moves_to_a_stock_signer_and_its_record_stays(node, tmp_path):
    key = load_validator_key(node)
    file = privval_file(tmp_path, key.public_key.data)
    code, output = run("key", "source", "--home", node, "--key", file, "--move-to", tmp_path / "stock")
    assert code == 0 and key.private_key.hex() not in output, output
    assert not (node / "validator_key.json").exists() and load_record(node) == RECORD
    assert json.loads((tmp_path / "stock" / "priv_validator_state.json").read_bytes())["height"] == "12"
    moved = tmp_path / "stock" / "priv_validator_key.json"
    assert moved.stat().st_mode & 0o777 == 0o600 and "priv_key" in json.loads(moved.read_bytes())

    # The node starts without its signer, and asks it for nothing that its own record forbids.
    signer = signer_of(node, "hutong-1", no_password)
    assert isinstance(signer, SourceSigner) and signer.public_key == key.public_key
    with pytest.raises(DoubleSignRefused, match="already at height 12"):
        signer.sign_vote(vote(_Place(key.public_key.address), 11))
    stock = DiallingSigner(tmp_path / "signer.sock", key.private_key)
    signed = signer.sign_vote(vote(_Place(key.public_key.address), 13))
    assert secp256k1.verify_low_s(key.public_key.data, stock.asked[-1].document.digest, signed.signature)
    stock.close()


class _Place:
    def __init__(self, address: bytes) -> None:
        self.address = address


WRONG = {
    "another key": ({"public_key": secp256k1.public_key_of(bytes(31) + b"\x07").hex()}, "names the key"),
    "another chain": ({"chain_id": "other-1"}, "key.chain_id is other-1"),
    "no socket": ({"listen": "tcp://127.0.0.1:1"}, "SecretConnection over TCP is not supported"),
    "REST": ({"kind": "eth1-signer", "url": "http://127.0.0.1:9"}, "signs no votes"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_source_that_cannot_serve_leaves_the_key_where_it_is(node, tmp_path, wrong):
    changes, said = WRONG[wrong]
    key = load_validator_key(node)
    file = privval_file(tmp_path, key.public_key.data, **changes)
    if wrong == "REST":
        file.write_text(
            "\n".join(line for line in file.read_text().splitlines() if not line.startswith(("listen", "chain")))
        )
    code, output = run("key", "source", "--home", node, "--key", file)
    assert code == 2 and said in " ".join(output.split()) and output.count("\n") == 1, output
    assert load_validator_key(node) == key and not (node / "consensus_key.toml").exists()


def test_a_move_that_fails_leaves_nothing_of_itself(node, tmp_path):
    key = load_validator_key(node)
    file = privval_file(tmp_path, key.public_key.data)
    (tmp_path / "occupied").write_text("no folder")
    code, output = run("key", "source", "--home", node, "--key", file, "--move-to", tmp_path / "occupied" / "stock")
    assert code == 2 and "Not a directory" in output, output
    assert load_validator_key(node) == key and not (node / "consensus_key.toml").exists()
    assert signer_of(node, "hutong-1", no_password).public_key == key.public_key


def test_a_key_in_two_places_and_a_hub_without_peers_are_refused(node, tmp_path):
    file = privval_file(tmp_path, load_validator_key(node).public_key.data)
    (node / "consensus_key.toml").write_bytes(file.read_bytes())
    with pytest.raises(UnusableHome, match="a key must be in one place"):
        signer_of(node, "hutong-1", no_password)
    (node / "validator_key.json").unlink()
    (node / "network.toml").rename(tmp_path / "network.toml")
    with pytest.raises(UnusableHome, match="not supported without"):
        signer_of(node, "hutong-1", no_password)


async def test_our_signer_process_asks_a_source_by_its_record_and_turns(place, tmp_path):
    # The key of a signer's home in a keystore: turns and record stay the signer's.
    key = load_validator_key(place.signer)
    create_keystore(tmp_path / "consensus.json", key.private_key, b"correct horse", iterations=2)
    (tmp_path / "word").write_text("correct horse")
    (tmp_path / "word").chmod(0o600)
    file = tmp_path / "key.toml"
    file.write_text(f'[key]\nkeystore = "{tmp_path}/consensus.json"\npassword_file = "{tmp_path}/word"\n')
    code, output = run("key", "source", "--home", place.signer, "--key", file)
    assert code == 0 and not (place.signer / "validator_key.json").exists(), output

    signer = await trio.to_thread.run_sync(own_signer_of, place.signer, "hutong-1", no_password)
    assert isinstance(signer, SourceSigner)
    place_of_vote = _Place(key.public_key.address)
    async with asking_source(signer), serving(place, signer):
        client = await trio.to_thread.run_sync(connected, place)
        signed = await trio.to_thread.run_sync(client.sign_vote, vote(place_of_vote, 5))
        again = await trio.to_thread.run_sync(client.sign_vote, vote(place_of_vote, 5, time_ns=1))
        assert again == signed
        with pytest.raises(DoubleSignRefused, match="other bytes were signed there"):
            await trio.to_thread.run_sync(client.sign_vote, vote(place_of_vote, 5, block=BLOCKS[1]))
    assert load_record(place.signer).height == 5


def test_files_that_are_named_relative_to_the_key_file_are_refused(node, tmp_path):
    key = load_validator_key(node)
    create_keystore(tmp_path / "consensus.json", key.private_key, b"correct horse", iterations=2)
    (tmp_path / "word").write_text("correct horse")
    (tmp_path / "word").chmod(0o600)
    file = tmp_path / "key.toml"
    file.write_text('[key]\nkeystore = "consensus.json"\npassword_file = "word"\n')
    code, output = run("key", "source", "--home", node, "--key", file)
    assert code == 2 and "whole paths" in output, output
    assert load_validator_key(node) == key and not (node / "consensus_key.toml").exists()


def test_keys_check_asks_a_signer_that_dials(tmp_path, node):
    key = load_validator_key(node)
    file = privval_file(tmp_path, key.public_key.data)
    code, output = run("check", "--key", file, "--json", on=keys_app)
    (row,) = json.loads(output)
    assert code == 1 and not row["ready"] and "no signer has connected" in row["detail"]
    stock = DiallingSigner(tmp_path / "signer.sock", key.private_key)
    file.write_text(file.read_text() + "timeout_ms = 10_000\n")
    code, output = run("check", "--key", file, on=keys_app)
    assert code == 0 and "ready" in output, output
    stock.close()
    for words in ([], ["--key", file, "--config", file]):
        code, output = run("check", *words, on=keys_app)
        assert code == 2 and "give --config or --key" in output


def test_options_of_a_stock_node_go_together(tmp_path):
    for words in (
        ["--privval", "unix:///run/x.sock"],
        ["--listen", "127.0.0.1:1"],
        ["--privval", "unix:///x", "--node", "."],
    ):
        code, output = run("signer", "init", "--home", tmp_path / "signer", *words)
        assert code == 2 and output.count("\n") == 1, output
