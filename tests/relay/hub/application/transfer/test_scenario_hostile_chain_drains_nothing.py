"""Design rule 1, as a story: C lies about tokens in every way it has, and takes nothing that is not C's.

A has locked 1 000 of its token for B: the hub keeps 1 000 vouchers in B's escrow. C is a consortium member like any other,
but its router commits whatever its owner wants: every packet below is proven to the hub by C's own, valid headers.
"""

import pytest

from hutong.light_clients.ibc.packet import ERROR, ERROR_ACKNOWLEDGEMENT, Acknowledgement
from hutong.light_clients.ibc.transfer import SUCCESS_ACKNOWLEDGEMENT, TransferData
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.module import TRANSFER_ADDRESS
from hutong.relay.hub.application.transfer import interface
from tests.relay.hub.application.transfer.token_chain import (
    BOB,
    HUB_ACCOUNT,
    TOKEN,
    TokenChain,
    escrowed,
    forward_failure,
    held,
    homeward,
    supply,
    transfer_of,
    transfer_payload,
)
from tests.relay.hub.simulated_hub import DAPP, SimulatedHub, address_of, sent_packet, written_acknowledgement

LOCKED = 1_000
THIEF = "0x" + "66" * 20


@pytest.fixture
def hub():
    return SimulatedHub()


@pytest.fixture
def chains(hub):
    """A, B and C, with A's token at B."""
    a, b, c = (TokenChain(hub, salt=salt) for salt in (1, 2, 3))
    assert b.take(sent_packet(a.deliver(a.send_transfer(LOCKED, b.client)))).ok
    assert escrowed(hub, b.client, a.on_hub()) == LOCKED
    return a, b, c


def lie(chain: TokenChain, denom: str, amount: int = 1, to: str | None = None, receiver: str = THIEF):
    """A packet that no honest application would have sent, proven all the same."""
    return chain.send_transfer(amount, to, denom=denom, receiver=receiver, honest=False)


def nothing_moved(hub, chains, packet, outcome) -> str:
    a, b, c = chains
    assert written_acknowledgement(outcome) == (packet, ERROR)
    assert outcome.events(interface.TOKENS_MOVED_EVENT) == []
    assert outcome.events(abi.SEND_PACKET_EVENT) == []
    token = a.on_hub()
    assert (escrowed(hub, b.client, token), escrowed(hub, c.client, token), supply(hub, token)) == (LOCKED, 0, LOCKED)
    assert held(hub, token, bytes.fromhex(THIEF[2:])) == 0
    return forward_failure(hub, packet)


@pytest.mark.parametrize("onward", [False, True])
def test_attack_F2_c_brings_home_a_token_that_it_was_never_sent(hub, chains, onward):
    a, b, c = chains
    packet = lie(c, c.voucher_here(a.on_hub()), LOCKED, a.client if onward else None)
    reason = nothing_moved(hub, chains, packet, c.deliver(packet))
    assert "more than was sent to this client" in reason
    # The very same bytes from B, which was sent them, go home.
    home = b.send_transfer(LOCKED, a.client, denom=b.voucher_here(a.on_hub()))
    assert transfer_of(sent_packet(b.deliver(home))).denom == a.on_hub().path


def test_attack_F2_c_brings_home_one_unit_more_than_it_was_sent(hub, chains):
    a, _, c = chains
    assert c.take(sent_packet(a.deliver(a.send_transfer(10, c.client)))).ok
    token, on_c = a.on_hub(), c.voucher_here(a.on_hub())
    too_much = lie(c, on_c, 11)
    assert written_acknowledgement(c.deliver(too_much)) == (too_much, ERROR)
    assert "10 of" in forward_failure(hub, too_much)
    assert escrowed(hub, c.client, token) == 10
    back = c.send_transfer(10, denom=on_c)
    assert written_acknowledgement(c.deliver(back))[1].app_acknowledgements == (SUCCESS_ACKNOWLEDGEMENT,)
    assert (escrowed(hub, c.client, token), held(hub, token)) == (0, 10)


