"""`hutong hub init --validators`, `start` and `status` as a user meets them, without running blocks."""

import pytest
from typer.testing import CliRunner

from hutong.relay.cli.hub.command import app
from hutong.relay.hub.home.home import load_genesis, load_validator_key
from hutong.relay.hub.home.process import NodeRefused
from hutong.relay.hub.network.link.node_key import load_node_key
from hutong.relay.hub.network.network_file import Endpoint, Network, Peer, load_network, write_network
from hutong.relay.hub.process.start import open_node


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


def network(*words, given=None):
    return CliRunner().invoke(app, ["network", *map(str, words)], input=given)


@pytest.fixture
def newcomer(tmp_path):
    """A home without peers, as `join` and `restore` leave one."""
    assert init(tmp_path / "newcomer").exit_code == 0
    return tmp_path / "newcomer"


def test_a_home_without_peers_enters_the_network_and_both_sides_know_each_other(net, newcomer, tmp_path):
    other = net[0] / "validator-2"
    begun = network("init", "--home", newcomer, "--listen", "10.0.0.5:18900")
    assert begun.exit_code == 0, begun.output
    assert network("show", "--home", newcomer).output == begun.output
    (tmp_path / "newcomer.toml").write_text(begun.output)
    known = len(load_network(other).peers)
    assert network("add", "--home", other, tmp_path / "newcomer.toml").output == (
        f"peer {load_node_key(newcomer).node_id}@10.0.0.5:18900\n"
    )
    lines = "\n".join(network("show", "--home", net[0] / f"validator-{number}").output for number in (2, 3))
    assert network("add", "--home", newcomer, "-", given=lines).exit_code == 0
    assert [peer.certificate for peer in load_network(newcomer).peers] == [
        load_node_key(net[0] / f"validator-{number}").certificate for number in (2, 3)
    ]
    assert load_network(newcomer).listen == Endpoint("10.0.0.5", 18_900)
    # Again, from another address: in the place of the older line.
    moved = begun.output.replace("10.0.0.5", "10.0.0.6")
    assert network("add", "--home", other, "-", given=moved).exit_code == 0
    peers = load_network(other).peers
    assert len(peers) == known + 1
    assert str(peers[-1].endpoint) == "10.0.0.6:18900"


@pytest.mark.parametrize(
    ("words", "given", "said"),
    [
        (["init", "--listen", "here"], None, "--listen must look like host:port"),
        (["show"], None, "network.toml is missing: make it with `hutong hub network init`"),
        (["add", "-"], "", "network.toml is missing"),
    ],
)
def test_what_is_no_place_in_a_network_is_refused(newcomer, words, given, said):
    done = network(*words, "--home", newcomer, given=given)
    assert done.exit_code == 2
    assert said in done.output
    assert load_network(newcomer) is None


def test_a_place_is_taken_once_and_only_in_a_home(newcomer, tmp_path):
    assert network("init", "--home", newcomer, "--listen", "10.0.0.5:1").exit_code == 0
    again = network("init", "--home", newcomer, "--listen", "10.0.0.5:1")
    assert (again.exit_code, "this node has its place already" in again.output) == (2, True)
    nowhere = network("init", "--home", tmp_path / "nowhere", "--listen", "10.0.0.5:1")
    assert (nowhere.exit_code, "not a home of a hub" in nowhere.output) == (2, True)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("", "what was given names no peer"),
        ("x", "what was given is not TOML"),
        ('listen = "10.0.0.5:1"\n', "what was given holds at most 128 [[peers]], nothing else"),
        ("x" * 300_000, "what was given has more than 262144 bytes"),
        ("own", "is this node itself"),
        ("twice", "lists a peer twice"),
    ],
)
def test_lines_that_are_none_of_peers_are_refused_and_change_nothing(net, newcomer, given, said):
    own = network("init", "--home", newcomer, "--listen", "10.0.0.5:1").output
    lines = network("show", "--home", net[0] / "validator-3").output
    before = load_network(newcomer)
    done = network("add", "--home", newcomer, "-", given={"own": own, "twice": lines + lines}.get(given, given))
    assert done.exit_code == 2
    assert said in done.output
    assert load_network(newcomer) == before


def test_a_file_of_peers_that_is_not_there_is_one_sentence(newcomer, tmp_path):
    network("init", "--home", newcomer, "--listen", "10.0.0.5:1")
    done = network("add", "--home", newcomer, tmp_path / "none.toml")
    assert (done.exit_code, done.output) == (2, f"{tmp_path / 'none.toml'}: No such file or directory\n")
