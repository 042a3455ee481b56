"""`hutong hub init --engine cometbft`: both homes of each validator, and the addresses that they may use."""

import base64
import json
import os
import stat
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from ed25519_zebra import ed_sign
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from hutong.light_clients.crypto import ed25519
from hutong.relay.cli.hub.command import app
from hutong.relay.evm.store.lmdb_store import LmdbStore
from hutong.relay.hub.abci.address import (
    MAX_SOCKET_PATH_BYTES,
    ListenAddress,
    UnusableAddress,
    check_rpc_url,
    parse_address,
    socket_address,
)
from hutong.relay.hub.abci.cometbft_home import CometBftPlace, CometBftPorts, NodeKey, config_toml, moniker_of
from hutong.relay.hub.abci.genesis import RevisionUnsupported
from hutong.relay.hub.abci.initialise import ports_from
from hutong.relay.hub.abci.joining import initialise_joining
from hutong.relay.hub.abci.machine import HubMachine
from hutong.relay.hub.abci.start import open_abci_node
from hutong.relay.hub.application.genesis import decode_genesis, encode_genesis
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.hub.application.revision.revision import Continuation
from hutong.relay.hub.home.home import UnusableHome, decode_validator_key, load_genesis
from hutong.relay.hub.home.process import NodeRefused
from hutong.relay.hub.process.start import open_node
from tests.relay.hub.simulated_hub import hub_genesis


def init(home, *arguments):
    options = ["init", "--home", str(home), "--engine", "cometbft", "--scrypt-iterations", "2", *arguments]
    return CliRunner().invoke(app, options)


@pytest.fixture
def home(short_path):
    return short_path


def test_init_makes_as_many_validators_as_asked_and_they_know_each_other(home):
    done = init(home, "--validators", "3", "--base-port", "20000", "--block-interval-ms", "700")
    assert done.exit_code == 0, done.output
    homes = [home / f"validator-{number}" for number in (1, 2, 3)]
    genesis = load_genesis(homes[0])
    assert {(one / "genesis.json").read_bytes() for one in homes} == {(homes[0] / "genesis.json").read_bytes()}
    assert len({(one / "cometbft/config/genesis.json").read_bytes() for one in homes}) == 1
    peers = []
    for index, one in enumerate(homes):
        config = tomllib.loads((one / "cometbft/config/config.toml").read_text())
        assert config["proxy_app"] == f"unix://{one}/abci.sock"
        assert config["rpc"]["laddr"] == f"tcp://127.0.0.1:{20001 + 10 * index}"
        assert config["p2p"]["laddr"] == f"tcp://127.0.0.1:{20000 + 10 * index}"
        assert (config["p2p"]["pex"], config["p2p"]["allow_duplicate_ip"]) == (False, True)
        # 700 ms in all between idle blocks, 200 ms to a proof block.
        assert config["consensus"] == {"timeout_commit": "200ms", "create_empty_blocks_interval": "500ms"}
        peers.append(set(config["p2p"]["persistent_peers"].split(",")))
        key = decode_validator_key((one / "cometbft/config/priv_validator_key.json").read_bytes())
        assert key.public_key == genesis.validators[index].public_key
        state = json.loads((one / "cometbft/data/priv_validator_state.json").read_text())
        assert state == {"height": "0", "round": 0, "step": 0}
        for private in ("config/priv_validator_key.json", "config/node_key.json", "data/priv_validator_state.json"):
            assert stat.S_IMODE((one / "cometbft" / private).stat().st_mode) == 0o600
        assert f"hutong hub abci --home {one} " in done.output
        assert not (one / "validator_key.json").exists()
    everyone = set().union(*peers)
    printed = {line.removeprefix("peer ") for line in done.output.splitlines() if line.startswith("peer ")}
    assert everyone == printed
    assert [len(one) for one in peers] == [2, 2, 2]

    again = init(home, "--validators", "3")
    assert (again.exit_code, again.output.count("\n")) == (2, 1)
    assert "initialised once" in again.output


