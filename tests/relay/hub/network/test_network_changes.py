"""A running node takes up another network.toml: newcomers are met, who is not listed is left, nobody else notices."""

import signal
import subprocess
import sys
from dataclasses import replace

import httpx
import pytest
import trio
from typer.testing import CliRunner

from hutong.relay.cli.hub.command import app
from hutong.relay.hub.home.home import UnusableHome
from hutong.relay.hub.network.link.link import IDLE_LIMIT_S
from hutong.relay.hub.network.link.node_key import load_node_key, write_node_key
from hutong.relay.hub.network.network_file import Endpoint, Network, load_network, write_network
from hutong.relay.local.ports import free_base_port, free_ports
from tests.relay.hub.network.test_network_transport import HELLO, End, keys_in_order, peer, running, until

HUTONG = (sys.executable, "-m", "hutong.relay.cli")


def hello(number):
    return replace(HELLO, consensus_address=bytes([number]) * 20)


def ends_of(tmp_path, known):
    """Ends by number; `known` says which numbers each lists. All keys and ports."""
    keys, ports = keys_in_order(len(known)), free_ports(len(known))
    lines = [peer(key, port) for key, port in zip(keys, ports, strict=True)]
    ends = [
        End(tmp_path / str(number), keys[number], ports[number], tuple(lines[one] for one in listed), hello(number))
        for number, listed in enumerate(known)
    ]
    return ends, lines


def listing(end, *lines):
    return Network(Endpoint("127.0.0.1", end.port), lines)


@pytest.mark.parametrize("newcomer", [0, 2], ids=["which dials", "which is dialled"])
async def test_a_newcomer_is_met_and_the_others_keep_their_connections(tmp_path, newcomer):
    """Of two the one with the lower id dials."""
    first, second = (number for number in range(3) if number != newcomer)
    known = [[one for one in range(3) if one != number] for number in range(3)]
    known[first], known[second] = [second], [first]
    ends, lines = ends_of(tmp_path, known)
    async with running(*ends):
        await until(lambda: ends[first].board.links and ends[second].board.links)
        kept = [
            ends[number].board.records[ends[other].key.node_id].link
            for number, other in ((first, second), (second, first))
        ]
        for number, other in ((first, second), (second, first)):
            ends[number].board.take(listing(ends[number], lines[other], lines[newcomer]), ends[number].key)
        await until(lambda: all(len(end.board.links) == 2 for end in ends))
        assert kept == [
            ends[number].board.records[ends[other].key.node_id].link
            for number, other in ((first, second), (second, first))
        ]


@pytest.mark.parametrize("leaver", [0, 1], ids=["which dialled", "which was dialled"])
async def test_who_is_not_listed_any_more_is_left_and_refused(tmp_path, leaver):
    ends, lines = ends_of(tmp_path, [[1], [0]])
    stays = ends[1 - leaver]
    async with running(*ends) as log:
        await until(lambda: all(end.board.links for end in ends))
        stays.board.take(listing(stays), stays.key)
        with trio.fail_after(IDLE_LIMIT_S / 2):  # silence would end the connection, later
            await until(lambda: not any(end.board.links for end in ends))
        if leaver == 0:
            refusal = "its certificate is not in this node's network.toml"
            await until(lambda: any(entry.get("reason") == refusal for entry in log))
        assert stays.board.records == {}
        stays.board.take(listing(stays, lines[leaver]), stays.key)
        await until(lambda: all(end.board.links for end in ends))
    taken = [entry for entry in log if entry["event"] == "peers taken from network.toml"]
    gone = ends[leaver].key.node_id
    assert [(entry["peers"], entry["new"], entry["left"]) for entry in taken] == [(0, [], [gone]), (1, [gone], [])]


async def test_a_peer_that_is_offended_while_it_is_left_is_no_failure(tmp_path):
    ends, _ = ends_of(tmp_path, [[1], [0]])
    async with running(*ends):
        await until(lambda: all(end.board.links for end in ends))
        (link,) = ends[0].board.links
        ends[0].board.take(listing(ends[0]), ends[0].key)
        ends[0].board.offend(link, None, "late")
        await until(lambda: not ends[0].board.links)


async def test_a_new_address_is_for_the_next_connection(tmp_path):
    ends, lines = ends_of(tmp_path, [[1], [0]])
    (elsewhere,) = free_ports(1)
    async with running(*ends):
        await until(lambda: all(end.board.links for end in ends))
        (link,) = ends[0].board.links
        moved = replace(lines[1], endpoint=Endpoint("127.0.0.1", elsewhere))
        ends[0].board.take(listing(ends[0], moved), ends[0].key)
        assert ends[0].board.links == [link]
        link.closing.set()
        record = ends[0].board.records[ends[1].key.node_id]
        await until(lambda: f"127.0.0.1:{elsewhere} cannot be reached" in record.last_reason)


