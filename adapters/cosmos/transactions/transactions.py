"""Transactions of the Cosmos SDK with direct signing, by one secp256k1 key (docs/spec/cosmos-transactions.md)."""

from collections.abc import Sequence
from dataclasses import dataclass

from google.protobuf.any_pb2 import Any as ProtobufAny

from hutong.adapters.cosmos.transactions.fees import Coin
from hutong.adapters.cosmos.transactions.messages import SdkMessage
from hutong.light_clients.crypto.hashes import sha256
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.protobuf import cosmos_tx_pb2
from hutong.light_clients.protobuf.canonical import parse_canonical

PUBLIC_KEY_URL = "/cosmos.crypto.secp256k1.PubKey"
SIGN_MODE_DIRECT = 1
MAX_TRANSACTION_BYTES = 1 << 20
MAX_MESSAGES = 1_000
MAX_MEMO_CHARS = 256
"""The SDK's default for transactions; memos of packets are another thing."""
ENVELOPE_BYTES = 512
"""More than everything around the messages takes: key, fee, gas, signature, field heads."""
UNKNOWN_PUBLIC_KEY = bytes.fromhex("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")
"""The curve's generator stands where a simulation needs a key and nobody signs."""
UNKNOWN_SIGNATURE = bytes(64)


@dataclass(frozen=True, slots=True)
class SignedContent:
    """What a raw transaction says."""

    messages: tuple[SdkMessage, ...]
    memo: str
    public_key: bytes
    sequence: int
    gas: int
    fee: tuple[Coin, ...]
    signature: bytes


def encode_body(messages: Sequence[SdkMessage], memo: str = "") -> bytes:
    """TxBody: what is to be done, in the order of `messages`."""
    body = cosmos_tx_pb2.TxBody(messages=[message.to_any() for message in messages], memo=memo)
    return body.SerializeToString(deterministic=True)


def encode_auth_info(public_key: bytes | None, sequence: int, gas: int, fee: Coin) -> bytes:
    """AuthInfo: who signs, and what is paid.

    Args:
        public_key: compressed secp256k1; None leaves the place for the signer to fill.
        sequence: of the account, counted from 0.
        fee: an amount of 0 is written as no coins.
    """
    key = None
    if public_key is not None:
        value = cosmos_tx_pb2.Secp256k1PublicKey(key=public_key).SerializeToString(deterministic=True)
        key = ProtobufAny(type_url=PUBLIC_KEY_URL, value=value)
    signer = cosmos_tx_pb2.SignerInfo(
        public_key=key,
        mode_info=cosmos_tx_pb2.ModeInfo(single=cosmos_tx_pb2.ModeInfoSingle(mode=SIGN_MODE_DIRECT)),
        sequence=sequence,
    )
    coins = [cosmos_tx_pb2.Coin(denom=fee.denom, amount=str(fee.amount))] if fee.amount else []
    auth_info = cosmos_tx_pb2.AuthInfo(signer_infos=[signer], fee=cosmos_tx_pb2.Fee(amount=coins, gas_limit=gas))
    return auth_info.SerializeToString(deterministic=True)


def encode_sign_document(body: bytes, auth_info: bytes, chain_id: str, account_number: int) -> bytes:
    """The SignDoc, whose SHA-256 is signed (SIGN_MODE_DIRECT). It binds body, fee, chain and account.

    Args:
        body, auth_info: as `encode_body` and `encode_auth_info` give them.
        account_number: of the signing account, given by the chain and never changed.
    """
    document = cosmos_tx_pb2.SignDoc(
        body_bytes=body, auth_info_bytes=auth_info, chain_id=chain_id, account_number=account_number
    )
    return document.SerializeToString(deterministic=True)


def encode_raw(body: bytes, auth_info: bytes, signature: bytes) -> bytes:
    """TxRaw: what is broadcast. Whether the signature fits is not checked here."""
    raw = cosmos_tx_pb2.TxRaw(body_bytes=body, auth_info_bytes=auth_info, signatures=[signature])
    return raw.SerializeToString(deterministic=True)


def transaction_hash(raw: bytes) -> bytes:
    """CometBFT's: the SHA-256 of the bytes that are broadcast."""
    return sha256(raw)


def decode_raw(raw: bytes) -> SignedContent:
    """What the bytes of a TxRaw say. That the signature is valid is not checked.

    Raises:
        MalformedInput: not the canonical encoding, more than MAX_TRANSACTION_BYTES or MAX_MESSAGES, several signers, or
            one that does not sign directly with a secp256k1 key.
    """
    parsed = parse_canonical(cosmos_tx_pb2.TxRaw, raw, "transaction", MAX_TRANSACTION_BYTES)
    body = parse_canonical(cosmos_tx_pb2.TxBody, parsed.body_bytes, "transaction.body", MAX_TRANSACTION_BYTES)
    auth_info = parse_canonical(
        cosmos_tx_pb2.AuthInfo, parsed.auth_info_bytes, "transaction.auth_info", MAX_TRANSACTION_BYTES
    )
    if len(auth_info.signer_infos) != 1 or len(parsed.signatures) != 1:
        raise MalformedInput("transaction.signer_infos", "is not of one signer", got=len(auth_info.signer_infos))
    if len(body.messages) > MAX_MESSAGES:
        raise MalformedInput("transaction.body.messages", f"more than {MAX_MESSAGES}", got=len(body.messages))
    (signer,) = auth_info.signer_infos
    if signer.public_key.type_url != PUBLIC_KEY_URL or signer.mode_info.single.mode != SIGN_MODE_DIRECT:
        raise MalformedInput("transaction.signer_infos[0]", "is not a secp256k1 key that signs directly")
    key = parse_canonical(
        cosmos_tx_pb2.Secp256k1PublicKey, signer.public_key.value, "transaction.signer_infos[0].public_key", 64
    )
    return SignedContent(
        messages=tuple(SdkMessage(message.type_url, message.value) for message in body.messages),
        memo=body.memo,
        public_key=key.key,
        sequence=signer.sequence,
        gas=auth_info.fee.gas_limit,
        fee=tuple(Coin(_amount(coin.amount), coin.denom) for coin in auth_info.fee.amount),
        signature=parsed.signatures[0],
    )


def _amount(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 78) or (text[0] == "0" and text != "0"):
        raise MalformedInput("transaction.fee.amount", "is not a decimal number", got=text)
    return int(text)
