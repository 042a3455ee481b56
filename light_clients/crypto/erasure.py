"""Systematic Reed-Solomon over GF(2^8) with the Cauchy matrix (polynomial 0x11d), by Intel's ISA-L from the optional extra `storage`.

Parity shard r of an object cut in k equal shards is the sum over c of shard c times 1/(r xor c), r counted from k: what ISA-L's
`gf_gen_cauchy1_matrix` and klauspost's `WithCauchyMatrix` both make. Any k of the k + m shards give all the others.

The danger: a code finds nothing. A shard that was changed makes others wrong without an error, so whoever rebuilds has checked
each shard by its hash before (docs/spec/storage-pack.md).
"""

import ctypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, files
from typing import Any, Final

NOT_INSTALLED = "erasure coding without the extra `storage` (in the checkout of hutong run: pip install -c constraints.txt '.[storage]')"
MAX_SHARDS: Final = 256
"""Data and parity together: rows and columns of the matrix are distinct elements of GF(2^8)."""
MAX_SHARD_BYTES: Final = 2**30
"""ISA-L counts in a C int."""

Shard = bytes | bytearray | memoryview
"""Views are contiguous and writable: others cannot be read where they lie."""

PACKAGE: Final = "pyeclib"
"""Whose wheel brings ISA-L. Its own functions are not used: they copy, and give wrong bytes for a damaged fragment."""
_KNOWN_OBJECT: Final = (10, 4, 65_536)
"""Data and parity shards and bytes of the known object: shards of 6 554 bytes, so that what is left after the last whole vector of
any width is coded as well."""
KNOWN_ANSWER: Final = "2640fc59f67c9519db5ef6a261d10d355648d9ca89646d16ee2b28ee4e489edb"
"""SHA-256 over the parity shards of the known object, which are those of klauspost/reedsolomon 1.14.2."""
_MOST_TABLES: Final = 256
"""Patterns of loss whose tables are kept: at 10 + 4 about 1 KiB each."""


class ErasureNotInstalled(ImportError):
    """The extra `storage` is not installed, or its wheel has no ISA-L on this platform."""

    def __init__(self) -> None:
        super().__init__(NOT_INSTALLED)


class ErasureEngineFaulty(RuntimeError):
    """The library gave another answer than the known one: nothing is coded with it."""

    def __init__(self, got: str, expected: str) -> None:
        super().__init__(f"ISA-L fails its known answer; expected {expected}, got {got}")
        self.got = got
        self.expected = expected


class ErasureRefused(ValueError):
    """Base of what coding refuses: the caller gave what no code has."""


class CodeOutOfRange(ErasureRefused):
    """No code has so many data and parity shards."""

    def __init__(self, data: int, parity: int) -> None:
        super().__init__(
            f"a code has at least one data and one parity shard, {MAX_SHARDS} in all; got {data} + {parity}"
        )
        self.data = data
        self.parity = parity


class UnusableShard(ErasureRefused):
    """A shard is missing among these, of another length than the others, numbered as none is, or cannot be reached where it lies."""

    def __init__(self, number: int, reason: str, got: int, expected: str) -> None:
        super().__init__(f"shard {number}: {reason}; expected {expected}, got {got}")
        self.number = number
        self.reason = reason
        self.got = got
        self.expected = expected


class TooFewShards(ErasureRefused):
    """Fewer shards are left than the code has data shards, so the rest cannot be rebuilt."""

    def __init__(self, present: int, needed: int) -> None:
        super().__init__(f"{present} shards are left of {needed} that are needed")
        self.present = present
        self.needed = needed


