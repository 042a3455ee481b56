"""Stock ibc-go and our codec on the same token packet values: never laxer, equal values, stricter only by written rules."""

import base64
import json
import re
from collections import Counter
from dataclasses import replace

import pytest
from eth_abi.abi import encode

from hutong.light_clients.ibc.transfer import (
    ABI_ENCODING,
    JSON_ENCODING,
    MAX_AMOUNT,
    Denom,
    TransferData,
    decode_transfer,
    encode_transfer,
)
from hutong.light_clients.interface import VerificationError
from tests.oracle.case import Case
from tests.oracle.judges import build_stock, stock_verdicts

pytestmark = pytest.mark.nodes

DATA = TransferData("uatom", "sender", "receiver", 1_000_000, "memo")
ENCODINGS = (ABI_ENCODING, JSON_ENCODING)

DENOMS = {
    "native": "uatom",
    "erc-20": "0x" + "ab" * 20,
    "one hop": "transfer/channel-0/uatom",
    "two hops": "transfer/client-0/transfer/07-tendermint-12/0x" + "ab" * 20,
    "punctuation": "cw20:a.b_c-d",
}
ODD_DENOMS = {
    "empty": "",
    "blank": "  ",
    "slash": "/",
    "no base": "transfer/client-0",
    "no base, slash": "transfer/client-0/",
    "empty hop": "transfer//uatom",
    "half a hop": "transfer/uatom",
    "slash in base": "factory/creator/sub",
    "voucher's name": "ibc/27394FB092D2ECCD56123C74F36E4C1F926001CEADA9CA97EA622B25F41E5EB2",
    "look-alike": "u\u0430tom",
    "space": "u atom",
    "NUL": "uatom\0",
    "10 kB": "u" * 10_240,
    "17 hops": "/".join(["transfer/client-0"] * 17 + ["uatom"]),
}
ODD_AMOUNTS = ["", "0", "-1", "+1", "1e3", "01", "010", "0x10", "0b11", "0o7", "1_000", " 1", "1 ", "1.0", "\u0661"]
ODD_AMOUNTS += [str(MAX_AMOUNT + 1), "9" * 200]

STRICTER = (
    (r"^json: (unknown key|key in capitals|amount twice|memo null|half a surrogate|not UTF-8|something after)", "P5"),
    (
        r"^(json|abi): denom (space|look-alike|NUL|10 kB|17 hops|slash in base|half a hop|empty hop|no base|voucher|slash)",
        "P6",
    ),
    (r"^json: amount '(\+1|01|010|0x10|0b11|0o7|1_000)'$", "P7"),
    (r"^(json|abi): (sender|receiver) of 2049", "P8"),
    (r"^abi: (bit|bytes after|dirty)", "P2"),
    (r"^protobuf", "P9"),
)


def transfer_case(name: str, encoding: str, value: bytes) -> Case:
    family = {ABI_ENCODING: "abi", JSON_ENCODING: "json"}.get(encoding, "protobuf")
    return Case(family, name, "transfer", 0, b"", (), message=value, path=(encoding.encode(),))


def json_value(**changed: object) -> bytes:
    fields = {"denom": "uatom", "amount": "1000000", "sender": "sender", "receiver": "receiver", "memo": "memo"}
    return json.dumps(fields | changed, ensure_ascii=False).encode()


def abi_value(denom: str = "uatom", sender: str = "sender", receiver: str = "receiver", amount: int = 5) -> bytes:
    return encode(["(string,string,string,uint256,string)"], [(denom, sender, receiver, amount, "memo")])


def honest_cases() -> list[Case]:
    values = [replace(DATA, denom=denom) for denom in DENOMS.values()]
    values += [replace(DATA, amount=amount) for amount in (1, 10**18, MAX_AMOUNT)]
    values += [replace(DATA, memo=""), replace(DATA, memo="m" * 32_768), replace(DATA, receiver="r" * 2_048)]
    values += [
        replace(DATA, memo='{"forward":{"receiver":"<&>\u2028\U0001f600\\"}}'),
        replace(DATA, sender="\x01\x7f\xa0x"),
    ]
    return [
        transfer_case(f"value {number}", encoding, encode_transfer(value, encoding))
        for number, value in enumerate(values)
        for encoding in ENCODINGS
    ]


