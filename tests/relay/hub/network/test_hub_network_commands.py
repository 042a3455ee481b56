"""`hutong hub init --validators`, `start` and `status` as a user meets them, without running blocks."""

import json

import pytest
from typer.testing import CliRunner

from relay.cli.hub import app
from relay.cli.hub_status import _print
from relay.hub.network.network_file import Endpoint, Network, Peer, load_network, write_network
from relay.hub.network.node_key import load_node_key, new_node_key
from relay.hub.node.home import load_genesis, load_validator_key
from relay.hub.node.start import NodeRefused, open_node


def init(home, *options):
    return CliRunner().invoke(
        app, ["init", "--home", str(home), "--admin", "0x" + "11" * 20, "--base-port", "20500", *options]
    )


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    home = tmp_path_factory.mktemp("commands") / "net"
    done = init(home, "--validators", "4")
    assert done.exit_code == 0, done.output
    return home, done.output


def test_init_makes_homes_that_know_each_other_with_one_genesis_and_keys_of_their_own(net):
    home, printed = net
    homes = [home / f"validator-{number}" for number in range(1, 5)]
    assert len({(path / "genesis.json").read_bytes() for path in homes}) == 1
    genesis = load_genesis(homes[0])
    keys = {load_validator_key(path).public_key for path in homes}
    assert {validator.public_key for validator in genesis.validators} == keys
    assert len(keys) == 4
    ids = {load_node_key(path).node_id for path in homes}
    for number, path in enumerate(homes):
        network = load_network(path)
        assert network.listen == Endpoint("127.0.0.1", 20_500 + 10 * number)
        assert {peer.node_id for peer in network.peers} == ids - {load_node_key(path).node_id}
        assert (path / "node_key.pem").stat().st_mode & 0o777 == 0o600
        start = f"hutong hub start --home {path} --port {20_501 + 10 * number} --cometbft-port {20_502 + 10 * number}"
        assert start in printed
        assert f"peer {load_node_key(path).node_id}@127.0.0.1:{20_500 + 10 * number}" in printed


def test_homes_are_initialised_once(net):
    home, _ = net
    done = init(home, "--validators", "4")
    assert (done.exit_code, done.output) == (2, f"{home / 'validator-1'} exists: a home is initialised once\n")


def test_one_validator_has_no_peers_as_before(tmp_path):
    assert init(tmp_path / "one").exit_code == 0
    assert load_network(tmp_path / "one") is None
    node = open_node(tmp_path / "one")
    assert node.peers is None
    node.store.close()


def test_a_home_with_peers_opens_and_one_that_lists_itself_or_has_no_node_key_does_not(tmp_path):
    home = tmp_path / "net"
    assert init(home, "--validators", "2").exit_code == 0
    one = home / "validator-1"
    node = open_node(one)
    assert [peer.node_id for peer in node.peers[0].peers] == [load_node_key(home / "validator-2").node_id]
    node.store.close()
    own, network = load_node_key(one), load_network(one)
    write_network(one, Network(network.listen, (Peer(own.node_id, network.listen, own.certificate),)))
    with pytest.raises(NodeRefused, match=f"network.toml: lists this node itself, {own.node_id}"):
        open_node(one)
    (one / "node_key.pem").unlink()
    with pytest.raises(NodeRefused, match=r"node_key\.pem"):
        open_node(one)
    done = CliRunner().invoke(app, ["start", "--home", str(one)])
    assert done.exit_code == 2
    assert "node_key.pem" in done.output


def test_status_of_nobody_is_one_sentence():
    done = CliRunner().invoke(app, ["status", "--rpc", "http://127.0.0.1:9"])
    assert done.exit_code == 2
    assert done.output.startswith("http://127.0.0.1:9: ")
    assert len(done.output.splitlines()) == 1


def test_status_says_who_is_away_and_why(capsys):
    key = new_node_key()
    report = {
        "chainId": "hutong-1",
        "nodeId": key.node_id,
        "height": 4,
        "round": 2,
        "step": "prevote",
        "sinceLastBlockMs": 61_500,
        "whyNoBlock": "no block 5: …",
        "validators": [
            {"address": "0xaa", "power": 10, "isThisNode": True, "peer": None},
            {"address": "0xbb", "power": 10, "isThisNode": False, "peer": None},
        ],
        "peers": [
            {
                "id": "ab",
                "address": "h:1",
                "connected": True,
                "height": 4,
                "points": 3,
                "sentAwayForMs": 0,
                "reason": "",
            },
            {
                "id": "cd",
                "address": "h:2",
                "connected": False,
                "height": None,
                "points": 0,
                "sentAwayForMs": 9_000,
                "reason": "flood",
            },
            {
                "id": "ef",
                "address": "h:3",
                "connected": False,
                "height": None,
                "points": 0,
                "sentAwayForMs": 0,
                "reason": "refused",
            },
        ],
    }
    json.dumps(report)
    _print(report)
    assert capsys.readouterr().out.splitlines() == [
        "hub hutong-1 at height 4, 61.5 s ago; round 2, prevote",
        f"node {key.node_id}",
        "validator 0xaa power 10: this node",
        "validator 0xbb power 10: away",
        "peer ab@h:1: height 4, 3 points",
        "peer cd@h:2: sent away for 9 s: flood",
        "peer ef@h:3: not connected: refused",
        "no block 5: …",
    ]