def test_cometbfts_genesis_follows_from_the_hubs_and_names_it(home):
    assert init(home, "--chain-id", "lane-7").exit_code == 0
    genesis = load_genesis(home)
    document = json.loads((home / "cometbft/config/genesis.json").read_text())
    assert (document["chain_id"], document["initial_height"], document["app_hash"]) == ("lane-7", "1", "")
    params = document["consensus_params"]
    assert params["block"] == {"max_bytes": "4194304", "max_gas": "16777216"}
    assert params["validator"] == {"pub_key_types": ["secp256k1"]}
    assert (params["version"], params["abci"]) == (
        {"app": str(rules_versions.NEWEST)},
        {"vote_extensions_enable_height": "0"},
    )
    (validator,) = document["validators"]
    assert validator["pub_key"]["type"] == "tendermint/PubKeySecp256k1"
    assert base64.b64decode(validator["pub_key"]["value"]) == genesis.validators[0].public_key.data
    assert document["app_state"] == {"hutong_genesis_sha256": genesis.digest.hex()}


@pytest.mark.long
def test_each_engine_refuses_the_others_home(home, tmp_path):
    assert init(home).exit_code == 0
    with pytest.raises(NodeRefused, match="run `hutong hub abci` and CometBFT"):
        open_node(home)
    node = open_abci_node(home)
    assert node.machine.height == 0
    node.store.close()
    with pytest.raises(NodeRefused, match="run `hutong hub init` first"):
        open_abci_node(tmp_path)


def test_a_folder_with_any_name_makes_a_configuration_that_cometbft_reads(home):
    """CometBFT takes a moniker of printable ASCII alone, and TOML takes no bare quote, backslash or control character."""
    folder = home / 'a"b\\c\t=é\x7f'
    done = init(folder)
    assert done.exit_code == 0, done.output
    config = tomllib.loads((folder / "cometbft/config/config.toml").read_text())
    assert config["proxy_app"] == f"unix://{folder}/abci.sock"
    assert config["moniker"] == 'a"b\\c?=??'
    assert config["p2p"]["laddr"] == "tcp://127.0.0.1:26656"


@given(st.text(st.characters(exclude_characters="/\0", exclude_categories=("Cs",)), min_size=1, max_size=80))
def test_no_name_of_a_folder_changes_another_setting(name):
    genesis, application = hub_genesis(), ListenAddress(Path(f"/{name}/abci.sock"))
    ports, home = CometBftPorts("127.0.0.1", 1, 2), Path("/") / name
    config = tomllib.loads(config_toml(genesis, moniker_of(home), CometBftPlace(application, ports)))
    usual = tomllib.loads(config_toml(genesis, "hub", CometBftPlace(ListenAddress(Path("/hub")), ports)))
    assert config["proxy_app"] == f"unix:///{name}/abci.sock"
    assert config["moniker"].isascii() and config["moniker"].isprintable() and config["moniker"].strip()
    same = {"proxy_app", "moniker"}
    assert {key: config[key] for key in config.keys() - same} == {key: usual[key] for key in usual.keys() - same}


def test_a_home_whose_name_is_not_unicode_is_refused(home):
    done = init(home / os.fsdecode(b"\xff"))
    assert done.exit_code == 2
    assert "must be UTF-8; choose another home" in done.output


def next_revision(genesis):
    continued = Continuation(genesis.chain_id, 9, bytes(31) + b"b", bytes(31) + b"a", genesis.origin)
    return decode_genesis(encode_genesis(replace(genesis, chain_id="hutong-2", continues=continued)))