@dataclass(frozen=True, slots=True)
class CauchyCode:
    """`data` shards of an object and `parity` more; numbered from 0, data first."""

    data: int
    parity: int

    def __post_init__(self) -> None:
        if self.data < 1 or self.parity < 1 or self.data + self.parity > MAX_SHARDS:
            raise CodeOutOfRange(self.data, self.parity)

    @property
    def shards(self) -> int:
        """Of both kinds."""
        return self.data + self.parity

    def encode(self, shards: Sequence[Shard]) -> tuple[bytearray, ...]:
        """The parity shards of all data shards, in order.

        Raises:
            UnusableShard: not `data` of them, or they differ in length, or have no bytes or more than `MAX_SHARD_BYTES`.
            ErasureNotInstalled: the extra is not there.
        """
        parity = tuple(bytearray(len(shards[0]) if shards else 0) for _ in range(self.parity))
        self.encode_into(shards, parity)
        return parity

    def encode_into(self, shards: Sequence[Shard], parity: Sequence[Shard]) -> None:
        """As `encode`, into buffers of the same length that the caller holds: nothing is copied.

        Raises:
            UnusableShard: see `encode`; or not `parity` buffers, or one of another length.
            ErasureNotInstalled: the extra is not there.
        """
        length = _common_length(dict(enumerate(shards)), self.data)
        _common_length({0: shards[0], **dict(enumerate(parity, self.data))}, self.parity + 1)
        for number, buffer in enumerate(parity, self.data):
            if isinstance(buffer, bytes):  # the library would write into it all the same
                raise UnusableShard(number, "cannot be written", length, "a bytearray or a view of one")
        _multiply(_encode_tables(self.data, self.parity), shards, parity, length)

    def rebuild(self, present: Mapping[int, Shard], wanted: Sequence[int]) -> tuple[bytearray, ...]:
        """The shards of these numbers, in the order of `wanted`, from any `data` others.

        Of more than `data` present ones the lowest numbers are read. **Which of them are right is not checked here.**

        Raises:
            UnusableShard: a number that the code does not have, unequal lengths, or no bytes.
            TooFewShards: fewer than `data` are present.
            ErasureNotInstalled: the extra is not there.
        """
        for number in (*present, *wanted):
            if not 0 <= number < self.shards:
                raise UnusableShard(number, "the code has no such shard", number, f"0 to {self.shards - 1}")
        if len(present) < self.data:
            raise TooFewShards(len(present), self.data)
        length = _common_length(present, len(present))
        used = tuple(sorted(present)[: self.data])
        rebuilt = tuple(bytearray(length) for _ in wanted)
        if wanted:
            tables = _rebuild_tables(self.data, self.parity, used, tuple(wanted))
            _multiply(tables, [present[number] for number in used], rebuilt, length)
        return rebuilt


def is_installed() -> bool:
    """Whether shards can be coded here."""
    return _library_path(PACKAGE) is not None


def engine_version() -> str:
    """Of ISA-L, as the library says it, such as `2.31.1`.

    Raises:
        ErasureNotInstalled: the extra is not there.
    """
    version: bytes = _engine(PACKAGE).isal_get_version_str()
    return version.decode()


def self_test() -> None:
    """Code the known object and rebuild four of its data shards, in about 2 ms. Done once when the library is first used.

    Raises:
        ErasureEngineFaulty: other bytes than the known ones.
        ErasureNotInstalled: the extra is not there.
    """
    _check_known_answer(loaded(PACKAGE))


@cache
def _library_path(package: str) -> str | None:
    try:
        listed = files(package) or ()
    except PackageNotFoundError:
        return None
    return next((str(file.locate()) for file in listed if file.name.startswith("libisal")), None)


@cache
def loaded(package: str) -> Any:
    """ISA-L out of the wheel of `package`, not judged yet.

    Raises:
        ErasureNotInstalled: there is none.
    """
    path = _library_path(package)
    if path is None:
        raise ErasureNotInstalled
    library = ctypes.CDLL(path)
    pointer, integer = ctypes.c_void_p, ctypes.c_int
    for name, arguments, result in (
        ("gf_gen_cauchy1_matrix", (pointer, integer, integer), None),
        ("gf_invert_matrix", (pointer, pointer, integer), integer),
        ("ec_init_tables", (integer, integer, pointer, pointer), None),
        ("ec_encode_data", (integer, integer, integer, pointer, pointer, pointer), None),
        ("isal_get_version_str", (), ctypes.c_char_p),
    ):
        function = getattr(library, name)
        function.argtypes, function.restype = arguments, result
    return library


@cache
def _engine(package: str) -> Any:
    library = loaded(package)
    _check_known_answer(library)
    return library


