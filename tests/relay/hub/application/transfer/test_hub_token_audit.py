"""What an audit of the token path with fresh eyes broke: refusals that two hubs word differently, packets that nobody settles."""

import pytest

from hutong.light_clients.ibc.denom import Denom
from hutong.light_clients.ibc.packet import ERROR
from hutong.light_clients.ibc.transfer import (
    ABI_ENCODING,
    JSON_ENCODING,
    MAX_MEMO_BYTES,
    ForwardInstruction,
    TransferData,
    encode_forward_memo,
)
from hutong.relay.evm.vm.transaction import MAX_TRANSACTION_BYTES
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.module import TRANSFER_ADDRESS
from hutong.relay.hub.application.transfer import interface
from tests.relay.hub.application.clients.tendermint_remote import TendermintRemote
from tests.relay.hub.application.transfer.token_chain import (
    ALICE,
    TOKEN,
    TokenChain,
    forward_failure,
    held,
    transfer_payload,
)
from tests.relay.hub.simulated_hub import DAPP, address_of, sent_packet, written_acknowledgement

DAPP_TEXT = DAPP.address.lower()


@pytest.fixture
def chain_a(hub):
    return TokenChain(hub, salt=1)


@pytest.mark.parametrize(
    ("memo", "reason"),
    [
        ('{"forward":{},}', "transfer: malformed memo: is not JSON"),
        (
            '{"wasm":%s}' % ("9" * 5_000),
            "transfer: malformed memo: is not JSON: an integer has more than 640 characters",
        ),
        (
            '{"forward":{"port":["\U0002ebf0"]}}',
            "transfer: malformed forward_memo.port: must be text, got list of 1",
        ),
    ],
)
@pytest.mark.parametrize("encoding", [ABI_ENCODING, JSON_ENCODING])
def test_attack_H_hub_a_memo_cannot_split_validators_of_two_pythons(hub, chain_a, memo, reason, encoding):
    """The reason is in the app hash: were it Python's, one transfer would fork 3.12 from 3.13 (or one environment from another)."""
    packet = chain_a.send(transfer_payload(TransferData(TOKEN, ALICE, DAPP_TEXT, 100, memo), encoding))
    assert written_acknowledgement(chain_a.deliver(packet)) == (packet, ERROR)
    assert forward_failure(hub, packet) == reason
    fine = chain_a.send(
        transfer_payload(TransferData(TOKEN, ALICE, DAPP_TEXT, 100, '{"wasm":%s}' % ("9" * 640)), encoding)
    )
    assert written_acknowledgement(chain_a.deliver(fine))[1] != ERROR


@pytest.mark.parametrize("field", ["memo", "receiver"])
def test_attack_E18_hub_json_that_outgrows_its_settlement_is_not_sent(hub, chain_a, field):
    """32 768 control characters are 196 608 bytes of JSON: a stock chain takes them, and no transaction here could settle them."""
    chain_a.deliver(chain_a.send_transfer(100, receiver=DAPP_TEXT))
    stock, denom = TendermintRemote(hub), chain_a.on_hub()

    def send(memo: str):
        receiver = "cosmos1receiver" if field == "memo" else "\x01" * 2_000
        call = interface.SEND_TRANSFER.call(stock.client, denom.path, 10, receiver, hub.time_s + 60, memo)
        return hub.send(TRANSFER_ADDRESS, call, DAPP)

    refused = send("\x01" * MAX_MEMO_BYTES).reverted_with(abi.VERIFICATION_FAILED)
    assert refused and refused[0] == "transfer" and "more than 65536 bytes" in refused[1]
    assert held(hub, denom, address_of(DAPP)) == 100
    longest = send("x" * MAX_MEMO_BYTES)
    assert longest.ok and len(sent_packet(longest).payloads[0].value) < MAX_TRANSACTION_BYTES // 2
    assert held(hub, denom, address_of(DAPP)) == 90


@pytest.mark.parametrize(
    ("hops", "goes_on"),
    [
        (["transfer/channel-7"] * 14, True),
        (["transfer/channel-7"] * 15, False),
        ([f"{'p' * 128}/channel-7"] * 6 + [f"{'p' * 63}/channel-7"], True),
        ([f"{'p' * 128}/channel-7"] * 6 + [f"{'p' * 64}/channel-7"], False),
    ],
)
def test_attack_F3_hub_sends_no_denomination_that_could_not_come_home(hub, chain_a, hops, goes_on):
    """A stock chain bounds no trace; with its own hop in front the hub would refuse it for ever."""
    path = "/".join([*hops, "u" * 23])
    stock = TendermintRemote(hub)
    on_hub = Denom.parse(path).prefixed("transfer", chain_a.client)
    memo = encode_forward_memo(ForwardInstruction("cosmos1receiver", stock.client))
    packet = chain_a.send(transfer_payload(TransferData(path, ALICE, DAPP_TEXT, 100, memo)))
    outcome = chain_a.deliver(packet)
    assert bool(outcome.events(abi.SEND_PACKET_EVENT)) == goes_on
    if not goes_on:
        assert written_acknowledgement(outcome) == (packet, ERROR)
        assert "denom" in forward_failure(hub, packet)
    # a hub account has them all the same, and sends them home
    chain_a.deliver(chain_a.send(transfer_payload(TransferData(path, ALICE, DAPP_TEXT, 100))))
    assert held(hub, on_hub, address_of(DAPP)) == 100

    def send(client: str):
        call = interface.SEND_TRANSFER.call(client, on_hub.path, 10, "receiver", hub.time_s + 60, "")
        return hub.send(TRANSFER_ADDRESS, call, DAPP)

    assert send(stock.client).ok == goes_on
    assert send(chain_a.client).ok
