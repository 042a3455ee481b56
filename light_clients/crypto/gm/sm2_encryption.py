"""SM2 encryption to a public key (GB/T 32918.4) by GmSSL: of keys and other short texts, which SM4 then works with."""

from hutong.light_clients.crypto.gm.ciphertext import MAX_PLAINTEXT_BYTES, ciphertext_from_der, ciphertext_to_der
from hutong.light_clients.crypto.gm.curve import is_private_key, is_public_key
from hutong.light_clients.crypto.gm.libraries import gmssl
from hutong.light_clients.crypto.gm.quiet import quiet
from hutong.light_clients.crypto.gm.refusals import GmMalformed, GmNotAuthentic


def encrypt(public_key: bytes, plaintext: bytes) -> bytes:
    """C1 ‖ C3 ‖ C2, 97 bytes longer than the clear text; another one each time. `ciphertext_to_der` is the other form.

    Args:
        public_key: x ‖ y, 64 bytes.
        plaintext: 1 to 255 bytes.

    Raises:
        GmMalformed: no public key, or a text of another length.
        GmNotInstalled: the extra is not there.
    """
    library = gmssl()
    if not is_public_key(public_key):
        raise GmMalformed("sm2_key.public_key", "is no point of sm2p256v1")
    if not 1 <= len(plaintext) <= MAX_PLAINTEXT_BYTES:
        raise GmMalformed("sm2.plaintext", f"must be 1 to {MAX_PLAINTEXT_BYTES} bytes")
    with quiet():
        made = library.sm2_encrypt(bytes(public_key), bytes(plaintext))
    return ciphertext_from_der(made)


def decrypt(private_key: bytes, ciphertext: bytes) -> bytes:
    """The clear text of C1 ‖ C3 ‖ C2.

    Raises:
        GmMalformed: no private key, no point, or parts of another size. The key is not told.
        GmNotAuthentic: `sm2_ciphertext`: not encrypted to this key, or changed.
        GmNotInstalled: the extra is not there.
    """
    library = gmssl()
    if not is_private_key(private_key):
        raise GmMalformed("sm2_key.private_key", "is not 32 bytes that say 1 to n - 2")
    encoded = ciphertext_to_der(ciphertext)
    try:
        with quiet():
            plaintext: bytes = library.sm2_decrypt(bytes(private_key), encoded)
    except library.GmsslInnerError:
        raise GmNotAuthentic("sm2_ciphertext", "is not of this key, or was changed") from None
    return plaintext
