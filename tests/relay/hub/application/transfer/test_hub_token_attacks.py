"""Attack lines E on the hub's transfer application: packets that would pay twice, or never."""

import json
from dataclasses import replace
from itertools import permutations

import pytest

from hutong.light_clients.ibc.packet import ERROR, ERROR_ACKNOWLEDGEMENT, Acknowledgement
from hutong.light_clients.ibc.transfer import (
    SUCCESS_ACKNOWLEDGEMENT,
    TransferData,
    encode_transfer,
)
from hutong.light_clients.interface import MalformedInput
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.admin import set_paused_action
from hutong.relay.hub.application.module import ROUTER_ADDRESS, TRANSFER_ADDRESS
from hutong.relay.hub.application.transfer import interface
from tests.relay.hub.application.packets.test_hub_packet_attacks import content, no_op, refused, router_of
from tests.relay.hub.application.transfer.token_chain import (
    ALICE,
    BOB,
    TOKEN,
    TokenChain,
    escrowed,
    forward_failure,
    held,
    supply,
    transfer_of,
    transfer_payload,
)
from tests.relay.hub.simulated_hub import (
    DAPP,
    RELAYER,
    STRANGER,
    RemoteChain,
    SimulatedHub,
    address_of,
    sent_packet,
    written_acknowledgement,
)

SUCCESS = Acknowledgement((SUCCESS_ACKNOWLEDGEMENT,))
DAPP_TEXT = DAPP.address.lower()


@pytest.fixture
def chain_a(hub):
    return TokenChain(hub, salt=1)


@pytest.fixture
def chain_b(hub, chain_a):
    return TokenChain(hub, salt=2)


@pytest.fixture
def rich(hub, chain_a):
    """The dapp's account holds 100 of A's token."""
    assert chain_a.deliver(chain_a.send_transfer(100, receiver=DAPP_TEXT)).ok
    return chain_a.on_hub()


def send_call(hub, client: str, denom, amount: int = 10, timeout_s: int | None = None, receiver: str = BOB) -> bytes:
    timeout_s = hub.time_s + 60 if timeout_s is None else timeout_s
    return interface.SEND_TRANSFER.call(client, denom.path, amount, receiver, timeout_s, "")


def test_attack_E1_hub_tokens_received_twice_in_a_batch_in_a_block_and_later_are_credited_once(hub, chain_a):
    packet = chain_a.send_transfer(100, receiver=DAPP_TEXT)
    call = chain_a.receive_call(packet, chain_a.update())
    batch = abi.RELAY_BATCH.call([(2_000_000, call), (2_000_000, call)])
    outcomes = hub.advance(hub.raw(ROUTER_ADDRESS, batch), hub.raw(ROUTER_ADDRESS, call, STRANGER))
    assert [len(outcome.events(abi.WRITE_ACKNOWLEDGEMENT_EVENT)) for outcome in outcomes] == [1, 0]
    assert no_op(hub.send(ROUTER_ADDRESS, call))
    assert held(hub, chain_a.on_hub(), address_of(DAPP)) == supply(hub, chain_a.on_hub()) == 100


@pytest.mark.parametrize("arrives", [False, True])
def test_attack_E2_hub_of_acknowledgement_error_and_timeout_exactly_one_moves_tokens(arrives):
    """Whatever is tried in whatever order, a sent packet pays once: to its receiver, or back."""
    for order in permutations(["acknowledge", "error", "timeout"]):
        hub = SimulatedHub()
        chain_a, chain_b = TokenChain(hub, salt=1), TokenChain(hub, salt=2)
        leg_1 = chain_a.send_transfer(100, chain_b.client, deadline_s=hub.time_s + 40)
        leg_2 = sent_packet(chain_a.deliver(leg_1))
        if arrives:
            chain_b.receive(leg_2, Acknowledgement((chain_b.credit(leg_2),)))
        hub.advance(time_s=leg_2.timeout_timestamp_s)
        hub.advance()
        late = chain_b.update()
        calls = {
            "acknowledge": lambda: chain_b.acknowledge_call(leg_2, SUCCESS_ACKNOWLEDGEMENT, late),
            "error": lambda: chain_b.acknowledge_call(leg_2, ERROR_ACKNOWLEDGEMENT, late),
            "timeout": lambda: chain_b.timeout_call(leg_2, late),
        }
        outcomes = [hub.send(ROUTER_ADDRESS, calls[name]()) for name in order]
        written = [written_acknowledgement(one)[1] for one in outcomes if one.events(abi.WRITE_ACKNOWLEDGEMENT_EVENT)]
        assert written == [SUCCESS if arrives else ERROR]
        left = 100 if arrives else 0
        assert escrowed(hub, chain_b.client, chain_a.on_hub()) == supply(hub, chain_a.on_hub()) == left


