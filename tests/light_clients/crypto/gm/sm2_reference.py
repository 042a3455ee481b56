"""SM2 in plain integers, for any curve in the short form: the tests' oracle, written from GB/T 32918.2.

Slow and not constant in time; `hutong.light_clients.crypto.gm` is GmSSL. Needs SM3, which it takes from there.
"""

from dataclasses import dataclass

from hutong.light_clients.crypto import gm

Point = tuple[int, int] | None


@dataclass(frozen=True)
class Curve:
    p: int
    a: int
    b: int
    g: tuple[int, int]
    n: int

    @property
    def size(self) -> int:
        return (self.p.bit_length() + 7) // 8

    def add(self, first: Point, second: Point) -> Point:
        if first is None or second is None:
            return first or second
        (x1, y1), (x2, y2) = first, second
        if x1 == x2 and (y1 + y2) % self.p == 0:
            return None
        if first == second:
            slope = (3 * x1 * x1 + self.a) * pow(2 * y1, -1, self.p)
        else:
            slope = (y2 - y1) * pow(x2 - x1, -1, self.p)
        x3 = (slope * slope - x1 - x2) % self.p
        return x3, (slope * (x1 - x3) - y1) % self.p

    def multiply(self, scalar: int, point: Point) -> Point:
        result: Point = None
        while scalar:
            if scalar & 1:
                result = self.add(result, point)
            point = self.add(point, point)
            scalar >>= 1
        return result

    def hash_of(self, *values: int) -> bytes:
        return b"".join(value.to_bytes(self.size, "big") for value in values)

    def digest(self, public: tuple[int, int], identifier: bytes, message: bytes) -> int:
        """e = SM3(Z_A ‖ M)."""
        bits = (8 * len(identifier)).to_bytes(2, "big")
        z = gm.sm3(bits + identifier + self.hash_of(self.a, self.b, *self.g, *public))
        return int.from_bytes(gm.sm3(z + message), "big")

    def public_key(self, private: int) -> tuple[int, int]:
        point = self.multiply(private, self.g)
        assert point is not None
        return point

    def sign(self, private: int, e: int, nonce: int) -> tuple[int, int]:
        x1, _ = self.public_key(nonce)
        r = (e + x1) % self.n
        s = pow(1 + private, -1, self.n) * (nonce - r * private) % self.n
        return r, s

    def verify(self, public: tuple[int, int], e: int, r: int, s: int) -> bool:
        if not (0 < r < self.n and 0 < s < self.n) or (r + s) % self.n == 0:
            return False
        point = self.add(self.multiply(s, self.g), self.multiply((r + s) % self.n, public))
        return point is not None and (e + point[0]) % self.n == r


SM2P256V1 = Curve(
    p=gm.FIELD_PRIME,
    a=gm.FIELD_PRIME - 3,
    b=0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93,
    g=(
        0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
        0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
    ),
    n=gm.ORDER,
)
DEFAULT_IDENTIFIER = b"1234567812345678"
