"""A transaction of an EVM chain, legacy with EIP-155 or EIP-1559, before it is signed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import rlp

from hutong.light_clients.crypto.hashes import keccak256
from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.proofs.mpt.rlp import RlpItem, decode_rlp, decode_uint
from hutong.relay.keys.documents.document import DocumentKind, Hashing
from hutong.relay.keys.errors import ForeignDocument

MAX_TRANSACTION_BYTES = 1024 * 1024
_DYNAMIC_FEE_TYPE = b"\x02"
_LEGACY_FIELDS, _DYNAMIC_FIELDS = 9, 9
_EIP155_OFFSET = 35
_KNOWN = {
    "chainId", "nonce", "gas", "to", "value", "data", "gasPrice", "type", "maxFeePerGas", "maxPriorityFeePerGas", "accessList",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class EvmTransaction:
    """With `gas_price_wei` it is a legacy transaction, and the two fees of EIP-1559 are None.

    `to` is 20 bytes, None creates a contract. Amounts are in wei. There is no access list: none of ours has one.
    """

    chain_id: int
    nonce: int
    gas: int
    to: bytes | None
    value_wei: int
    data: bytes
    gas_price_wei: int | None = None
    max_fee_per_gas_wei: int | None = None
    max_priority_fee_per_gas_wei: int | None = None

    kind = DocumentKind.EVM_TRANSACTION
    hashing = Hashing.KECCAK256

    def __post_init__(self) -> None:
        """Raises ForeignDocument for fees of neither type or of both, no chain, or numbers out of range."""
        dynamic = (self.max_fee_per_gas_wei, self.max_priority_fee_per_gas_wei)
        if (self.gas_price_wei is None) != (None not in dynamic) or (self.gas_price_wei is None) != any(
            fee is not None for fee in dynamic
        ):
            raise ForeignDocument("the transaction has neither a gas price nor both fees of EIP-1559, or has both")
        if self.chain_id < 1:
            raise ForeignDocument("the transaction names no chain, so it would be good on all of them")
        if self.to is not None and len(self.to) != 20:
            raise ForeignDocument("the transaction's recipient is not 20 bytes")
        numbers = (self.chain_id, self.nonce, self.gas, self.value_wei, self.gas_price_wei or 0)
        if not all(0 <= number < 2**256 for number in (*numbers, *(fee or 0 for fee in dynamic))):
            raise ForeignDocument("a number of the transaction is out of range")

    @property
    def preimage(self) -> bytes:
        """As EIP-155 and EIP-1559 have it signed."""
        if self.gas_price_wei is not None:
            return bytes(rlp.encode([*self._legacy_fields, self.chain_id, 0, 0]))
        return _DYNAMIC_FEE_TYPE + bytes(rlp.encode(self._dynamic_fields))

    @property
    def digest(self) -> bytes:
        """Keccak-256 of `preimage`."""
        return keccak256(self.preimage)

    @property
    def selector(self) -> bytes | None:
        """The first 4 bytes of a call's data; None of a creation, or where there are fewer."""
        return self.data[:4] if self.to is not None and len(self.data) >= 4 else None

    @property
    def most_wei(self) -> int:
        """The most that it can cost: its value, and its gas at the highest price that it offers."""
        per_gas_wei = self.gas_price_wei if self.gas_price_wei is not None else self.max_fee_per_gas_wei
        return self.value_wei + self.gas * (per_gas_wei or 0)

    @property
    def summary(self) -> str:
        """See `SigningDocument`."""
        to = "a new contract" if self.to is None else f"0x{self.to.hex()}"
        called = "" if self.selector is None else f" 0x{self.selector.hex()}"
        return f"{self.kind} on {self.chain_id} nonce {self.nonce} to {to}{called}, at most {self.most_wei} wei"

    def signed(self, signature: bytes) -> bytes:
        """The raw transaction.

        Args:
            signature: 65 bytes r ‖ s ‖ v, v 0 or 1; that it is the account's is not checked here.
        """
        r, s, v = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big"), signature[64]
        if self.gas_price_wei is not None:
            return bytes(rlp.encode([*self._legacy_fields, _EIP155_OFFSET + 2 * self.chain_id + v, r, s]))
        return _DYNAMIC_FEE_TYPE + bytes(rlp.encode([*self._dynamic_fields, v, r, s]))

    @property
    def _legacy_fields(self) -> list[Any]:
        return [self.nonce, self.gas_price_wei, self.gas, self.to or b"", self.value_wei, self.data]

    @property
    def _dynamic_fields(self) -> list[Any]:
        fees = [self.max_priority_fee_per_gas_wei, self.max_fee_per_gas_wei]
        return [self.chain_id, self.nonce, *fees, self.gas, self.to or b"", self.value_wei, self.data, []]


