"""Design rule 3, as a story: B's validators sign two blocks of one height, and the hub's client of B freezes.

Whoever waits for B waits: nobody is refunded for what B may have received, and after the recovery each packet settles
exactly once, as B's real chain says.
"""

import pytest

from hutong.light_clients.ibc.packet import ERROR, Acknowledgement
from hutong.light_clients.ibc.transfer import SUCCESS_ACKNOWLEDGEMENT
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.admin import recover_client_action
from hutong.relay.hub.application.module import ROUTER_ADDRESS, TRANSFER_ADDRESS
from hutong.relay.hub.application.transfer import interface
from tests.relay.hub.application.transfer.token_chain import (
    TOKEN,
    TokenChain,
    ask,
    escrowed,
    forward_failure,
    held,
    supply,
)
from tests.relay.hub.simulated_hub import DAPP, SimulatedHub, address_of, sent_packet, written_acknowledgement

pytestmark = pytest.mark.safety

SUCCESS = Acknowledgement((SUCCESS_ACKNOWLEDGEMENT,))


@pytest.fixture
def hub():
    return SimulatedHub()


@pytest.fixture
def chains(hub):
    return TokenChain(hub, salt=1), TokenChain(hub, salt=2)


def recover(hub: SimulatedHub, chain: TokenChain) -> None:
    outcome = hub.execute(recover_client_action(hub.next_salt(), chain.client, chain.substitute()))
    assert outcome.ok, (outcome.log, outcome.data)


def test_before_the_second_leg_everybody_is_refunded_at_once(hub, chains):
    a, b = chains
    b.freeze()
    tokens, message = a.send_transfer(100, b.client), a.send_forward(b.client)
    for packet in (tokens, message):
        assert written_acknowledgement(a.deliver(packet)) == (packet, ERROR)
        assert f"client {b.client} is Frozen" in forward_failure(hub, packet)
    a.settle_at_home(tokens, ERROR)
    assert (a.escrow, supply(hub, a.on_hub())) == ({TOKEN: 0}, 0)
    assert ask(hub, "hutong_stuck") == []


def test_a_double_spend_of_a_frozen_client_is_refused_and_the_stuck_packet_settles_once(hub, chains):
    a, b = chains
    token = a.on_hub()
    earlier = sent_packet(a.deliver(a.send_transfer(100, b.client)))
    assert b.take(earlier).ok
    leg_1 = a.send_transfer(50, b.client, deadline_s=hub.time_s + 120)
    message = a.send_forward(b.client)
    leg_2 = sent_packet(a.deliver(leg_1))
    message_leg_2 = sent_packet(a.deliver(message))

    # B forks. On one side Bob has received the 50; on the other he sends his 100 home twice.
    spend = b.send_transfer(100, denom=b.voucher_here(token))
    height = b.update()
    b.freeze()
    refusals = [
        b.receive_call(spend, height),
        b.acknowledge_call(leg_2, SUCCESS_ACKNOWLEDGEMENT, height),
        b.timeout_call(leg_2, height),
    ]
    for call in refusals:
        outcome = hub.send(ROUTER_ADDRESS, call)
        assert outcome.reverted_with(abi.CLIENT_NOT_ACTIVE) == (b.client,)
    assert (escrowed(hub, b.client, token), supply(hub, token), held(hub, token)) == (150, 150, 0)

    # Long after T2 nobody has been refunded, and the hub says what waits and why.
    hub.advance(time_s=leg_2.timeout_timestamp_s + 3_600)
    hub.advance()
    stuck = ask(hub, "hutong_stuck")
    assert stuck == [
        {
            "client": b.client,
            "clientStatus": "Frozen",
            "sequence": hex(leg_2.sequence),
            "kind": "tokens",
            "origin": {"client": a.client, "sequence": hex(leg_1.sequence)},
            "acceptedAt": stuck[0]["acceptedAt"],
            "denom": token.path,
            "amount": hex(50),
        },
        {
            "client": b.client,
            "clientStatus": "Frozen",
            "sequence": hex(message_leg_2.sequence),
            "kind": "message",
            "origin": {"client": a.client, "sequence": hex(message.sequence)},
            "acceptedAt": stuck[1]["acceptedAt"],
        },
    ]
    assert ask(hub, "hutong_stuck", a.client) == []

    # Recovered, B's real chain settles: it had received the tokens in time.
    recover(hub, b)
    assert ask(hub, "hutong_stuck") == []
    settled = b.take(leg_2)
    assert written_acknowledgement(settled) == (leg_1, SUCCESS)
    for call in (
        b.acknowledge_call(leg_2, SUCCESS_ACKNOWLEDGEMENT, b.trusted),
        refusals[1],
        refusals[2],
    ):
        again = hub.send(ROUTER_ADDRESS, call)
        assert again.events(abi.WRITE_ACKNOWLEDGEMENT_EVENT) == []
    assert (escrowed(hub, b.client, token), supply(hub, token)) == (150, 150)
    assert b.vouchers[b.voucher_here(token)] == 50
    assert b.answer(message_leg_2).events(abi.WRITE_ACKNOWLEDGEMENT_EVENT)


