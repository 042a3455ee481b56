"""Other authors' libraries for the same questions: slow, imported when they are asked, and never asked for a verdict that counts.

Rules that are ours and not the algorithm's (low s, forms of keys) are applied here too, so that answers are equal to the bit.
"""

from hutong.light_clients.crypto import bls, gm, secp256k1
from hutong.light_clients.crypto.engines.engine import Answering, Question, one_by_one
from hutong.light_clients.crypto.engines.known_answers import ed25519 as known_ed25519
from hutong.light_clients.crypto.engines.known_answers import secp256k1 as known_secp256k1
from hutong.light_clients.crypto.hpke.suites import Kem


def _plain_verify(public_key: bytes, digest: bytes, signature: bytes) -> bool:
    from eth_keys.backends.native.main import NativeECCBackend
    from eth_keys.datatypes import PublicKey, Signature
    from eth_keys.exceptions import BadSignature
    from eth_utils.exceptions import ValidationError

    sizes = (secp256k1.COMPRESSED_KEY_BYTES, secp256k1.DIGEST_BYTES, secp256k1.SIGNATURE_BYTES)
    if (len(public_key), len(digest), len(signature)) != sizes or not _scalars_are_low(signature):
        return False
    # its decompression takes any x, on the curve or not
    if public_key[0] not in (2, 3) or not _is_x(int.from_bytes(public_key[1:], "big")):
        return False
    backend = NativeECCBackend()
    try:
        key = PublicKey.from_compressed_bytes(public_key, backend=backend)
        return bool(backend.ecdsa_verify(digest, Signature(signature + b"\0", backend=backend), key))
    except (BadSignature, ValidationError, ValueError):
        return False


def _plain_recover(digest: bytes, signature: bytes) -> bytes | None:
    from eth_keys.backends.native.main import NativeECCBackend
    from eth_keys.datatypes import Signature
    from eth_keys.exceptions import BadSignature
    from eth_utils.exceptions import ValidationError

    if len(digest) != secp256k1.DIGEST_BYTES or len(signature) != secp256k1.RECOVERABLE_SIGNATURE_BYTES:
        return None
    if signature[64] > 1 or not _scalars_are_low(signature) or not _is_x(int.from_bytes(signature[:32], "big")):
        return None
    backend = NativeECCBackend()
    try:
        key = backend.ecdsa_recover(digest, Signature(signature, backend=backend)).to_bytes()
    except (BadSignature, ValidationError, ValueError):
        return None
    return None if key == bytes(64) else b"\x04" + key


_PRIME = 2**256 - 2**32 - 977
"""Of secp256k1's field (SEC 2, 2.4.1)."""


def _scalars_are_low(signature: bytes) -> bool:
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    return 0 < r < secp256k1.ORDER and 0 < s <= secp256k1.HALF_ORDER


