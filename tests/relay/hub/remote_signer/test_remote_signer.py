"""A node and its signer over real TCP and TLS: one signature a height, round and step, whatever a node asks."""

import json
import socket
import ssl
from dataclasses import replace
from functools import partial
from random import Random

import pytest
import trio
import trio.testing
from structlog.testing import capture_logs

from hutong.light_clients.crypto import secp256k1
from hutong.light_clients.tendermint.hashing import proposal_sign_bytes, sign_digest
from hutong.light_clients.tendermint.skip_certificate import SkipStatement, skip_digest
from hutong.light_clients.tendermint.types import KeyType, SignedMessageType
from hutong.relay.hub.consensus.signing import DoubleSignRefused, LastSigned, SignedSkip, SkipRefused
from hutong.relay.hub.consensus.types import NIL, Step
from hutong.relay.hub.consensus.votes import vote_bytes
from hutong.relay.hub.engine.block_signer import SignerAway
from hutong.relay.hub.home.home import UnusableHome
from hutong.relay.hub.home.last_signed import decode_last_signed, encode_last_signed
from hutong.relay.hub.network.due_signatures import DueSignatures
from hutong.relay.hub.network.link.greetings import MAX_OF_HOST
from hutong.relay.hub.network.link.node_key import new_node_key, write_node_key
from hutong.relay.hub.network.link.tls import client_context
from hutong.relay.hub.network.network_file import Network, decode_network, encode_network
from hutong.relay.hub.remote_signer import server as signer_server
from hutong.relay.hub.remote_signer.codec import VERSION, Hello, Kind, encode
from hutong.relay.hub.remote_signer.keeping import BETWEEN_S, keep_connected
from hutong.relay.hub.remote_signer.places import load_nodes, load_signer_place
from hutong.relay.hub.remote_signer.turns import TURN_FILE, Turn, Turns, decode_turn
from tests.relay.hub.remote_signer.signed_home import (
    BLOCKS,
    LIMIT_S,
    TIME_NS,
    connected,
    make_place,
    proposal,
    serving,
    until,
    vote,
)

PRECOMMIT = SignedMessageType.PRECOMMIT


@pytest.fixture
def place(tmp_path):
    made = make_place(tmp_path)
    yield made
    made.close()


def in_thread(function, *arguments):
    return trio.to_thread.run_sync(partial(function, *arguments))


def is_of_key(place, client, signed) -> bool:
    digest = sign_digest(KeyType.SECP256K1, vote_bytes(place.chain_id, signed))
    return secp256k1.verify_low_s(client.public_key.data, digest, signed.signature)


def record_of(place) -> LastSigned:
    return decode_last_signed((place.signer / "last_signed.json").read_bytes())


async def refused(function, request, sentence) -> DoubleSignRefused:
    with pytest.raises(DoubleSignRefused, match=sentence) as caught:
        await in_thread(function, request)
    assert (caught.value.height, caught.value.round) == (request.height, request.round)
    return caught.value


async def test_a_signer_signs_what_the_key_would_and_writes_it_down_first(place):
    async with serving(place):
        client = await in_thread(connected, place)
        assert (client.public_key.address, client.record) == (place.address, LastSigned())
        offered = await in_thread(client.sign_proposal, proposal(4))
        digest = sign_digest(
            KeyType.SECP256K1, proposal_sign_bytes(place.chain_id, 4, 0, -1, BLOCKS[0], offered.timestamp_ns)
        )
        assert secp256k1.verify_low_s(client.public_key.data, digest, offered.signature)
        for kind in (SignedMessageType.PREVOTE, PRECOMMIT):
            signed = await in_thread(client.sign_vote, vote(place, 4, kind=kind))
            assert is_of_key(place, client, signed)
            assert replace(signed, signature=b"") == vote(place, 4, kind=kind)
            assert record_of(place).signed[-1].signature == signed.signature
        later = await in_thread(client.sign_vote, vote(place, 5, block=NIL))
        assert is_of_key(place, client, later)
        assert (record_of(place).height, len(record_of(place).signed)) == (5, 1)