def test_attack_E4_hub_settling_twice_refunds_once(hub, chain_a, chain_b, rich):
    sent = [sent_packet(hub.send(TRANSFER_ADDRESS, send_call(hub, chain_b.client, rich, 30), DAPP)) for _ in range(2)]
    assert held(hub, rich, address_of(DAPP)) == 40
    assert chain_b.answer(sent[0], ERROR_ACKNOWLEDGEMENT).ok
    assert held(hub, rich, address_of(DAPP)) == 70
    assert no_op(hub.send(ROUTER_ADDRESS, chain_b.acknowledge_call(sent[0], ERROR_ACKNOWLEDGEMENT, chain_b.trusted)))
    hub.advance(time_s=sent[0].timeout_timestamp_s)
    hub.advance()
    height = chain_b.update()
    refused(hub, chain_b.timeout_call(sent[0], height), abi.VERIFICATION_FAILED)
    assert held(hub, rich, address_of(DAPP)) == 70
    # F7: the other one times out, and its refund neither counts twice nor touches the first.
    assert hub.send(ROUTER_ADDRESS, chain_b.timeout_call(sent[1], height)).ok
    assert no_op(hub.send(ROUTER_ADDRESS, chain_b.timeout_call(sent[1], height)))
    assert held(hub, rich, address_of(DAPP)) == 100


@pytest.mark.parametrize("field", ["amount", "receiver", "sender", "denom"])
def test_attack_E5_hub_settling_with_other_packet_data_moves_nothing(hub, chain_a, chain_b, field):
    leg_2 = sent_packet(chain_a.deliver(chain_a.send_transfer(100, chain_b.client)))
    other = {"amount": 99, "receiver": ALICE, "sender": "0x" + "66" * 20, "denom": chain_b.on_hub().path}[field]
    payload = leg_2.payloads[0]
    data = replace(transfer_of(leg_2), **{field: other})
    changed = replace(leg_2, payloads=(replace(payload, value=encode_transfer(data, payload.encoding)),))
    chain_b.receive(leg_2, Acknowledgement((ERROR_ACKNOWLEDGEMENT,)))
    height = chain_b.update()
    refused(hub, chain_b.acknowledge_call(changed, ERROR_ACKNOWLEDGEMENT, height), abi.COMMITMENT_MISMATCH)
    assert escrowed(hub, chain_b.client, chain_a.on_hub()) == 100
    assert hub.send(ROUTER_ADDRESS, chain_b.acknowledge_call(leg_2, ERROR_ACKNOWLEDGEMENT, height)).ok
    assert escrowed(hub, chain_b.client, chain_a.on_hub()) == 0


@pytest.mark.parametrize("answer", [b'{"error":"made up"}', b'{"result":"AA=="}', b"\x00", b"x" * 16_384])
def test_attack_E8_hub_whatever_a_destination_calls_success_settles_leg_1_by_the_stock_bytes(
    hub, chain_a, chain_b, answer
):
    """A stock sender refuses any other success, and its packet would never settle."""
    leg_1 = chain_a.send_transfer(100, chain_b.client)
    outcome = chain_b.answer(sent_packet(chain_a.deliver(leg_1)), answer)
    assert written_acknowledgement(outcome) == (leg_1, SUCCESS)
    assert escrowed(hub, chain_b.client, chain_a.on_hub()) == 100


def test_attack_E8_hub_a_sentinel_beside_other_entries_is_no_acknowledgement(hub, chain_a, chain_b):
    leg_2 = sent_packet(chain_a.deliver(chain_a.send_transfer(100, chain_b.client)))
    with pytest.raises(MalformedInput):
        Acknowledgement((ERROR_ACKNOWLEDGEMENT, SUCCESS_ACKNOWLEDGEMENT))
    chain_b.receive(leg_2, Acknowledgement((SUCCESS_ACKNOWLEDGEMENT, SUCCESS_ACKNOWLEDGEMENT)))
    height = chain_b.update()
    refused(hub, chain_b.acknowledge_call(leg_2, SUCCESS_ACKNOWLEDGEMENT, height), abi.VERIFICATION_FAILED)
    refused(hub, chain_b.acknowledge_call(leg_2, ERROR_ACKNOWLEDGEMENT, height), abi.VERIFICATION_FAILED)
    assert chain_b.answer(leg_2, SUCCESS_ACKNOWLEDGEMENT).ok


