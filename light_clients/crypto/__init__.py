"""A thin front over native libraries, one library an algorithm. Total: bad input gives False or MalformedInput."""

from hutong.light_clients.crypto import ed25519, gm, secp256k1
from hutong.light_clients.crypto.addresses import (
    ADDRESS_BYTES,
    ed25519_address,
    eth_address,
    recover_eth_address,
    secp256k1_address,
)
from hutong.light_clients.crypto.hashes import keccak256, ripemd160, sha256

__all__ = [
    "ADDRESS_BYTES",
    "ed25519",
    "ed25519_address",
    "eth_address",
    "gm",
    "keccak256",
    "recover_eth_address",
    "ripemd160",
    "secp256k1",
    "secp256k1_address",
    "sha256",
]