async def test_attack_C45_hub_a_lying_node_gets_no_second_vote_at_one_height_round_and_step(place):
    async with serving(place):
        client = await in_thread(connected, place)
        first = await in_thread(client.sign_vote, vote(place, 7, 2))
        error = await refused(client.sign_vote, vote(place, 7, 2, BLOCKS[1]), "other bytes were signed there")
        assert error.step is Step.PREVOTE
        await refused(client.sign_vote, vote(place, 7, 2, NIL), "other bytes were signed there")
        await refused(client.sign_vote, vote(place, 7, 1), "already at height 7 round 2")
        await refused(client.sign_vote, vote(place, 6, 9), "already at height 7 round 2")
        await refused(client.sign_proposal, proposal(7, 2), "a later step was signed")
        again = await in_thread(client.sign_vote, vote(place, 7, 2, time_ns=TIME_NS + 5))
        assert again == first
        await in_thread(client.sign_vote, vote(place, 7, 2, BLOCKS[1], PRECOMMIT))
        await refused(client.sign_vote, vote(place, 7, 2, BLOCKS[0], PRECOMMIT), "other bytes were signed there")
        with pytest.raises(DoubleSignRefused, match="other bytes"):
            # A new connection has no other record.
            await in_thread(lambda: connected(place).sign_vote(vote(place, 7, 2, BLOCKS[2])))


async def test_attack_C48_hub_a_signer_signs_a_skip_once_remembers_it_and_none_above_which_it_voted(place):
    async with serving(place):
        client = await in_thread(connected, place)
        await in_thread(client.sign_vote, vote(place, 4))
        statement = SkipStatement(place.chain_id, 4, b"\x04" * 32, b"\x03" * 32)
        signed = await in_thread(client.sign_skip, statement)
        assert secp256k1.verify_low_s(client.public_key.data, skip_digest(statement), signed.signature)
        assert record_of(place).skip == client.record.skip == SignedSkip(statement, signed.signature)
        assert await in_thread(client.sign_skip, statement) == signed
        with pytest.raises(SkipRefused, match="the skip of block 4"):
            await in_thread(client.sign_skip, replace(statement, block_hash=b"\x05" * 32))
        await in_thread(client.connect)
        assert client.record.skip == SignedSkip(statement, signed.signature)
        await in_thread(client.sign_vote, vote(place, 6))
        with pytest.raises(SkipRefused, match="signed at height 6 already"):
            await in_thread(client.sign_skip, replace(statement, height=5))


async def test_the_node_cannot_move_the_signers_record(place):
    async with serving(place):
        client = await in_thread(connected, place)
        client.passed(1_000)
        assert is_of_key(place, client, await in_thread(client.sign_vote, vote(place, 3)))


async def test_votes_of_another_validator_and_of_another_chain_are_not_signed(place):
    async with serving(place):
        client = await in_thread(connected, place)
        with pytest.raises(SignerAway, match="is another validator's"):
            await in_thread(client.sign_vote, replace(vote(place, 3), validator_address=b"\x01" * 20))
        other = place.client(chain_id="hutong-2")
        with pytest.raises(SignerAway, match="this signer signs for hutong-1, not for hutong-2"):
            await in_thread(other.connect)
        assert record_of(place) == LastSigned()
        await in_thread(client.connect)
        await in_thread(client.sign_vote, vote(place, 3))


def add_node(place, node) -> None:
    """Another node's lines, as its owner would send them."""
    from hutong.relay.hub.network.membership import own_lines

    file = place.signer / "signer.toml"
    known = decode_network(file.read_bytes())
    file.write_bytes(encode_network(Network(known.listen, (*known.peers, own_lines(node)))))
    (node / "consensus_key.toml").write_bytes((place.nodes[0] / "consensus_key.toml").read_bytes())