def _is_x(x: int) -> bool:
    """Whether a point of secp256k1 has this x (Euler's criterion)."""
    return x < _PRIME and pow(x**3 + 7, (_PRIME - 1) // 2, _PRIME) == 1


def load_eth_keys_verify() -> Answering:
    """Pure Python. Raises ImportError."""
    import eth_keys.backends.native.main  # noqa: F401

    return one_by_one(_plain_verify)


def load_eth_keys_recover() -> Answering:
    """Pure Python. Raises ImportError."""
    import eth_keys.backends.native.main  # noqa: F401

    return one_by_one(_plain_recover)


def _where_openssl_has(what: str, answering: Answering, question: Question) -> Answering:
    """`answering`, tried with one question. Hosts' builds of OpenSSL leave algorithms out, and say so at the first use.

    Raises:
        ImportError: this build has no `what`.
    """
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        answering([question])
    except UnsupportedAlgorithm as error:
        raise ImportError(f"this OpenSSL has no {what}") from error
    return answering


def load_openssl_verify() -> Answering:
    """OpenSSL by `cryptography`. Raises ImportError: it is not there, or was built without secp256k1."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec, utils
    from cryptography.hazmat.primitives.hashes import SHA256

    curve, how = ec.SECP256K1(), ec.ECDSA(utils.Prehashed(SHA256()))

    def answer(public_key: bytes, digest: bytes, signature: bytes) -> bool:
        sizes = (secp256k1.COMPRESSED_KEY_BYTES, secp256k1.DIGEST_BYTES, secp256k1.SIGNATURE_BYTES)
        if (len(public_key), len(digest), len(signature)) != sizes or not _scalars_are_low(signature):
            return False
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        try:
            key = ec.EllipticCurvePublicKey.from_encoded_point(curve, public_key)
            key.verify(utils.encode_dss_signature(r, s), digest, how)
        except (InvalidSignature, ValueError):
            return False
        return True

    return _where_openssl_has("secp256k1", one_by_one(answer), known_secp256k1.VERIFY[0].question)


def load_openssl_ed25519() -> Answering:
    """OpenSSL by `cryptography`, whose rules at the edges are others than ZIP-215.

    Raises ImportError: it is not there, or was built without Ed25519.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    def answer(public_key: bytes, message: bytes, signature: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True

    return _where_openssl_has("Ed25519", one_by_one(answer), known_ed25519.VERIFY[0].question)


def load_py_ecc() -> Answering:
    """Pure Python; keys are added without being remembered as points. Raises ImportError."""
    from py_ecc.bls.ciphersuites import G2ProofOfPossession as Scheme

    def answer(keys: bytes, message: bytes, signature: bytes) -> bool:
        size = bls.PUBLIC_KEY_BYTES
        parts = [keys[start : start + size] for start in range(0, len(keys), size)]
        try:
            return bool(parts) and bool(Scheme.FastAggregateVerify(parts, message, signature))  # type: ignore[arg-type]
        except Exception:  # its refusals have no one type
            return False

    return one_by_one(answer)


def load_pycryptodome_keccak() -> Answering:
    """C, by other authors. Raises ImportError."""
    from Crypto.Hash import keccak

    return one_by_one(lambda data: keccak.new(data=data, digest_bits=256).digest())


def load_plain_sha256() -> Answering:
    """CPython's own C, without the processor's instructions for it. Raises ImportError."""
    try:
        from _sha2 import sha256  # type: ignore[import-not-found, unused-ignore]  # since 3.12
    except ImportError:
        from _sha256 import sha256  # type: ignore[import-not-found, unused-ignore, no-redef]

    return one_by_one(lambda data: bytes(sha256(data).digest()))


def load_openssl_ripemd160() -> Answering:
    """OpenSSL's, where the host's build has it. Raises ImportError."""
    import hashlib

    try:
        hashlib.new("ripemd160")
    except ValueError as error:
        raise ImportError("this OpenSSL has no RIPEMD-160") from error
    return one_by_one(lambda data: hashlib.new("ripemd160", data).digest())


def load_gmalg_sm2() -> Answering:
    """Pure Python. Raises ImportError."""
    from gmalg import SM2
    from gmalg.errors import GMError

    def answer(public_key: bytes, message: bytes, signature: bytes) -> bool:
        if len(signature) != gm.SIGNATURE_BYTES or not gm.is_public_key(public_key):
            return False
        if not all(0 < int.from_bytes(half, "big") < gm.ORDER for half in (signature[:32], signature[32:])):
            return False
        try:
            scheme = SM2(uid=b"1234567812345678", pk=b"\x04" + public_key)
            return bool(scheme.verify(message, signature[:32], signature[32:]))
        except (GMError, ValueError):
            return False

    return one_by_one(answer)


def load_pycryptodome_hpke() -> Answering:
    """Of P-256 and X25519, as it has no hybrid. Raises ImportError."""
    from Crypto.Protocol import HPKE
    from Crypto.PublicKey import ECC

    def answer(
        kem: int, aead: int, secret: bytes, enc: bytes, ciphertext: bytes, info: bytes, aad: bytes
    ) -> bytes | None:
        try:
            if kem == Kem.P256:
                key = ECC.construct(curve="P-256", d=int.from_bytes(secret, "big"))
            else:
                key = ECC.construct(curve="Curve25519", seed=secret)  # type: ignore[arg-type]  # its stub is wrong
            opening = HPKE.new(receiver_key=key, aead_id=HPKE.AEAD(aead), enc=enc, info=info)
            return bytes(opening.unseal(ciphertext, auth_data=aad))
        except ValueError:
            return None

    return one_by_one(answer)


def load_openssl_sm3() -> Answering:
    """OpenSSL by `cryptography`. Raises ImportError: it is not there, or was built without SM3."""
    from cryptography.hazmat.primitives.hashes import SM3, Hash

    def answer(data: bytes) -> bytes:
        state = Hash(SM3())
        state.update(data)
        return state.finalize()

    return _where_openssl_has("SM3", one_by_one(answer), (b"",))