def _check_known_answer(library: Any) -> None:
    data, parity, size = _KNOWN_OBJECT
    label = f"hutong-rs-{data}-{parity}-{size}".encode()
    octets = b"".join(sha256(label + number.to_bytes(8, "big")).digest() for number in range(size // 32))
    length = -(-size // data)
    shards: list[Shard] = [octets[at : at + length].ljust(length, b"\0") for at in range(0, size, length)]
    coded = [bytearray(length) for _ in range(parity)]
    _multiply(_tables(library, _matrix(library, data, parity)[data * data :], data), shards, coded, length, library)
    _compare(sha256(b"".join(coded)).hexdigest(), KNOWN_ANSWER)
    lost, left = (0, 3, 5, 9), (1, 2, 4, 6, 7, 8, 10, 11, 12, 13)
    rebuilt = [bytearray(length) for _ in lost]
    rows = _rows_of(library, data, parity, left, lost)
    _multiply(_tables(library, rows, data), [[*shards, *coded][number] for number in left], rebuilt, length, library)
    _compare(sha256(b"".join(rebuilt)).hexdigest(), sha256(b"".join(shards[number] for number in lost)).hexdigest())


def _compare(got: str, expected: str) -> None:
    if got != expected:
        raise ErasureEngineFaulty(got, expected)


def _common_length(shards: Mapping[int, Shard], count: int) -> int:
    """The length that all have.

    Raises:
        UnusableShard: not `count` of them, unequal lengths, or a length out of its bounds.
    """
    if len(shards) != count:
        raise UnusableShard(min(len(shards), count), "another number of shards", len(shards), str(count))
    length = len(next(iter(shards.values())))
    for number, shard in shards.items():
        if len(shard) != length:
            raise UnusableShard(number, "another length", len(shard), str(length))
        if isinstance(shard, memoryview) and (shard.readonly or not shard.c_contiguous or shard.itemsize != 1):
            raise UnusableShard(number, "a view that is read-only or not one run of bytes", shard.nbytes, "bytes")
    if not 1 <= length <= MAX_SHARD_BYTES:
        raise UnusableShard(next(iter(shards)), "bytes of a shard", length, f"1 to {MAX_SHARD_BYTES}")
    return length


def _matrix(library: Any, data: int, parity: int) -> bytes:
    """Row by row, the identity first."""
    matrix = ctypes.create_string_buffer((data + parity) * data)
    library.gf_gen_cauchy1_matrix(matrix, data + parity, data)
    return matrix.raw


def _rows_of(library: Any, data: int, parity: int, used: Sequence[int], wanted: Sequence[int]) -> bytes:
    """The rows that make the wanted shards of the used ones: rows of the code times the inverse of the used rows."""
    matrix = _matrix(library, data, parity)
    rows = [matrix[at : at + data] for at in range(0, len(matrix), data)]
    square = ctypes.create_string_buffer(b"".join(rows[number] for number in used), data * data)
    inverse = ctypes.create_string_buffer(data * data)
    # Every square part of a Cauchy matrix, and of one under an identity, has an inverse: this refuses a broken library alone.
    if library.gf_invert_matrix(square, inverse, data) != 0:
        raise ErasureEngineFaulty("no inverse", f"one of rows {tuple(used)}")
    parts = [inverse.raw[at : at + data] for at in range(0, data * data, data)]
    made = [bytearray(data) for _ in wanted]
    _multiply(_tables(library, b"".join(rows[number] for number in wanted), data), parts, made, data, library)
    return b"".join(made)


def _tables(library: Any, rows: bytes, data: int) -> Any:
    tables = ctypes.create_string_buffer(32 * len(rows))
    library.ec_init_tables(data, len(rows) // data, rows, tables)
    return tables


@lru_cache(_MOST_TABLES)
def _encode_tables(data: int, parity: int) -> Any:
    library = _engine(PACKAGE)
    return _tables(library, _matrix(library, data, parity)[data * data :], data)


@lru_cache(_MOST_TABLES)
def _rebuild_tables(data: int, parity: int, used: tuple[int, ...], wanted: tuple[int, ...]) -> Any:
    library = _engine(PACKAGE)
    return _tables(library, _rows_of(library, data, parity, used, wanted), data)


def _multiply(
    tables: Any,
    sources: Sequence[Shard],
    targets: Sequence[Shard],
    length: int,
    library: Any = None,
) -> None:
    """The targets become the tables' rows times the sources. The interpreter's lock is free meanwhile."""
    held = [_lent(shard) for shard in (*sources, *targets)]
    addresses = (ctypes.c_void_p * len(held))(*(address for address, _ in held))
    first_target = ctypes.addressof(addresses) + len(sources) * ctypes.sizeof(ctypes.c_void_p)
    (library or _engine(PACKAGE)).ec_encode_data(length, len(sources), len(targets), tables, addresses, first_target)
    # The buffers stay locked against resizing until here, while another thread may hold them too.
    del held


def _lent(shard: Shard) -> tuple[int, Any]:
    """Where the bytes lie, and what keeps them there."""
    if isinstance(shard, bytes):
        return ctypes.cast(ctypes.c_char_p(shard), ctypes.c_void_p).value or 0, shard
    lent = ctypes.c_char.from_buffer(shard)
    return ctypes.addressof(lent), lent
