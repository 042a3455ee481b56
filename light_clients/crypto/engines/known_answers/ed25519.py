"""Ed25519 by ZIP-215: test 1 of RFC 8032, all pairs of encodings of small order, and what is refused."""

from itertools import product

from hutong.light_clients.crypto.engines.engine import KnownAnswer

_ORDER = 2**252 + 27742317777372353535851937790883648493
_PUBLISHED = (
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    "",
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
)
"""RFC 8032, 7.1, test 1."""
_TOP = "ff" * 30
_SMALL_ORDER = (
    "01" + "00" * 31,
    "ec" + _TOP + "7f",
    "00" * 32,
    "00" * 31 + "80",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "01" + "00" * 30 + "80",
    "ec" + _TOP + "ff",
    "ee" + _TOP + "7f",
    "ee" + _TOP + "ff",
    "ed" + _TOP + "7f",
    "ed" + _TOP + "ff",
)
"""The eight points whose order divides 8, then six encodings that are not canonical (ZIP-215, test vectors)."""


def _answers() -> tuple[KnownAnswer, ...]:
    key, message, signature = map(bytes.fromhex, _PUBLISHED)
    found = [KnownAnswer("RFC 8032 test 1", (key, message, signature), True)]
    for one, other in product(range(len(_SMALL_ORDER)), repeat=2):
        small = (bytes.fromhex(_SMALL_ORDER[one]), b"Zcash", bytes.fromhex(_SMALL_ORDER[other]) + bytes(32))
        found.append(KnownAnswer(f"ZIP-215 key {one} and R {other}, s = 0", small, True))
    r, s = signature[:32], signature[32:]
    number = int.from_bytes(s, "little")
    identity = bytes.fromhex(_SMALL_ORDER[0])
    refused = {
        "another message": (key, b"x", signature),
        "s not reduced": (key, message, r + (number + _ORDER).to_bytes(32, "little")),
        "s = 0": (key, message, r + bytes(32)),
        "s = the order": (identity, message, identity + _ORDER.to_bytes(32, "little")),
        "s = 1 under small order": (identity, message, identity + (1).to_bytes(32, "little")),
        "y of R on no point": (key, message, b"\x02" + bytes(31) + s),
        "y of the key on no point": (b"\x02" + bytes(31), message, signature),
        "the key for R": (key, message, key + s),
        "a signature of 63 bytes": (key, message, signature[:63]),
        "a key of 33 bytes": (key + b"\0", message, signature),
        "zeros": (key, message, bytes(64)),
    }
    for at in (0, 31, 32, 63):
        changed = bytearray(signature)
        changed[at] ^= 1
        refused[f"a bit of byte {at} changed"] = (key, message, bytes(changed))
    return (*found, *(KnownAnswer(name, question, False) for name, question in refused.items()))


VERIFY = _answers()
"""Of (key, message, signature): whether it holds by ZIP-215."""
