"""Messages that open, and changes of each that do not: RFC 9180's examples, and a message of the hybrid that another author's code sealed."""

from base64 import b64decode

from hutong.light_clients.crypto.engines.engine import KnownAnswer, Question
from hutong.light_clients.crypto.hpke.suites import Aead, Kem

_INFO = bytes.fromhex("4f6465206f6e2061204772656369616e2055726e")
_AAD, _PLAINTEXT = b"Count-0", b"Beauty is truth, truth beauty"
_X25519: Question = (
    Kem.X25519.value,
    Aead.AES_128_GCM.value,
    bytes.fromhex("4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8"),
    bytes.fromhex("37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431"),
    bytes.fromhex("f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a"),
    _INFO,
    _AAD,
)
"""RFC 9180, appendix A.1.1, message 0."""
_P256: Question = (
    Kem.P256.value,
    Aead.CHACHA20_POLY1305.value,
    bytes.fromhex("a4d1c55836aa30f9b3fbb6ac98d338c877c2867dd3a77396d13f68d3ab150d3b"),
    bytes.fromhex(
        "04c07836a0206e04e31d8ae99bfd549380b072a1b1b82e563c935c095827824fc1559eac6fb9e3c70cd3193968994e7fe9781aa103f5b50e934b5b2f387e381291"
    ),
    bytes.fromhex("6469c41c5c81d3aa85432531ecf6460ec945bde1eb428cb2fedf7a29f5a685b4ccb0d057f03ea2952a27bb458b"),
    _INFO,
    _AAD,
)
"""RFC 9180, appendix A.5.1, message 0."""
_HYBRID_ENC = b64decode(
    "/iYPz47kt/6yU4gFAc3X2sPtIwfdRORpKZumcC9R+yXt+76T1on0H5/Knimh3oP9qIVUbcvxP6hHD9CiRmpCRj4XxzNoHBwiwO5F8bGJKxOw7kCi"
    "8rPLYhy4iSsZsK797twu5v4nFDHV/ul1TzbyS8Tq/nhQrS76bxmPImBzKy+TKPzdpP8FbjrZSJZ7M+YWYdseLGn9piIkw+uPprXi7P318iLCo8YR"
    "uQvczddHZiQGrcD34kE3vuM0qysFfe+CepMuQzQRgb0XWBX7cHh5RDzK2hsBw0lJy8hxiJQfl0uj80WQEfXFT6RGZYJeFlBfwoyDJy5Bq8+pHdVc"
    "0LWWt8VDkiXEAEan3BUlN+5NLYUGtAZeuhYwjaTn9gcCF43OpECTjTI54lTTA2QsTOLlxXY3oYpU/dX56qiBFAYD/9w3slck0D5rmOgEAl6UTr2u"
    "QXf1+piL+JXMfhmCBgYIEA0HXX2QCFrlkVR1jeeLCvpFPTTDq43hpkyW0vPdJBuXwf+CE9Z4MKSOrf3SnpyD4sTTD+UTA5+4JBy+9fqa6GD/qI30"
    "Fz/Sgm9Ri52Jn/4tTY1VC2lAiDYN3n3jg65ogoRKWGfkLyrrfGfs9qLTFVYX4nHTwMp/q44bM2B/edjCJyMptuQAK6LJKUoyuxAXeB9qfOyr2nBy"
    "CkLA2bnnGPDPltSNWf1d66FkIZ3pCMGW3gfKLksHozzOKm48ycouVKrCq9uoBu+Qbf2Y9+GpGztpdsf8HSz5RBr1BKbQkIx+JZ/8mXCyUFI/zdQw"
    "CpRfT84f2YICimrisNcrPeazfDwhZs0h43v4sCsvzMMu2lgzUQvXXbz55oNP540DLn25bVlU94b2cwCRSCM9STtwznsfD1i0IqD9Q3AyzeO+eN3c"
    "xaYeWysXCPWQlviWsbEFBHvaokQ43K6mLsP6hMAK88UCOuH45RZj66FDkYK4eKiKU5kHWbd0eROPRQKKeq7Xlx5k17Zelmii8bIfzFzenQ1q9SQj"
    "KPllRhkkrlPkAVG/VlbcorfrgkobWUwdsKMm2xKS6WyXriZh5QaDOqCgldKzBblNfxjO7inecDF4jOtoX9sJPqRfsUbMyKFBAKNzz7x7dXNgSWEy"
    "wRPOAdtH5ypfWZ2aGURwTkZbqeY0cxof6Qam1RE8zazayB3yPhLJjkq/V6eWTRHqa/avYA7XlpBkeIsmiz5FqSYXDJx3fnluHMAwBRVSYBdeYaLv"
    "Su0cehqHvok7+EP62mEA9+X6Hr314EaeaFT0pM8at4All08ox0vI1l1hiiXNZ5fbCY7dcQQ9XE6TbCZzvGJ7k60H4R+TtVNGYxAnKuJCMqwimyGG"
    "qXw8LoJGSclj173WJy32SFpp11s6YBjYw72k5SwM3abCGBcJv5SMTBtifFaobV27HHreWVASDHD7R1ANBJYTlJBRlXnUbK72lAvDXKs+/NWaYn03"
    "egki3NPRP2lVUnBXZj6DypCo8D6F7sQM6/xSSQ=="
)
_HYBRID: Question = (
    Kem.MLKEM768_X25519.value,
    Aead.AES_256_GCM.value,
    bytes(range(1, 33)),
    _HYBRID_ENC,
    bytes.fromhex("773b105287592a9516189466d74d61448d0e44d3079909e63b8f5380629de3f9261fa05f"),
    b"hutong known answer",
    b"",
)
"""Sealed by @hpke/core 1.9.0 with @hpke/hybridkem-x-wing 0.7.0."""

_PLACES = ("key", "enc", "ciphertext", "info", "aad")
_FIRST = 2
"""The place of the first of them in a question."""


def _changes(name: str, question: Question, places: tuple[str, ...]) -> tuple[KnownAnswer, ...]:
    """The question with the last byte of one part changed, for each of `places`."""
    known = []
    for place in places:
        at = _FIRST + _PLACES.index(place)
        part = question[at]
        changed = part[:-1] + bytes([part[-1] ^ 1])
        known.append(KnownAnswer(f"{name}, {place} changed", (*question[:at], changed, *question[at + 1 :]), None))
    return tuple(known)


_SMALL_ORDER = tuple(
    KnownAnswer(f"enc of small order: {number}", (*_X25519[:3], number.to_bytes(32, "little"), *_X25519[4:]), None)
    for number in (0, 1, 2**255 - 20)
)

DH = (
    KnownAnswer("RFC 9180 A.1.1", _X25519, _PLAINTEXT),
    KnownAnswer("RFC 9180 A.5.1", _P256, _PLAINTEXT),
    *_changes("RFC 9180 A.1.1", _X25519, _PLACES),
    *_changes("RFC 9180 A.5.1", _P256, _PLACES),
    *_SMALL_ORDER,
)
"""Of (kem, aead, secret, enc, ciphertext, info, aad): the plain text, or None where it does not open."""
HYBRID = (
    KnownAnswer("X-Wing by @hpke", _HYBRID, b"opened by the engine"),
    *_changes("X-Wing by @hpke", _HYBRID, _PLACES[:4]),
)
"""The same, with ML-KEM-768."""
