"""Attack lines F on the hub's own door: denominations, amounts, receivers, senders and targets that are not what they seem."""

import json

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.ibc.packet import ERROR, Acknowledgement, Payload
from hutong.light_clients.ibc.transfer import (
    ABI_ENCODING,
    JSON_ENCODING,
    SUCCESS_ACKNOWLEDGEMENT,
    Denom,
    ForwardInstruction,
    TransferData,
    encode_forward_memo,
)
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.module import CLIENT_MANAGER_ADDRESS, ROUTER_ADDRESS, TRANSFER_ADDRESS
from hutong.relay.hub.application.transfer import interface
from hutong.relay.hub.application.transfer.bank import Account, Escrow, Homeward
from hutong.relay.hub.state import keys
from tests.light_clients.ibc.ibc_strategies import CLIENT_IDS, DENOMS
from tests.relay.hub.application.packets.test_hub_packet_attacks import content
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
    ADMINS,
    DAPP,
    STRANGER,
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


def raw_payload(value: bytes, encoding: str, port: str = "transfer") -> Payload:
    return Payload("transfer", port, "ics20-1", encoding, value)


def json_value(**changed: object) -> bytes:
    fields = {"denom": TOKEN, "amount": "100", "sender": ALICE, "receiver": DAPP_TEXT}
    return json.dumps(fields | changed).encode()


def abi_value(denom: str = TOKEN, amount: int = 100, receiver: str = DAPP_TEXT, memo: str = "") -> bytes:
    return encode(["(string,string,string,uint256,string)"], [(denom, ALICE, receiver, amount, memo)])


def refused_at_once(hub, chain: TokenChain, payload: Payload) -> str:
    """An error acknowledgement, no token anywhere, and the reason."""
    packet = chain.send(payload)
    before = {key for key in content(hub) if key.startswith(b"transfer/")}
    outcome = chain.deliver(packet)
    assert written_acknowledgement(outcome) == (packet, ERROR)
    assert outcome.events(interface.TOKENS_MOVED_EVENT) == []
    assert {key for key in content(hub) if key.startswith(b"transfer/")} == before
    return forward_failure(hub, packet)


def accepted(chain: TokenChain, payload: Payload) -> None:
    packet = chain.send(payload)
    assert written_acknowledgement(chain.deliver(packet)) == (packet, SUCCESS)


@pytest.mark.parametrize(
    "denom",
    [
        "",
        "/",
        "transfer/client-0",
        "transfer/client-0/",
        "ibc/27394FB092D2ECCD56123C74F36E4C1F926001CEADA9CA97EA622B25F41E5EB2",
        "factory/creator/sub",
        "uаtom",
        "u" * 10_240,
        "a b",
        "/".join(["transfer/client-1"] * 16 + ["uatom"]),
    ],
)
@pytest.mark.parametrize("encoding", [ABI_ENCODING, JSON_ENCODING])
def test_attack_F3_hub_denominations_that_are_invalid(hub, chain_a, denom, encoding):
    value = abi_value(denom=denom) if encoding == ABI_ENCODING else json_value(denom=denom)
    assert "denom" in refused_at_once(hub, chain_a, raw_payload(value, encoding))
    fine = abi_value() if encoding == ABI_ENCODING else json_value()
    accepted(chain_a, raw_payload(fine, encoding))


def test_attack_F3_hub_a_trace_that_looks_like_a_base_and_a_base_that_looks_like_a_trace(hub, chain_a):
    """`ibc/<hash>` of a known voucher, sent as if it were that voucher's base, is refused; its base stays another token."""
    accepted(chain_a, raw_payload(abi_value(denom="uatom"), ABI_ENCODING))
    voucher = Denom.parse("uatom").prefixed("transfer", chain_a.client)
    refused_at_once(hub, chain_a, raw_payload(abi_value(denom=voucher.local_name), ABI_ENCODING))
    accepted(chain_a, raw_payload(abi_value(denom=f"transfer/{chain_a.client}/uatom"), ABI_ENCODING))
    assert held(hub, voucher, address_of(DAPP)) == 100
    assert held(hub, voucher.prefixed("transfer", chain_a.client), address_of(DAPP)) == 100


@pytest.mark.parametrize(
    "amount", ["0", "-1", "1e3", "+1", "01", " 1", "1 ", "1.0", str(2**256), "", "0x1", 1, None, True]
)
def test_attack_F4_hub_amounts_that_two_sides_read_differently(hub, chain_a, amount):
    assert "transfer.amount" in refused_at_once(hub, chain_a, raw_payload(json_value(amount=amount), JSON_ENCODING))
    accepted(chain_a, raw_payload(json_value(amount="1"), JSON_ENCODING))
    assert supply(hub, chain_a.on_hub()) == 1


