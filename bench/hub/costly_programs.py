"""Blocks that try to be slow or large: pieces of code in a loop, with what they call and what they find.

All is drawn from a seed, so that what was found is its description.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

from bench.hub.precompile_inputs import precompile_input
from hutong.relay.evm.vm.accounts import GenesisAccount

MAIN, CALLEE, DATA, SOILER = b"\x4d" * 20, b"\xce" * 20, b"\xda" * 20, b"\x50" * 20
FIRST_DIRTY = 0x1_0000
FIRST_TOURED = 0x2000
DIRTY_GAS = 8_400
"""For a call of a contract that changes a slot."""
FILL_BYTES = 12_000
"""The loop is unrolled to about that."""
MAX_PIECES = 5

STACK_IN = {
    **dict.fromkeys((*range(0x01, 0x08), 0x0A, 0x0B, *range(0x10, 0x15), 0x16, 0x17, 0x18, 0x1A, 0x1B, 0x1C, 0x1D, 0x20), 2),
    **dict.fromkeys((0x08, 0x09, 0x37, 0x39, 0x3E, 0x5E), 3),
    **dict.fromkeys((0x15, 0x19, 0x31, 0x35, 0x3B, 0x3F, 0x40, 0x49, 0x51, 0x54, 0x5C), 1),
    **dict.fromkeys((0x52, 0x53, 0x55, 0x5D), 2),
    **dict.fromkeys((0x30, 0x32, 0x33, 0x34, 0x36, 0x38, 0x3A, 0x3D, *range(0x41, 0x49), 0x4A, 0x58, 0x59, 0x5A, 0x5B, 0x5F), 0),
    0x3C: 4,
}  # fmt: skip
SILENT = frozenset((0x37, 0x39, 0x3C, 0x3E, 0x52, 0x53, 0x55, 0x5B, 0x5D, 0x5E))
"""Those that leave nothing on the stack."""
OPCODES = tuple(sorted(STACK_IN))
OPERANDS = (b"\x5f", b"\x5f\x19", b"\x60\x20", b"\x5a", b"\x59", b"\x30", b"\x5a\x60\x60\x1b")
"""Zero, all ones, 32, one that differs each time, the end of memory, this account, another account each time."""
SIZES = (0, 32, 200, 4_096, 24_576, 49_152, 260_000, 1_000_000)
GIVEN = (b"\x5a", b"\x5f", b"\x60\xff", b"\x61\x75\x30", b"\x62\x0f\xff\xff")
"""Gas of a call: all, none, 255, 30 000, a million."""
CALLS = (0xF1, 0xF2, 0xF4, 0xFA)
TRANSACTIONS = (1, 2, 16, 200)
TOURS = (40, 700, 2_400)
"""Different accounts or slots in turn: fewer and more than caches hold."""
DIRTY = (0, 20, 60, 600)
DATA_BYTES = (0, 2_000, 50_000)
PRECOMPILES = tuple(range(1, 0x12))


@dataclass(frozen=True, slots=True)
class Piece:
    """`kind` is one of `KINDS`; the numbers choose among its options."""

    kind: str
    first: int = 0
    second: int = 0
    third: int = 0

    def __str__(self) -> str:
        return f"{self.kind}({self.first},{self.second},{self.third})"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A block: one transaction that makes `dirty` stores dirty, and `transactions` of equal gas that run the pieces in a loop."""

    pieces: tuple[Piece, ...]
    callee: Piece = Piece("stop")
    transactions: int = 1
    dirty: int = 0
    memory_bytes: int = 0
    data_bytes: int = 0

    def __str__(self) -> str:
        around = [f"callee {self.callee}", f"transactions {self.transactions}", f"dirty {self.dirty}"]
        around += [f"memory {self.memory_bytes}", f"data {self.data_bytes}"]
        return f"{' '.join(map(str, self.pieces))} [{', '.join(around)}]"

    @property
    def is_long(self) -> bool:
        """Whether it needs a whole block to have its effect."""
        return any(piece.kind == "tour" and piece.second % len(TOURS) for piece in self.pieces)

    def accounts(self) -> dict[bytes, GenesisAccount]:
        """What is there before the block."""
        dirty = [number.to_bytes(20, "big") for number in range(FIRST_DIRTY, FIRST_DIRTY + self.dirty)]
        made = {
            MAIN: GenesisAccount(balance_wei=10**18, nonce=1, code=self._code()),
            DATA: GenesisAccount(nonce=1, code=b"\x00" + self._data()),
            SOILER: GenesisAccount(nonce=1, code=b"".join(_soiling(address) for address in dirty)),
        }
        made.update((address, GenesisAccount(nonce=1, code=b"\x5a\x5f\x55", storage={0: 1})) for address in dirty)
        for piece in self.pieces:
            if piece.kind == "tour" and TOURED[piece.first % len(TOURED)] in (0x3B, 0xFA):
                made.update(_toured(piece))
        code = _CALLEES[self.callee.kind](self.callee)
        if code is not None:
            made[CALLEE] = GenesisAccount(balance_wei=10**9, nonce=1, code=code)
        return made

    def _code(self) -> bytes:
        data = self._data()
        start = push(len(data)) + b"\x60\x01\x5f\x73" + DATA + b"\x3c" if data else b""
        start += b"\x5f" + push(self.memory_bytes) + b"\x53" if self.memory_bytes else b""
        body = b"".join(KINDS[piece.kind](piece) for piece in self.pieces)
        repeated = body * max(1, FILL_BYTES // max(1, len(body)))
        return start + b"\x5b" + repeated + b"\x61" + len(start).to_bytes(2, "big") + b"\x56"

    def _data(self) -> bytes:
        """What is in memory when the loop begins: the input of the first precompile, or code."""
        for piece in self.pieces:
            if piece.kind == "precompile":
                return precompile_input(piece.first, piece.second)
            if piece.kind == "create" and piece.first == 3:
                return jumping_code(24_000)
        return b""


def _toured(piece: Piece) -> Iterator[tuple[bytes, GenesisAccount]]:
    """Contracts of 24 KiB, each another, which jump to their end."""
    for number in range(TOURS[piece.second % len(TOURS)]):
        code = jumping_code(24_000, (0x7F, 0x60, 0x5B)[piece.third % 3])
        yield (
            (FIRST_TOURED + number).to_bytes(20, "big"),
            GenesisAccount(nonce=1, code=code + number.to_bytes(2, "big")),
        )


def _soiling(address: bytes) -> bytes:
    return b"\x5f\x5f\x5f\x5f\x5f\x73" + address + b"\x61\x17\x70\xf1\x50"


def push(number: int) -> bytes:
    size = max(1, (number.bit_length() + 7) // 8)
    return bytes([0x5F + size]) + number.to_bytes(size, "big")


@cache
def jumping_code(size: int, filling: int = 0x7F) -> bytes:
    """A jump to its end, over PUSHes that hold PUSHes."""
    whole = (size - 5) // 33 * 33
    return push(whole + 4).rjust(3, b"\x60")[:3] + b"\x56" + bytes([filling]) * whole + b"\x5b"


# --- pieces


def _opcode(piece: Piece) -> bytes:
    opcode = OPCODES[piece.first % len(OPCODES)]
    operands = b"".join(
        OPERANDS[(piece.second + (at and piece.third)) % len(OPERANDS)] for at in range(STACK_IN[opcode])
    )
    return operands + bytes([opcode]) + (b"" if opcode in SILENT else b"\x50")


def _call(piece: Piece) -> bytes:
    """`first` chooses instruction and callee, `second` the input, `third` output and gas."""
    opcode = CALLS[piece.first % 4]
    target = (b"\x73" + CALLEE, b"\x60\xaa", b"\x60\x04", b"\x30", OPERANDS[6])[piece.first // 4 % 5]
    memory = b"\x5f" * 2 if piece.third % 3 else push(SIZES[piece.second % len(SIZES)]) + b"\x5f"
    value = {0xF1: b"\x5f", 0xF2: b"\x5f"}.get(opcode, b"")
    size = b"\x59" if piece.second % 11 == 10 else push(SIZES[piece.second % len(SIZES)])
    return memory + size + b"\x5f" + value + target + GIVEN[piece.third % len(GIVEN)] + bytes([opcode, 0x50])


def _precompile(piece: Piece) -> bytes:
    size = len(precompile_input(piece.first, piece.second))
    return b"\x5f\x5f" + push(size) + b"\x5f" + push(PRECOMPILES[piece.first % len(PRECOMPILES)]) + b"\x5a\xfa\x50"


def _create(piece: Piece) -> bytes:
    """Of nothing, of 48 KiB that stop, of what returns 24 KiB, of code that jumps."""
    size = (b"\x5f", push(49_152), b"\x60\x07", push(24_000))[piece.first % 4]
    init = b"\x66" + bytes.fromhex("6160005ff30000") + b"\x5f\x52" if piece.first % 4 == 2 else b""
    start = b"\x60\x19" if piece.first % 4 == 2 else b"\x5f"
    return (
        init
        + (b"\x5a" if piece.second % 2 else b"")
        + size
        + start
        + b"\x5f"
        + (b"\xf5" if piece.second % 2 else b"\xf0")
        + b"\x50"
    )


def _log(piece: Piece) -> bytes:
    return b"\x5f" * (piece.first % 5) + push(SIZES[piece.second % 4]) + b"\x5f" + bytes([0xA0 + piece.first % 5])


def _jump(_: Piece) -> bytes:
    """Over a byte of JUMPDEST that is data."""
    return b"\x58\x60\x06\x01\x56\x60\x5b\x5b"


TOURED = (0x54, 0x31, 0x3B, 0x3F, 0xFA, 0x55, 0x5C, 0x5D)


def _tour(piece: Piece) -> bytes:
    """One instruction for each of many addresses or slots; the loop then goes round them."""
    opcode, code = TOURED[piece.first % len(TOURED)], []
    for number in range(FIRST_TOURED, FIRST_TOURED + TOURS[piece.second % len(TOURS)]):
        word = b"\x61" + number.to_bytes(2, "big")
        if opcode == 0xFA:
            code.append(b"\x5f\x5f\x5f\x5f" + word + b"\x60\xff\xfa\x50")
        elif opcode in (0x55, 0x5D):
            code.append(b"\x5a" + word + bytes([opcode]))
        else:
            code.append(word + bytes([opcode, 0x50]))
    return b"".join(code)


def _undone(piece: Piece) -> bytes:
    """A call of this account that fails."""
    return b"\x5f\x5f\x5f\x5f\x5f\x30" + push(100 + piece.first * 50) + b"\xf1\x50"


def _grow(piece: Piece) -> bytes:
    return b"\x5f\x59" + push(SIZES[piece.first % 3]) + b"\x01\x52"


KINDS = {
    "opcode": _opcode,
    "call": _call,
    "precompile": _precompile,
    "create": _create,
    "log": _log,
    "jump": _jump,
    "grow": _grow,
    "tour": _tour,
    "undone": _undone,
}

# --- callees


def _again(piece: Piece) -> bytes:
    """Itself, as deep as the gas lasts, with input of its own memory; then a log or a write."""
    size = push(SIZES[piece.first % 5])
    after = (b"", b"\x5f\x5f\xa0", b"\x5a\x5f\x55", b"\xfe", b"\x5a\x5a\x55", b"\x5a\x5f\x5d")[piece.second % 6]
    return b"\x5f\x5f" + size + b"\x5f\x5f\x30\x5a\xf1\x50" + after


def _returning(piece: Piece) -> bytes:
    return push(SIZES[piece.first % 7]) + b"\x5f" + (b"\xf3", b"\xfd")[piece.second % 2]


def _twice(piece: Piece) -> bytes:
    """Two calls of itself: frames without end, none deep."""
    once = b"\x5f\x5f" + push(SIZES[piece.first % 4]) + b"\x5f\x5f\x30\x5a\x60\x01\x1c\xf1\x50"
    return once * 2


_CALLEES = {
    "none": lambda _: None,
    "stop": lambda _: b"\x00",
    "invalid": lambda _: b"\xfe",
    "jump": lambda piece: jumping_code(24_000, (0x7F, 0x60, 0x5B, 0x6F)[piece.first % 4]),
    "again": _again,
    "twice": _twice,
    "return": _returning,
    "write": lambda piece: (b"\x5a\x5f\x55", b"\x5a\x5a\x55", b"\x5a\x5f\x5d", b"\x5f\x54\x5f\x5f\xfd")[
        piece.first % 4
    ],
    "destroy": lambda piece: (b"\x30\xff", b"\x5a\xff", b"\x33\xff")[piece.first % 3],
    "create": lambda piece: b"\x5f\x5f\x5f\xf0" * (1 + piece.first % 8),
}

# --- drawing


class Draws:
    """Candidates at random, and changes of one."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def catalogue(self) -> Iterator[Candidate]:
        """Each kind by itself, where the climb begins."""
        for number in range(len(OPCODES)):
            yield Candidate((Piece("opcode", number, self._small(7), self._small(7)),))
        for number in range(len(PRECOMPILES)):
            for variant in range(2):
                yield Candidate((Piece("precompile", number, variant),))
        for callee in _CALLEES:
            for size in (0, 3, 7):
                yield Candidate((Piece("call", 3, size, 1),), Piece(callee, self._small(8), self._small(8)))
        for number in range(20):
            yield Candidate((Piece("call", number, self._small(8), 1 + self._small(2)),))
        for number in range(8):
            yield Candidate((Piece("create", number % 4, number // 4),))
        yield from (Candidate((Piece(kind, self._small(5), self._small(4)),)) for kind in ("log", "jump", "grow"))
        for number in range(len(TOURED)):
            yield Candidate((Piece("tour", number, 2, 1), Piece("undone", 3)))
            yield Candidate((Piece("tour", number, 1, 0),))
        for dirty in DIRTY[1:3]:
            yield Candidate((Piece("call", 7, 0, 1),), dirty=dirty)
        yield from (Candidate((Piece("opcode", 0),), transactions=number) for number in TRANSACTIONS)

    def candidate(self) -> Candidate:
        pieces = tuple(self._piece() for _ in range(self._random.randint(1, 3)))
        return self._around(Candidate(pieces))

    def changed(self, candidate: Candidate, other: Candidate) -> Candidate:
        """A neighbour: one thing different, or pieces of another."""
        draw, pieces = self._random, list(candidate.pieces)
        kind = draw.randrange(6)
        if kind == 0:
            pieces[draw.randrange(len(pieces))] = self._piece()
        elif kind == 1 and len(pieces) < MAX_PIECES:
            pieces.insert(
                draw.randint(0, len(pieces)), draw.choice(other.pieces) if draw.random() < 0.5 else self._piece()
            )
        elif kind == 2 and len(pieces) > 1:
            del pieces[draw.randrange(len(pieces))]
        elif kind == 3:
            at = draw.randrange(len(pieces))
            name = draw.choice(("first", "second", "third"))
            pieces[at] = replace(pieces[at], **{name: self._small(80)})
        else:
            return self._around(candidate)
        return replace(candidate, pieces=tuple(pieces))

    def _around(self, candidate: Candidate) -> Candidate:
        draw = self._random
        options = {
            "callee": lambda: Piece(draw.choice(list(_CALLEES)), self._small(8), self._small(8)),
            "transactions": lambda: draw.choice(TRANSACTIONS),
            "dirty": lambda: draw.choice(DIRTY[:3]),
            "memory_bytes": lambda: draw.choice(SIZES),
            "data_bytes": lambda: draw.choice(DATA_BYTES),
        }
        name = draw.choice(list(options))
        return replace(candidate, **{name: options[name]()})

    def _piece(self) -> Piece:
        kinds = (
            "opcode",
            "opcode",
            "opcode",
            "call",
            "call",
            "call",
            "precompile",
            "create",
            "log",
            "jump",
            "grow",
            "tour",
            "undone",
        )
        return Piece(self._random.choice(kinds), self._small(80), self._small(80), self._small(80))

    def _small(self, end: int) -> int:
        return self._random.randrange(end)
