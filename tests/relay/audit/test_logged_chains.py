"""Signed logs in checkpoints and bundles: trees that log and witnesses signed, and the hop from a log to a hub."""

import json
from base64 import b64decode
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import trio

from hutong.adapters.interface import ClientInfo, NotSupported
from hutong.light_clients.ibc.commitment import commitment_key, packet_commitment
from hutong.light_clients.ibc.packet import Acknowledgement, Packet, Payload
from hutong.light_clients.interface import (
    VERIFY,
    ClientStatus,
    Height,
    MalformedInput,
    UnsupportedOperation,
    VerificationError,
)
from hutong.light_clients.tlog import decode_checkpoint as decode_note
from hutong.relay.archive.bundle import ChainHeaders, ChainKind, Claim, HeaderEntry, Leg, StateProof, chain_fields
from hutong.relay.archive.checkpoint import Remote, decode_checkpoint, encode_checkpoint
from hutong.relay.archive.log_chain import bare_note, log_chain_id
from hutong.relay.audit.chains import ChainCase, judge_chain
from hutong.relay.audit.claims import judge_leg, path_and_value
from hutong.relay.audit.inquiry import Inquiry
from hutong.relay.audit.light_clients import LIGHT_CLIENTS
from hutong.relay.audit.memory import HeaderMemory
from hutong.relay.config import PathConfig, PathEnd
from hutong.relay.core.archiving.bundling import NotExportable, read_log_checkpoint
from hutong.relay.core.archiving.bundling.legs import LegReader
from hutong.relay.core.topology.paths import Paths
from tests.adapters.tlog.served_log import ServedLog, served
from tests.light_clients.tlog.simulated_log import ORIGIN, STRANGER, WITNESSES, SimulatedLog, signed_note

PAGE = Path(__file__).parents[3] / "docs" / "spec" / "bundle.md"
CLIENT, SENDER = "c2sp-tlog-0", "client-0"
PACKET = Packet(7, SENDER, CLIENT, 1_800_000_000, (Payload("gmpport", "gmpport", "ics27-2", "text", b"hello"),))
TRUSTED, SIZE = 3, 6


def log_of() -> SimulatedLog:
    log = SimulatedLog()
    log.advance(3)
    log.publish(commitment_key(PACKET), packet_commitment(PACKET))
    log.advance(1)
    return log


LOG = log_of()
NOW_NS = LOG.time_ns(SIZE) + 10**9
NOTE = LOG.note(SIZE)


def follower(client_type: str = "c2sp-tlog") -> ClientInfo:
    state = LOG.client_state(TRUSTED)
    return ClientInfo(CLIENT, client_type, ClientStatus.ACTIVE, Height(0, 3), 0, 3_600 * 10**9, SENDER, (b"",), state)


@pytest.fixture(scope="module")
def checkpoint():
    """Of the tree of three entries, out of its file."""

    async def make():
        young = SimulatedLog(LOG.entries[:TRUSTED])
        async with served(ServedLog(young)) as source:
            with pytest.raises(UnsupportedOperation):
                await read_log_checkpoint(source, [("hutong-1", follower("bft-evm"))])
            with pytest.raises(UnsupportedOperation):
                await read_log_checkpoint(source, [("hutong-1", follower()), ("hutong-2", follower())])
            return await read_log_checkpoint(source, [("hutong-1", follower())])

    found = trio.run(make)
    assert (found.chain_id, found.height, found.hash) == (log_chain_id(ORIGIN), TRUSTED, LOG.root(TRUSTED))
    assert found.clients == {SENDER: Remote("hutong-1", CLIENT)}
    return decode_checkpoint(encode_checkpoint(found))


def trees(*notes: bytes, **changed) -> ChainHeaders:
    return ChainHeaders(log_chain_id(ORIGIN), ChainKind.TLOG, tuple(HeaderEntry(note, **changed) for note in notes))


def judged(checkpoint, chain: ChainHeaders, sizes=(SIZE,), now_ns=NOW_NS):
    """The states, or the name of the rule that refuses."""
    inquiry = Inquiry()
    case = ChainCase(None, chain, checkpoint, None, frozenset(Height(0, size) for size in sizes))
    try:
        return judge_chain(inquiry, case, now_ns, HeaderMemory())
    except VerificationError as error:
        assert inquiry.refused_by_a_rule(error)
        return inquiry.failure.check.name


