"""A signature's two forms: r ‖ s (64 bytes), which this suite works with, and the ASN.1 one that OpenSSL and GmSSL write."""

from hutong.light_clients.crypto.gm import der
from hutong.light_clients.crypto.gm.curve import ORDER, SCALAR_BYTES
from hutong.light_clients.crypto.gm.refusals import GmMalformed

SIGNATURE_BYTES = 2 * SCALAR_BYTES
MAX_DER_BYTES = 72


def scalars(signature: bytes) -> tuple[int, int] | None:
    """r and s where they may be a signature: 0 < r, s < n and r + s ≠ 0 mod n (GB/T 32918.2, 7.1). Else None."""
    if len(signature) != SIGNATURE_BYTES:
        return None
    r, s = int.from_bytes(signature[:SCALAR_BYTES], "big"), int.from_bytes(signature[SCALAR_BYTES:], "big")
    return (r, s) if 0 < r < ORDER and 0 < s < ORDER and r + s != ORDER else None


def signature_to_der(signature: bytes) -> bytes:
    """SEQUENCE of two INTEGERs, at most 72 bytes.

    Raises:
        GmMalformed: not 64 bytes, or r, s or their sum is out of its range.
    """
    pair = scalars(signature)
    if pair is None:
        raise GmMalformed("sm2_signature", "is not r ‖ s with 0 < r, s < n and r + s ≠ n")
    return der.encode(der.SEQUENCE, b"".join(map(der.encode_integer, pair)))


def signature_from_der(data: bytes) -> bytes:
    """r ‖ s of the one canonical encoding.

    Raises:
        GmMalformed: another encoding, bytes after it, or r, s or their sum is out of its range.
    """
    if len(data) > MAX_DER_BYTES:
        raise GmMalformed("sm2_signature", f"has more than {MAX_DER_BYTES} bytes")
    content, after = der.decode(der.SEQUENCE, data, "sm2_signature")
    r, rest = der.decode_integer(content, "sm2_signature.r", SCALAR_BYTES)
    s, rest = der.decode_integer(rest, "sm2_signature.s", SCALAR_BYTES)
    if rest or after:
        raise GmMalformed("sm2_signature", "goes on after its end")
    signature = r.to_bytes(SCALAR_BYTES, "big") + s.to_bytes(SCALAR_BYTES, "big")
    if scalars(signature) is None:
        raise GmMalformed("sm2_signature", "is not r ‖ s with 0 < r, s < n and r + s ≠ n")
    return signature
