"""What a holder signs to present a seal to one contract, for one call (docs/spec/identity-seal.md)."""

from dataclasses import dataclass
from typing import Final

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.ibc.abi import encode_abi
from hutong.light_clients.interface import PredicateFailed, rule
from hutong.relay.services.identity.rules.records.encoding import ADDRESS_BYTES, check_bytes, check_number
from hutong.relay.services.identity.rules.seals.seal import SPEC, domain_separator, typed_digest

DOMAIN_TYPE: Final = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
DOMAIN_NAME: Final = "hutong seal presentation"
DOMAIN_VERSION: Final = "1"
PRESENTATION_TYPE: Final = "SealPresentation(address caller,uint256 nonce,uint64 deadline,bytes32 seal,bytes32 call)"
_PRESENTATION_TYPEHASH: Final = keccak256(PRESENTATION_TYPE.encode())
_HEAD: Final = (keccak256(DOMAIN_NAME.encode()), keccak256(DOMAIN_VERSION.encode()))
SELECTOR_BYTES: Final = 4
MAX_UINT256: Final = 2**256 - 1


@dataclass(frozen=True, slots=True)
class Gate:
    """A contract that accepts seals: its chain's EIP-155 id, and its 20-byte address there."""

    chain_id: int
    address: bytes

    def __post_init__(self) -> None:
        check_number("presentation.chain_id", self.chain_id, least=1, most=MAX_UINT256)
        check_bytes("presentation.gate", self.address, ADDRESS_BYTES)


@dataclass(frozen=True, slots=True)
class Presentation:
    """One presentation of a seal for one call.

    Only `caller` can send it, once, by `deadline_s`; `nonce` is random or counted, by the holder, for this gate.
    """

    gate: Gate
    caller: bytes
    nonce: int
    deadline_s: int
    """The last second, Unix time, in which it is accepted."""
    seal_digest: bytes
    call_hash: bytes
    """See `gated_call_hash`."""

    def __post_init__(self) -> None:
        check_bytes("presentation.caller", self.caller, ADDRESS_BYTES)
        check_number("presentation.nonce", self.nonce, most=MAX_UINT256)
        check_number("presentation.deadline", self.deadline_s, least=1)
        check_bytes("presentation.seal", self.seal_digest)
        check_bytes("presentation.call", self.call_hash)


def gated_call_hash(selector: bytes, arguments: bytes) -> bytes:
    """What is signed of a call: Keccak-256 of its selector and the ABI encoding of what follows the acceptance in it.

    Raises:
        MalformedInput: a selector of another length.
    """
    check_bytes("presentation.selector", selector, SELECTOR_BYTES)
    return keccak256(selector + arguments)


def presentation_digest(presentation: Presentation) -> bytes:
    """What the holder's key signs: the EIP-712 digest, 32 bytes."""
    gate = presentation.gate
    domain = domain_separator(
        DOMAIN_TYPE, ("bytes32", "bytes32", "uint256", "address"), (*_HEAD, gate.chain_id, gate.address)
    )
    struct = encode_abi(
        ("bytes32", "address", "uint256", "uint64", "bytes32", "bytes32"),
        (
            _PRESENTATION_TYPEHASH,
            presentation.caller,
            presentation.nonce,
            presentation.deadline_s,
            presentation.seal_digest,
            presentation.call_hash,
        ),
    )
    return typed_digest(domain, keccak256(struct))


@rule(SPEC)
def deadline_is_ahead(presentation: Presentation, now_s: int) -> None:
    """The presentation is accepted up to and in its last second.

    Raises:
        PredicateFailed: it is over.
    """
    if now_s > presentation.deadline_s:
        raise PredicateFailed("deadline_is_ahead", "the deadline has passed", now_s, presentation.deadline_s)
