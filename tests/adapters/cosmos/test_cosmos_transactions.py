"""Bytes of Cosmos transactions: addresses, fees, messages, signing; each against an independent reading of protobuf."""

import hashlib
from fractions import Fraction

import pytest
from coincurve import PublicKey
from hypothesis import given
from hypothesis import strategies as st

from hutong.adapters.cosmos.transactions.addresses import (
    account_address,
    decode_address,
    encode_address,
    module_address,
)
from hutong.adapters.cosmos.transactions.fees import Coin, GasPrice, adjusted_gas
from hutong.adapters.cosmos.transactions.messages import (
    SEND_URL,
    SdkMessage,
    create_client_message,
    encode_message,
    register_counterparty_message,
)
from hutong.adapters.cosmos.transactions.transactions import (
    decode_raw,
    encode_auth_info,
    encode_body,
    encode_raw,
    encode_sign_document,
    transaction_hash,
)
from hutong.adapters.cosmos.transfer import CosmosTransfer, transfer_message
from hutong.adapters.interface import (
    AcknowledgePacket,
    NotSupported,
    RecvPacket,
    SubmitMisbehaviour,
    TimeoutPacket,
    UpdateClient,
)
from hutong.light_clients.crypto import secp256k1
from hutong.light_clients.ibc.packet import ERROR, Packet, Payload, encode_acknowledgement, encode_packet
from hutong.light_clients.interface import Height, MalformedInput
from hutong.light_clients.protobuf import cosmos_tx_pb2
from hutong.relay.keys import ForeignDocument, Signer
from tests.relay.keys.at_once import at_once

SECRET = bytes(31) + b"\x01"
# BIP-173's key of secret 1, and the account that `simd keys import-hex` shows for it.
RAW_ADDRESS = bytes.fromhex("751e76e8199196d454941c45d1b3a323f1433bd6")
ADDRESS = "cosmos1w508d6qejxtdg4y5r3zarvary0c5xw7k6ah60c"
PACKET = Packet(
    3, "07-tendermint-0", "07-tendermint-1", 1_900_000_000,
    (Payload("transfer", "transfer", "ics20-1", "application/json", b"{}"),),
)  # fmt: skip


def varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def field(number: int, value: bytes | str | int) -> bytes:
    """One field as the protobuf specification writes it; proto3 leaves zero and empty out where the caller does."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    raw = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(raw)) + raw


HEIGHT = field(1, 4) + field(2, 99)


def test_address_of_a_key_is_the_one_that_wallets_show():
    assert account_address("cosmos", secp256k1.public_key_of(SECRET)) == ADDRESS
    assert decode_address(ADDRESS, "cosmos") == RAW_ADDRESS
    assert module_address("cosmos", "gov") == "cosmos10d07y265gmmuvt4z0w9aw880jnsr700j6zn9kn"
    assert encode_address("osmo", RAW_ADDRESS).startswith("osmo1")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (ADDRESS.upper(), "lower case"),
        (ADDRESS[:8] + ADDRESS[8:].upper(), "lower case"),
        (ADDRESS[:-1] + "d", "checksum"),
        (ADDRESS.replace("cosmos1", "cosmos"), "not a bech32"),
        (encode_address("osmo", RAW_ADDRESS), "another chain"),
        ("cosmos1" + "q" * 200, "too long"),
        ("", "not a bech32"),
        ("cosmos1w3jhxap3gempvr", "20 or 32"),
    ],
)
def test_attack_G8_mistyped_or_foreign_addresses_are_refused(text, reason):
    with pytest.raises(MalformedInput, match=reason) as caught:
        decode_address(text, "cosmos")
    assert caught.value.field == "address"


@given(st.sampled_from([20, 32]).flatmap(lambda size: st.binary(min_size=size, max_size=size)), st.integers(0, 200))
def test_addresses_come_back_and_one_changed_character_never_passes(raw, position):
    text = encode_address("cosmos", raw)
    assert decode_address(text, "cosmos") == raw
    position %= len(text)
    changed = text[:position] + ("q" if text[position] != "q" else "p") + text[position + 1 :]
    with pytest.raises(MalformedInput):
        decode_address(changed, "cosmos")


@given(st.text(max_size=150))
def test_any_text_is_an_address_or_refused(text):
    try:
        raw = decode_address(text, "cosmos")
    except MalformedInput:
        return
    assert encode_address("cosmos", raw) == text


@pytest.mark.parametrize("size", [0, 19, 21, 33])
def test_addresses_of_other_lengths_are_not_made(size):
    with pytest.raises(MalformedInput, match="20 or 32"):
        encode_address("cosmos", bytes(size))


def test_gas_price_is_exact_and_fees_round_up():
    price = GasPrice.parse("0.025stake")
    assert (price.per_gas, price.denom) == (Fraction(1, 40), "stake")
    assert [price.fee(gas) for gas in (0, 1, 40, 41, 200_000)] == [0, 1, 1, 2, 5_000]
    assert GasPrice.parse("1ibc/27394FB092D2ECCD56123C74F36E4C1F926001CEADA9CA97EA622B25F41E5EB2").denom.startswith(
        "ibc"
    )
    assert GasPrice.parse("0stake").fee(10**6) == 0
    assert [adjusted_gas(100, percent) for percent in (100, 130, 101)] == [100, 130, 101]
    assert adjusted_gas(1, 130) == 2


@pytest.mark.parametrize(
    "text", ["", "stake", "0.025", "-1stake", "0.025 stake", ".5stake", "1.stake", "1s" * 200, "1st"]
)
def test_gas_prices_that_are_invalid_are_refused(text):
    with pytest.raises(MalformedInput, match="decimal number with a denomination") as caught:
        GasPrice.parse(text)
    assert caught.value.field == "gas_price"


@given(st.integers(0, 10**9), st.integers(0, 10**12), st.integers(0, 18))
def test_fee_is_the_smallest_integer_that_the_chain_accepts(gas, digits, places):
    text = f"{digits}stake" if places == 0 else f"{digits // 10**places}.{digits % 10**places:0{places}d}stake"
    price = GasPrice.parse(text)
    exact = Fraction(digits, 10**places) * gas
    assert exact <= price.fee(gas) < exact + 1


@pytest.mark.parametrize(
    ("message", "type_url", "expected"),
    [
        (
            UpdateClient("07-tendermint-0", b"header"), "/ibc.core.client.v1.MsgUpdateClient",
            field(1, "07-tendermint-0")
            + field(2, field(1, "/ibc.lightclients.tendermint.v1.Header") + field(2, b"header")) + field(3, ADDRESS),
        ),
        (
            SubmitMisbehaviour("07-tendermint-0", b"evidence"), "/ibc.core.client.v1.MsgUpdateClient",
            field(1, "07-tendermint-0")
            + field(2, field(1, "/ibc.lightclients.tendermint.v1.Misbehaviour") + field(2, b"evidence"))
            + field(3, ADDRESS),
        ),
        (
            RecvPacket(PACKET, b"proof", Height(4, 99)), "/ibc.core.channel.v2.MsgRecvPacket",
            field(1, encode_packet(PACKET)) + field(2, b"proof") + field(3, HEIGHT) + field(4, ADDRESS),
        ),
        (
            AcknowledgePacket(PACKET, ERROR, b"proof", Height(4, 99)), "/ibc.core.channel.v2.MsgAcknowledgement",
            field(1, encode_packet(PACKET)) + field(2, encode_acknowledgement(ERROR)) + field(3, b"proof")
            + field(4, HEIGHT) + field(5, ADDRESS),
        ),
        (
            TimeoutPacket(PACKET, b"proof", Height(4, 99)), "/ibc.core.channel.v2.MsgTimeout",
            field(1, encode_packet(PACKET)) + field(2, b"proof") + field(3, HEIGHT) + field(5, ADDRESS),
        ),
    ],
)  # fmt: skip
def test_messages_have_the_fields_that_ibc_go_reads(message, type_url, expected):
    assert encode_message(message, ADDRESS) == SdkMessage(type_url, expected)


@pytest.mark.parametrize("client_id", ["bft-evm-0", "attestation-1", "07-tendermintx-0"])
def test_clients_of_other_types_are_not_supported(client_id):
    for message in (UpdateClient(client_id, b"h"), SubmitMisbehaviour(client_id, b"m")):
        with pytest.raises(NotSupported, match=client_id):
            encode_message(message, ADDRESS)


def test_messages_of_operators():
    created = create_client_message(b"client", b"consensus", ADDRESS)
    assert created.value == (
        field(1, field(1, "/ibc.lightclients.tendermint.v1.ClientState") + field(2, b"client"))
        + field(2, field(1, "/ibc.lightclients.tendermint.v1.ConsensusState") + field(2, b"consensus"))
        + field(3, ADDRESS)
    )
    joined = register_counterparty_message("07-tendermint-0", "07-tendermint-5", (b"",), ADDRESS)
    assert joined.type_url == "/ibc.core.client.v2.MsgRegisterCounterparty"
    assert joined.value == (
        field(1, "07-tendermint-0") + field(2, b"") + field(3, "07-tendermint-5") + field(4, ADDRESS)
    )
    sent = transfer_message(CosmosTransfer("07-tendermint-0", Coin(5, "stake"), "0xab", 1_900_000_000, "m"), ADDRESS)
    assert sent.type_url == "/ibc.applications.transfer.v1.MsgTransfer"
    assert sent.value == (
        field(1, "transfer") + field(2, "07-tendermint-0") + field(3, field(1, "stake") + field(2, "5"))
        + field(4, ADDRESS) + field(5, "0xab") + field(7, 1_900_000_000) + field(8, "m") + field(9, "application/json")
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"client_id": "x"}, "client_id"),
        ({"token": Coin(0, "stake")}, "token.amount"),
        ({"token": Coin(2**256, "stake")}, "token.amount"),
        ({"receiver": " "}, "receiver"),
        ({"receiver": "r" * 2_049}, "receiver"),
        ({"memo": "m" * 32_769}, "memo"),
        ({"timeout_timestamp_s": 0}, "timeout_timestamp_s"),
        ({"timeout_timestamp_s": 2**63}, "timeout_timestamp_s"),
    ],
)
def test_transfers_out_of_bounds_are_refused_before_anything_is_sent(changes, name):
    good = {"client_id": "07-tendermint-0", "token": Coin(2**256 - 1, "stake"), "receiver": "r" * 2_048,
            "timeout_timestamp_s": 1, "memo": "m" * 32_768}  # fmt: skip
    CosmosTransfer(**good)
    with pytest.raises(MalformedInput) as caught:
        CosmosTransfer(**(good | changes))
    assert caught.value.field == name


@pytest.mark.parametrize(("field", "limit"), [("receiver", 2_048), ("memo", 32_768)])
def test_bounds_of_a_transfer_count_bytes_as_ibc_go_does(field, limit):
    good = {"client_id": "07-tendermint-0", "token": Coin(1, "stake"), "receiver": "r", "timeout_timestamp_s": 1}
    CosmosTransfer(**(good | {field: "é" * (limit // 2)}))
    with pytest.raises(MalformedInput) as caught:
        CosmosTransfer(**(good | {field: "é" * (limit // 2) + "e"}))
    assert (caught.value.field, caught.value.got) == (field, limit + 1)


def signed(signer, messages, sequence=3, gas=80_000, fee=Coin(2_000, "stake"), chain_id="simd-1", number=7, memo=""):
    body = encode_body(messages, memo)
    auth_info = encode_auth_info(signer.public_key, sequence, gas, fee)
    document = encode_sign_document(body, auth_info, chain_id, number)
    return document, encode_raw(body, auth_info, at_once(signer.sign_document(document)))


def send(amount: int = 5) -> SdkMessage:
    coin = cosmos_tx_pb2.Coin(denom="stake", amount=str(amount))
    return SdkMessage.of(SEND_URL, cosmos_tx_pb2.MsgSend(from_address=ADDRESS, to_address=ADDRESS, amount=[coin]))


def test_document_and_transaction_are_those_of_the_specification_page():
    """docs/spec/cosmos-transactions.md; simd signs the same bytes (tests/nodes)."""
    document, raw = signed(Signer.in_memory(SECRET), [send()])
    body = field(1, field(1, SEND_URL) + field(2, send().value))
    key = field(1, "/cosmos.crypto.secp256k1.PubKey") + field(2, field(1, secp256k1.public_key_of(SECRET)))
    signer_info = field(1, key) + field(2, field(1, field(1, 1))) + field(3, 3)
    fee = field(1, field(1, "stake") + field(2, "2000")) + field(2, 80_000)
    auth_info = field(1, signer_info) + field(2, fee)
    assert document == field(1, body) + field(2, auth_info) + field(3, "simd-1") + field(4, 7)
    signature = decode_raw(raw).signature
    assert raw == field(1, body) + field(2, auth_info) + field(3, signature)
    assert secp256k1.verify_low_s(secp256k1.public_key_of(SECRET), hashlib.sha256(document).digest(), signature)
    assert transaction_hash(raw) == hashlib.sha256(raw).digest()
    from pathlib import Path

    page = (Path(__file__).parents[3] / "docs" / "spec" / "cosmos-transactions.md").read_text()
    for expected in (document.hex(), raw.hex(), transaction_hash(raw).hex()):
        assert expected in "".join(page.split())


def test_fee_of_nothing_has_no_coins_and_first_sequence_is_left_out():
    _, raw = signed(Signer.in_memory(SECRET), [send()], sequence=0, fee=Coin(0, "stake"), number=0)
    content = decode_raw(raw)
    assert (content.fee, content.sequence) == ((), 0)


PRINTABLE = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=40)
"""Names of messages: what would break the line of a record is not signed."""


@pytest.mark.long
@given(
    st.lists(st.tuples(PRINTABLE, st.binary(max_size=80)), min_size=1, max_size=5),
    st.integers(0, 2**63 - 1), st.integers(1, 2**62), st.integers(0, 2**200), st.text(max_size=30),
)  # fmt: skip
def test_transactions_are_read_back(messages, sequence, gas, amount, memo):
    signer = Signer.in_memory(SECRET)
    sdk_messages = tuple(SdkMessage(url, value) for url, value in messages)
    _, raw = signed(signer, sdk_messages, sequence, gas, Coin(amount, "stake"), memo=memo)
    content = decode_raw(raw)
    assert (content.messages, content.memo) == (sdk_messages, memo)
    assert (content.sequence, content.gas, content.public_key) == (sequence, gas, signer.public_key)
    assert content.fee == ((Coin(amount, "stake"),) if amount else ())


@given(st.binary(max_size=400))
def test_any_bytes_are_a_transaction_or_refused(data):
    with pytest.raises(MalformedInput):
        decode_raw(data)


@given(st.integers(0, 10_000), st.integers(0, 7))
def test_a_changed_bit_is_seen_or_changes_what_is_read(position, bit):
    _, raw = signed(Signer.in_memory(SECRET), [send()])
    twisted = bytearray(raw)
    twisted[position % len(raw)] ^= 1 << bit
    try:
        content = decode_raw(bytes(twisted))
    except MalformedInput:
        return
    assert content != decode_raw(raw)


def test_signer_shows_a_compressed_key():
    signer = Signer.in_memory(SECRET)
    assert signer.public_key == PublicKey.from_secret(SECRET).format(compressed=True)


def document_with(**changes):
    signer = Signer.in_memory(SECRET)
    parts = {"body": encode_body([send()]), "key": signer.public_key, "chain_id": "simd-1", "mode": 1, "signers": 1,
             "url": "/cosmos.crypto.secp256k1.PubKey"} | changes  # fmt: skip
    info = cosmos_tx_pb2.AuthInfo.FromString(encode_auth_info(parts["key"], 3, 1, Coin(1, "stake")))
    info.signer_infos[0].mode_info.single.mode = parts["mode"]
    info.signer_infos[0].public_key.type_url = parts["url"]
    for _ in range(1, parts["signers"]):
        info.signer_infos.add().CopyFrom(info.signer_infos[0])
    if parts.get("no_fee"):
        info.ClearField("fee")
    auth_info = info.SerializeToString(deterministic=True)
    return encode_sign_document(parts["body"], auth_info, parts["chain_id"], 7)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b"", "names no chain"),
        (b"\xff\xff", "no SignDoc"),
        (hashlib.sha256(b"a digest").digest(), "no SignDoc"),
        (document_with() + b"\x20\x07", "canonical"),
        (document_with(chain_id=""), "names no chain"),
        (document_with(chain_id="other-1"), "for chain 'other-1', not 'simd-1'"),
        (document_with(body=b"\xff"), "TxBody"),
        (document_with(body=b""), "no messages"),
        (document_with(no_fee=True), "no fee"),
        (document_with(signers=2), "2 signers"),
        (document_with(key=secp256k1.public_key_of(bytes(31) + b"\x02")), "another public key"),
        (document_with(url="/ethermint.crypto.v1.ethsecp256k1.PubKey"), "not a secp256k1 key"),
        (document_with(mode=127), "not for direct signing"),
        (document_with(body=encode_body([SdkMessage("/x", bytes(2**20))])), "no SignDoc"),
    ],
)
def test_attack_G14_signer_refuses_what_is_not_a_document_of_its_key_and_chain(document, reason):
    signer = Signer.in_memory(SECRET, "simd-1")
    assert len(at_once(signer.sign_document(document_with()))) == 64
    with pytest.raises(ForeignDocument, match=reason) as caught:
        at_once(signer.sign_document(document))
    assert SECRET.hex() not in str(caught.value) + repr(caught.value) and "privat" not in str(caught.value).lower()


def test_attack_G14_signer_without_a_chain_signs_for_any_that_the_document_names():
    assert at_once(Signer.in_memory(SECRET).sign_document(document_with(chain_id="other-1")))


@given(st.binary(max_size=200))
def test_attack_G14_no_random_bytes_are_signed(data):
    with pytest.raises(ForeignDocument):
        at_once(Signer.in_memory(SECRET).sign_document(data))
