"""What one validator that lies could do to all others, each found by a reviewer."""

import ssl
from dataclasses import replace
from hashlib import sha256

import pytest
import trio
from Crypto.PublicKey import ECC
from Crypto.Signature import eddsa
from Crypto.Util.asn1 import DerBitString, DerBoolean, DerInteger, DerObject, DerObjectId, DerOctetString
from structlog.testing import capture_logs

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.tendermint.codec import encode_commit, encode_header
from hutong.light_clients.tendermint.hashing import part_set_header, proposal_sign_bytes, sign_digest
from hutong.light_clients.tendermint.types import ABSENT_SIGNATURE, BlockId, KeyType
from hutong.light_clients.tendermint.wire import message_field
from hutong.relay.hub.consensus.blocks import block_id_of, decode_block, encode_block, make_block
from hutong.relay.hub.consensus.types import EMPTY_COMMIT, Proposal, Step
from hutong.relay.hub.consensus.validators import proposer_of
from hutong.relay.hub.engine.block_signer import SignerAway
from hutong.relay.hub.network import switchboard
from hutong.relay.hub.network.link.greetings import MAX_OF_HOST, MAX_STRANGERS
from hutong.relay.hub.network.link.messages import ProposalMessage, Status
from hutong.relay.hub.network.link.node_key import node_id_of, write_node_key
from hutong.relay.hub.network.link.tls import client_context
from hutong.relay.hub.network.network_file import Endpoint, Peer
from tests.relay.hub.network.simulated_network import SimulatedNetwork
from tests.relay.hub.network.test_network_of_four import link_to, points
from tests.relay.hub.network.test_network_transport import HELLO, End, free_port, keys_in_order, peer, running, until

FAR_NS = 10**18
MOST_ROUNDS = 17


def signed(liar, state, round_, block_id):
    proposal = Proposal(state.height, round_, -1, block_id, FAR_NS)
    message = proposal_sign_bytes(
        state.chain_id, proposal.height, proposal.round, proposal.pol_round, proposal.block_id, proposal.timestamp_ns
    )
    return replace(proposal, signature=liar.key.sign(sign_digest(KeyType.SECP256K1, message)))


def rounds_of(liar, state):
    address = liar.key.public_key.address
    return [round_ for round_ in range(MOST_ROUNDS) if proposer_of(state.validators, round_).address == address]


def fresh_block(validator, proposer):
    return make_block(validator.ledger.tip, validator.ledger.last_commit(), (), proposer.key.public_key.address)


async def test_attack_C41_hub_a_last_commit_that_nobody_signed_ends_no_node(tmp_path, autojump_clock):
    network = SimulatedNetwork(tmp_path, 4)
    liar, victim = network.validators[3], network.validators[0]
    async with trio.open_nursery() as nursery:
        network.start(nursery, 0, 1, 2, 3)
        await network.reach(3)
        await trio.sleep(0.1)
        state, block = victim.node.driver.state, fresh_block(victim, liar)
        absent = (ABSENT_SIGNATURE,) * len(block.last_commit.signatures)
        block = replace(block, last_commit=replace(block.last_commit, signatures=absent))
        offer = signed(liar, state, rounds_of(liar, state)[0], block_id_of(block))
        link_to(liar, victim).send(ProposalMessage(offer, encode_block(block)))
        await network.reach(victim.height + 4)
        nursery.cancel_scope.cancel()
    assert network.agree()


async def test_attack_C41_hub_garbage_under_a_known_block_is_not_passed_on(tmp_path, autojump_clock):
    """Else honest nodes would send each other away for it."""
    network = SimulatedNetwork(tmp_path, 4)
    first, second, third, liar = network.validators
    async with trio.open_nursery() as nursery:
        network.start(nursery, 0, 1, 2, 3)
        await network.reach(3)
        await trio.sleep(0.1)
        state, block = first.node.driver.state, fresh_block(first, liar)
        rounds = rounds_of(liar, state)
        for round_, body in ((rounds[-2], encode_block(block)), (rounds[-1], b"\x01" * 100)):
            link_to(liar, first).send(ProposalMessage(signed(liar, state, round_, block_id_of(block)), body))
        await trio.sleep(0.05)
        network.kill(3)
        await network.reach(first.height + 6, 0, 1, 2)
        assert [points(one, two) for one in (second, third) for two in (first,)] == [0, 0]
        assert first.node.switchboard.records[liar.node_key.node_id].score.bans == 1
        nursery.cancel_scope.cancel()
    assert network.agree()


