"""Connections over real TCP and TLS: who belongs together talks, everybody else is refused with a sentence."""

from contextlib import asynccontextmanager
from dataclasses import replace
from random import Random

import pytest
import trio
import trio.testing
from structlog.testing import capture_logs

from hutong.relay.hub.consensus.types import Step
from hutong.relay.hub.network.link.codec import Kind, encode_message
from hutong.relay.hub.network.link.frames import frame
from hutong.relay.hub.network.link.handshake import Refusal, check_hello
from hutong.relay.hub.network.link.link import Link, PeerOffended
from hutong.relay.hub.network.link.messages import PROTOCOL_VERSION, Hello, Status
from hutong.relay.hub.network.link.node_key import new_node_key, write_node_key
from hutong.relay.hub.network.link.tls import client_context
from hutong.relay.hub.network.network_file import Endpoint, Network, Peer
from hutong.relay.hub.network.outbox import MAX_GOSSIP_BYTES, MAX_URGENT_BYTES, Outbox
from hutong.relay.hub.network.score import Offence, Score
from hutong.relay.hub.network.switchboard import Conversation, NetworkedHome, Switchboard
from hutong.relay.local.ports import free_port

HELLO = Hello(PROTOCOL_VERSION, "hutong-1", b"\x01" * 32, 7, b"\x0a" * 20)
STATUS = Status(8, 0, Step.PROPOSE, ())


class End:
    """A switchboard, and what it heard."""

    def __init__(self, home, key, port, peers, hello=HELLO) -> None:
        home.mkdir()
        write_node_key(home, key)
        self.heard = []
        self.home, self.key, self.port = home, key, port
        self.board = Switchboard(
            NetworkedHome(home, Network(Endpoint("127.0.0.1", port), peers), key),
            Conversation(lambda: hello, self._hear, lambda link: link.send(STATUS)),
            Random(1),
        )

    async def _hear(self, link, message, size) -> None:
        self.heard.append((link.node_id, message))


def keys_in_order(count):
    """The first dials all others."""
    return sorted((new_node_key() for _ in range(count)), key=lambda key: key.node_id)


def peer(key, port) -> Peer:
    return Peer(key.node_id, Endpoint("127.0.0.1", port), key.certificate)


async def until(condition) -> None:
    with trio.fail_after(60):
        while not condition():  # noqa: ASYNC110  any condition
            await trio.sleep(0.01)


@asynccontextmanager
async def running(*ends):
    with capture_logs() as log:
        async with trio.open_nursery() as nursery:
            for end in ends:
                await nursery.start(end.board.run)
            yield log
            nursery.cancel_scope.cancel()


def pair(tmp_path, hello_2=None, *, first_knows=True, second_knows=True):
    one, two = keys_in_order(2)
    ports = free_port(), free_port()
    second_hello = replace(HELLO, consensus_address=b"\x0b" * 20) if hello_2 is None else hello_2
    return (
        End(tmp_path / "one", one, ports[0], (peer(two, ports[1]),) if first_knows else ()),
        End(tmp_path / "two", two, ports[1], (peer(one, ports[0]),) if second_knows else (), second_hello),
    )


async def test_peers_find_each_other_and_talk(tmp_path):
    one, two = pair(tmp_path)
    async with running(one, two) as log:
        await until(lambda: one.heard and two.heard)
        assert one.heard[0] == (two.key.node_id, STATUS)
        assert two.heard[0] == (one.key.node_id, STATUS)
        assert [entry["event"] for entry in log].count("peer connected") == 2


async def test_a_connection_that_ends_is_dialled_again(tmp_path):
    one, two = pair(tmp_path)
    async with running(one, two):
        await until(lambda: one.board.links and two.board.links)
        two.board.links[0].closing.set()
        await until(lambda: len(two.heard) >= 2 and len(one.heard) >= 2)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"chain_id": "hutong-2"}, "it is of chain"),
        ({"genesis_hash": b"\x02" * 32}, "its genesis.json has hash"),
        ({"version": 2}, "version"),
        ({"consensus_address": HELLO.consensus_address}, "this node's consensus key 0A0A"),
    ],
)
async def test_whoever_is_of_another_network_is_refused_by_both_with_the_reason(tmp_path, change, words):
    hello_2 = replace(HELLO, **{"consensus_address": b"\x0b" * 20, **change})
    one, two = pair(tmp_path, hello_2)
    async with running(one, two) as log:
        await until(
            lambda: (
                {entry["peer"] for entry in log if entry["event"] == "peer refused"}
                >= {one.key.node_id, two.key.node_id}
            )
        )
        refusals = [entry for entry in log if entry["event"] == "peer refused"]
        assert all(words in entry["reason"] for entry in refusals)
        assert not one.board.links
        assert not two.heard
    with pytest.raises(Refusal) as caught:
        check_hello(HELLO, hello_2)
    assert caught.value.got != caught.value.expected
    check_hello(HELLO, replace(HELLO, consensus_address=b"\x0b" * 20))