def test_form_of_a_log_in_bundles_is_the_pages_vector():
    text = next(line for line in PAGE.read_text().splitlines() if '"kind":"c2sp-tlog"' in line)
    assert text == json.dumps(chain_fields(trees(NOTE)), sort_keys=True, separators=(",", ":"))
    assert b64decode(json.loads(text)["headers"][0]["header"]) == NOTE


def test_a_tree_of_the_log_and_its_quorum_is_believed_and_a_message_under_it(checkpoint):
    chain = judged(checkpoint, trees(NOTE))
    assert "2 of 3 witnesses that the checkpoint names" in chain.mode
    state = chain.states[Height(0, SIZE)]
    assert state.time_ns == LOG.time_ns(SIZE)
    proof = LOG.message_proof(4, SIZE)
    key, value = (commitment_key(PACKET),), packet_commitment(PACKET)
    LIGHT_CLIENTS[ChainKind.TLOG].judge_membership(VERIFY, state.client_state, state.consensus_state, proof, key, value)
    assert judged(checkpoint, trees(LOG.note(TRUSTED)), sizes=(TRUSTED,)).states, "the checkpoint's own tree"
    both = judged(checkpoint, trees(LOG.note(5), NOTE), sizes=(5, SIZE))
    assert set(both.states) == {Height(0, 5), Height(0, SIZE)}


def test_attack_C61_a_tree_that_the_checkpoint_does_not_lead_to_is_refused(checkpoint):
    at = LOG.time_s(SIZE)
    first, second = ((witness, at) for witness in WITNESSES[:2])
    text = LOG.text(SIZE)
    other = SimulatedLog([*LOG.entries[:2], b"another"])
    long_after = NOW_NS + 3_600 * 10**9
    for chain, rule in (
        (trees(signed_note(text, [first])), "quorum_cosigned"),
        (trees(signed_note(text, [first, first])), "quorum_cosigned"),
        (trees(signed_note(text, [first, second], log=STRANGER)), "every_line_is_known"),
        (trees(signed_note(text, [first, (STRANGER, at), second])), "every_line_is_known"),
        (trees(signed_note(text, [second, first])), "every_line_is_known"),
        (trees(NOTE.replace(ORIGIN.encode() + b"\n6", b"log.example/another\n6")), "checkpoint_is_of_the_log"),
        (trees(NOTE.replace(b"\n6\n", b"\n7\n")), "log_signed"),
        (trees(b"no note"), "tree_is_well_formed"),
        (trees(LOG.note(2)), "tree_is_not_smaller"),
        (trees(other.note(TRUSTED)), "tree_is_not_smaller"),
        (trees(LOG.note(SIZE, time_s=LOG.time_s(TRUSTED) - 1)), "time_does_not_go_back"),
        (trees(LOG.note(SIZE, time_s=at + 3_600)), "header_not_from_future"),
        (trees(NOTE, NOTE), "headers_are_used"),
        (trees(LOG.note(5), NOTE), "headers_are_used"),
        (trees(NOTE, commit=b"c"), "tree_stands_alone"),
        (trees(NOTE, account_proof=(b"n",)), "tree_stands_alone"),
        (replace(trees(NOTE), validator_sets=(b"v",)), "tree_stands_alone"),
        (replace(trees(NOTE), kind=ChainKind.CLIQUE), "checkpoint_is_of_kind"),
    ):
        assert judged(checkpoint, chain) == rule, rule
    assert judged(checkpoint, trees(NOTE), now_ns=long_after) == "within_trusting_period"
    tampered = replace(checkpoint, hash=bytes(32))
    assert judged(tampered, trees(NOTE)) == "checkpoint_hash_matches"
    with pytest.raises(MalformedInput):
        decode_checkpoint(encode_checkpoint(tampered))


def test_attack_C62_a_byte_of_a_tree_changed(checkpoint):
    """Every byte of a note is signed, a signature, or its one form."""
    accepted = [
        place
        for place in range(len(NOTE))
        if not isinstance(judged(checkpoint, trees(NOTE[:place] + bytes([NOTE[place] ^ 1]) + NOTE[place + 1 :])), str)
    ]
    assert accepted == []


