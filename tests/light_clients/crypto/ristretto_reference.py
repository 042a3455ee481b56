"""ristretto255 by the words of RFC 9496, in Python's own numbers: slow, of tests alone, and by nobody else's code."""

PRIME = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, PRIME) % PRIME
SQRT_M1 = pow(2, (PRIME - 1) // 4, PRIME)

Point = tuple[int, int]
"""Affine, of the Edwards curve."""
NEUTRAL: Point = (0, 1)


def is_negative(number: int) -> bool:
    return number % PRIME % 2 == 1


def absolute(number: int) -> int:
    return -number % PRIME if is_negative(number) else number % PRIME


def sqrt_ratio(u: int, v: int) -> tuple[bool, int]:
    """§4.2."""
    root = u * v**3 * pow(u * v**7, (PRIME - 5) // 8, PRIME) % PRIME
    check = v * root * root % PRIME
    flipped = check == -u % PRIME
    if flipped or check == -u * SQRT_M1 % PRIME:
        root = root * SQRT_M1 % PRIME
    return check == u % PRIME or flipped, absolute(root)


def decode(encoded: bytes) -> Point | None:
    """§4.3.1."""
    s = int.from_bytes(encoded, "little")
    if len(encoded) != 32 or s >= PRIME or is_negative(s):
        return None
    u1, u2 = (1 - s * s) % PRIME, (1 + s * s) % PRIME
    v = (-(D * u1 * u1) - u2 * u2) % PRIME
    was_square, inverse = sqrt_ratio(1, v * u2 * u2 % PRIME)
    den_x = inverse * u2 % PRIME
    x, y = absolute(2 * s * den_x), u1 * inverse * den_x * v % PRIME
    return None if not was_square or is_negative(x * y) or y == 0 else (x, y)


def encode(point: Point) -> bytes:
    """§4.3.2, with z = 1."""
    x, y = point
    t = x * y % PRIME
    u1, u2 = (1 + y) * (1 - y) % PRIME, t
    _, inverse = sqrt_ratio(1, u1 * u2 * u2 % PRIME)
    den1, den2 = inverse * u1 % PRIME, inverse * u2 % PRIME
    z_inverse = den1 * den2 * t % PRIME
    den_inverse = den2
    if is_negative(t * z_inverse):
        _, a_minus_d = sqrt_ratio(1, (-1 - D) % PRIME)
        x, y, den_inverse = y * SQRT_M1 % PRIME, x * SQRT_M1 % PRIME, den1 * a_minus_d % PRIME
    if is_negative(x * z_inverse):
        y = -y % PRIME
    return absolute(den_inverse * (1 - y)).to_bytes(32, "little")


def add(left: Point, right: Point) -> Point:
    (x1, y1), (x2, y2) = left, right
    product = D * x1 * x2 * y1 * y2 % PRIME
    x = (x1 * y2 + x2 * y1) * pow(1 + product, -1, PRIME)
    y = (y1 * y2 + x1 * x2) * pow(1 - product, -1, PRIME)
    return x % PRIME, y % PRIME


def times(scalar: int, point: Point) -> Point:
    total = NEUTRAL
    for bit in bin(scalar % ORDER)[2:]:
        total = add(total, total)
        if bit == "1":
            total = add(total, point)
    return total


GENERATOR: Point = (
    15112221349535400772501151409588531511454012693041857206046113283949847762202,
    46316835694926478169428394003475163141307993866256225615783033603165251855960,
)


def interpolated(shares: dict[int, int]) -> int:
    """The polynomial's value at 0, of its values at some other places (Lagrange)."""
    total = 0
    for place, value in shares.items():
        factor = value
        for other in shares:
            if other != place:
                factor = factor * other * pow(other - place, -1, ORDER) % ORDER
        total += factor
    return total % ORDER
