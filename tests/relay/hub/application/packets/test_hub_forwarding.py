"""Both legs over the hub: A → hub → B and back."""

from dataclasses import replace

import pytest

from hutong.light_clients.ibc.commitment import (
    acknowledgement_commitment,
    acknowledgement_key,
    commitment_key,
    packet_commitment,
)
from hutong.light_clients.ibc.forward import FORWARD_PORT, FORWARD_VERSION, decode_stamped_payload
from hutong.light_clients.ibc.forward_failure import ForwardFailure, failure_of
from hutong.light_clients.ibc.gmp import GMP_PORT, GMP_VERSION
from hutong.light_clients.ibc.packet import ERROR, ERROR_ACKNOWLEDGEMENT, Acknowledgement
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.modules import FORWARDER_ADDRESS, ROUTER_ADDRESS
from hutong.relay.hub.state import keys
from tests.relay.hub.simulated_hub import (
    ANSWER,
    forward_payload,
    gmp_value,
    sent_packet,
    written_acknowledgement,
)

pytestmark = pytest.mark.safety


def test_a_message_goes_over_the_hub_and_its_answer_comes_back(hub, chain_a, chain_b):
    leg_1 = chain_a.send_forward(chain_b.client)
    received = chain_a.deliver(leg_1)
    assert received.ok
    leg_2 = sent_packet(received)
    assert received.events(abi.WRITE_ACKNOWLEDGEMENT_EVENT) == []
    assert (leg_2.source_client, leg_2.destination_client, leg_2.sequence) == (chain_b.client, "client-0", 1)
    payload = leg_2.payloads[0]
    assert (payload.source_port, payload.destination_port, payload.version) == (FORWARD_PORT, GMP_PORT, FORWARD_VERSION)
    stamped = decode_stamped_payload(payload.value)
    assert (stamped.stamp.client_id, stamped.stamp.sequence, stamped.stamp.hops) == (chain_a.client, 1, 1)
    assert (stamped.stamp.source_port, stamped.stamp.destination_port) == (GMP_PORT, FORWARD_PORT)
    assert (stamped.version, stamped.value) == (GMP_VERSION, gmp_value())
    assert hub.view().get(commitment_key(leg_2)) == packet_commitment(leg_2)

    answered = chain_b.answer(leg_2)
    assert answered.ok
    assert written_acknowledgement(answered) == (leg_1, Acknowledgement((ANSWER,)))
    assert answered.events(abi.ACK_PACKET_EVENT)
    view = hub.view()
    assert view.get(commitment_key(leg_2)) is None
    assert view.get(keys.forward_key(chain_b.client, 1)) is None
    assert view.get(acknowledgement_key(leg_1)) == acknowledgement_commitment(Acknowledgement((ANSWER,)))


def test_an_error_of_the_destination_becomes_the_sentinel(hub, chain_a, chain_b):
    leg_1 = chain_a.send_forward(chain_b.client)
    answered = chain_b.answer(sent_packet(chain_a.deliver(leg_1)), ERROR_ACKNOWLEDGEMENT)
    assert written_acknowledgement(answered) == (leg_1, ERROR)
    reason = hub.read(FORWARDER_ADDRESS, abi.GET_FORWARD_FAILURE, chain_a.client, leg_1.sequence)
    assert "answered with an error" in reason
    assert failure_of(reason, chain_b.client) is ForwardFailure.REFUSED and failure_of(reason, "bft-evm-9") is None


def test_a_timeout_of_leg_2_becomes_the_sentinel(hub, chain_a, chain_b):
    leg_1 = chain_a.send_forward(chain_b.client, timeout_s=hub.time_s + 60)
    leg_2 = sent_packet(chain_a.deliver(leg_1))
    expired = chain_b.expire(leg_2)
    assert expired.ok
    assert written_acknowledgement(expired) == (leg_1, ERROR)
    assert expired.events(abi.TIMEOUT_PACKET_EVENT)
    reason = hub.read(FORWARDER_ADDRESS, abi.GET_FORWARD_FAILURE, chain_a.client, 1)
    assert reason == f"forward over {chain_b.client}: timed out at the destination at {leg_2.timeout_timestamp_s}"
    assert failure_of(reason, chain_b.client) is ForwardFailure.LATE


REFUSALS = {
    "unknown client": ({"next_client": "bft-evm-77"}, "no client bft-evm-77"),
    "back to the arriving client": ({"next_client": "bft-evm-0"}, "the one that the packet came from"),
    "timeout in the past": ({"timeout_s": -1}, "must be after"),
    "timeout beyond a day": ({"timeout_s": 24 * 3600 + 100}, "within 86400 s"),
    "other version": ({"version": "ics20-1"}, "payload version"),
    "other encoding": ({"encoding": "application/json"}, "payload encoding"),
    "not a request": ({"payload_value": b"\x01"}, "malformed forward"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_forward_that_cannot_go_on_is_refused_at_once_with_its_reason(hub, chain_a, chain_b, name):
    changed, reason = REFUSALS[name]
    changed = dict(changed)
    next_client = changed.pop("next_client", chain_b.client)
    timeout_s = hub.time_s + changed.pop("timeout_s", 500)
    raw_value = changed.pop("payload_value", None)
    payload = forward_payload(next_client, timeout_s, **changed)
    packet = chain_a.send(payload if raw_value is None else replace(payload, value=raw_value))
    outcome = chain_a.deliver(packet)
    assert outcome.ok
    assert written_acknowledgement(outcome) == (packet, ERROR)
    assert outcome.events(abi.SEND_PACKET_EVENT) == []
    ((shown,),) = outcome.events(abi.APP_CALLBACK_ERROR_EVENT)
    assert reason in shown.decode()
    assert reason in hub.read(FORWARDER_ADDRESS, abi.GET_FORWARD_FAILURE, chain_a.client, packet.sequence)
    assert hub.read(ROUTER_ADDRESS, abi.GET_NEXT_SEQUENCE, chain_b.client) == 1


def test_a_packet_to_a_port_that_nobody_owns_is_an_error_acknowledgement(hub, chain_a, chain_b):
    packet = chain_a.send(forward_payload(chain_b.client, hub.time_s + 500, destination_port="nobody"))
    outcome = chain_a.deliver(packet)
    assert written_acknowledgement(outcome) == (packet, ERROR)
    assert "no application owns port nobody" in hub.read(
        FORWARDER_ADDRESS, abi.GET_FORWARD_FAILURE, chain_a.client, packet.sequence
    )
