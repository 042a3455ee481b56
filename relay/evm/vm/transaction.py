"""Signed Ethereum transactions: legacy (EIP-155), access-list (EIP-2930) and dynamic-fee (EIP-1559).

Blob (type 3) and set-code (type 4) transactions are refused: no chain here has blobs, and delegated accounts would let
an address with code send.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, NoReturn, TypeAlias

import coincurve
import rlp
from eth_hash.auto import keccak
from rlp.codec import consume_length_prefix

from hutong.relay.evm.errors import InvalidReason, InvalidTransaction

MAX_TRANSACTION_BYTES = 128 * 1024
"""The pool limit of common nodes (geth's txMaxSize)."""

SECP256K1_N = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
MAX_UINT64 = 2**64 - 1
MAX_UINT256 = 2**256 - 1

ACCESS_LIST_TYPE = 1
DYNAMIC_FEE_TYPE = 2

AccessList: TypeAlias = tuple[tuple[bytes, tuple[int, ...]], ...]


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """A decoded transaction with its recovered sender. `to` is None for contract creation.

    For types 0 and 1 both fee fields equal `gasPrice`. `v` is as encoded: 35 + 2 * chain id + parity for
    type 0, else the parity.
    """

    raw: bytes
    hash: bytes
    sender: bytes
    type: int
    chain_id: int
    nonce: int
    gas_limit: int
    max_fee_per_gas_wei: int
    max_priority_fee_per_gas_wei: int
    to: bytes | None
    value_wei: int
    data: bytes
    access_list: AccessList
    v: int
    r: int
    s: int

    def effective_gas_price_wei(self, base_fee_wei: int) -> int:
        """What each unit of gas costs in a block of this base fee (EIP-1559): tip included, at most the fee cap.

        Below the base fee where the cap is: then the transaction cannot be in that block.
        """
        return min(self.max_fee_per_gas_wei, base_fee_wei + self.max_priority_fee_per_gas_wei)

    def tip_wei(self, base_fee_wei: int) -> int:
        """What is left for a proposer of each unit of gas; below zero where it does not offer the base fee."""
        return self.effective_gas_price_wei(base_fee_wei) - base_fee_wei

    @property
    def most_cost_wei(self) -> int:
        """What the sender must hold, value included: the whole gas limit at the fee cap."""
        return self.gas_limit * self.max_fee_per_gas_wei + self.value_wei


def decode_transaction(raw: bytes, chain_id: int) -> SignedTransaction:
    """Decode the one canonical encoding and recover the sender.

    Unprotected legacy signatures (v 27 or 28) are refused as a wrong chain id: they replay on every chain.

    Args:
        raw: as `eth_sendRawTransaction` takes it: RLP, or the type's byte and RLP (EIP-2718).
        chain_id: the one that the transaction must state.

    Raises:
        InvalidTransaction: TOO_LARGE, MALFORMED, UNSUPPORTED_TYPE, WRONG_CHAIN_ID, NONCE_LIMIT, TIP_ABOVE_FEE_CAP or
            BAD_SIGNATURE (high `s` included, EIP-2), and nothing else.
    """
    if len(raw) > MAX_TRANSACTION_BYTES:
        raise InvalidTransaction(InvalidReason.TOO_LARGE, "raw transaction", len(raw), MAX_TRANSACTION_BYTES)
    if not raw:
        _malformed("empty")
    if raw[0] >= 0xC0:
        return _decode_legacy(raw, chain_id)
    if raw[0] in (ACCESS_LIST_TYPE, DYNAMIC_FEE_TYPE):
        return _decode_typed(raw, chain_id)
    raise InvalidTransaction(InvalidReason.UNSUPPORTED_TYPE, "transaction type", raw[0], "0, 1 or 2")


def _decode_legacy(raw: bytes, chain_id: int) -> SignedTransaction:
    fields = _split_list(raw, "transaction")
    if len(fields) != 9:
        _malformed("a legacy transaction has 9 fields", len(fields))
    nonce_raw, gas_price_raw, gas_raw, to_raw, value_raw, data_raw, v_raw, r_raw, s_raw = fields
    v = _integer(v_raw, "v", MAX_UINT256)
    if v < 35:
        if v in (27, 28):
            raise InvalidTransaction(
                InvalidReason.WRONG_CHAIN_ID, "only replay-protected (EIP-155) transactions are taken", v
            )
        _malformed("v is neither 27, 28 nor EIP-155", v)
    signed_chain_id, parity = divmod(v - 35, 2)
    gas_price_wei = _integer(gas_price_raw, "gasPrice", MAX_UINT256)
    signing_payload = rlp.encode(
        [_string(item, "field") for item in fields[:6]] + [_big_endian(signed_chain_id), b"", b""],
        infer_serializer=False,
    )
    fields_of_all = _RawFields(nonce_raw, gas_raw, to_raw, value_raw, data_raw, r_raw, s_raw)
    fees_wei = (gas_price_wei, gas_price_wei)
    return _build(raw, chain_id, fields_of_all, _OfType(0, signed_chain_id, fees_wei, (), v, parity, signing_payload))


def _decode_typed(raw: bytes, chain_id: int) -> SignedTransaction:
    type_ = raw[0]
    fields = _split_list(raw[1:], "transaction")
    expected = 11 if type_ == ACCESS_LIST_TYPE else 12
    if len(fields) != expected:
        _malformed(f"a type {type_} transaction has {expected} fields", len(fields))
    signed_chain_id = _integer(fields[0], "chainId", MAX_UINT64)
    if type_ == ACCESS_LIST_TYPE:
        gas_price_wei = _integer(fields[2], "gasPrice", MAX_UINT256)
        fees_wei = (gas_price_wei, gas_price_wei)
        rest = fields[3:]
    else:
        fees_wei = (
            _integer(fields[3], "maxFeePerGas", MAX_UINT256),
            _integer(fields[2], "maxPriorityFeePerGas", MAX_UINT256),
        )
        rest = fields[4:]
    gas_raw, to_raw, value_raw, data_raw, access_list_raw, parity_raw, r_raw, s_raw = rest
    parity = _integer(parity_raw, "yParity", 1)
    unsigned = b"".join(fields[: expected - 3])
    access_list = _access_list(access_list_raw)
    signing_payload = bytes([type_]) + rlp.codec.length_prefix(len(unsigned), 0xC0) + unsigned
    return _build(
        raw,
        chain_id,
        _RawFields(fields[1], gas_raw, to_raw, value_raw, data_raw, r_raw, s_raw),
        _OfType(type_, signed_chain_id, fees_wei, access_list, parity, parity, signing_payload),
    )


class _RawFields(NamedTuple):
    """What every type has, each item with its RLP header."""

    nonce: bytes
    gas: bytes
    to: bytes
    value: bytes
    data: bytes
    r: bytes
    s: bytes


class _OfType(NamedTuple):
    """What the types have each in their own way, decoded."""

    type: int
    chain_id: int
    fees_wei: tuple[int, int]
    """Fee cap and tip."""
    access_list: AccessList
    v: int
    parity: int
    signing_payload: bytes


def _build(raw: bytes, chain_id: int, fields: _RawFields, own: _OfType) -> SignedTransaction:
    if own.chain_id != chain_id:
        raise InvalidTransaction(InvalidReason.WRONG_CHAIN_ID, "", own.chain_id, chain_id)
    nonce = _integer(fields.nonce, "nonce", MAX_UINT64)
    if nonce == MAX_UINT64:
        raise InvalidTransaction(InvalidReason.NONCE_LIMIT, "EIP-2681", nonce)
    to = _string(fields.to, "to")
    if len(to) not in (0, 20):
        _malformed("`to` is empty or 20 bytes", len(to))
    gas_limit = _integer(fields.gas, "gas", MAX_UINT64)
    value_wei = _integer(fields.value, "value", MAX_UINT256)
    data = _string(fields.data, "data")
    max_fee_per_gas_wei, max_priority_fee_per_gas_wei = own.fees_wei
    if max_priority_fee_per_gas_wei > max_fee_per_gas_wei:
        raise InvalidTransaction(InvalidReason.TIP_ABOVE_FEE_CAP, "", max_priority_fee_per_gas_wei, max_fee_per_gas_wei)
    r = _integer(fields.r, "r", MAX_UINT256)
    s = _integer(fields.s, "s", MAX_UINT256)
    return SignedTransaction(
        raw=raw,
        hash=keccak(raw),
        sender=_recover(keccak(own.signing_payload), own.parity, r, s),
        type=own.type,
        chain_id=chain_id,
        nonce=nonce,
        gas_limit=gas_limit,
        max_fee_per_gas_wei=max_fee_per_gas_wei,
        max_priority_fee_per_gas_wei=max_priority_fee_per_gas_wei,
        to=to or None,
        value_wei=value_wei,
        data=data,
        access_list=own.access_list,
        v=own.v,
        r=r,
        s=s,
    )


def _recover(message_hash: bytes, parity: int, r: int, s: int) -> bytes:
    if not 0 < r < SECP256K1_N:
        raise InvalidTransaction(InvalidReason.BAD_SIGNATURE, "r out of range", r)
    # EIP-2: the other half of the range is the same signature again, under another transaction hash.
    if not 0 < s <= SECP256K1_N // 2:
        raise InvalidTransaction(InvalidReason.BAD_SIGNATURE, "s out of the lower range", s)
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([parity])
    try:
        key = coincurve.PublicKey.from_signature_and_message(signature, message_hash, hasher=None)
    except ValueError as error:
        raise InvalidTransaction(InvalidReason.BAD_SIGNATURE, "no public key recovers") from error
    return bytes(keccak(key.format(compressed=False)[1:])[12:])


def _access_list(encoded: bytes) -> AccessList:
    entries: list[tuple[bytes, tuple[int, ...]]] = []
    for entry in _split_list(encoded, "accessList"):
        parts = _split_list(entry, "accessList entry")
        if len(parts) != 2:
            _malformed("an access list entry has 2 fields", len(parts))
        address = _string(parts[0], "accessList address")
        if len(address) != 20:
            _malformed("an access list address has 20 bytes", len(address))
        slots = []
        for slot_raw in _split_list(parts[1], "accessList slots"):
            slot = _string(slot_raw, "accessList slot")
            if len(slot) != 32:
                _malformed("an access list slot has 32 bytes", len(slot))
            slots.append(int.from_bytes(slot, "big"))
        entries.append((address, tuple(slots)))
    return tuple(entries)


def _split_list(encoded: bytes, what: str) -> list[bytes]:
    """The encodings of a list's items, one level deep: rlp.decode recurses as deep as the sender likes."""
    kind, start, end = _item(encoded, 0, what)
    if kind is not list or end != len(encoded):
        _malformed(f"{what} is not one list")
    items = []
    while start < end:
        _, _, item_end = _item(encoded, start, what)
        items.append(encoded[start:item_end])
        start = item_end
    if start != end:
        _malformed(f"an item of {what} is longer than its list")
    return items


def _item(encoded: bytes, start: int, what: str) -> tuple[type, int, int]:
    try:
        _, kind, length, payload_start = consume_length_prefix(encoded, start)
    except (rlp.DecodingError, IndexError) as error:
        raise InvalidTransaction(InvalidReason.MALFORMED, f"{what}: not canonical RLP") from error
    if payload_start + length > len(encoded):
        _malformed(f"{what}: RLP item is cut short")
    return kind, payload_start, payload_start + length


def _string(encoded: bytes, what: str) -> bytes:
    kind, start, end = _item(encoded, 0, what)
    if kind is not bytes or end != len(encoded):
        _malformed(f"{what} is not a byte string")
    return encoded[start:end]


def _integer(encoded: bytes, what: str, maximum: int) -> int:
    content = _string(encoded, what)
    if content[:1] == b"\x00":
        _malformed(f"{what} has leading zeros")
    if len(content) > 32:
        _malformed(f"{what} is longer than 32 bytes")
    value = int.from_bytes(content, "big")
    if value > maximum:
        raise InvalidTransaction(InvalidReason.MALFORMED, f"{what} out of range", value, maximum)
    return value


def _big_endian(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def _malformed(detail: str, got: int | None = None) -> NoReturn:
    raise InvalidTransaction(InvalidReason.MALFORMED, detail, got)


@lru_cache(maxsize=512)
def decode_cached(raw: bytes, chain_id: int) -> SignedTransaction:
    """As `decode_transaction`; the sender is recovered once for all steps that a transaction goes through.

    It is decoded when it is checked, proposed, judged, executed and forgotten. 512 transactions of 128 KiB bound the
    memory, and are more than blocks of usual ones hold between two of these steps.

    Raises:
        InvalidTransaction: as `decode_transaction`; refusals are not remembered.
    """
    return decode_transaction(raw, chain_id)
