"""SM4-GCM (RFC 8998) and SM4-CTR: OpenSSL's, else GmSSL's, which is half as fast in GCM and takes no empty clear text."""

from hutong.light_clients.crypto.gm.libraries import SM4_NOT_INSTALLED, GmNotInstalled, gmssl_or_none, has_openssl
from hutong.light_clients.crypto.gm.quiet import quiet
from hutong.light_clients.crypto.gm.refusals import GmMalformed, GmNotAuthentic

KEY_BYTES = 16
COUNTER_BYTES = 16
TAG_BYTES = 16
NONCE_BYTES = range(12, 65)
"""12 unless a peer has longer ones. Shorter ones are weak (NIST SP 800-38D, 8.2), longer ones no engine but one takes."""
MAX_DATA_BYTES = 64 * 1024 * 1024
NO_EMPTY_TEXT = "SM4-GCM of an empty clear text without the library `cryptography` (it is in the extra `gm`)"


def gcm_seal(key: bytes, nonce: bytes, aad: bytes, plaintext: bytes) -> bytes:
    """Ciphertext ‖ tag, 16 bytes longer than the clear text. **A nonce is used once under a key**, or both are lost.

    Args:
        key: 16 bytes.
        nonce: 12 to 64 bytes, 12 where nothing speaks for another length.
        aad: at most 64 MiB that is authenticated and not in the result; may be empty.
        plaintext: at most 64 MiB; may be empty.

    Raises:
        GmMalformed: an argument of another size.
        GmNotInstalled: no engine is there, or the clear text is empty and OpenSSL's is not there.
    """
    _check_gcm(key, nonce, aad, plaintext)
    if has_openssl():
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        sealing = Cipher(algorithms.SM4(bytes(key)), modes.GCM(bytes(nonce))).encryptor()
        sealing.authenticate_additional_data(bytes(aad))
        return sealing.update(bytes(plaintext)) + sealing.finalize() + sealing.tag
    library = gmssl_or_none()
    if library is None or not plaintext:
        raise GmNotInstalled(SM4_NOT_INSTALLED if library is None else NO_EMPTY_TEXT)
    with quiet():
        ciphertext, tag = library.sm4_gcm_encrypt(bytes(key), bytes(nonce), bytes(aad), bytes(plaintext))
    return bytes(ciphertext + tag)


def gcm_open(key: bytes, nonce: bytes, aad: bytes, sealed: bytes) -> bytes:
    """The clear text of ciphertext ‖ tag, as `gcm_seal` makes it.

    Raises:
        GmMalformed: an argument of another size, or `sealed` is shorter than a tag.
        GmNotAuthentic: `sm4_gcm_tag`: not sealed under this key, nonce and aad.
        GmNotInstalled: as `gcm_seal`.
    """
    ciphertext, tag = bytes(sealed[:-TAG_BYTES]), bytes(sealed[-TAG_BYTES:])
    if len(tag) != TAG_BYTES:
        raise GmMalformed("sm4.sealed", f"has less than {TAG_BYTES} bytes")
    _check_gcm(key, nonce, aad, ciphertext)
    if has_openssl():
        return _opened_by_openssl(key, nonce, aad, ciphertext, tag)
    library = gmssl_or_none()
    if library is None or not ciphertext:
        raise GmNotInstalled(SM4_NOT_INSTALLED if library is None else NO_EMPTY_TEXT)
    try:
        with quiet():
            plaintext: bytes = library.sm4_gcm_decrypt(bytes(key), bytes(nonce), bytes(aad), ciphertext, tag)
    except library.GmsslInnerError:
        raise _not_sealed() from None
    return plaintext


def _opened_by_openssl(key: bytes, nonce: bytes, aad: bytes, ciphertext: bytes, tag: bytes) -> bytes:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    opening = Cipher(algorithms.SM4(bytes(key)), modes.GCM(bytes(nonce), tag)).decryptor()
    opening.authenticate_additional_data(bytes(aad))
    plaintext = opening.update(ciphertext)
    try:
        return plaintext + opening.finalize()
    except InvalidTag:
        raise _not_sealed() from None


def ctr_transform(key: bytes, counter: bytes, data: bytes) -> bytes:
    """Encrypted or decrypted, which is the same; nothing is authenticated. **A counter block is used once under a key.**

    Args:
        key: 16 bytes.
        counter: the first block, 16 bytes, counted up as one big-endian number that goes on from 2^128 - 1 at 0.
        data: at most 64 MiB; may be empty.

    Raises:
        GmMalformed: an argument of another size.
        GmNotInstalled: no engine is there.
    """
    _sized("sm4.key", key, KEY_BYTES)
    _sized("sm4.counter", counter, COUNTER_BYTES)
    _bounded("sm4.data", data)
    if has_openssl():
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        turning = Cipher(algorithms.SM4(bytes(key)), modes.CTR(bytes(counter))).encryptor()
        return turning.update(bytes(data)) + turning.finalize()
    library = gmssl_or_none()
    if library is None:
        raise GmNotInstalled(SM4_NOT_INSTALLED)
    if not data:
        return b""
    with quiet():
        turned: bytes = library.sm4_ctr_encrypt(bytes(key), bytes(counter), bytes(data))
    return turned


def _check_gcm(key: bytes, nonce: bytes, aad: bytes, text: bytes) -> None:
    _sized("sm4.key", key, KEY_BYTES)
    if len(nonce) not in NONCE_BYTES:
        raise GmMalformed("sm4.nonce", f"must be {NONCE_BYTES.start} to {NONCE_BYTES.stop - 1} bytes")
    _bounded("sm4.aad", aad)
    _bounded("sm4.data", text)


def _sized(field: str, data: bytes, size: int) -> None:
    # What is no key's length may still be a key: it is not told.
    if len(data) != size:
        raise GmMalformed(field, f"must be {size} bytes")


def _bounded(field: str, data: bytes) -> None:
    if len(data) > MAX_DATA_BYTES:
        raise GmMalformed(field, f"has more than {MAX_DATA_BYTES} bytes")


def _not_sealed() -> GmNotAuthentic:
    return GmNotAuthentic("sm4_gcm_tag", "is not of this key, nonce, data and text")