@pytest.mark.long
def test_a_later_revision_is_refused_and_begins_nothing_anew(home):
    assert init(home / "first").exit_code == 0
    genesis = next_revision(load_genesis(home / "first"))
    (home / "first/genesis.json").write_bytes(encode_genesis(genesis))
    said = "not supported: hutong-2 continues hutong-1 after block 9"
    with pytest.raises(NodeRefused, match=said):
        open_abci_node(home / "first")
    store = LmdbStore(home / "first/data")
    with pytest.raises(RevisionUnsupported, match=said):
        HubMachine(store, genesis)
    assert list(store.items()) == []
    store.close()
    with pytest.raises(UnusableHome, match=said):
        initialise_joining(home / "new", genesis, ports_from(20_000, 0), ())
    peer = f"{'ab' * 20}@10.0.0.1:26656"
    options = ["join", "--home", home / "new", "--genesis", home / "first/genesis.json", "--peer", peer]
    done = CliRunner().invoke(app, [str(option) for option in options])
    assert (done.exit_code, done.output.startswith(said), done.output.count("\n")) == (2, True, 1), done.output
    assert not (home / "new").exists()


def test_a_home_whose_socket_could_not_be_bound_is_refused(tmp_path):
    done = init(tmp_path / ("x" * 60) / ("y" * 60))
    assert done.exit_code == 2
    assert "choose a shorter home" in done.output


def test_a_node_key_is_that_of_its_node_id():
    key = NodeKey(bytes(range(32)))
    document = json.loads(key.encode())
    secret = base64.b64decode(document["priv_key"]["value"])
    assert document["priv_key"]["type"] == "tendermint/PrivKeyEd25519"
    assert ed25519.verify(secret[32:], b"hello", ed_sign(secret[:32], b"hello"))
    assert len(key.node_id) == 40
    assert repr(key) == f"NodeKey({key.node_id})"


@pytest.mark.parametrize("text", ["tcp://127.0.0.1:0", "tcp://[::1]:26658", "tcp://127.9.9.9:1"])
def test_loopback_addresses_are_taken_as_written(text):
    assert str(parse_address(text)) == text


def test_localhost_and_sockets_are_taken(tmp_path):
    assert parse_address("tcp://localhost:5").port == 5
    assert str(parse_address("unix:///run/hub/abci.sock")) == "unix:///run/hub/abci.sock"
    longest = "/" + "x" * (MAX_SOCKET_PATH_BYTES - 1)
    assert str(parse_address(f"unix://{longest}")) == f"unix://{longest}"
    assert socket_address(tmp_path / "s").path == tmp_path / "s"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tcp://0.0.0.0:26658", "the address must be loopback"),
        ("tcp://10.0.0.1:26658", "the address must be loopback"),
        ("tcp://example.org:26658", "the address must be loopback"),
        ("tcp://127.0.0.1", "give unix"),
        ("tcp://127.0.0.1:99999", "range"),
        ("tcp://[::1:5", "Invalid IPv6"),
        ("http://127.0.0.1:1", "give unix"),
        ("unix://", "give unix"),
        ("unix:///" + "x" * MAX_SOCKET_PATH_BYTES, "shorter"),
        ("", "give unix"),
    ],
)
def test_attack_H_abci_the_applications_door_is_not_open_to_the_network(text, words, tmp_path):
    with pytest.raises(UnusableAddress, match=words):
        parse_address(text)
    done = CliRunner().invoke(app, ["abci", "--home", str(tmp_path), "--listen", text])
    assert (done.exit_code, done.output.count("\n")) == (2, 1)


def test_the_url_of_cometbfts_rpc_is_looked_at_before_anything_runs(tmp_path):
    assert check_rpc_url("http://127.0.0.1:26657/") == "http://127.0.0.1:26657"
    assert check_rpc_url("https://comet.example") == "https://comet.example"
    for text in ("127.0.0.1:26657", "tcp://127.0.0.1:26657", "http://", "http://h:99999", "http://[::1", ""):
        with pytest.raises(UnusableAddress, match="give the URL"):
            check_rpc_url(text)
    done = CliRunner().invoke(app, ["abci", "--home", str(tmp_path), "--cometbft-rpc", "127.0.0.1:26657"])
    assert (done.exit_code, done.output.count("\n")) == (2, 1)
