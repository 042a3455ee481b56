"""An SM2 ciphertext's two forms: C1 ‖ C3 ‖ C2 (GB/T 32918.4), and the ASN.1 one of GB/T 35276 that OpenSSL and GmSSL write.

C1 is a point as 04 ‖ x ‖ y, C3 the SM3 digest (32 bytes), C2 as long as the clear text. The old order C1 ‖ C2 ‖ C3 is not
supported: nothing tells it from the other.
"""

from dataclasses import dataclass

from hutong.light_clients.crypto.gm import der
from hutong.light_clients.crypto.gm.curve import PUBLIC_KEY_BYTES, SCALAR_BYTES, is_public_key
from hutong.light_clients.crypto.gm.refusals import GmMalformed

MAX_PLAINTEXT_BYTES = 255
"""What the engine takes: SM2 seals keys, SM4 the rest."""
CHECK_BYTES = 32
POINT_BYTES = 1 + PUBLIC_KEY_BYTES
MAX_CIPHERTEXT_BYTES = POINT_BYTES + CHECK_BYTES + MAX_PLAINTEXT_BYTES
MAX_DER_BYTES = 366


@dataclass(frozen=True, slots=True)
class _Parts:
    point: bytes
    check: bytes
    masked: bytes

    def __post_init__(self) -> None:
        if not is_public_key(self.point):
            raise GmMalformed("sm2_ciphertext.c1", "is no point of sm2p256v1")
        if len(self.check) != CHECK_BYTES:
            raise GmMalformed("sm2_ciphertext.c3", f"must be {CHECK_BYTES} bytes")
        if not 1 <= len(self.masked) <= MAX_PLAINTEXT_BYTES:
            raise GmMalformed("sm2_ciphertext.c2", f"must be 1 to {MAX_PLAINTEXT_BYTES} bytes")


def ciphertext_to_der(ciphertext: bytes) -> bytes:
    """SEQUENCE of x, y, C3 and C2, at most 366 bytes.

    Raises:
        GmMalformed: not 04 ‖ x ‖ y of a point, 32 bytes and 1 to 255 bytes.
    """
    if len(ciphertext) > MAX_CIPHERTEXT_BYTES:
        raise GmMalformed("sm2_ciphertext", f"has more than {MAX_CIPHERTEXT_BYTES} bytes")
    if not ciphertext.startswith(b"\4"):
        raise GmMalformed("sm2_ciphertext.c1", "is not 04 ‖ x ‖ y: compressed points are not supported")
    masked_at = POINT_BYTES + CHECK_BYTES
    parts = _Parts(ciphertext[1:POINT_BYTES], ciphertext[POINT_BYTES:masked_at], ciphertext[masked_at:])
    x, y = (int.from_bytes(parts.point[at : at + SCALAR_BYTES], "big") for at in (0, SCALAR_BYTES))
    fields = (
        der.encode_integer(x),
        der.encode_integer(y),
        *(der.encode(der.OCTET_STRING, part) for part in (parts.check, parts.masked)),
    )
    return der.encode(der.SEQUENCE, b"".join(fields))


def ciphertext_from_der(data: bytes) -> bytes:
    """C1 ‖ C3 ‖ C2 of the one canonical encoding.

    Raises:
        GmMalformed: another encoding, bytes after it, no point, or a part of another size.
    """
    if len(data) > MAX_DER_BYTES:
        raise GmMalformed("sm2_ciphertext", f"has more than {MAX_DER_BYTES} bytes")
    content, after = der.decode(der.SEQUENCE, data, "sm2_ciphertext")
    x, rest = der.decode_integer(content, "sm2_ciphertext.x", SCALAR_BYTES)
    y, rest = der.decode_integer(rest, "sm2_ciphertext.y", SCALAR_BYTES)
    check, rest = der.decode(der.OCTET_STRING, rest, "sm2_ciphertext.c3")
    masked, rest = der.decode(der.OCTET_STRING, rest, "sm2_ciphertext.c2")
    if rest or after:
        raise GmMalformed("sm2_ciphertext", "goes on after its end")
    parts = _Parts(x.to_bytes(SCALAR_BYTES, "big") + y.to_bytes(SCALAR_BYTES, "big"), check, masked)
    return b"\4" + parts.point + parts.check + parts.masked