async def test_attack_C40_hub_two_nodes_that_ask_one_signer_never_share_a_height(place):
    add_node(place, place.nodes[1])
    async with serving(place):
        first = await in_thread(connected, place)
        await in_thread(first.sign_vote, vote(place, 9))
        second = place.client(place.nodes[1])
        with pytest.raises(SignerAway, match="this signer signs for node .* now"):
            await in_thread(second.connect)
        await in_thread(first.close)
        with trio.fail_after(LIMIT_S):
            while True:
                try:
                    await in_thread(second.connect)
                    break
                except SignerAway:
                    await trio.sleep(0.01)
        # It does not know the lock that led to the first one's prevote.
        await refused(second.sign_vote, vote(place, 9, 1), "another node was given signatures up to height 9")
        await refused(second.sign_vote, vote(place, 9), "another node was given signatures up to height 9")
        assert is_of_key(place, second, await in_thread(second.sign_vote, vote(place, 10)))
    # Also after the signer was started anew.
    async with serving(place):
        third = await in_thread(connected, place)
        await refused(third.sign_vote, vote(place, 10, 3), "another node was given signatures up to height 10")
        await in_thread(third.sign_vote, vote(place, 11))


async def test_the_same_node_takes_over_from_its_own_broken_connection(place):
    async with serving(place):
        old = await in_thread(connected, place)
        new = await in_thread(connected, place)
        assert is_of_key(place, new, await in_thread(new.sign_vote, vote(place, 3)))
        with pytest.raises(SignerAway):
            await in_thread(old.sign_vote, vote(place, 3, 1))
        assert is_of_key(place, new, await in_thread(new.sign_vote, vote(place, 3, 1)))


async def test_strangers_and_impostors_are_not_talked_to(place, tmp_path):
    """Either side: a node that signer.toml does not list, and a signer that consensus_key.toml does not name."""
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    write_node_key(stranger, new_node_key())
    (stranger / "consensus_key.toml").write_bytes((place.nodes[0] / "consensus_key.toml").read_bytes())
    with capture_logs() as log:
        async with serving(place):
            with pytest.raises(SignerAway, match=r"does its signer\.toml hold this node's certificate"):
                await in_thread(place.client(stranger).connect)
            with pytest.raises((ssl.SSLError, ConnectionError)):
                # Without any certificate.
                await in_thread(say_without_certificate, place)
            await in_thread(connected, place)
    assert [row["peer"] for row in log if row["event"] == "a node is refused"] == ["unknown"]
    write_node_key(place.signer, new_node_key())
    async with serving(place):
        with pytest.raises(SignerAway, match=r"its certificate is not the one of consensus_key\.toml"):
            await in_thread(place.client().connect)


def name_by_dns(place) -> None:
    """Where its node comes from, the signer cannot tell beforehand."""
    file = place.signer / "signer.toml"
    known = decode_network(file.read_bytes())
    peers = (replace(peer, endpoint=replace(peer.endpoint, host="localhost")) for peer in known.peers)
    file.write_bytes(encode_network(Network(known.listen, tuple(peers))))


async def test_attack_G15_hub_silent_strangers_do_not_keep_a_node_from_its_signer(place, monkeypatch):
    monkeypatch.setattr(signer_server, "HANDSHAKE_LIMIT_S", 600.0)  # nobody leaves by being slow
    name_by_dns(place)
    endpoint = load_signer_place(place.nodes[0]).endpoint
    async with serving(place):
        client = await in_thread(connected, place)
        await in_thread(client.sign_vote, vote(place, 3))
        silent = [await trio.open_tcp_stream(endpoint.host, endpoint.port) for _ in range(MAX_OF_HOST + 4)]
        with trio.fail_after(60):
            for stream in silent[:4]:
                assert await stream.receive_some(1) == b""
        # The one that is served is let alone, and one that comes back is let in.
        await in_thread(client.sign_vote, vote(place, 4))
        client.close()
        await in_thread(client.connect)
        assert is_of_key(place, client, await in_thread(client.sign_vote, vote(place, 5)))
        for stream in silent:
            await trio.aclose_forcefully(stream)