def odd_cases() -> list[Case]:
    stock = json_value()
    as_json = {
        "unknown key": json_value(fee="1"),
        "key in capitals": stock.replace(b'"amount"', b'"Amount"'),
        "amount twice": stock.replace(b'{"denom"', b'{"amount":"7","denom"'),
        "memo null": json_value(memo=None),
        "memo number": json_value(memo=1),
        "amount number": json_value(amount=1),
        "amount missing": stock.replace(b'"amount"', b'"mount"'),
        "half a surrogate pair": stock.replace(b'"memo": "memo"', b'"memo": "\\ud800"'),
        "not UTF-8": stock.replace(b'"memo": "memo"', b'"memo": "\xff"'),
        "byte order mark": b"\xef\xbb\xbf" + stock,
        "something after": stock + b" {}",
        "spaces after": stock + b" \n",
        "list": b"[" + stock + b"]",
        "empty": b"",
        "null": b"null",
        "sender empty": json_value(sender=""),
        "receiver blank": json_value(receiver=" \t"),
        "receiver of 2049 bytes": json_value(receiver="r" * 2_049),
        "sender of 2049 bytes": json_value(sender="s" * 2_049),
        "memo of 32769 bytes": json_value(memo="m" * 32_769),
    }
    as_abi = {
        "sender of 2049 bytes": abi_value(sender="s" * 2_049),
        "receiver of 2049 bytes": abi_value(receiver="r" * 2_049),
        "receiver empty": abi_value(receiver=""),
        "amount zero": abi_value(amount=0),
        "bytes after": abi_value() + bytes(32),
        "cut": abi_value()[:-32],
        "empty": b"",
    }
    cases = [transfer_case(name, JSON_ENCODING, value) for name, value in as_json.items()]
    cases += [transfer_case(name, ABI_ENCODING, value) for name, value in as_abi.items()]
    cases += [transfer_case(f"amount {amount!r}", JSON_ENCODING, json_value(amount=amount)) for amount in ODD_AMOUNTS]
    for name, denom in ODD_DENOMS.items():
        cases.append(transfer_case(f"denom {name}", JSON_ENCODING, json_value(denom=denom)))
        cases.append(transfer_case(f"denom {name}", ABI_ENCODING, abi_value(denom=denom)))
    raw = encode_transfer(DATA, ABI_ENCODING)
    for bit in range(0, 8 * len(raw), 7):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        cases.append(transfer_case(f"bit {bit}", ABI_ENCODING, bytes(changed)))
    protobuf = b"\x0a\x05uatom\x12\x011\x1a\x06sender\x22\x08receiver"
    cases.append(transfer_case("value", "application/x-protobuf", protobuf))
    return cases


def ours(case: Case) -> tuple[str, list[object]]:
    try:
        data = decode_transfer(case.message, case.path[0].decode())
    except VerificationError:
        return "invalid", []
    denom = Denom.parse(data.denom)
    digest = base64.b64encode(denom.digest).decode()
    return "valid", [denom.path, len(denom.hops), digest, str(data.amount), data.sender, data.receiver, data.memo]


def test_attack_F4_stock_code_and_ours_read_the_same_values_or_we_refuse_by_a_written_rule(capsys):
    build_stock()
    honest = honest_cases()
    cases = honest + odd_cases()
    wrong: list[str] = []
    counts: Counter[str] = Counter()
    for case, judged in zip(cases, stock_verdicts(cases), strict=True):
        verdict, values = ours(case)
        stock = "invalid" if judged["verdict"] == "panic" else judged["verdict"]
        rule = next((rule for pattern, rule in STRICTER if re.search(pattern, case.id)), None)
        if verdict == stock == "valid":
            counts["both valid"] += 1
            if json.loads(bytes.fromhex(judged["value"])) != values:
                wrong.append(f"{case.id}: other values: {bytes.fromhex(judged['value'])[:200]!r}")
        elif verdict == stock:
            counts["both invalid"] += 1
        elif verdict == "valid":
            wrong.append(f"{case.id}: laxer than stock ({judged.get('error', '')[:120]})")
        elif rule is None:
            wrong.append(f"{case.id}: stricter without a rule")
        else:
            counts[f"stricter by {rule}"] += 1
        if case in honest and (verdict, stock) != ("valid", "valid"):
            wrong.append(f"{case.id}: an honest value is {verdict} here, {stock} there")
    with capsys.disabled():
        print(f"\noracle, token packets: {len(cases)} cases, {dict(counts)}")
    assert not wrong, "\n".join(wrong)
