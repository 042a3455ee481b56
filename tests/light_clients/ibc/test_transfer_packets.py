"""ICS-20 v2 packet data: both encodings, denominations, and what two readers must never read differently (checklist F3, F4, H)."""

import json
from dataclasses import replace

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from hutong.light_clients.ibc.commitment import acknowledgement_commitment, packet_commitment
from hutong.light_clients.ibc.packet import Acknowledgement, Packet, Payload
from hutong.light_clients.ibc.transfer import (
    ABI_ENCODING,
    JSON_ENCODING,
    MAX_AMOUNT,
    SUCCESS_ACKNOWLEDGEMENT,
    TRANSFER_PORT,
    TRANSFER_VERSION,
    Denom,
    Hop,
    TransferData,
    decode_transfer,
    encode_transfer,
)
from hutong.light_clients.interface import MalformedInput, UnsupportedOperation, VerificationError
from tests.light_clients.ibc.ibc_strategies import DENOMS, TRANSFERS

DATA = TransferData("uatom", "sender", "receiver", 1_000_000, "memo")
ENCODINGS = (ABI_ENCODING, JSON_ENCODING)
STOCK_COMMITMENTS = {
    JSON_ENCODING: "a096722aa6534040a0efbdae05765132a7b223ad306d6512f3734821bd046505",
    ABI_ENCODING: "d408dca5088b9b375edb3c4df6bae0e18084fc0dbd90fcd0d028506553c81b25",
}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_stock_packet_commitments(encoding):
    payload = Payload(TRANSFER_PORT, TRANSFER_PORT, TRANSFER_VERSION, encoding, encode_transfer(DATA, encoding))
    packet = Packet(1, "client-0", "07-tendermint-1", 100, (payload,))
    assert packet_commitment(packet).hex() == STOCK_COMMITMENTS[encoding]


def test_the_stock_success_acknowledgement():
    commitment = acknowledgement_commitment(Acknowledgement((SUCCESS_ACKNOWLEDGEMENT,)))
    assert commitment.hex() == "8460e21f73b53d779e4b3291cd35338e92fae9998735f1a0b7150c074c0731a6"


@given(TRANSFERS, st.sampled_from(ENCODINGS))
def test_transfers_survive_their_encodings(data, encoding):
    assert decode_transfer(encode_transfer(data, encoding), encoding) == data


def test_json_has_stock_keys_in_stock_order_and_no_empty_memo():
    assert encode_transfer(replace(DATA, memo=""), JSON_ENCODING) == (
        b'{"denom":"uatom","amount":"1000000","sender":"sender","receiver":"receiver"}'
    )
    fields = list(json.loads(encode_transfer(DATA, JSON_ENCODING)))
    assert fields == ["denom", "amount", "sender", "receiver", "memo"]


def test_json_of_another_order_and_spacing_says_the_same_and_is_rewritten_in_stock_form():
    stock = encode_transfer(DATA, JSON_ENCODING)
    other = json.dumps(dict(reversed(list(json.loads(stock).items()))), indent=2).encode()
    assert other != stock
    assert encode_transfer(decode_transfer(other, JSON_ENCODING), JSON_ENCODING) == stock


def test_amount_is_the_fourth_field_of_the_abi_tuple():
    raw = encode(["(string,string,string,uint256,string)"], [("uatom", "sender", "receiver", 1_000_000, "memo")])
    assert decode_transfer(raw, ABI_ENCODING) == DATA
    wrong = encode(["(string,uint256,string,string,string)"], [("uatom", 1_000_000, "sender", "receiver", "memo")])
    with pytest.raises(MalformedInput):
        decode_transfer(wrong, ABI_ENCODING)


@pytest.mark.parametrize("encoding", ["application/x-protobuf", "", "application/JSON", "json"])
def test_another_encoding_is_refused_as_such(encoding):
    for act in (lambda: encode_transfer(DATA, encoding), lambda: decode_transfer(b"{}", encoding)):
        with pytest.raises(UnsupportedOperation, match="transfer packets in"):
            act()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"sender": ""}, "transfer.sender"),
        ({"sender": "x" * 2049}, "transfer.sender"),
        ({"sender": "\ud800"}, "transfer.sender"),
        ({"receiver": " \t"}, "transfer.receiver"),
        ({"receiver": "é" * 1025}, "transfer.receiver"),
        ({"memo": "m" * 32_769}, "transfer.memo"),
        ({"amount": 0}, "transfer.amount"),
        ({"amount": -1}, "transfer.amount"),
        ({"amount": MAX_AMOUNT + 1}, "transfer.amount"),
        ({"denom": ""}, "denom.base"),
    ],
)
def test_fields_out_of_bounds(changes, field):
    with pytest.raises(MalformedInput) as caught:
        replace(DATA, **changes)
    assert caught.value.field == field