def test_a_stuck_packet_that_never_arrived_is_refunded_after_the_recovery(hub, chains):
    a, b = chains
    leg_1 = a.send_transfer(50, b.client, deadline_s=hub.time_s + 120)
    leg_2 = sent_packet(a.deliver(leg_1))
    b.freeze()
    hub.advance(time_s=leg_2.timeout_timestamp_s)
    hub.advance()
    recover(hub, b)
    height = b.update()
    outcome = hub.send(ROUTER_ADDRESS, b.timeout_call(leg_2, height))
    assert written_acknowledgement(outcome) == (leg_1, ERROR)
    a.settle_at_home(leg_1, ERROR)
    assert (a.escrow, supply(hub, a.on_hub())) == ({TOKEN: 0}, 0)
    twice = hub.send(ROUTER_ADDRESS, b.timeout_call(leg_2, height))
    assert [log.topics[0] for log in twice.logs] == [abi.NOOP_EVENT.topic]


def test_what_an_account_of_the_hub_sent_is_stuck_and_released_likewise(hub, chains):
    a, b = chains
    token = a.on_hub()
    assert a.deliver(a.send_transfer(100, receiver=DAPP.address.lower())).ok
    call = interface.SEND_TRANSFER.call(b.client, token.path, 30, DAPP.address.lower(), hub.time_s + 60, "")
    sent = sent_packet(hub.send(TRANSFER_ADDRESS, call, DAPP))
    b.freeze()
    refused = hub.send(TRANSFER_ADDRESS, call, DAPP)
    assert refused.reverted_with(abi.CLIENT_NOT_ACTIVE) == (b.client,)
    (row,) = ask(hub, "hutong_stuck")
    assert (row["sequence"], row["kind"], row["origin"]) == (hex(sent.sequence), "tokens", None)
    assert held(hub, token, address_of(DAPP)) == 70
    hub.advance(time_s=sent.timeout_timestamp_s)
    hub.advance()
    recover(hub, b)
    assert hub.send(ROUTER_ADDRESS, b.timeout_call(sent, b.update())).ok
    assert held(hub, token, address_of(DAPP)) == 100


def test_an_expired_client_is_stuck_and_recovered_likewise(hub, chains):
    a, b = chains
    leg_1 = a.send_transfer(50, b.client)
    leg_2 = sent_packet(a.deliver(leg_1))
    hub.advance(time_s=hub.time_s + 30 * 24 * 3600)
    hub.advance()
    (row,) = ask(hub, "hutong_stuck", b.client)
    assert row["clientStatus"] == "Expired"
    assert supply(hub, a.on_hub()) == 50
    recover(hub, b)
    assert written_acknowledgement(b.take(leg_2)) == (leg_1, SUCCESS)
