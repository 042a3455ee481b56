"""BLS signatures of Ethereum's consensus: three signers by py_ecc, and what is refused."""

from hutong.light_clients.crypto.engines.engine import KnownAnswer

_KEYS = (
    "81b7a461f5482c2df88e8a2265d439a319e901861a8b3d0eaf27bf2d11188ca04717815dc2fd67e62cb88c1844390e54",
    "a4cb5428b3acc67df8bf89ca73503f139389bd184dd7d4af33a9e566b0cdc61146e4fd9b71a65205fceaaf8a6f48e0fc",
    "a75c0286db6c0da023784b0651165b1044995428afcb860a949db78b242ab85da2b4ba0a7cd29d0f5d5d9fc89493cc2c",
)
_MESSAGE = b"known answer of an engine"
_SIGNATURE = bytes.fromhex(
    "942be1cdb23a3f7403dbbea496c95bf4ef78c1bbc55ed9b081ab7518d01056edb65742acf6f5f5bd94a184d7baa8d4cb"
    "09dbcb6c54b6577c8f2315ad7e21016ab56c7991b925a8e93c4fa5a96c672462514805644ac13fc9d550e8a75061f9fb"
)
_OUTSIDE = bytes.fromhex("8123456789abcdef" + "0123456789abcdef" * 5)
"""A point of the curve outside of the subgroup of prime order; twice, one of the twist."""


def _answers() -> tuple[KnownAnswer, ...]:
    keys = b"".join(map(bytes.fromhex, _KEYS))
    first, negative = keys[:48], bytes([keys[0] ^ 0x20]) + keys[1:48]
    infinity, no_signature = b"\xc0" + bytes(47), b"\xc0" + bytes(95)
    above = b"\x9a" + b"\xff" * 47
    changed = bytes([_SIGNATURE[0] ^ 0x20]) + _SIGNATURE[1:]
    refused = {
        "another message": (keys, b"x", _SIGNATURE),
        "a signer less": (keys[:96], _MESSAGE, _SIGNATURE),
        "no signer": (b"", _MESSAGE, _SIGNATURE),
        "no signer, infinity signs": (b"", _MESSAGE, no_signature),
        "infinity among the keys": (keys + infinity, _MESSAGE, _SIGNATURE),
        "keys that cancel out, infinity signs": (first + negative, _MESSAGE, no_signature),
        "infinity signs": (keys, _MESSAGE, no_signature),
        "the negative signature": (keys, _MESSAGE, changed),
        "a key outside of the subgroup": (keys + _OUTSIDE, _MESSAGE, _SIGNATURE),
        "a signature outside of the subgroup": (keys, _MESSAGE, _OUTSIDE * 2),
        "x above the field": (keys + above, _MESSAGE, _SIGNATURE),
        "a signature of 95 bytes": (keys, _MESSAGE, _SIGNATURE[:95]),
    }
    return (
        KnownAnswer("three signers", (keys, _MESSAGE, _SIGNATURE), True),
        *(KnownAnswer(name, question, False) for name, question in refused.items()),
    )


VERIFY = _answers()
"""Of (compressed keys one after the other, message, signature): whether all of them signed."""