def test_fields_at_their_bounds():
    data = TransferData("a" * 128, "s" * 2048, "é" * 1024, MAX_AMOUNT, "\x01" * 32_768)
    for encoding in ENCODINGS:
        assert decode_transfer(encode_transfer(data, encoding), encoding) == data


def json_with(**changed: object) -> bytes:
    fields = {"denom": "uatom", "amount": "1000000", "sender": "sender", "receiver": "receiver", "memo": "memo"}
    return json.dumps(fields | changed).encode()


@pytest.mark.parametrize(
    "amount",
    ["0", "-1", "+1", "1e3", "1E3", "01", "00", " 1", "1 ", "1.0", "1.", ".5", "0x10", "1_000", "", "١", "１", "NaN"]
    + [str(2**256), "9" * 5000],
)
def test_attack_F4_amounts_that_two_sides_read_differently(amount):
    with pytest.raises(MalformedInput) as caught:
        decode_transfer(json_with(amount=amount), JSON_ENCODING)
    assert caught.value.field == "transfer.amount"
    for good in (1, 10**18, 2**256 - 1):
        assert decode_transfer(json_with(amount=str(good)), JSON_ENCODING).amount == good


@pytest.mark.parametrize("amount", [1, 1.0, 1e3, True, None, ["1"], {"a": "1"}, 2**256])
def test_attack_F4_amounts_that_are_not_text(amount):
    with pytest.raises(MalformedInput) as caught:
        decode_transfer(json_with(amount=amount), JSON_ENCODING)
    assert caught.value.field == "transfer.amount"


STOCK = b'{"denom":"uatom","amount":"5","sender":"s","receiver":"r"}'
AMBIGUOUS_JSON = {
    "amount twice": b'{"denom":"uatom","amount":"5","amount":"6","sender":"s","receiver":"r"}',
    "key in capitals": b'{"denom":"uatom","Amount":"5","sender":"s","receiver":"r"}',
    "key twice by letter case": b'{"denom":"uatom","amount":"5","AMOUNT":"6","sender":"s","receiver":"r"}',
    "key with a Kelvin sign": '{"denom":"uatom","amount":"5","sender":"s","receiver":"r","\u212aey":"x"}'.encode(),
    "unknown key": b'{"denom":"uatom","amount":"5","sender":"s","receiver":"r","fee":"1"}',
    "key missing": b'{"denom":"uatom","amount":"5","sender":"s"}',
    "byte order mark": b"\xef\xbb\xbf" + STOCK,
    "UTF-16": STOCK.decode().encode("utf-16"),
    "not UTF-8": STOCK.replace(b'"s"', b'"\xff"'),
    "overlong UTF-8": STOCK.replace(b'"s"', b'"\xc0\xaf"'),
    "UTF-8 surrogate": STOCK.replace(b'"s"', b'"\xed\xa0\x80"'),
    "half a surrogate pair": STOCK.replace(b'"s"', b'"\\ud800"'),
    "half a pair in a key": STOCK.replace(b'"sender"', b'"\\udfffsender"'),
    "raw control character": STOCK.replace(b'"s"', b'"\n"'),
    "something after": STOCK + b"{}",
    "NUL after": STOCK + b"\0",
    "comma after": STOCK[:-1] + b",}",
    "single quotes": STOCK.replace(b'"', b"'"),
    "NaN": STOCK.replace(b'"5"', b"NaN"),
    "Infinity": STOCK.replace(b'"5"', b"Infinity"),
    "digits without end": STOCK.replace(b'"5"', b"9" * 10_000),
    "list": b"[" + STOCK + b"]",
    "null": b"null",
    "memo null": STOCK[:-1] + b',"memo":null}',
    "nested": b'{"denom":' * 70 + b"1" + b"}" * 70,
    "empty": b"",
    "comment": STOCK + b"// x",
}


@pytest.mark.parametrize("name", AMBIGUOUS_JSON)
def test_attack_F4_json_that_two_parsers_read_differently(name):
    assert decode_transfer(STOCK, JSON_ENCODING) == TransferData("uatom", "s", "r", 5)
    with pytest.raises(MalformedInput):
        decode_transfer(AMBIGUOUS_JSON[name], JSON_ENCODING)