def transaction_of_fields(fields: Mapping[str, Any]) -> EvmTransaction:
    """The transaction of fields as eth-account names them.

    Raises:
        ForeignDocument: a field is missing, unknown or of another type, or there is an access list.
    """
    unknown = fields.keys() - _KNOWN
    if unknown or fields.get("accessList") or fields.get("type", 2) not in (0, 2, "0x0", "0x2"):
        raise ForeignDocument(
            f"the transaction has fields that are not signed here ({', '.join(sorted(unknown)) or 'type'})"
        )
    try:
        to = fields.get("to") or None
        return EvmTransaction(
            chain_id=int(fields["chainId"]),
            nonce=int(fields["nonce"]),
            gas=int(fields["gas"]),
            to=to if isinstance(to, bytes | None) else bytes.fromhex(to.removeprefix("0x")),
            value_wei=int(fields.get("value", 0)),
            data=_bytes(fields.get("data", b"")),
            gas_price_wei=fields.get("gasPrice"),
            max_fee_per_gas_wei=fields.get("maxFeePerGas"),
            max_priority_fee_per_gas_wei=fields.get("maxPriorityFeePerGas"),
        )
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, ForeignDocument):
            raise
        raise ForeignDocument(f"the transaction has no usable fields ({type(error).__name__})") from None


def parse_transaction(preimage: bytes) -> EvmTransaction:
    """The transaction whose `preimage` this is, to the last byte: anything else of it would be signed unseen.

    Raises:
        ForeignDocument: it is not one, or of a type that is not signed here.
    """
    if len(preimage) > MAX_TRANSACTION_BYTES:
        raise ForeignDocument(f"the transaction has more than {MAX_TRANSACTION_BYTES} bytes")
    try:
        if preimage[:1] == _DYNAMIC_FEE_TYPE:
            found = _dynamic(_fields(preimage[1:], _DYNAMIC_FIELDS))
        else:
            found = _legacy(_fields(preimage, _LEGACY_FIELDS))
    except MalformedInput as error:
        raise ForeignDocument(
            f"it is not a transaction of a type that is signed here ({error.field} {error.reason})"
        ) from None
    if found.preimage != preimage:
        raise ForeignDocument("the transaction is not in canonical encoding")
    return found


def _fields(data: bytes, count: int) -> tuple[RlpItem, ...]:
    item = decode_rlp(data, "transaction", MAX_TRANSACTION_BYTES)
    if isinstance(item, bytes) or len(item) != count:
        raise MalformedInput("transaction", f"is not a list of {count}")
    return tuple(item)


def _legacy(fields: tuple[RlpItem, ...]) -> EvmTransaction:
    nonce, price, gas, to, value, data, chain_id, *zeros = fields
    if any(zero != b"" for zero in zeros):
        raise MalformedInput("transaction", "is not to be signed by EIP-155")
    return EvmTransaction(
        chain_id=decode_uint(chain_id, "chain id"),
        nonce=decode_uint(nonce, "nonce"),
        gas=decode_uint(gas, "gas"),
        to=_recipient(to),
        value_wei=decode_uint(value, "value"),
        data=_string(data, "data"),
        gas_price_wei=decode_uint(price, "gas price"),
    )


def _dynamic(fields: tuple[RlpItem, ...]) -> EvmTransaction:
    chain_id, nonce, priority, most, gas, to, value, data, access = fields
    if isinstance(access, bytes) or access:
        raise MalformedInput("transaction", "has an access list")
    return EvmTransaction(
        chain_id=decode_uint(chain_id, "chain id"),
        nonce=decode_uint(nonce, "nonce"),
        gas=decode_uint(gas, "gas"),
        to=_recipient(to),
        value_wei=decode_uint(value, "value"),
        data=_string(data, "data"),
        max_fee_per_gas_wei=decode_uint(most, "fee"),
        max_priority_fee_per_gas_wei=decode_uint(priority, "priority fee"),
    )


def _recipient(item: RlpItem) -> bytes | None:
    found = _string(item, "recipient")
    if len(found) not in (0, 20):
        raise MalformedInput("recipient", "is not 20 bytes")
    return found or None


def _string(item: RlpItem, field: str) -> bytes:
    if not isinstance(item, bytes):
        raise MalformedInput(field, "is a list")
    return item


def _bytes(value: Any) -> bytes:
    return bytes.fromhex(value.removeprefix("0x")) if isinstance(value, str) else bytes(value)
