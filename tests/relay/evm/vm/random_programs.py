"""Contracts of random instructions that call, create, destroy and revert each other, from a seed."""

import random

from hutong.relay.evm.vm.accounts import GenesisAccount
from tests.relay.evm.evm_bytecode import push

CONTRACTS = tuple(bytes([0xC0 + number]) * 20 for number in range(5))
MODULE = bytes(18) + b"\x10\x01"
NOBODY = b"\x77" * 20
EDGES = (0, 1, 2, 3, 31, 32, 33, 64, 255, 256, 2**64, 2**255 - 1, 2**255, 2**256 - 1)
ONE_WORD = b"\x15\x19\x31\x35\x3b\x3f\x40\x47\x51\x54\x5c"
TWO_WORDS = bytes((*range(0x01, 0x08), 0x0A, 0x0B, *range(0x10, 0x15), 0x16, 0x17, 0x18, *range(0x1A, 0x1E), 0x20))
NO_WORDS = bytes((0x30, *range(0x32, 0x35), 0x36, 0x38, 0x3A, 0x3D, *range(0x41, 0x4B), 0x58, 0x59, 0x5A, 0x5F))
PRECOMPILES = (1, 2, 3, 4, 5, 6, 9, 0x0B)


class Programs:
    """Draws code. Two of one seed draw the same."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def accounts(self) -> dict[bytes, GenesisAccount]:
        return {
            address: GenesisAccount(
                balance_wei=self._random.choice((0, 5, 10**18)),
                nonce=1,
                code=self.code(self._random.randint(3, 40)),
                storage={slot: self._random.randint(1, 9) for slot in range(self._random.randint(0, 4))},
            )
            for address in CONTRACTS
        }

    def code(self, pieces: int) -> bytes:
        return b"".join(self._piece() for _ in range(pieces))

    def data(self) -> bytes:
        return self._random.randbytes(self._random.choice((0, 3, 32, 70)))

    def _piece(self) -> bytes:
        draw = self._random
        return draw.choice((
            self._arithmetic, self._arithmetic, self._memory, self._memory, self._storage, self._storage, self._call,
            self._call, self._call, self._create, self._log, self._jump, self._end, self._bytes, self._account,
        ))()  # fmt: skip

    def _number(self) -> bytes:
        draw = self._random
        return push(draw.choice(EDGES) if draw.random() < 0.4 else draw.randint(0, 70))

    def _small(self) -> bytes:
        return push(self._random.choice((0, 1, 5, 31, 32, 33, 64, 96)))

    def _arithmetic(self) -> bytes:
        draw = self._random
        kind = draw.randrange(4)
        if kind == 0:
            return self._number() + bytes([draw.choice(ONE_WORD)]) + self._spend()
        if kind == 1:
            return self._number() + self._number() + bytes([draw.choice(TWO_WORDS)]) + self._spend()
        if kind == 2:
            return self._number() * 2 + self._number() + bytes([draw.choice((0x08, 0x09))]) + self._spend()
        return bytes([draw.choice(NO_WORDS)]) + self._spend()

    def _spend(self) -> bytes:
        """The word on the stack: dropped, kept in memory, in storage or left."""
        return self._random.choice((b"\x50", self._small() + b"\x52", push(3) + b"\x55", b""))

    def _memory(self) -> bytes:
        draw = self._random
        copy = draw.choice((b"\x37", b"\x39", b"\x3e", b"\x5e", push(CONTRACTS[0]) + b"\x3c"))
        if draw.random() < 0.5:
            return self._small() + self._small() + self._small() + copy
        return self._number() + self._small() + draw.choice((b"\x52", b"\x53"))

    def _storage(self) -> bytes:
        draw = self._random
        return (
            draw.choice((self._number(), push(0), push(1))) + push(draw.randint(0, 3)) + draw.choice((b"\x55", b"\x5d"))
        )

    def _account(self) -> bytes:
        return push(self._target()) + bytes([self._random.choice((0x31, 0x3B, 0x3F))]) + self._spend()

    def _target(self) -> bytes:
        draw = self._random
        if draw.random() < 0.6:
            return draw.choice(CONTRACTS)
        if draw.random() < 0.5:
            return bytes(19) + bytes([draw.choice(PRECOMPILES)])
        return draw.choice((NOBODY, bytes(20), MODULE))

    def _call(self) -> bytes:
        draw = self._random
        opcode = draw.choice((0xF1, 0xF1, 0xF2, 0xF4, 0xFA))
        value = push(draw.choice((0, 0, 1, 10**19))) if opcode in (0xF1, 0xF2) else b""
        gas = draw.choice((b"\x5a", push(draw.randint(0, 90_000))))
        memory = b"".join(self._small() for _ in range(4))
        target, prepared = self._target(), b""
        if target == MODULE:
            program = draw.choice((b"w\x01\x02l\x07", b"w\x03\x04r", b"w\x05\x06k" + draw.choice(CONTRACTS) + b"\0"))
            prepared = push(program.ljust(32, b"\0")) + push(0) + b"\x52"
            memory = push(0) + push(0) + push(len(program)) + push(0)
        return prepared + memory + value + push(target) + gas + bytes([opcode]) + self._spend()

    def _create(self) -> bytes:
        draw = self._random
        runtime = draw.choice((b"\xff", b"\x33\xff", push(1) + push(1) + b"\x55", b"\xfe", b"\xef", self._storage()))
        init = draw.choice((
            push(runtime.ljust(32, b"\0")) + push(0) + b"\x52" + push(len(runtime)) + push(0) + b"\xf3",
            b"\x33\xff", self._storage() + b"\xfe", self._storage(), b"\x5f\x5f\xfd",
        ))[:64]  # fmt: skip
        words = b"".join(
            push(init[at : at + 32].ljust(32, b"\0")) + push(at) + b"\x52" for at in range(0, len(init), 32)
        )
        value = push(draw.choice((0, 0, 1)))
        if draw.random() < 0.5:
            created = push(len(init)) + push(0) + value + b"\xf0"
        else:
            created = push(draw.randint(0, 2)) + push(len(init)) + push(0) + value + b"\xf5"
        # Called at once, now and then: what was made in this transaction may destroy itself.
        used = b"\x5f\x5f\x5f\x5f\x5f\x85\x5a\xf1\x50\x50" if draw.random() < 0.5 else b"\x50"
        return words + created + used

    def _log(self) -> bytes:
        topics = self._random.randint(0, 4)
        return self._number() * topics + self._small() + self._small() + bytes([0xA0 + topics])

    def _jump(self) -> bytes:
        """Over a PUSH that may hold a JUMPDEST, or somewhere."""
        draw = self._random
        if draw.random() < 0.2:
            return self._number() + push(draw.randint(0, 200)) + draw.choice((b"\x56", b"\x57"))
        return b"\x58" + push(6) + b"\x01" + b"\x56" + draw.choice((b"\x5b\x5b", b"\x60\x5b", b"\x00\x00")) + b"\x5b"

    def _end(self) -> bytes:
        draw = self._random
        if draw.random() < 0.7:
            return b""
        return draw.choice((
            b"\x00", b"\xfe", self._small() + push(0) + b"\xf3", self._small() + push(0) + b"\xfd",
            push(self._target()) + b"\xff",
        ))  # fmt: skip

    def _bytes(self) -> bytes:
        return self._random.randbytes(self._random.randint(0, 2)) if self._random.random() < 0.3 else b""
