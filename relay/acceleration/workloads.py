"""What is measured of each algorithm: one call of the engine, and the same work by the plain path and by others."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from hutong.light_clients.crypto import bls, erasure
from hutong.light_clients.crypto.engines import ALGORITHMS, Engine, Question

Run = Callable[[], object]

COMMITTEE: Final = 512
"""Keys of a sync committee of Ethereum."""
DATA, PARITY, CELL_BYTES = 20, 10, 65_536
"""The erasure code that is measured."""
LONG_BYTES: Final = 1_048_576


@dataclass(frozen=True, slots=True)
class Side:
    """One library at the work. `prepare` imports it and returns what is timed; it raises ImportError where there is none."""

    name: str
    distribution: str
    install: str
    prepare: Callable[[], Run]


@dataclass(frozen=True, slots=True)
class Workload:
    """The same work for several libraries.

    Attributes:
        algorithm: a name of ALGORITHMS.
        name: what is done.
        amount: in one call, of `unit`.
        ours: the engine.
        others: the plain path first. Empty where none is known.
    """

    algorithm: str
    name: str
    amount: float
    unit: str
    ours: Side
    others: tuple[Side, ...]


def workloads() -> tuple[Workload, ...]:
    """In the order of the table. No library is imported yet."""
    return (
        _of_question("secp256k1 verify", "a signature", 20),
        _of_question("secp256k1 recover", "a key", 20),
        _of_question("ed25519 verify", "a signature", 20),
        _committee(),
        _of_hash("keccak256", 64, 200),
        _of_hash("sha256", LONG_BYTES, 1),
        _of_hash("ripemd160", 64, 200),
        _of_question("sm2 verify", "a signature", 5),
        _of_hash("sm3", LONG_BYTES, 1),
        _erasure_code(),
        _of_question("hpke open", "a message", 20),
        _of_question("hpke open, hybrid", "a message", 20),
        _of_question("share verify", "a share, 2 of 3", 20),
    )


def _side(engine: Engine, question: Question, times: int) -> Side:
    def prepare() -> Run:
        return partial(engine.load(), [question] * times)

    return Side(engine.name, engine.distribution, engine.install, prepare)


def _of_question(name: str, what: str, times: int) -> Workload:
    """The first known question, which is a good signature; so many in a call of the engine, one in a call of the others."""
    algorithm = ALGORITHMS[name]
    return _same_question(name, what, algorithm.known[0].question, times, "/s", times)


def _of_hash(name: str, size: int, times: int) -> Workload:
    mega = size >= LONG_BYTES
    amount, unit = (times * size / 1e6, "MB/s") if mega else (float(times), "/s")
    what = f"{size // 1024} KiB" if mega else f"{size} bytes"
    return _same_question(name, what, (bytes(at % 251 for at in range(size)),), times, unit, amount)


def _same_question(name: str, what: str, question: Question, times: int, unit: str, amount: float) -> Workload:
    algorithm = ALGORITHMS[name]
    engine, *more = algorithm.engines
    others = (*algorithm.judges, *more)
    return Workload(
        name,
        what,
        amount,
        unit,
        _side(engine, question, times),
        tuple(_side(other, question, times) for other in others),
    )


_MESSAGE = b"hutong accel: a committee signs"


def _secrets() -> list[bytes]:
    return [(7 + number).to_bytes(32, "big") for number in range(COMMITTEE)]


def _committee() -> Workload:
    """FastAggregateVerify of 512 keys that were decoded before, as a light client of Ethereum has them after the first update."""

    def ours() -> Run:
        keys = [key for key in bls.decode_public_keys(b"".join(map(bls.public_key_of, _secrets()))) if key is not None]
        signature = bls.sign_aggregate(_secrets(), _MESSAGE)

        def run() -> None:
            if not bls.verify_under_sum(bls.add_keys(keys), _MESSAGE, signature):
                raise AssertionError("the committee signed")

        return run

    engine, plain = ALGORITHMS["bls12-381 verify"].engines[0], ALGORITHMS["bls12-381 verify"].judges[0]
    return Workload(
        "bls12-381 verify",
        f"{COMMITTEE} keys, decoded before",
        1,
        "/s",
        Side(engine.name, engine.distribution, engine.install, ours),
        (Side(plain.name, plain.distribution, plain.install, _py_ecc_committee),),
    )


def _py_ecc_committee() -> Run:
    from py_ecc.bls.ciphersuites import G2ProofOfPossession as Scheme
    from py_ecc.bls.g2_primitives import G1_to_pubkey, pubkey_to_G1
    from py_ecc.optimized_bls12_381.optimized_curve import add

    points: list[Any] = [pubkey_to_G1(bls.public_key_of(secret)) for secret in _secrets()]  # type: ignore[arg-type]
    signature = bls.sign_aggregate(_secrets(), _MESSAGE)

    def run() -> None:
        total = points[0]
        for point in points[1:]:
            total = add(total, point)
        if not Scheme.Verify(G1_to_pubkey(total), _MESSAGE, signature):  # type: ignore[arg-type]
            raise AssertionError("the committee signed")

    return run


def _cells() -> list[bytes]:
    return [bytes((row * 7 + at) % 256 for at in range(251)) * (CELL_BYTES // 251 + 1) for row in range(DATA)]


def _erasure_code() -> Workload:
    def ours() -> Run:
        cells = [cell[:CELL_BYTES] for cell in _cells()]
        parity = [bytearray(CELL_BYTES) for _ in range(PARITY)]
        code = erasure.CauchyCode(DATA, PARITY)
        code.encode_into(cells, parity)
        return partial(code.encode_into, cells, parity)

    engine = ALGORITHMS["erasure code"].engines[0]
    peers = "pip install -c constraints.txt '.[accel]'"
    return Workload(
        "erasure code",
        f"{DATA} + {PARITY}, cells of {CELL_BYTES // 1024} KiB",
        DATA * CELL_BYTES / 1e6,
        "MB/s",
        Side(engine.name, engine.distribution, engine.install, ours),
        (Side("zfec", "zfec", peers, _zfec),),
    )


def _zfec() -> Run:
    """Another matrix, so other bytes: the same work, not the same code."""
    import zfec

    cells = [cell[:CELL_BYTES] for cell in _cells()]
    return partial(zfec.Encoder(DATA, DATA + PARITY).encode, cells, tuple(range(DATA, DATA + PARITY)))


MEASURED: Final[Mapping[str, Workload]] = {one.algorithm: one for one in workloads()}
"""By algorithm."""