def test_json_escapes_that_name_whole_characters_are_read():
    raw = STOCK.replace(b'"s"', rb'"\ud83d\ude00 \u0041"')
    assert decode_transfer(raw, JSON_ENCODING).sender == "\U0001f600 A"


def test_attack_F4_every_changed_bit_of_the_abi_form_is_another_value_or_refused():
    raw = encode_transfer(DATA, ABI_ENCODING)
    for bit in range(8 * len(raw)):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        try:
            other = decode_transfer(bytes(changed), ABI_ENCODING)
        except VerificationError:
            continue
        assert other != DATA
        assert encode_transfer(other, ABI_ENCODING) == bytes(changed)


@given(st.binary(max_size=500), st.sampled_from(ENCODINGS))
def test_attack_F4_any_bytes_give_a_verdict(data, encoding):
    try:
        value = decode_transfer(data, encoding)
    except VerificationError:
        return
    assert decode_transfer(encode_transfer(value, encoding), encoding) == value


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner, max_size=3)
)


@pytest.mark.long
@given(
    st.dictionaries(
        st.sampled_from(["denom", "amount", "sender", "receiver", "memo", "Memo", "x"]), JSON_VALUES, max_size=7
    )
)
def test_attack_F4_any_json_object_gives_a_verdict(fields):
    try:
        value = decode_transfer(json.dumps(fields).encode(), JSON_ENCODING)
    except VerificationError:
        return
    assert value.amount == int(fields["amount"])


@given(DENOMS)
def test_denoms_survive_their_path(denom):
    assert Denom.parse(denom.path) == denom
    voucher = denom.prefixed("transfer", "bft-evm-0")
    assert voucher.is_returning("transfer", "bft-evm-0")
    assert voucher.stripped() == denom


def test_a_token_goes_out_and_home():
    token = Denom.parse("0x" + "ab" * 20)
    assert token.is_native
    on_hub = token.prefixed("transfer", "bft-evm-0")
    on_b = on_hub.prefixed("transfer", "client-0")
    assert on_b.path == f"transfer/client-0/transfer/bft-evm-0/{token}"
    assert on_b.is_returning("transfer", "client-0")
    assert not on_b.is_returning("transfer", "client-1")
    assert not on_b.is_returning("transfers", "client-0")
    assert not on_hub.is_returning("transfer", "client-0")
    assert on_b.stripped().stripped() == token
    with pytest.raises(MalformedInput, match="no hop to strip"):
        token.stripped()


def test_voucher_names_are_those_of_cosmos_chains():
    # SHA-256 of "transfer/channel-141/uosmo"; ATOM's published voucher on Osmosis is that of channel-0.
    atom = Denom.parse("transfer/channel-0/uatom")
    assert atom.hops == (Hop("transfer", "channel-0"),)
    assert atom.local_name == "ibc/27394FB092D2ECCD56123C74F36E4C1F926001CEADA9CA97EA622B25F41E5EB2"
    assert Denom.parse("uatom").local_name == "uatom"


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/uatom",
        "uatom/",
        "transfer/client-0/",
        "transfer//uatom",
        "//uatom",
        "transfer/uatom",
        "transfer/client-0",
        "client-0/uatom",
        "factory/osmo1abc/sub",
        "a/b/c/uatom",
        "ibc/27394FB092D2ECCD56123C74F36E4C1F926001CEADA9CA97EA622B25F41E5EB2",
        "transfer/client-0/ibc/27394FB092D2ECCD56123C74F36E4C1F926001CEADA9CA97EA622B25F41E5EB2",
        "transfer/client-x/uatom",
        "transfer/client-0/u\u0430tom",
        "uatоm",
        "u atom",
        "uatom\0",
        "uatom\n",
        "-atom",
        "a" * 129,
        "u" * 10_240,
        "/".join(["transfer/client-0"] * 17 + ["uatom"]),
        "/".join(["transfer/client-0"] * 5_000 + ["uatom"]),
        " uatom",
    ],
)
def test_attack_F3_denoms_that_are_invalid(path):
    with pytest.raises(MalformedInput) as caught:
        Denom.parse(path)
    assert caught.value.field.startswith("denom")
    for good in ("uatom", "0x" + "00" * 20, "cw20:abc", "transfer/client-0/transfer/07-tendermint-3/u.a_t-om"):
        assert Denom.parse(good).path == good


@given(st.text(max_size=80))
def test_attack_F3_any_text_is_one_denom_or_none(path):
    try:
        denom = Denom.parse(path)
    except MalformedInput:
        return
    assert denom.path == path
