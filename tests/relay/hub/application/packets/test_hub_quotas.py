"""Quotas per client: what may be in flight over it. They refuse new packets and never a settlement or a refund (E19)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.ibc.packet import ERROR, ERROR_ACKNOWLEDGEMENT, Payload
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.admin import set_quota_action
from hutong.relay.hub.application.module import CLIENT_MANAGER_ADDRESS, TRANSFER_ADDRESS
from hutong.relay.hub.application.packets.quotas import DEFAULT_LIMIT, NOTHING, Load, QuotaExceeded, Quotas
from hutong.relay.hub.application.transfer import interface
from hutong.relay.hub.state import StateView
from tests.relay.hub.application.transfer.token_chain import (
    BOB,
    TokenChain,
    ask,
    escrowed,
    forward_failure,
    held,
    supply,
)
from tests.relay.hub.simulated_hub import ADMINS, DAPP, STRANGER, address_of, sent_packet, written_acknowledgement

DAPP_TEXT = DAPP.address.lower()
ONE_BYTE = Payload("forward", "gmpport", "1", "x", b"1")


@pytest.fixture
def chain_a(hub):
    return TokenChain(hub, salt=1)


@pytest.fixture
def chain_b(hub, chain_a):
    return TokenChain(hub, salt=2)


def limit_to(hub, client: str, packets: int, payload_bytes: int = 10**6):
    return hub.execute(set_quota_action(hub.next_salt(), client, Load(packets, payload_bytes)))


def load(hub, client: str) -> tuple[int, int]:
    return tuple(hub.read(CLIENT_MANAGER_ADDRESS, abi.GET_QUOTA, client))[2:]


def test_defaults_are_generous_and_admins_set_others(hub, chain_b):
    default = (DEFAULT_LIMIT.packets, DEFAULT_LIMIT.payload_bytes)
    assert tuple(hub.read(CLIENT_MANAGER_ADDRESS, abi.GET_QUOTA, chain_b.client)) == (*default, 0, 0)
    outcome = limit_to(hub, chain_b.client, 7, 900)
    assert outcome.events(abi.QUOTA_SET_EVENT) == [(chain_b.client, 7, 900)]
    assert tuple(hub.read(CLIENT_MANAGER_ADDRESS, abi.GET_QUOTA, chain_b.client)) == (7, 900, 0, 0)
    assert ask(hub, "hutong_quota", chain_b.client) == {
        "client": chain_b.client,
        "packetLimit": "0x7",
        "byteLimit": hex(900),
        "packetsInFlight": "0x0",
        "bytesInFlight": "0x0",
        "origins": {},
        "redemptionsInFlight": "0x0",
        "redemptionBytesInFlight": "0x0",
    }


def test_a_quota_is_set_by_enough_admins_only(hub, chain_b):
    action = set_quota_action(hub.next_salt(), chain_b.client, Load(1, 1))
    stranger = hub.send(CLIENT_MANAGER_ADDRESS, abi.EXECUTE.call(action), STRANGER)
    assert stranger.reverted_with(abi.NOT_AN_ADMIN)
    alone = hub.execute(action, ADMINS[:1])
    assert alone.reverted_with(abi.ACTION_REFUSED)[1] == "1 of 2 approvals"
    unknown = limit_to(hub, "bft-evm-77", 1)
    assert unknown.reverted_with(abi.CLIENT_NOT_FOUND) == ("bft-evm-77",)
    assert tuple(hub.read(CLIENT_MANAGER_ADDRESS, abi.GET_QUOTA, chain_b.client))[:2] != (1, 1)
    assert hub.send(CLIENT_MANAGER_ADDRESS, abi.EXECUTE.call(action), ADMINS[0]).reverted_with(abi.ACTION_REFUSED)
    assert limit_to(hub, chain_b.client, 1, 1).ok


@pytest.mark.parametrize("kind", ["tokens", "message"])
def test_over_quota_is_an_error_acknowledgement_with_the_reason(hub, chain_a, chain_b, kind):
    assert limit_to(hub, chain_b.client, 2).ok

    def send():
        return chain_a.send_transfer(10, chain_b.client) if kind == "tokens" else chain_a.send_forward(chain_b.client)

    within = [sent_packet(chain_a.deliver(send())) for _ in range(2)]
    assert load(hub, chain_b.client) == (2, sum(len(packet.payloads[0].value) for packet in within))
    over = send()
    outcome = chain_a.deliver(over)
    assert written_acknowledgement(outcome) == (over, ERROR)
    assert f"quota of client {chain_b.client}: 2 of 2 packets" in forward_failure(hub, over)
    assert supply(hub, chain_a.on_hub()) == (20 if kind == "tokens" else 0)
    # Another client is not concerned, and a settled packet makes room.
    other = TokenChain(hub, salt=3)
    assert sent_packet(chain_a.deliver(chain_a.send_transfer(1, other.client)))
    assert chain_b.answer(within[0], ERROR_ACKNOWLEDGEMENT).ok
    assert sent_packet(chain_a.deliver(send()))


def test_bytes_count_as_well_as_packets(hub, chain_a, chain_b):
    leg_2 = sent_packet(chain_a.deliver(chain_a.send_transfer(10, chain_b.client)))
    size = len(leg_2.payloads[0].value)
    assert limit_to(hub, chain_b.client, 100, 2 * size).ok
    assert sent_packet(chain_a.deliver(chain_a.send_transfer(10, chain_b.client)))
    over = chain_a.send_transfer(10, chain_b.client)
    assert written_acknowledgement(chain_a.deliver(over)) == (over, ERROR)
    assert f"{size} bytes more do not fit" in forward_failure(hub, over)
    # Of three sizes one origin gets two, since rules version 3: tests/relay/hub/application/packets/test_hub_shared_quotas.py.
    assert limit_to(hub, chain_b.client, 100, 4 * size).ok
    assert sent_packet(chain_a.deliver(chain_a.send_transfer(10, chain_b.client)))


def test_an_account_over_quota_keeps_its_tokens(hub, chain_a, chain_b):
    assert chain_a.deliver(chain_a.send_transfer(100, receiver=DAPP_TEXT)).ok
    token = chain_a.on_hub()
    assert limit_to(hub, chain_b.client, 0).ok
    call = interface.SEND_TRANSFER.call(chain_b.client, token.path, 10, BOB, hub.time_s + 60, "")
    client, sentence = hub.send(TRANSFER_ADDRESS, call, DAPP).reverted_with(abi.QUOTA_EXCEEDED)
    assert (client, "0 of 0 packets" in sentence) == (chain_b.client, True)
    assert held(hub, token, address_of(DAPP)) == 100


@pytest.mark.parametrize("settles_by", ["success", "error", "timeout"])
def test_attack_E19_quota_never_blocks_a_settlement_or_a_refund_and_is_given_back_once(
    hub, chain_a, chain_b, settles_by
):
    """The admins close the client while packets are out: each settles all the same, and frees its own room only."""
    legs = [chain_a.send_transfer(10, chain_b.client, deadline_s=hub.time_s + 60) for _ in range(3)]
    onward = [sent_packet(chain_a.deliver(leg)) for leg in legs]
    size = len(onward[0].payloads[0].value)
    assert limit_to(hub, chain_b.client, 0, 0).ok
    assert load(hub, chain_b.client) == (3, 3 * size)
    if settles_by == "timeout":
        outcome = chain_b.expire(onward[0])
        again = chain_b.timeout_call(onward[0], chain_b.trusted)
    elif settles_by == "error":
        outcome = chain_b.answer(onward[0], ERROR_ACKNOWLEDGEMENT)
        again = chain_b.acknowledge_call(onward[0], ERROR_ACKNOWLEDGEMENT, chain_b.trusted)
    else:
        answer = chain_b.credit(onward[0])
        outcome = chain_b.answer(onward[0], answer)
        again = chain_b.acknowledge_call(onward[0], answer, chain_b.trusted)
    assert written_acknowledgement(outcome)[0] == legs[0]
    assert load(hub, chain_b.client) == (2, 2 * size)
    left = 30 if settles_by == "success" else 20
    assert escrowed(hub, chain_b.client, chain_a.on_hub()) == left
    # The same settlement once more gives no room twice.
    twice = hub.send(bytes(18) + b"\x10\x00", again)
    assert [log.topics[0] for log in twice.logs] == [abi.NOOP_EVENT.topic]
    assert load(hub, chain_b.client) == (2, 2 * size)
    # A refund to a hub account asks no quota either, also of the client that the tokens came over.
    assert limit_to(hub, chain_a.client, 0, 0).ok
    late = chain_a.send_transfer(10, chain_b.client)
    assert written_acknowledgement(chain_a.deliver(late)) == (late, ERROR)


class Memory:
    """An ordered store of nothing."""

    def get(self, key):
        return None

    def next(self, key):
        return None

    def previous(self, key):
        return None


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_limits_survive_their_storage(packets, size):
    quotas = Quotas(StateView(Memory()))
    quotas.set_limit("bft-evm-0", Load(packets, size))
    assert quotas.limit("bft-evm-0") == Load(packets, size)
    assert quotas.limit("bft-evm-1") == DEFAULT_LIMIT
    assert quotas.in_flight("bft-evm-0") == NOTHING
    if packets == 0 or size == 0:
        with pytest.raises(QuotaExceeded) as caught:
            quotas.check("bft-evm-0", ONE_BYTE, "", 0, 0)
        assert (caught.value.client_id, caught.value.in_flight, caught.value.limit) == (
            "bft-evm-0",
            NOTHING,
            Load(packets, size),
        )
    else:
        quotas.check("bft-evm-0", ONE_BYTE, "", 0, 0)


@pytest.mark.parametrize("limit", [Load(-1, 0), Load(0, 2**64)])
def test_a_limit_is_two_uint64(limit):
    with pytest.raises(ValueError, match="two uint64"):
        Quotas(StateView(Memory())).set_limit("bft-evm-0", limit)
