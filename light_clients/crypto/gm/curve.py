"""sm2p256v1, the curve of GB/T 32918.5: which bytes are a key. Needs no engine."""

FIELD_PRIME = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
ORDER = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93

SCALAR_BYTES = 32
PUBLIC_KEY_BYTES = 64


def is_public_key(public_key: bytes) -> bool:
    """Whether 64 bytes x ‖ y, big-endian, are a point of the curve. False for any other length."""
    if len(public_key) != PUBLIC_KEY_BYTES:
        return False
    x, y = int.from_bytes(public_key[:SCALAR_BYTES], "big"), int.from_bytes(public_key[SCALAR_BYTES:], "big")
    return x < FIELD_PRIME and y < FIELD_PRIME and (y * y - x * x * x + 3 * x - B) % FIELD_PRIME == 0


def is_private_key(private_key: bytes) -> bool:
    """Whether 32 bytes, big-endian, are 1 to n - 2: with n - 1 nothing can be signed (GB/T 32918.1, 6.1)."""
    return len(private_key) == SCALAR_BYTES and 0 < int.from_bytes(private_key, "big") < ORDER - 1