def test_attack_F4_hub_the_largest_amount_and_zero_in_both_encodings(hub, chain_a):
    refused_at_once(hub, chain_a, raw_payload(abi_value(amount=0), ABI_ENCODING))
    accepted(chain_a, raw_payload(abi_value(amount=2**256 - 1), ABI_ENCODING))
    assert supply(hub, chain_a.on_hub()) == 2**256 - 1
    other = chain_a.on_hub("0x" + "01" * 20)
    accepted(chain_a, raw_payload(json_value(denom=other.base, amount=str(2**256 - 1)), JSON_ENCODING))
    assert supply(hub, other) == 2**256 - 1


@pytest.mark.parametrize(
    "value",
    [
        b'{"denom":"uatom","amount":"1","amount":"2","sender":"a","receiver":"b"}',
        b'{"denom":"uatom","amount":"1","sender":"a","receiver":"b","\\ud800":"x"}',
        b"\xef\xbb\xbf" + json_value(),
        json_value() + b"\0",
        b"[" * 5_000,
        b"9" * 50_000,
    ],
)
def test_attack_F4_hub_json_that_two_parsers_read_differently_is_refused_not_fatal(hub, chain_a, value):
    refused_at_once(hub, chain_a, raw_payload(value, JSON_ENCODING))
    accepted(chain_a, raw_payload(json_value(), JSON_ENCODING))


def test_attack_F7_hub_a_sender_that_cannot_receive_elsewhere_is_refunded_on_the_hub(hub, chain_a, chain_b):
    """The refund goes to the account that sent, whatever the packet's receiver was, and needs nothing of that account."""
    accepted(chain_a, raw_payload(abi_value(), ABI_ENCODING))
    token = chain_a.on_hub()
    for receiver in ("0x" + "00" * 20, "nobody", BOB):
        call = interface.SEND_TRANSFER.call(chain_b.client, token.path, 100, receiver, hub.time_s + 60, "")
        sent = sent_packet(hub.send(TRANSFER_ADDRESS, call, DAPP))
        assert held(hub, token, address_of(DAPP)) == 0
        assert chain_b.expire(sent).ok
        assert held(hub, token, address_of(DAPP)) == 100


@pytest.mark.parametrize(
    "receiver",
    ["", " ", "cosmos1abc", "0x", "0x" + "11" * 19, "0x" + "11" * 21, "0x" + "0g" * 20, "11" * 20, "0X" + "11" * 20]
    + ["0x" + "00" * 20, "0x" + "00" * 19 + "09", "0x" + "00" * 18 + "1000", "0x" + "00" * 18 + "ffff"],
)
def test_attack_F8_hub_receivers_that_cannot_hold_tokens(hub, chain_a, receiver):
    reason = refused_at_once(hub, chain_a, raw_payload(abi_value(receiver=receiver), ABI_ENCODING))
    assert "receiver" in reason or "can hold no tokens" in reason
    accepted(chain_a, raw_payload(abi_value(receiver="0x" + "00" * 17 + "010000"), ABI_ENCODING))


def test_attack_F8_hub_the_sender_of_a_packet_is_who_signed(hub, chain_a, chain_b):
    accepted(chain_a, raw_payload(abi_value(), ABI_ENCODING))
    token = chain_a.on_hub()
    call = interface.SEND_TRANSFER.call(chain_b.client, token.path, 10, BOB, hub.time_s + 60, DAPP_TEXT)
    stranger = hub.send(TRANSFER_ADDRESS, call, STRANGER)
    assert stranger.reverted_with(interface.INSUFFICIENT_TOKENS) == (token.path, 0, 10)
    sent = sent_packet(hub.send(TRANSFER_ADDRESS, call, DAPP))
    assert transfer_of(sent) == TransferData(token.path, DAPP_TEXT, BOB, 10, DAPP_TEXT)


