"""The one registry: each algorithm with its engines and judges. `hutong accel` prints it.

An engine is added here, with its known answers beside it. A GPU would be one more `Engine` that `runs` in a process of its own
and pays from some thousands of questions; none is here, and docs/acceleration.md says why.
"""

from collections.abc import Mapping
from typing import Final

from hutong.light_clients.crypto import bls, ed25519, erasure, gm, hashes, hpke, secp256k1
from hutong.light_clients.crypto.engines import judges
from hutong.light_clients.crypto.engines.engine import PYTHON, Algorithm, Answering, Engine, Runs, Use, one_by_one
from hutong.light_clients.crypto.engines.known_answers import bls12_381 as known_bls
from hutong.light_clients.crypto.engines.known_answers import ed25519 as known_ed25519
from hutong.light_clients.crypto.engines.known_answers import erasure as known_erasure
from hutong.light_clients.crypto.engines.known_answers import hpke as known_hpke
from hutong.light_clients.crypto.engines.known_answers import secp256k1 as known_secp256k1
from hutong.light_clients.crypto.engines.known_answers import shares as known_shares
from hutong.light_clients.crypto.engines.known_answers import sm2 as known_sm2
from hutong.light_clients.crypto.engines.known_answers.hashes import HASHES
from hutong.light_clients.crypto.secret_sharing import Commitments, Share, SharingError, verify_share

_OURS = "pip install -c constraints.txt '.[audit]'"
_GM = "pip install -c constraints.txt '.[gm]'"
_STORAGE = "pip install -c constraints.txt '.[storage]'"
_PEERS = "pip install -c constraints.txt '.[accel]'"
_HPKE = "pip install -c constraints.txt '.[hpke]'"
_NATIVE = "pip install ./native"
_NONE: Final[tuple[str, ...]] = ()


# Functions are looked up when they are asked: a test that puts a wrong library in their place is seen here as everywhere.
def _secp256k1_verify() -> Answering:
    return lambda questions: list(secp256k1.verify_low_s_batch(questions))


def _secp256k1_recover() -> Answering:
    return lambda questions: list(secp256k1.recover_public_key_batch(questions))


def _ed25519() -> Answering:
    return lambda questions: list(ed25519.verify_batch(questions))


def _bls() -> Answering:
    size = bls.PUBLIC_KEY_BYTES

    def answer(keys: bytes, message: bytes, signature: bytes) -> bool:
        parts = [keys[start : start + size] for start in range(0, len(keys), size)]
        return bls.fast_aggregate_verify(parts, message, signature)

    return one_by_one(answer)


def _gmssl_sm2() -> Answering:
    import gmssl_pyx  # noqa: F401  the door imports it later, and says then that it is missing

    return one_by_one(gm.verify)


def _gmssl_sm3() -> Answering:
    import gmssl_pyx

    return one_by_one(gmssl_pyx.sm3_hash)