def say_without_certificate(place) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    endpoint = load_signer_place(place.nodes[0]).endpoint
    with (
        socket.create_connection((endpoint.host, endpoint.port), timeout=LIMIT_S) as plain,
        context.wrap_socket(plain) as tls,
    ):
        tls.sendall(encode(Hello(VERSION, place.chain_id)))
        if not tls.recv(5):
            raise ConnectionResetError


@pytest.mark.parametrize(
    "said",
    [
        b"\x09\x00\x00\x00\x00",
        b"\x03\xff\xff\xff\xff",
        encode(Hello(VERSION + 1, "hutong-1")),
        b"\x03\x00\x00\x00\x01\x00",
        bytes((Kind.WELCOME,)) + (34).to_bytes(4, "big") + b"\x02" * 34,
    ],
)
async def test_a_node_that_says_nonsense_is_told_so_and_stops_nobody(place, said):
    def talk() -> bytes:
        endpoint, heard = load_signer_place(place.nodes[0]), b""
        context = client_context(place.nodes[0], endpoint.certificate)
        with socket.create_connection((endpoint.endpoint.host, endpoint.endpoint.port), timeout=LIMIT_S) as plain:
            with context.wrap_socket(plain) as tls:
                tls.sendall(said)
                while part := tls.recv(4096):
                    heard += part
        return heard

    async with serving(place):
        heard = await in_thread(talk)
        assert heard[0] == Kind.REFUSED and len(heard) < 500
        client = await in_thread(connected, place)
        assert is_of_key(place, client, await in_thread(client.sign_vote, vote(place, 3)))


async def test_a_signer_whose_record_was_rolled_back_is_not_asked(place):
    async with serving(place):
        client = await in_thread(connected, place)
        await in_thread(client.sign_vote, vote(place, 9))
    (place.signer / "last_signed.json").write_bytes(encode_last_signed(LastSigned(8, 0, ())))
    async with serving(place):
        with pytest.raises(SignerAway, match="its record was rolled back"):
            await in_thread(client.connect)
        assert not client.is_connected
    (place.signer / "last_signed.json").write_bytes(encode_last_signed(LastSigned(9, 0, ())))
    async with serving(place):
        await in_thread(client.connect)


async def test_a_signature_that_is_not_the_keys_is_not_passed_on(place):
    """A signer with another key behind the same certificate."""
    async with serving(place):
        client = await in_thread(connected, place)
    (place.signer / "validator_key.json").write_bytes((place.nodes[1] / "validator_key.json").read_bytes())
    async with serving(place) as server:
        with pytest.raises(SignerAway, match="has key [0-9A-F]{40} now"):
            await in_thread(client.connect)
        # One that claims the old key, and signs with the new.
        server._signer.public_key, signing = client.public_key, server._signer
        assert signing.public_key == client.public_key
        await in_thread(client.connect)
        with pytest.raises(SignerAway, match="sent a signature that is not its key's"):
            await in_thread(client.sign_vote, replace(vote(place, 3), validator_address=client.public_key.address))
        assert not client.is_connected


async def test_a_record_that_cannot_be_written_gives_no_signature(place, monkeypatch):
    async with serving(place) as server:
        client = await in_thread(connected, place)

        def full(*_):
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr("hutong.relay.hub.engine.signer.write_durably", full)
            with pytest.raises(SignerAway, match="the record cannot be written \\(No space left on device\\)"):
                await in_thread(client.sign_vote, vote(place, 3))
        assert server._signer.record == LastSigned()
        await in_thread(client.connect)
        # Nothing left it: another vote is no second one.
        assert is_of_key(place, client, await in_thread(client.sign_vote, vote(place, 3, block=BLOCKS[1])))


async def test_a_signer_that_says_nothing_is_away_after_the_limit(place):
    listener = socket.create_server(("127.0.0.1", load_nodes(place.signer).listen.port))
    try:
        with pytest.raises(SignerAway, match="it does not answer in time"):
            await in_thread(place.client(limit_s=0.2).connect)
    finally:
        listener.close()
    with pytest.raises(SignerAway, match="Connection refused"):
        await in_thread(place.client().connect)