@pytest.mark.long
@given(CLIENT_IDS, CLIENT_IDS, DENOMS, DENOMS, st.binary(min_size=20, max_size=20), st.binary(min_size=20, max_size=20))
def test_attack_F9_hub_no_two_holders_share_a_key(client, other_client, denom, other_denom, account, other_account):
    holders = {
        (holder, which)
        for which in (denom, other_denom)
        for holder in (Account(account), Account(other_account), Escrow(client), Escrow(other_client), Homeward())
    }
    stored = {holder.key(which) for holder, which in holders}
    supplies = {
        key(which.digest)
        for which in (denom, other_denom)
        for key in (keys.transfer_supply_key, keys.transfer_denom_key)
    }
    assert len(stored) == len(holders)
    assert not stored & supplies
    assert all(len(key) <= keys.MAX_KEY_BYTES for key in stored)


@pytest.mark.parametrize("port", ["nft-transfer", "nfttransfer", "icahost", "icqhost", "wasm.cosmos1xyz"])
def test_attack_F10_hub_offers_no_nft_port_and_no_other_stock_one(hub, chain_a, port):
    """ICS-721 classes cannot be swapped where none are held."""
    data = json.dumps({"classId": "apes", "tokenIds": ["1"], "sender": ALICE, "receiver": DAPP_TEXT}).encode()
    packet = chain_a.send(Payload("nft-transfer", port, "ics721-1", JSON_ENCODING, data))
    assert written_acknowledgement(chain_a.deliver(packet)) == (packet, ERROR)
    assert f"no application owns port {port}" in forward_failure(hub, packet)
    with_class = refused_at_once(hub, chain_a, raw_payload(data, JSON_ENCODING))
    assert "unknown keys" in with_class
    accepted(chain_a, raw_payload(json_value(), JSON_ENCODING))


def test_attack_F11_hub_a_forwarded_sender_stands_under_the_chain_that_was_proven(hub, chain_a, chain_b):
    """A writes the address of a hub account, or a path into another chain, as its sender."""
    for sender in (DAPP_TEXT, f"{chain_b.client}/{BOB}"):
        packet = chain_a.send_transfer(5, chain_b.client)
        data = transfer_of(packet)
        forged = TransferData(data.denom, sender, data.receiver, data.amount, data.memo)
        leg_2 = sent_packet(chain_a.deliver(chain_a.send(transfer_payload(forged))))
        assert transfer_of(leg_2).sender == f"{chain_a.client}/{sender}"
        # An undone forward credits nobody on the hub, whoever its sender claims to be.
        assert chain_b.expire(leg_2).ok
        assert held(hub, chain_a.on_hub(), address_of(DAPP)) == 0


@pytest.mark.parametrize("target", ["router", "client manager", "transfer module", "admin", "governance"])
def test_attack_F12_hub_governance_is_out_of_reach_of_every_packet(hub, chain_a, chain_b, target):
    """Poly: receiver, port, memo and denomination name the system; none of it becomes a call or a reserved key."""
    name = {
        "router": "0x" + ROUTER_ADDRESS.hex(),
        "client manager": "0x" + CLIENT_MANAGER_ADDRESS.hex(),
        "transfer module": "0x" + TRANSFER_ADDRESS.hex(),
        "admin": ADMINS[0].address.lower(),
        "governance": "governance",
    }[target]
    calldata = abi.EXECUTE.call(b"\x01" * 64).hex()
    payloads = [
        raw_payload(abi_value(receiver=name), ABI_ENCODING),
        raw_payload(
            abi_value(receiver=name, memo=f'{{"wasm":{{"contract":"{name}","msg":"{calldata}"}}}}'), ABI_ENCODING
        ),
        raw_payload(abi_value(denom=f"governance/{chain_a.client}/uatom"), ABI_ENCODING),
        raw_payload(abi_value(), ABI_ENCODING, port=name if target == "governance" else "transfer"),
        raw_payload(bytes.fromhex(calldata), ABI_ENCODING),
        raw_payload(
            abi_value(memo=encode_forward_memo(ForwardInstruction(name, chain_b.client))),
            ABI_ENCODING,
        ),
    ]
    before = content(hub)
    for payload in payloads:
        assert chain_a.deliver(chain_a.send(payload)).ok
    touched = {key for key, value in content(hub).items() if before.get(key) != value}
    client = chain_a.client.encode()
    allowed = (b"transfer/", b"forward/", b"quota/", b"router/", client, chain_b.client.encode(), b"clients/" + client)
    assert all(key.startswith(allowed) for key in touched), sorted(touched)
    assert not any(key.startswith(keys.RESERVED_PREFIXES) for key in touched)
    assert hub.read(CLIENT_MANAGER_ADDRESS, abi.GET_ADMINS)[1] == 2
    assert escrowed(hub, chain_b.client, chain_a.on_hub()) == 100
