"""The credential seal: what contracts read of a credential, signed by the issuer beside the SD-JWT (docs/spec/identity-seal.md)."""

from dataclasses import dataclass
from typing import Any, Final

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.ibc.abi import encode_abi
from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.identity.rules.records.encoding import (
    ADDRESS_BYTES,
    check_bytes,
    check_number,
    check_some_hash,
)
from hutong.relay.services.identity.rules.status.chunk_tree import MAX_LIST_SIZE

SPEC: Final = "docs/spec/identity-seal.md"
DOMAIN_TYPE: Final = "EIP712Domain(string name,string version)"
DOMAIN_NAME: Final = "hutong credential seal"
DOMAIN_VERSION: Final = "1"
SEAL_TYPE: Final = (
    "CredentialSeal(bytes32 schema,bytes32 issuer,uint64 list,uint64 index,uint64 notAfter,address holder,"
    "bytes32 claimsRoot)"
)
SEAL_TUPLE: Final = "(bytes32,bytes32,uint64,uint64,uint64,address,bytes32)"
_WORD_BYTES: Final = 32
MAX_LIST_NUMBER: Final = 65_535
"""An issuer opens at most 65 536 lists (docs/spec/identity-records.md)."""


def domain_separator(domain_type: str, types: tuple[str, ...], values: tuple[Any, ...]) -> bytes:
    """EIP-712 `hashStruct` of a domain; text members come hashed already."""
    return keccak256(encode_abi(("bytes32", *types), (keccak256(domain_type.encode()), *values)))


SEAL_DOMAIN: Final = domain_separator(
    DOMAIN_TYPE, ("bytes32", "bytes32"), (keccak256(DOMAIN_NAME.encode()), keccak256(DOMAIN_VERSION.encode()))
)
"""Neither a chain nor a contract: one seal is good on every chain. The issuer's identifier names the hub."""
_SEAL_TYPEHASH: Final = keccak256(SEAL_TYPE.encode())


@dataclass(frozen=True, slots=True)
class Seal:
    """One credential of one holder.

    `schema` is that of the credential, `issuer` the 32 bytes of its DID on the hub, `index` its place in the issuer's status
    list `list_number`. `holder` is the 20-byte address of a key that the wallet made for this credential alone.
    """

    schema: bytes
    issuer: bytes
    list_number: int
    index: int
    not_after_s: int
    """The last second, Unix time, in which it is accepted."""
    holder: bytes
    claims_root: bytes
    """See `claim_tree`."""

    def __post_init__(self) -> None:
        check_some_hash("seal.schema", self.schema)
        check_some_hash("seal.issuer", self.issuer)
        check_number("seal.list", self.list_number, most=MAX_LIST_NUMBER)
        check_number("seal.index", self.index, most=MAX_LIST_SIZE - 1)
        check_number("seal.not_after", self.not_after_s, least=1)
        check_bytes("seal.holder", self.holder, ADDRESS_BYTES)
        if self.holder == bytes(ADDRESS_BYTES):
            raise MalformedInput("seal.holder", "the zero address holds nothing")
        check_some_hash("seal.claims_root", self.claims_root)

    def members(self) -> tuple[Any, ...]:
        """As the struct of ABI values, `SEAL_TUPLE`."""
        place = (self.list_number, self.index, self.not_after_s)
        return (self.schema, self.issuer, *place, self.holder, self.claims_root)


def typed_digest(domain: bytes, struct_hash: bytes) -> bytes:
    """What EIP-712 has signed: 32 bytes."""
    return keccak256(b"\x19\x01" + domain + struct_hash)


def seal_struct_hash(seal: Seal) -> bytes:
    """EIP-712 `hashStruct` of a seal, 32 bytes: a signer that builds the digest itself is given this and `SEAL_DOMAIN`."""
    # Eight static words, which an issuer hashes by the thousand: as `encode_abi` of the members writes them.
    numbers = [value.to_bytes(_WORD_BYTES, "big") for value in (seal.list_number, seal.index, seal.not_after_s)]
    holder = seal.holder.rjust(_WORD_BYTES, b"\0")
    return keccak256(b"".join((_SEAL_TYPEHASH, seal.schema, seal.issuer, *numbers, holder, seal.claims_root)))


def seal_digest(seal: Seal) -> bytes:
    """What the issuer signs, and what its issuance log names the seal by: the EIP-712 digest, 32 bytes."""
    return typed_digest(SEAL_DOMAIN, seal_struct_hash(seal))
