"""SM3 and HMAC-SM3: GmSSL's, else OpenSSL's."""

from hutong.light_clients.crypto.gm.libraries import GmNotInstalled, gmssl_or_none, has_openssl


def sm3(data: bytes) -> bytes:
    """The digest, 32 bytes.

    Raises:
        GmNotInstalled: neither engine is there.
    """
    library = gmssl_or_none()
    if library is not None:
        digest: bytes = library.sm3_hash(bytes(data))
        return digest
    if not has_openssl():
        raise GmNotInstalled
    from cryptography.hazmat.primitives.hashes import SM3, Hash

    hashing = Hash(SM3())
    hashing.update(bytes(data))
    return hashing.finalize()


def hmac_sm3(key: bytes, data: bytes) -> bytes:
    """The code, 32 bytes, under a key of any length. Compare codes with `hmac.compare_digest`.

    Raises:
        GmNotInstalled: neither engine is there.
    """
    # HMAC fills short keys up with zeros, so that these two are one key; both engines refuse the empty one.
    key = bytes(key) or b"\0"
    library = gmssl_or_none()
    if library is not None:
        code: bytes = library.sm3_hmac(key, bytes(data))
        return code
    if not has_openssl():
        raise GmNotInstalled
    from cryptography.hazmat.primitives.hashes import SM3
    from cryptography.hazmat.primitives.hmac import HMAC

    coding = HMAC(key, SM3())
    coding.update(bytes(data))
    return coding.finalize()
