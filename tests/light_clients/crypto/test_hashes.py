import hashlib

from hutong.light_clients.crypto import ed25519_address, keccak256, ripemd160, secp256k1_address, sha256


def test_known_digests():
    assert sha256(b"abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert keccak256(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    assert ripemd160(b"abc").hex() == "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"
    assert keccak256(b"abc") != hashlib.sha3_256(b"abc").digest()


def test_tendermint_addresses_are_20_bytes_of_the_key_types_own_rule():
    key = bytes(range(33))
    assert ed25519_address(key[:32]) == sha256(key[:32])[:20]
    assert secp256k1_address(key) == ripemd160(sha256(key))