async def test_a_silent_node_is_let_go_and_asks_again(place, monkeypatch):
    monkeypatch.setattr(signer_server, "IDLE_LIMIT_S", 0.05)
    async with serving(place):
        client = await in_thread(connected, place)
        with trio.fail_after(LIMIT_S), pytest.raises(SignerAway):
            while True:
                await trio.sleep(0.1)
                await in_thread(client.sign_vote, vote(place, 3))
        monkeypatch.setattr(signer_server, "IDLE_LIMIT_S", 60)
        await in_thread(client.connect)
        assert is_of_key(place, client, await in_thread(client.sign_vote, vote(place, 3)))


class Driver:
    """What the keeper knows of consensus."""

    def __init__(self) -> None:
        self.signatures_due, self.back = DueSignatures(), 0

    def signer_is_back(self) -> None:
        self.signatures_due.ask_again()
        self.back += 1


async def test_the_keeper_looks_for_the_signer_until_it_is_there(place):
    driver, client = Driver(), place.client()
    with capture_logs() as log:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(keep_connected, client, driver, Random(1))
            await trio.testing.wait_all_tasks_blocked()
            assert (driver.back, client.is_connected) == (0, False)
            driver.signatures_due.lost.set()
            await until(lambda: any(row["event"] == "the signer is away" for row in log))
            async with serving(place):
                await until(lambda: any(row["event"] == "the signer is back" for row in log))
                assert driver.back == 1
                assert is_of_key(place, client, await in_thread(client.sign_vote, vote(place, 3)))
            nursery.cancel_scope.cancel()
    assert [row["event"] for row in log if row.get("component") == "consensus" or "signer" in row["event"]] == [
        "the signer is away",
        "the signer is back",
    ]
    assert "Connection refused" in next(row["reason"] for row in log if row["event"] == "the signer is away")


class Unsigned(Driver):
    """Its signer answers and signs nothing."""

    def signer_is_back(self) -> None:
        super().signer_is_back()
        self.signatures_due.put(None, "signer: the record cannot be written")


async def test_a_signer_that_is_there_and_does_not_sign_is_asked_now_and_then_and_blamed_once(place):
    driver = Unsigned()
    driver.signatures_due.lost.set()
    with capture_logs() as log:
        async with serving(place), trio.open_nursery() as nursery:
            began_s = trio.current_time()
            nursery.start_soon(keep_connected, place.client(), driver, Random(1))
            await until(lambda: driver.back == 3)
            assert trio.current_time() - began_s >= 2 * BETWEEN_S
            nursery.cancel_scope.cancel()
    assert [row["reason"] for row in log if row["event"] == "the signer is away"] == [
        "signer: the record cannot be written"
    ]
    assert not [row for row in log if row["event"] == "the signer is back"]


def test_whose_turn_it_is_stands_on_disk(tmp_path):
    turns = Turns(tmp_path)
    one, two = "11" * 20, "22" * 20
    turns.check(one, 1, 0, Step.PREVOTE, LastSigned())
    with pytest.raises(DoubleSignRefused, match="up to height 6"):
        Turns(tmp_path).check(two, 6, 0, Step.PREVOTE, LastSigned(6, 0, ()))
    assert decode_turn((tmp_path / TURN_FILE).read_bytes()) == Turn(two, 6)
    Turns(tmp_path).check(two, 7, 0, Step.PREVOTE, LastSigned(6, 0, ()))
    with pytest.raises(DoubleSignRefused, match="up to height 6"):
        Turns(tmp_path).check(two, 6, 1, Step.PREVOTE, LastSigned(6, 0, ()))


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"node": "x", "above": 1}', b'{"node": 1, "above": 1}'] + [
    json.dumps({"node": "11" * 20, "above": above}).encode() for above in (-1, True, "1", None)
])  # fmt: skip
def test_a_damaged_turn_is_not_guessed(tmp_path, data):
    (tmp_path / TURN_FILE).write_bytes(data)
    with pytest.raises(UnusableHome, match="does not say which node this signer signs for"):
        Turns(tmp_path)