def without_hash(block) -> bytes:
    """Encoded, with a header that CometBFT has no hash for."""
    return encode_block(replace(block, header=replace(block.header, validators_hash=b"")))


async def test_attack_B1_hub_a_proposed_header_without_a_hash_ends_no_node(tmp_path, autojump_clock):
    network = SimulatedNetwork(tmp_path, 4)
    liar, honest = network.validators[3], network.validators[:3]
    async with trio.open_nursery() as nursery:
        network.start(nursery, 0, 1, 2, 3)
        await network.reach(3)
        await trio.sleep(0.1)
        state, raw = honest[0].node.driver.state, without_hash(fresh_block(honest[0], liar))
        offer = signed(liar, state, rounds_of(liar, state)[0], BlockId(b"\x11" * 32, part_set_header(raw)))
        for victim in honest:
            link_to(liar, victim).send(ProposalMessage(offer, raw))
        await network.reach(honest[0].height + 4, 0, 1, 2)
        for victim in honest:
            record = victim.node.switchboard.records[liar.node_key.node_id]
            assert record.score.bans == 1
        nursery.cancel_scope.cancel()
    assert network.agree()


@pytest.mark.long
async def test_attack_B1_hub_a_committed_header_without_a_hash_ends_no_node(tmp_path, autojump_clock):
    """Anyone who is asked for blocks may send one, whoever signed it."""
    network = SimulatedNetwork(tmp_path, 4)
    liar, late = network.validators[0], network.validators[3]
    with capture_logs() as log:
        async with trio.open_nursery() as nursery:
            network.start(nursery, 0, 1, 2)
            await network.reach(6, 0, 1, 2)
            committed = liar.node.gossip._committed

            def hashless(height):
                found = committed(height)
                return None if found is None else replace(found, block=without_hash(decode_block(found.block)))

            liar.node.gossip._committed = hashless
            network.separate({3}, {1, 2})
            network.start(nursery, 3)
            await network.until(lambda: late.node.switchboard.records[liar.node_key.node_id].score.bans == 1)
            network.separated = set()
            await network.reach(12, limit_s=60)
            nursery.cancel_scope.cancel()
    assert network.agree()
    said = [entry["reason"] for entry in log if entry["event"] == "a peer broke a rule"]
    assert said and all("a header without validators_hash has no hash" in reason for reason in said)


@pytest.mark.long
async def test_attack_C42_hub_a_claim_of_many_blocks_does_not_stop_a_height(tmp_path, autojump_clock):
    """Who caught up takes part again: without its votes two of four would wait for each other for good."""
    network = SimulatedNetwork(tmp_path, 4)
    late, liar = network.validators[2], network.validators[3]
    async with trio.open_nursery() as nursery:
        network.start(nursery, 0, 1, 2, 3)
        await network.reach(3)
        network.kill(2)
        await network.reach(14, 0, 1, 3)
        mute(liar)
        network.start(nursery, 2)
        await network.reach(network.validators[0].height + 8, 0, 1, 2, limit_s=120)
        nursery.cancel_scope.cancel()
    assert late.height > 14
    assert network.agree()


def mute(liar):
    """It votes no more, and says that it has all blocks there will ever be."""

    def unsigned(vote):
        raise SignerAway("it is mute")

    liar.signer.sign_vote = unsigned
    liar.node.gossip.moved = lambda: liar.node.switchboard.broadcast(Status(10**9, 0, Step.PROPOSE, ()))