def test_a_line_of_another_key_is_left_out_of_a_bundle():
    at = LOG.time_s(SIZE)
    first, second = ((witness, at) for witness in WITNESSES[:2])
    mixed = signed_note(LOG.text(SIZE), [(STRANGER, at), second, first])
    assert bare_note(decode_note(mixed), LOG.client(SIZE)) == NOTE


def test_attack_C63_nothing_is_delivered_to_a_log(checkpoint):
    """Its publisher could write any receipt that it likes."""
    chain = judged(checkpoint, trees(NOTE))
    leg = Leg("hutong-1", chain.chain.chain_id, PACKET, None, (StateProof(Claim.RECEIVED, Height(0, SIZE), b""),))
    clients = {PACKET.source_client: Remote(chain.chain.chain_id, CLIENT), CLIENT: Remote("hutong-1", SENDER)}
    ends = replace(checkpoint, clients=clients)
    inquiry = Inquiry()
    with pytest.raises(VerificationError):
        judge_leg(
            inquiry,
            leg,
            1,
            {"hutong-1": replace(chain, checkpoint=ends), chain.chain.chain_id: replace(chain, checkpoint=ends)},
        )
    assert inquiry.failure.check.name == "destination_receives"


class HubWithPacket:
    """A hub that has received one packet of the log, as far as legs ask it."""

    chain_id, name = "hutong-1", "hub"

    def __init__(self, packet: Packet, client_type: str = "c2sp-tlog") -> None:
        self.packet, self.client_type = packet, client_type

    async def client(self, _client_id):
        return follower(self.client_type)

    async def written_acknowledgement(self, client_id, sequence):
        if (client_id, sequence) != (CLIENT, self.packet.sequence):
            return None
        return SimpleNamespace(packet=self.packet, acknowledgement=Acknowledgement((b"done",)), height=9)

    def proving_height(self, height):
        return Height(1, height + 1)

    async def wait_for_height(self, _height):
        return None

    async def prove(self, path, height, _client_state):
        return SimpleNamespace(path=path, height=height, value=b"there", proof=b"acknowledged")


PATHS = [PathConfig(a=PathEnd(chain="alpha", client="client-0"), b=PathEnd(chain="hub", client="bft-evm-0"))]


async def test_a_leg_of_the_log_is_made_of_what_hub_and_log_have(checkpoint):
    end = PathEnd(chain="hub", client=CLIENT)

    def reader(hub, paths=PATHS):
        return LegReader({"hub": hub, "alpha": hub}, Paths.of(paths), None)

    async with served(ServedLog(LOG)) as source:
        found = await reader(HubWithPacket(PACKET)).read_from_log(source, end, 7)
        assert (found.leg.source_chain_id, found.leg.outcome) == (log_chain_id(ORIGIN), Claim.ACKNOWLEDGED)
        assert (found.source.chain, found.reader) == ("registry", PathEnd(chain="alpha", client="client-0"))
        sent, _ = found.leg.proofs
        notes = trees(bare_note(source.signed_checkpoint(sent.height.revision_height), source.believed))
        state = judged(checkpoint, notes).states[sent.height]
        path, value = path_and_value(found.leg, Claim.SENT, checkpoint)
        LIGHT_CLIENTS[ChainKind.TLOG].judge_membership(
            VERIFY, state.client_state, state.consensus_state, sent.proof, path, value
        )
        other = replace(PACKET, timeout_timestamp_s=1)
        for hub, sequence, paths, sentence in (
            (HubWithPacket(PACKET), 8, PATHS, "has acknowledged no packet 8"),
            (HubWithPacket(replace(PACKET, sequence=8)), 8, PATHS, "no message under that key"),
            (HubWithPacket(other), 7, PATHS, "committed another packet"),
            (HubWithPacket(PACKET, "bft-evm"), 7, PATHS, "follows no signed log"),
            (HubWithPacket(PACKET), 7, [], "no configured path"),
        ):
            with pytest.raises(NotExportable, match=sentence):
                await reader(hub, paths).read_from_log(source, end, sequence)
        with pytest.raises(NotSupported):
            await source.bare_header(SIZE)