async def test_another_own_address_or_key_takes_a_start_and_changes_nothing(tmp_path):
    ends, lines = ends_of(tmp_path, [[1], [0]])
    (elsewhere,) = free_ports(1)
    async with running(*ends):
        await until(lambda: all(end.board.links for end in ends))
        for network, key in (
            (Network(Endpoint("127.0.0.1", elsewhere), ()), ends[0].key),
            (listing(ends[0]), ends[1].key),
        ):
            with pytest.raises(UnusableHome, match="that takes a start"):
                ends[0].board.take(network, key)
        assert [end.board.links for end in ends].count([]) == 0
        assert list(ends[0].board.records) == [lines[1].node_id]


def network_command(*words, given=None):
    return CliRunner().invoke(app, ["network", *map(str, words)], input=given)


def test_a_peer_is_taken_out_by_its_id(tmp_path):
    made = CliRunner().invoke(
        app, ["init", "--home", str(tmp_path / "net"), "--admin", "0x" + "11" * 20, "--validators", "2"]
    )
    assert made.exit_code == 0, made.output
    home = tmp_path / "net" / "validator-1"
    other = load_node_key(tmp_path / "net" / "validator-2").node_id
    done = network_command("remove", "--home", home, other)
    assert (done.exit_code, done.output) == (0, f"no peer any more: {other}@127.0.0.1:{26_656 + 10}\n")
    assert load_network(home).peers == ()
    again = network_command("remove", "--home", home, other)
    assert (again.exit_code, again.output) == (2, f"{home / 'network.toml'} lists no peer {other}\n")


@pytest.mark.long
async def test_a_running_node_takes_up_its_network_file_at_sighup(tmp_path):
    base = free_base_port([10 * index + part for index in range(2) for part in range(3)])
    made = CliRunner().invoke(
        app,
        [
            *("init", "--home", str(tmp_path / "net"), "--admin", "0x" + "11" * 20, "--validators", "2"),
            *("--base-port", str(base), "--block-interval-ms", "200", "--proof-block-ms", "50"),
        ],
    )
    assert made.exit_code == 0, made.output
    homes = [tmp_path / "net" / f"validator-{number}" for number in (1, 2)]
    lines = network_command("show", "--home", homes[1]).output
    network_command("remove", "--home", homes[0], load_node_key(homes[1]).node_id)
    log = tmp_path / "log"
    nodes = []

    def start(index, output) -> None:
        ports = ["--port", str(base + 10 * index + 1), "--cometbft-port", str(base + 10 * index + 2)]
        command = [*HUTONG, "hub", "start", "--home", str(homes[index]), *ports]
        nodes.append(subprocess.Popen(command, stdout=output, stderr=output))

    with log.open("wb") as output:
        start(0, output)
    start(1, subprocess.DEVNULL)

    async def height() -> int:
        async with httpx.AsyncClient(trust_env=False, timeout=120) as client:
            try:
                status = (await client.get(f"http://127.0.0.1:{base + 2}/status")).json()
            except httpx.HTTPError:
                return -1
            return int(status["result"]["sync_info"]["latest_block_height"])

    async def reach(wanted):
        with trio.fail_after(600):
            while await height() < wanted:  # noqa: ASYNC110
                assert [node.poll() for node in nodes] == [None, None], log.read_text()
                await trio.sleep(0.1)

    async def said(words):
        with trio.fail_after(600):
            while words not in log.read_text():  # noqa: ASYNC110
                await trio.sleep(0.05)

    try:
        await reach(0)
        assert await height() == 0, "one of two validators decides nothing"
        assert network_command("add", "--home", homes[0], "-", given=lines).exit_code == 0
        nodes[0].send_signal(signal.SIGHUP)
        await reach(3)
        (homes[0] / "network.toml").write_text("nonsense")
        nodes[0].send_signal(signal.SIGHUP)
        await said("peers stay as they were")
        assert "network.toml: is not TOML" in log.read_text()
        (homes[0] / "network.toml").unlink()
        nodes[0].send_signal(signal.SIGHUP)
        await said("takes up or leaves")
        write_network(homes[0], Network(Endpoint("127.0.0.1", base), ()))
        write_node_key(homes[0], load_node_key(homes[1]))
        nodes[0].send_signal(signal.SIGHUP)
        await said("that takes a start")
        await reach(await height() + 3)
    finally:
        for node in nodes:
            node.terminate()
    assert [node.wait(timeout=120) for node in nodes] == [0, 0], log.read_text()