def test_attack_B1_hub_a_block_has_one_encoding(tmp_path):
    network = SimulatedNetwork(tmp_path, 4)
    validator = network.validators[0]
    block = make_block(validator.ledger.tip, EMPTY_COMMIT, (), validator.key.public_key.address)
    parts = [message_field(1, encode_header(block.header)), message_field(2, b""), message_field(3, b"")]
    parts.append(message_field(4, encode_commit(block.last_commit)))
    assert decode_block(b"".join(parts)) == block
    for missing in (1, 2):
        with pytest.raises(MalformedInput) as refused:
            decode_block(b"".join(part for index, part in enumerate(parts) if index != missing))
        assert refused.value.field == "block"


async def test_attack_G15_hub_a_listed_certificate_cannot_vouch_for_another_nodes_name(tmp_path):
    """TLS believes what a listed certificate signed; the connection is no peer's all the same."""
    one, two = keys_in_order(2)
    port, folder = free_port(), tmp_path / "liar"
    authority = forged_chain(folder, two)
    listed = Peer(node_id_of(authority), Endpoint("127.0.0.1", free_port()), authority)
    end = End(tmp_path / "one", one, port, (peer(two, free_port()), listed))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.load_cert_chain(folder / "chain.pem")
    async with running(end) as log:
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        tls = trio.SSLStream(stream, context, https_compatible=True)
        await tls.do_handshake()
        await until(lambda: any(entry["event"] == "peer refused" for entry in log))
        await trio.aclose_forcefully(tls)
    [reason] = {entry["reason"] for entry in log if entry["event"] == "peer refused"}
    assert reason == "its certificate is not the one in this node's network.toml"
    assert not end.board.links


def forged_chain(folder, victim) -> bytes:
    """chain.pem with a leaf that names the victim, signed by the certificate that is returned: a CA under the liar's own id."""
    folder.mkdir()
    own, leaf = ECC.generate(curve="ed25519"), ECC.generate(curve="p256")
    own_id = sha256(own.public_key().export_key(format="DER")).digest()[:20].hex()
    is_ca = extension("2.5.29.19", sequence(DerBoolean(True).encode()))
    authority = certificate(name(("2.5.4.3", own_id)), name(("2.5.4.3", own_id)), own, own, is_ca)
    victims_key = victim.certificate[victim.certificate.index(bytes.fromhex("302a300506032b6570032100")) :][:44]
    # The victim's key structure stands in an extension before any other, and the names say its id twice.
    subject = name(("2.5.4.3", victim.node_id), ("2.5.4.10", victim.node_id))
    forged = certificate(subject, name(("2.5.4.3", own_id)), leaf, own, extension("1.2.3.4.5", victims_key))
    pem = leaf.export_key(format="PEM") + "\n"
    (folder / "chain.pem").write_text(pem + "".join(map(ssl.DER_cert_to_PEM_cert, (forged, authority))))
    return authority


def sequence(*parts: bytes) -> bytes:
    return DerObject(0x10, b"".join(parts), constructed=True).encode()


def name(*attributes) -> bytes:
    rows = (sequence(DerObjectId(kind).encode(), DerObject(0x0C, text.encode()).encode()) for kind, text in attributes)
    return sequence(*(DerObject(0x11, row, constructed=True).encode() for row in rows))


def extension(kind: str, value: bytes) -> bytes:
    return sequence(DerObjectId(kind).encode(), DerOctetString(value).encode())


def certificate(subject: bytes, issuer: bytes, holder, signer, *extensions: bytes) -> bytes:
    algorithm = sequence(DerObjectId("1.3.101.112").encode())
    validity = sequence(DerObject(0x17, b"700101000000Z").encode(), DerObject(0x18, b"99991231235959Z").encode())
    body = sequence(
        bytes.fromhex("a003020102"),
        DerInteger(7).encode(),
        algorithm,
        issuer,
        validity,
        subject,
        holder.public_key().export_key(format="DER"),
        DerObject(0x10, b"".join(extensions), explicit=3, constructed=True).encode(),
    )
    return sequence(body, algorithm, DerBitString(eddsa.new(signer, "rfc8032").sign(body)).encode())


