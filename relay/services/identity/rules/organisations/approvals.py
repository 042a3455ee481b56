"""How the controllers of a DID approve a call: m of n accounts, by sending it or by an EIP-712 signature over it."""

from dataclasses import dataclass
from typing import Final

from hutong.light_clients.crypto import keccak256, recover_eth_address
from hutong.light_clients.ibc.abi import encode_abi
from hutong.light_clients.interface import MalformedInput, PredicateFailed, rule
from hutong.relay.services.identity.rules.records.policy_record import MAX_ACCOUNTS

SPEC: Final = "docs/spec/identity-records.md"
MODULE_ADDRESS: Final = (0x1006).to_bytes(20, "big")
DOMAIN_TYPE: Final = "EIP712Domain(string name,string version,address verifyingContract,bytes32 salt)"
OPERATION_TYPE: Final = "Operation(bytes32 did,uint64 registeredHeight,uint64 sequence,bytes32 call)"
SIGNATURE_BYTES: Final = 65


@dataclass(frozen=True, slots=True)
class Operation:
    """One call for one DID.

    `registered_height` tells apart two lives of a DID whose first one expired. `call` is the Keccak-256 of the selector and
    the ABI encoding of what follows the approval in the call.
    """

    did: bytes
    registered_height: int
    sequence: int
    call: bytes


def domain_separator(hub_name: str) -> bytes:
    """The EIP-712 domain of what is signed for a hub's identity module. `hub_name` is the chain id without its revision."""
    return keccak256(
        encode_abi(
            ("bytes32", "bytes32", "bytes32", "address", "bytes32"),
            [
                keccak256(DOMAIN_TYPE.encode()),
                keccak256(b"hutong identity"),
                keccak256(b"1"),
                MODULE_ADDRESS,
                keccak256(hub_name.encode()),
            ],
        )
    )


def operation_digest(hub_name: str, operation: Operation) -> bytes:
    """What a controller signs: the EIP-712 digest, 32 bytes. `hub_name` is the chain id without its revision."""
    struct = keccak256(
        encode_abi(
            ("bytes32", "bytes32", "uint64", "uint64", "bytes32"),
            [
                keccak256(OPERATION_TYPE.encode()),
                operation.did,
                operation.registered_height,
                operation.sequence,
                operation.call,
            ],
        )
    )
    return keccak256(b"\x19\x01" + domain_separator(hub_name) + struct)


@rule(SPEC)
def signatures_are_whole(signatures: tuple[bytes, ...]) -> None:
    """At most as many as a policy has accounts, each r ‖ s ‖ v with v 27 or 28.

    Raises:
        MalformedInput: too many, or of another form.
    """
    if len(signatures) > MAX_ACCOUNTS:
        raise MalformedInput("approval.signatures", f"at most {MAX_ACCOUNTS}", got=len(signatures))
    for signature in signatures:
        if len(signature) != SIGNATURE_BYTES or signature[64] not in (27, 28):
            raise MalformedInput("approval.signatures", "65 bytes r, s, v with v 27 or 28", got=signature)


@rule(SPEC)
def signers_ascend(digest: bytes, signatures: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """The accounts that signed, ascending and none twice, so that one set of approvals has one form.

    Raises:
        PredicateFailed: a signature that recovers to nobody, or accounts out of order.
    """
    accounts: list[bytes] = []
    for signature in signatures:
        account = recover_eth_address(digest, signature[:64] + bytes([signature[64] - 27]))
        if account is None:
            raise PredicateFailed("signers_ascend", "a signature recovers to nobody", got=signature)
        if accounts and account <= accounts[-1]:
            raise PredicateFailed(
                "signers_ascend", "signers ascend, none twice", got=account, expected=f"> 0x{accounts[-1].hex()}"
            )
        accounts.append(account)
    return tuple(accounts)


def approvals_of(allowed: tuple[bytes, ...], signers: tuple[bytes, ...], caller: bytes) -> int:
    """How many of `allowed` approve: those who signed, and whoever sends the call."""
    return len(set(allowed) & {*signers, caller})
