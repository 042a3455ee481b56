"""Reed-Solomon over GF(2^8) as a text book has it: products bit by bit, sums by Gauss, no table."""

from functools import cache
from itertools import count

POLYNOMIAL = 0x11D


def product(one: int, other: int) -> int:
    total = 0
    while other:
        if other & 1:
            total ^= one
        one <<= 1
        if one & 0x100:
            one ^= POLYNOMIAL
        other >>= 1
    return total


@cache
def inverse(element: int) -> int:
    return next(other for other in range(1, 256) if product(element, other) == 1)


def cauchy_row(data: int, row: int) -> list[int]:
    return [inverse(row ^ column) for column in range(data)]


def rows(data: int, parity: int) -> list[list[int]]:
    units = [[int(row == column) for column in range(data)] for row in range(data)]
    return units + [cauchy_row(data, row) for row in range(data, data + parity)]


def combined(row: list[int], shards: list[bytes]) -> bytes:
    made = bytearray(len(shards[0]))
    for factor, shard in zip(row, shards, strict=True):
        for at, octet in enumerate(shard):
            made[at] ^= product(factor, octet)
    return bytes(made)


def encode(shards: list[bytes], parity: int) -> list[bytes]:
    return [combined(row, shards) for row in rows(len(shards), parity)[len(shards) :]]


def solved(data: int, parity: int, present: dict[int, bytes]) -> list[bytes]:
    """The data shards, by elimination over `data` of the present ones."""
    used = sorted(present, reverse=True)[:data]
    left, right = [list(rows(data, parity)[number]) for number in used], [bytes(present[number]) for number in used]
    for column in range(data):
        pivot = next(at for at in count(column) if left[at][column])
        left[column], left[pivot] = left[pivot], left[column]
        right[column], right[pivot] = right[pivot], right[column]
        factor = inverse(left[column][column])
        left[column] = [product(factor, element) for element in left[column]]
        right[column] = bytes(product(factor, octet) for octet in right[column])
        for at in range(data):
            factor = left[at][column]
            if at != column and factor:
                left[at] = [
                    element ^ product(factor, above) for element, above in zip(left[at], left[column], strict=True)
                ]
                right[at] = bytes(
                    octet ^ product(factor, above) for octet, above in zip(right[at], right[column], strict=True)
                )
    return right