def test_attack_E11_hub_no_contract_and_no_batch_sends_in_the_transfer_module_s_name(hub, chain_a, rich):
    payload = transfer_payload(TransferData(rich.path, DAPP_TEXT, ALICE, 100))
    fields = tuple(getattr(payload, name) for name in payload.__slots__)
    call = abi.SEND_PACKET.call((chain_a.client, hub.time_s + 60, fields))
    for account in (DAPP, RELAYER):
        refused(hub, call, abi.NOT_SUPPORTED, account)
    refused(hub, abi.RELAY_BATCH.call([(500_000, call)]), abi.BATCH_SELECTOR_NOT_ALLOWED)
    for module in (ROUTER_ADDRESS, bytes(18) + b"\x10\x02"):
        outcome = hub.send(module, send_call(hub, chain_a.client, rich), DAPP)
        assert outcome.reverted_with(abi.UNKNOWN_FUNCTION)
    assert hub.send(TRANSFER_ADDRESS, send_call(hub, chain_a.client, rich), DAPP).ok


def test_attack_E12_hub_tokens_out_of_gas_at_every_depth_move_whole_or_not_at_all(hub, chain_a, chain_b, rich):
    receive = chain_a.receive_call(chain_a.send_transfer(100, chain_b.client), chain_a.update())
    send = send_call(hub, chain_b.client, rich)
    needs = []
    for target, call, sender in ((ROUTER_ADDRESS, receive, bytes(20)), (TRANSFER_ADDRESS, send, address_of(DAPP))):
        needed = hub.call(target, call, sender=sender, gas=8_000_000).gas_used
        enough = next(
            gas
            for gas in range(needed - 100, needed * 2, 500)
            if hub.call(target, call, sender=sender, gas=gas).success
        )
        for gas in [
            *range(22_000, enough - 500, max((enough - 22_000) // 60, 1)),
            *range(enough - 3_000, enough - 500, 50),
        ]:
            assert not hub.call(target, call, sender=sender, gas=gas).success, gas
        needs.append(enough)
    before = content(hub)
    assert not hub.send(ROUTER_ADDRESS, receive, gas=needs[0] - 10_000).ok
    assert not hub.send(TRANSFER_ADDRESS, send, DAPP, gas=needs[1] - 10_000).ok
    assert content(hub) == before
    assert sent_packet(hub.send(ROUTER_ADDRESS, receive))
    assert sent_packet(hub.send(TRANSFER_ADDRESS, send, DAPP))


@pytest.mark.parametrize("wrong", ["zero", "past", "now", "a day and a second", "2^63", "2^64 - 1", "nanoseconds"])
def test_attack_E13_hub_send_with_a_timeout_that_is_invalid(hub, chain_b, rich, wrong):
    timeout_s = {
        "zero": 0,
        "past": hub.time_s - 60,
        "now": hub.time_s,
        "a day and a second": hub.time_s + 24 * 3600 + 1,
        "2^63": 2**63,
        "2^64 - 1": 2**64 - 1,
        "nanoseconds": (hub.time_s + 60) * 10**9,
    }[wrong]
    outcome = hub.send(TRANSFER_ADDRESS, send_call(hub, chain_b.client, rich, timeout_s=timeout_s), DAPP)
    assert outcome.reverted_with(abi.INVALID_TIMEOUT_TIMESTAMP) == (timeout_s, hub.time_s - 1)
    assert held(hub, rich, address_of(DAPP)) == 100
    latest = hub.send(TRANSFER_ADDRESS, send_call(hub, chain_b.client, rich, timeout_s=hub.time_s + 24 * 3600), DAPP)
    assert latest.ok


def test_attack_E13_hub_send_whose_timeout_has_passed_on_the_other_chain(hub, chain_b, rich):
    chain_b.seal(hub.time_s + 8)
    hub.advance(time_s=hub.time_s)
    assert hub.send(ROUTER_ADDRESS, chain_b.update_call(chain_b.chain.height)).ok
    there_s = chain_b.chain.now_ns // 10**9
    outcome = hub.send(TRANSFER_ADDRESS, send_call(hub, chain_b.client, rich, timeout_s=there_s), DAPP)
    assert outcome.reverted_with(abi.INVALID_TIMEOUT_TIMESTAMP) == (there_s, there_s)
    assert hub.send(TRANSFER_ADDRESS, send_call(hub, chain_b.client, rich, timeout_s=there_s + 1), DAPP).ok


def test_attack_E14_hub_send_over_a_client_that_carries_nothing(hub, chain_b, rich):
    unregistered = RemoteChain(hub, register=False, salt=3)
    outcome = hub.send(TRANSFER_ADDRESS, send_call(hub, unregistered.client, rich), DAPP)
    assert outcome.reverted_with(abi.COUNTERPARTY_NOT_FOUND) == (unregistered.client,)
    outcome = hub.send(TRANSFER_ADDRESS, send_call(hub, "bft-evm-77", rich), DAPP)
    assert outcome.reverted_with(abi.CLIENT_NOT_FOUND) == ("bft-evm-77",)
    assert held(hub, rich, address_of(DAPP)) == 100
    assert hub.send(TRANSFER_ADDRESS, send_call(hub, chain_b.client, rich), DAPP).ok


def test_attack_E17_hub_offers_no_ordered_channels(hub, chain_a):
    """IBC v2 has none: packets are taken in any order, and the handshakes that would open one do not exist."""
    packets = [chain_a.send_transfer(1, receiver=DAPP_TEXT) for _ in range(3)]
    height = chain_a.update()
    for packet in reversed(packets):
        assert written_acknowledgement(hub.send(ROUTER_ADDRESS, chain_a.receive_call(packet, height)))[1] == SUCCESS
    for signature in ("channelOpenInit((string,uint8))", "timeoutOnClose(bytes)", "channelCloseInit(string,string)"):
        function = abi.Function(signature.split("(", 1)[0], [], [])
        outcome = hub.send(ROUTER_ADDRESS, function.call())
        assert outcome.reverted_with(abi.UNKNOWN_FUNCTION) == (function.selector,)


def test_attack_E18_hub_a_memo_cannot_make_tokens_go_in_circles(hub, chain_a, chain_b):
    """One hop, never back, and the second packet carries no memo that a third chain could obey."""
    back = chain_a.send_transfer(5, chain_a.client)
    assert written_acknowledgement(chain_a.deliver(back)) == (back, ERROR)
    forward = {"receiver": "x", "port": "transfer", "channel": chain_b.client, "next": {"forward": {}}}
    onward = json.dumps({"forward": forward})
    data = TransferData(TOKEN, ALICE, "x", 5, onward)
    packet = chain_a.send(transfer_payload(data))
    assert written_acknowledgement(chain_a.deliver(packet)) == (packet, ERROR)
    assert "not supported: forward_memo.next" in forward_failure(hub, packet)
    assert transfer_of(sent_packet(chain_a.deliver(chain_a.send_transfer(5, chain_b.client)))).memo == ""


def test_attack_E20_hub_pause_holds_tokens_and_loses_none(hub, chain_a, chain_b, rich):
    leg_1 = chain_a.send_transfer(50, chain_b.client)
    leg_2 = sent_packet(chain_a.deliver(leg_1))
    chain_b.receive(leg_2, Acknowledgement((chain_b.credit(leg_2),)))
    height = chain_b.update()
    settle = chain_b.acknowledge_call(leg_2, SUCCESS_ACKNOWLEDGEMENT, height)
    assert hub.execute(set_paused_action(hub.next_salt(), True)).ok
    paused = hub.send(TRANSFER_ADDRESS, send_call(hub, chain_b.client, rich), DAPP)
    assert paused.reverted_with(abi.ENFORCED_PAUSE) == ()
    assert held(hub, rich, address_of(DAPP)) == 100
    # Accounts of the hub are no packets.
    assert hub.send(TRANSFER_ADDRESS, interface.TRANSFER.call(rich.path, address_of(STRANGER), 1), DAPP).ok
    # What is in flight settles.
    assert written_acknowledgement(hub.send(ROUTER_ADDRESS, settle)) == (leg_1, SUCCESS)
    assert hub.execute(set_paused_action(hub.next_salt(), False)).ok
    assert hub.send(TRANSFER_ADDRESS, send_call(hub, chain_b.client, rich), DAPP).ok


def test_attack_E10_hub_a_token_forward_is_acknowledged_by_its_own_second_leg_only(hub, chain_a, chain_b):
    legs = [chain_a.send_transfer(amount, chain_b.client) for amount in (10, 20)]
    onward = [sent_packet(chain_a.deliver(leg)) for leg in legs]
    message = chain_a.send_forward(chain_b.client)
    message_2 = sent_packet(chain_a.deliver(message))
    assert written_acknowledgement(chain_b.answer(message_2))[0] == message
    assert written_acknowledgement(chain_b.answer(onward[1], ERROR_ACKNOWLEDGEMENT)) == (legs[1], ERROR)
    assert escrowed(hub, chain_b.client, chain_a.on_hub()) == 10
    assert written_acknowledgement(chain_b.take(onward[0])) == (legs[0], SUCCESS)
    with pytest.raises(RuntimeError, match="not due"):
        router_of(hub).write_acknowledgement(legs[0], ERROR)