def _isal() -> Answering:
    if not erasure.is_installed():
        raise erasure.ErasureNotInstalled

    def answer(data: int, parity: int, content: bytes) -> bytes | None:
        length = -(-len(content) // data)
        shards = [content[at : at + length].ljust(length, b"\0") for at in range(0, data * length, length)]
        try:
            return hashes.sha256(b"".join(erasure.CauchyCode(data, parity).encode(shards)))
        except erasure.ErasureEngineFaulty:
            return None

    return one_by_one(answer)


def _keccak256() -> Answering:
    return one_by_one(hashes.keccak256)


def _sha256() -> Answering:
    return one_by_one(hashes.sha256)


def _ripemd160() -> Answering:
    return one_by_one(hashes.ripemd160)


def _open(kem: int, aead: int, secret: bytes, enc: bytes, ciphertext: bytes, info: bytes, aad: bytes) -> bytes | None:
    try:
        suite = hpke.Suite.of_numbers(kem, hpke.HKDF_SHA256, aead)
        key = hpke.PrivateKey.parse(suite.kem, secret)
        return hpke.open_sealed(suite, key, hpke.Sealed(enc, ciphertext), info=info, aad=aad)
    except hpke.HpkeError:
        return None


def _pyhpke_open() -> Answering:
    import pyhpke  # noqa: F401  the door imports it later, and says then that it is missing

    return one_by_one(_open)


def _hybrid_open() -> Answering:
    import cryptography.hazmat.primitives.hpke  # noqa: F401

    return one_by_one(_open)


def _frost_verify() -> Answering:
    import hutong_native  # noqa: F401

    def answer(commitments: bytes, holder: int, share: bytes) -> bool:
        try:
            verify_share(Commitments(commitments), Share(holder, share))
        except SharingError:
            return False
        return True

    return one_by_one(answer)


_SECP256K1_VERIFY: Final = Algorithm(
    "secp256k1 verify",
    Use.CONSENSUS,
    (Engine("libsecp256k1", "coincurve", _OURS, Runs.THREAD, _NONE, 512, _secp256k1_verify),),
    (
        Engine("eth-keys native", "eth-keys", _PEERS, Runs.PROCESS, _NONE, 64, judges.load_eth_keys_verify),
        Engine("OpenSSL", "cryptography", _PEERS, Runs.PROCESS, _NONE, 512, judges.load_openssl_verify),
    ),
    known_secp256k1.VERIFY,
)
_SECP256K1_RECOVER: Final = Algorithm(
    "secp256k1 recover",
    Use.CONSENSUS,
    (Engine("libsecp256k1", "coincurve", _OURS, Runs.THREAD, _NONE, 512, _secp256k1_recover),),
    (Engine("eth-keys native", "eth-keys", _PEERS, Runs.PROCESS, _NONE, 64, judges.load_eth_keys_recover),),
    known_secp256k1.RECOVER,
)
_ED25519: Final = Algorithm(
    "ed25519 verify",
    Use.CONSENSUS,
    (Engine("ed25519-zebra", "py-ed25519-zebra-bindings", _OURS, Runs.PROCESS, ("avx2",), 8_192, _ed25519),),
    (Engine("OpenSSL", "cryptography", _PEERS, Runs.PROCESS, _NONE, 4_096, judges.load_openssl_ed25519),),
    known_ed25519.VERIFY,
)
_BLS12_381: Final = Algorithm(
    "bls12-381 verify",
    Use.CONSENSUS,
    (Engine("blst", "pyblst", _OURS, Runs.PROCESS, ("adx", "bmi2", "sha_ni"), 256, _bls),),
    (Engine("py_ecc", "py-ecc", _PEERS, Runs.PROCESS, _NONE, 2, judges.load_py_ecc),),
    known_bls.VERIFY,
)
_KECCAK256: Final = Algorithm(
    "keccak256",
    Use.CONSENSUS,
    (Engine("pysha3", "safe-pysha3", _OURS, Runs.THREAD, _NONE, 64, _keccak256),),
    (Engine("pycryptodome", "pycryptodome", _OURS, Runs.THREAD, _NONE, 64, judges.load_pycryptodome_keccak),),
    HASHES["keccak256"],
)
_SHA256: Final = Algorithm(
    "sha256",
    Use.CONSENSUS,
    (Engine("hashlib (OpenSSL)", PYTHON, _OURS, Runs.THREAD, ("sha_ni", "avx2", "ssse3"), 64, _sha256),),
    (Engine("CPython's C", PYTHON, _OURS, Runs.THREAD, _NONE, 64, judges.load_plain_sha256),),
    HASHES["sha256"],
)
_RIPEMD160: Final = Algorithm(
    "ripemd160",
    Use.CONSENSUS,
    (Engine("pycryptodome", "pycryptodome", _OURS, Runs.THREAD, _NONE, 64, _ripemd160),),
    (Engine("hashlib (OpenSSL)", PYTHON, _OURS, Runs.THREAD, _NONE, 64, judges.load_openssl_ripemd160),),
    HASHES["ripemd160"],
)
_SM2: Final = Algorithm(
    "sm2 verify",
    Use.BULK,
    (Engine("GmSSL", "gmssl-pyx", _GM, Runs.PROCESS, _NONE, 512, _gmssl_sm2),),
    (Engine("gmalg", "gmalg", _PEERS, Runs.PROCESS, _NONE, 8, judges.load_gmalg_sm2),),
    known_sm2.VERIFY,
)
_SM3: Final = Algorithm(
    "sm3",
    Use.BULK,
    (Engine("GmSSL", "gmssl-pyx", _GM, Runs.PROCESS, _NONE, 64, _gmssl_sm3),),
    (Engine("OpenSSL", "cryptography", _PEERS, Runs.THREAD, _NONE, 64, judges.load_openssl_sm3),),
    HASHES["sm3"],
)
_ERASURE: Final = Algorithm(
    "erasure code",
    Use.BULK,
    (Engine("ISA-L", "pyeclib", _STORAGE, Runs.THREAD, ("gfni", "avx512f", "avx2", "avx", "sse4_1"), 8, _isal),),
    (),
    known_erasure.PARITY,
)

_HPKE_OPEN: Final = Algorithm(
    "hpke open",
    Use.BULK,
    (Engine("pyhpke", "pyhpke", _HPKE, Runs.PROCESS, _NONE, 512, _pyhpke_open),),
    (Engine("pycryptodome", "pycryptodome", _OURS, Runs.PROCESS, _NONE, 64, judges.load_pycryptodome_hpke),),
    known_hpke.DH,
)
_HPKE_OPEN_HYBRID: Final = Algorithm(
    "hpke open, hybrid",
    Use.BULK,
    (Engine("OpenSSL", "cryptography", _HPKE, Runs.PROCESS, ("avx2",), 512, _hybrid_open),),
    (),
    known_hpke.HYBRID,
)
_SHARE_VERIFY: Final = Algorithm(
    "share verify",
    Use.BULK,
    (Engine("frost-ristretto255", "hutong-native", _NATIVE, Runs.THREAD, ("avx512ifma", "avx2"), 16, _frost_verify),),
    (),
    known_shares.VERIFY,
)

ALGORITHMS: Final[Mapping[str, Algorithm]] = {
    algorithm.name: algorithm
    for algorithm in (
        _SECP256K1_VERIFY,
        _SECP256K1_RECOVER,
        _ED25519,
        _BLS12_381,
        _KECCAK256,
        _SHA256,
        _RIPEMD160,
        _SM2,
        _SM3,
        _ERASURE,
        _HPKE_OPEN,
        _HPKE_OPEN_HYBRID,
        _SHARE_VERIFY,
    )
}
"""By name."""
GM_ALGORITHMS: Final = (_SM2.name, _SM3.name)
"""Bulk, but of consensus in a hub whose genesis names their library, since it judges chains under that suite."""
