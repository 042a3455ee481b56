"""Signed transactions for tests, from fixed keys."""

from eth_account import Account
from eth_utils import to_checksum_address

from hutong.relay.evm.vm.transaction import decode_transaction

CHAIN_ID = 1337
KEY = Account.from_key(b"\x11" * 32)
OTHER_KEY = Account.from_key(b"\x22" * 32)
FUNDED = bytes.fromhex(KEY.address[2:])


def raw_transaction(key=KEY, **fields) -> bytes:
    fields = {"chainId": CHAIN_ID, "nonce": 0, "gas": 100_000, "value": 0, "data": b"", **fields}
    if "maxFeePerGas" not in fields:
        fields.setdefault("gasPrice", 0)
    if isinstance(fields.get("to"), bytes):
        fields["to"] = to_checksum_address(fields["to"])
    if fields.get("to") is None:
        fields.pop("to", None)
    return bytes(key.sign_transaction(fields).raw_transaction)


def signed(key=KEY, **fields):
    return decode_transaction(raw_transaction(key, **fields), CHAIN_ID)
