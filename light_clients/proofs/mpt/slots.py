"""Where an EVM router keeps commitments: one mapping under an ERC-7201 base slot.

Source: cosmos/solidity-ibc-eureka `contracts/utils/IBCStoreUpgradeable.sol`.
"""

from hutong.light_clients.crypto import keccak256

IBC_STORE_NAMESPACE = "ibc.storage.IBCStore"


def erc7201_slot(namespace: str) -> bytes:
    """`keccak256(abi.encode(uint256(keccak256(namespace)) - 1)) & ~0xff`, 32 bytes (ERC-7201)."""
    inner = int.from_bytes(keccak256(namespace.encode()), "big") - 1
    return keccak256(inner.to_bytes(32, "big"))[:-1] + b"\0"


IBC_STORE_SLOT = erc7201_slot(IBC_STORE_NAMESPACE)


def mapping_slot(key: bytes, base_slot: bytes) -> bytes:
    """Slot of a `mapping(bytes32 => …)` entry: `keccak256(key ‖ base slot)`, all of 32 bytes."""
    return keccak256(key + base_slot)


def commitment_slot(key: bytes) -> bytes:
    """Slot of an ICS-24 `key` (`client ‖ kind ‖ BE8(sequence)`): the mapping is keyed by Keccak-256 of it."""
    return mapping_slot(keccak256(key), IBC_STORE_SLOT)