async def closed_of(streams, count: int):
    """The first `count` of them that the other end closes."""
    found = []

    async def watch(stream) -> None:
        if await stream.receive_some(1) == b"":
            found.append(stream)
            if len(found) >= count:
                nursery.cancel_scope.cancel()

    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            for stream in streams:
                nursery.start_soon(watch, stream)
    return found


async def test_silent_connections_of_one_host_are_bounded(tmp_path):
    """Also of a host that peers are at: each would hold a descriptor, which the record before a signature needs."""
    one, two = keys_in_order(2)
    port = free_port()
    end = End(tmp_path / "one", one, port, (peer(two, free_port()),))
    async with running(end):
        silent = [await trio.open_tcp_stream("127.0.0.1", port) for _ in range(MAX_OF_HOST + 8)]
        closed = await closed_of(silent, 8)
        assert set(closed) == set(silent[:8])
        assert len(end.board.greetings) == MAX_OF_HOST
        for stream in silent:
            await trio.aclose_forcefully(stream)


async def test_attack_G15_hub_a_peer_that_shows_its_certificate_and_says_no_hello_keeps_nobody_out(
    tmp_path, monkeypatch
):
    """Who has shown one is not let go for a newcomer, so that one peer could hold every place."""
    monkeypatch.setattr(switchboard, "HANDSHAKE_LIMIT_S", 600.0)  # nobody leaves by being slow
    liar, one, two = keys_in_order(3)
    port = free_port()
    end = End(tmp_path / "two", two, port, (peer(liar, free_port()), peer(one, free_port())))
    dialling = End(
        tmp_path / "one", one, free_port(), (peer(two, port),), replace(HELLO, consensus_address=b"\x0b" * 20)
    )
    (tmp_path / "liar").mkdir()
    write_node_key(tmp_path / "liar", liar)
    context, silent = client_context(tmp_path / "liar", two.certificate), []
    async with running(end):
        for _ in range(MAX_OF_HOST):
            stream = await trio.open_tcp_stream("127.0.0.1", port)
            silent.append(trio.SSLStream(stream, context, https_compatible=True))
            await silent[-1].do_handshake()
        await until(lambda: any(item.authenticated for item in end.board.greetings._waiting))
        with trio.fail_after(60):
            async with running(dialling):
                await until(lambda: end.heard and dialling.heard)
                assert [link.node_id for link in end.board.links] == [one.node_id]
                await until(lambda: len(end.board.greetings) == 1)
        for tls in silent:
            await trio.aclose_forcefully(tls)


async def test_attack_G15_hub_a_peer_named_by_dns_is_let_in_while_silent_strangers_fill_the_table(
    tmp_path, monkeypatch
):
    """Where it comes from cannot be told beforehand, so that it is one of many: the oldest silent ones go instead."""
    monkeypatch.setattr(switchboard, "HANDSHAKE_LIMIT_S", 600.0)  # nobody leaves by being slow
    one, two = keys_in_order(2)
    port = free_port()
    named = Peer(one.node_id, Endpoint("localhost", free_port()), one.certificate)
    end = End(tmp_path / "two", two, port, (named,))
    dialling = End(
        tmp_path / "one", one, free_port(), (peer(two, port),), replace(HELLO, consensus_address=b"\x0b" * 20)
    )
    async with running(end):
        silent = []
        for number in range(MAX_STRANGERS + 4):
            host = f"127.0.0.{2 + number // 16}"
            silent.append(await trio.open_tcp_stream("127.0.0.1", port, local_address=host))
        # Of the hosts with most the oldest each.
        assert set(await closed_of(silent, 4)) == {silent[0], silent[16], silent[32], silent[48]}
        assert len(end.board.greetings) == MAX_STRANGERS
        with trio.fail_after(60):
            async with running(dialling):
                await until(lambda: end.heard and dialling.heard)
                assert [link.node_id for link in end.board.links] == [one.node_id]
                assert len(end.board.greetings) == MAX_STRANGERS - 1
        for stream in silent:
            await trio.aclose_forcefully(stream)
