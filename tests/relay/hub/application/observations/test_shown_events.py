"""Clients that prove presence alone are observed, too: entries and messages of a log, of Bitcoin's publisher, events of FISCO BCOS."""

import pytest

from hutong.light_clients.ibc.commitment import commitment_key, packet_commitment
from hutong.light_clients.ibc.packet import Packet, Payload
from hutong.light_clients.records import StorePlace, TrustKind, decode_observation
from hutong.light_clients.records.places import MAX_STORE_VALUE_BYTES
from hutong.light_clients.tlog.membership import entry_path
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.module import OBSERVATIONS_ADDRESS, ROUTER_ADDRESS
from hutong.relay.hub.application.observations import interface
from tests.light_clients.fisco_bcos.fisco_chain import receipt, sent
from tests.relay.hub.application.clients.bitcoin_remote import BitcoinRemote
from tests.relay.hub.application.clients.test_hub_fisco_bcos import FiscoRemote
from tests.relay.hub.application.clients.tlog_remote import TlogRemote
from tests.relay.hub.application.observations.observed_chains import (
    NONCE,
    WRITER,
    key_of,
    observe_call,
    observing_hub,
)

PAYLOAD = Payload("mail", "echo", "v1", "text", b"hello")


class LogEntry:
    def __init__(self, hub) -> None:
        self.remote = TlogRemote(hub)
        self.remote.log.append(b"a delivery note")
        self.height = self.remote.update()
        self.index = self.height - 1
        self.place, self.value = StorePlace(*entry_path(self.index)), b"a delivery note"
        self.proof = self.remote.log.proof(self.index, self.height)

    def later(self) -> tuple[int, bytes]:
        """A larger tree, and the entry's proof in it."""
        self.remote.log.advance(3)
        height = self.remote.update()
        return height, self.remote.log.proof(self.index, height)


class LogMessage(LogEntry):
    def __init__(self, hub) -> None:
        self.remote = TlogRemote(hub)
        packet = self.remote.publish(PAYLOAD)
        self.index = self.remote.published[commitment_key(packet)]
        self.height = self.remote.update()
        self.place, self.value = StorePlace(b"", commitment_key(packet)), packet_commitment(packet)
        self.proof = self.remote.log.message_proof(self.index, self.height)


class BitcoinMessage:
    def __init__(self, hub) -> None:
        self.remote = BitcoinRemote(hub)
        packet = self.remote.publish(PAYLOAD)
        self.remote.advance()
        self.height = self.remote.update()
        self.place, self.value = StorePlace(b"", commitment_key(packet)), packet_commitment(packet)
        self.proof = self.remote.chain.proof(commitment_key(packet), self.height)


class FiscoEvent:
    def __init__(self, hub) -> None:
        self.remote = FiscoRemote(hub)
        packet = Packet(1, "client-0", self.remote.client, hub.time_s + 600, (PAYLOAD,))
        own = receipt([sent(packet)])
        self.remote.chain.include(own)
        self.remote.chain.advance()
        self.height = self.remote.chain.height
        assert hub.send(ROUTER_ADDRESS, self.remote.update_call(self.height)).ok
        self.place, self.value = StorePlace(b"", commitment_key(packet)), packet_commitment(packet)
        self.proof = self.remote.chain.proof_of(self.height, own)


@pytest.fixture(params=[LogEntry, LogMessage, BitcoinMessage, FiscoEvent], ids=lambda one: one.__name__)
def shown(request):
    return request.param(observing_hub())


def observe(shown, *, height=None, proof=None, place=None, claim=None, head=b""):
    place, client = place or shown.place, shown.remote.client
    proof, height = shown.proof if proof is None else proof, shown.height if height is None else height
    call = observe_call(client, (0, height), head, (proof,), (place,), {place: shown.value if claim is None else claim})
    return shown.remote.hub.send(OBSERVATIONS_ADDRESS, call, WRITER)


def record(shown):
    key = key_of(shown.remote.client, shown.place)
    raw = shown.remote.hub.read(OBSERVATIONS_ADDRESS, interface.GET_OBSERVATION, key)
    return decode_observation(raw) if raw else None


def test_what_was_published_becomes_a_record(shown):
    outcome = observe(shown)
    assert outcome.ok, (outcome.log, outcome.data)
    found = record(shown)
    assert (found.value, found.height.revision_height, found.epoch) == (shown.value, shown.height, 1)
    assert found.trust.kind is TrustKind.PROVEN
    assert observe(shown).ok and record(shown) == found, "the same block again is a no-op"


def test_attack_J3_what_was_not_published_becomes_no_record(shown):
    """Another value, key, height or proof, absence, and a place that such a chain does not have: nothing is written."""
    key = shown.place.key
    other = StorePlace(shown.place.store, key[:-1] + bytes([key[-1] ^ 1]))
    for changed, error in (
        ({"claim": shown.value[:-1] + b"?"}, abi.VERIFICATION_FAILED),
        ({"place": other}, abi.VERIFICATION_FAILED),
        ({"height": shown.height + 1}, abi.VERIFICATION_FAILED),
        ({"proof": shown.proof[:-1]}, abi.VERIFICATION_FAILED),
        ({"head": b"\x01"}, abi.VERIFICATION_FAILED),
        ({"claim": b"x" * (MAX_STORE_VALUE_BYTES + 1)}, abi.VERIFICATION_FAILED),
    ):
        assert observe(shown, **changed).reverted_with(error), changed
    name, sentence = observe(shown, claim=b"").reverted_with(abi.VERIFICATION_FAILED)
    assert name == "UnsupportedOperation", sentence
    name, _ = observe(shown, place=NONCE, claim=b"").reverted_with(abi.VERIFICATION_FAILED)
    assert name == "place_of_client"
    assert record(shown) is None
    assert observe(shown).ok and record(shown) is not None


@pytest.mark.parametrize("kind", [LogEntry, LogMessage])
def test_a_larger_tree_makes_the_record_newer(kind):
    shown = kind(observing_hub())
    assert observe(shown).ok
    first = record(shown)
    height, proof = shown.later() if kind is LogEntry else later_message(shown)
    assert observe(shown, height=height, proof=proof).ok
    second = record(shown)
    assert second.value == first.value and second.height > first.height
    assert second.source_time_ns > first.source_time_ns
    assert observe(shown).ok and record(shown) == second, "an older tree is a no-op"


def later_message(shown) -> tuple[int, bytes]:
    height, _ = shown.later()
    return height, shown.remote.log.message_proof(shown.index, height)