async def test_a_node_key_that_is_not_listed_is_refused(tmp_path):
    one, two = pair(tmp_path, second_knows=False)
    async with running(one, two) as log:
        await until(lambda: len({entry["reason"] for entry in log if entry["event"] == "peer refused"}) == 2)
        reasons = {entry["peer"]: entry["reason"] for entry in log if entry["event"] == "peer refused"}
        assert reasons["unknown"] == "its certificate is not in this node's network.toml"
        assert "does its network.toml hold this node's certificate?" in reasons[two.key.node_id]
        assert not two.board.links


async def test_another_node_at_a_peers_address_is_refused(tmp_path):
    one, two, three = keys_in_order(3)
    ports = free_port(), free_port()
    first = End(tmp_path / "one", one, ports[0], (peer(two, ports[1]),))
    other = End(
        tmp_path / "three", three, ports[1], (peer(one, ports[0]),), replace(HELLO, consensus_address=b"\x0c" * 20)
    )
    async with running(first, other) as log:
        await until(lambda: any(entry["event"] == "peer refused" for entry in log))
        assert not first.board.links


@asynccontextmanager
async def stranger(end, key, home):
    """A TLS connection to `end` with any key."""
    home.mkdir(exist_ok=True)
    write_node_key(home, key)
    stream = await trio.open_tcp_stream("127.0.0.1", end.port)
    tls = trio.SSLStream(stream, client_context(home, end.key.certificate), https_compatible=True)
    try:
        yield tls
    finally:
        await trio.aclose_forcefully(tls)


async def test_a_second_connection_of_a_peer_is_refused(tmp_path):
    one, two = pair(tmp_path)
    async with running(one, two) as log:
        await until(lambda: two.board.links)
        async with stranger(two, one.key, tmp_path / "copy") as tls:
            await tls.send_all(frame(*encode_message(replace(HELLO))))
            await until(lambda: any("is connected already" in entry.get("reason", "") for entry in log))
        assert len(two.board.links) == 1


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (frame(Kind.VOTE, b"\x07" * 10), "is neither prevote nor precommit"),
        (bytes((9, 0, 0, 0, 0)), "unknown"),
        (bytes((Kind.VOTE,)) + (10**6).to_bytes(4, "big"), "at most 256 bytes"),
        (frame(Kind.BLOCKS_REQUEST, bytes(9)), "blocks begin at 1"),
    ],
)
async def test_malformed_frames_send_a_peer_away_for_a_time_and_it_is_refused_until_then(tmp_path, sent, words):
    one, two = pair(tmp_path)
    async with running(one, two) as log:
        await until(lambda: one.board.links and two.board.links)
        one.board.links[0].send_frame(sent)
        await until(lambda: any(entry["event"] == "a peer broke a rule" for entry in log))
        (entry,) = [entry for entry in log if entry["event"] == "a peer broke a rule"]
        assert words in entry["reason"]
        assert entry["banned_s"] == 10
        await until(lambda: any("is sent away for" in entry.get("reason", "") for entry in log))
        assert not two.board.links


async def test_a_flood_ends_the_connection_and_sends_the_peer_away(mock_clock):
    """The clock stands, so that a slow machine sees a flood too."""
    near, far = trio.testing.memory_stream_pair()
    link = Link("ab" * 20, near, HELLO)
    heard = []

    async def hear(_link, message, _size) -> None:
        heard.append(message)

    await far.send_all(frame(*encode_message(STATUS)) * 5_000)
    await far.send_eof()
    with pytest.raises(PeerOffended) as caught:
        await link.run(hear)
    assert caught.value.offence is Offence.FLOOD
    assert len(heard) == 4_000
    assert Score().with_offence(caught.value.offence, 0.0).is_banned(0.0)


def test_a_slow_peer_loses_gossip_and_the_oldest_of_what_is_urgent():
    box = Outbox()
    piece = bytes(1024 * 1024)
    for number in range(20):
        assert box.put(piece, urgent=False) == (number < MAX_GOSSIP_BYTES // len(piece))
    for number in range(20):
        assert box.put(bytes((number,)) + piece[1:], urgent=True)
    assert box.dropped == 4 + 20 - MAX_URGENT_BYTES // len(piece)


async def test_what_is_urgent_goes_first():
    box = Outbox()
    box.put(b"gossip", urgent=False)
    box.put(b"vote", urgent=True)
    assert await box.take() == b"votegossip"
    assert box.is_idle