def test_attack_F2_fake_traces_minted_by_c_are_c_s_own_denominations(hub, chains):
    """C names A's route in every way; all of it stays behind C's own hop, worth what C is worth."""
    a, b, c = chains
    for fake in (
        a.on_hub().path,
        f"transfer/{b.client}/{TOKEN}",
        b.voucher_here(a.on_hub()).replace("client-0", "client-1"),
        TOKEN,
    ):
        packet = lie(c, fake, LOCKED, receiver="0x" + HUB_ACCOUNT.hex())
        outcome = c.deliver(packet)
        ((amount, denom),) = outcome.events(interface.TOKENS_MOVED_EVENT)
        assert (amount, denom) == (LOCKED, f"transfer/{c.client}/{fake}")
    assert (held(hub, a.on_hub()), escrowed(hub, b.client, a.on_hub())) == (0, LOCKED)
    # Sent on to A, the fake arrives as what it is: a new voucher of C, and A's escrow stays.
    packet = lie(c, a.on_hub().path, LOCKED, a.client)
    assert a.take(sent_packet(c.deliver(packet))).ok
    assert a.escrow == {TOKEN: LOCKED}
    assert list(a.vouchers) == [f"transfer/client-0/transfer/{c.client}/{a.on_hub().path}"]


def test_attack_F9_two_chains_with_one_token_address_get_two_vouchers(hub, chains):
    a, b, c = chains
    leg_2 = [sent_packet(chain.deliver(chain.send_transfer(5, b.client))) for chain in (a, c)]
    assert all(b.take(packet).ok for packet in leg_2)
    from_a, from_c = b.voucher_here(a.on_hub()), b.voucher_here(c.on_hub())
    assert from_a != from_c
    assert b.vouchers == {from_a: LOCKED + 5, from_c: 5}
    assert (escrowed(hub, b.client, a.on_hub()), escrowed(hub, b.client, c.on_hub())) == (LOCKED + 5, 5)
    assert supply(hub, c.on_hub()) == 5


def test_attack_F2_another_port_of_a_s_router_mints_nothing(hub, chains):
    """Anybody may own a port on a router: what it says about A's token is refused."""
    a, *_ = chains
    data = TransferData(TOKEN, THIEF, "0x" + HUB_ACCOUNT.hex(), LOCKED)
    packet = a.send(transfer_payload(data, source_port="transferx"))
    assert "source port must be transfer" in nothing_moved(hub, chains, packet, a.deliver(packet))
    assert written_acknowledgement(a.deliver(a.send(transfer_payload(data))))[1] != ERROR


def test_attack_E4_c_takes_the_tokens_home_and_then_says_that_it_never_had_them(hub, chains):
    """C received 10, sent them home, and proves an error of the same packet: it is not paid twice, nor is the sender."""
    a, _, c = chains
    token = a.on_hub()
    leg_1 = a.send_transfer(10, c.client)
    leg_2 = sent_packet(a.deliver(leg_1))
    c.credit(leg_2)
    home = c.send_transfer(10, denom=c.voucher_here(token))
    assert written_acknowledgement(c.deliver(home))[1] != ERROR
    assert (held(hub, token), escrowed(hub, c.client, token)) == (10, 0)
    outcome = c.answer(leg_2, ERROR_ACKNOWLEDGEMENT)
    assert written_acknowledgement(outcome) == (leg_1, Acknowledgement((SUCCESS_ACKNOWLEDGEMENT,)))
    assert len(outcome.events(interface.REFUND_REFUSED_EVENT)) == 1
    assert "came home before" in forward_failure(hub, leg_1)
    assert (held(hub, token), supply(hub, token)) == (10, LOCKED + 10)
    assert homeward(hub, token) == 0
    # An honest error, with nothing brought home, is refunded.
    leg_1 = a.send_transfer(10, c.client)
    assert written_acknowledgement(c.answer(sent_packet(a.deliver(leg_1)), ERROR_ACKNOWLEDGEMENT)) == (leg_1, ERROR)


def test_attack_F1_c_mints_up_to_256_bits_and_no_more_and_nobody_else_feels_it(hub, chains):
    _, _, c = chains
    limit, dapp = 2**256 - 1, address_of(DAPP)
    assert written_acknowledgement(c.deliver(lie(c, TOKEN, limit, receiver=DAPP.address.lower())))[1] != ERROR
    more = lie(c, TOKEN)
    assert "exceed 256 bits" in nothing_moved(hub, chains, more, c.deliver(more))
    assert supply(hub, c.on_hub()) == held(hub, c.on_hub(), dapp) == limit
    # What is on its way home still counts, so that C cannot mint into the room that an undo needs.
    call = interface.SEND_TRANSFER.call(c.client, c.on_hub().path, 10, BOB, hub.time_s + 60, "")
    home = sent_packet(hub.send(TRANSFER_ADDRESS, call, DAPP))
    more = lie(c, TOKEN)
    assert written_acknowledgement(c.deliver(more)) == (more, ERROR)
    assert c.answer(home, ERROR_ACKNOWLEDGEMENT).ok
    assert held(hub, c.on_hub(), dapp) == limit
