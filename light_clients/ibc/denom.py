"""ICS-20 denominations: a base and the hops that it came over, newest first (docs/spec/transfer-packets.md)."""

import re
from dataclasses import dataclass, replace
from hashlib import sha256

from hutong.light_clients.ibc.identifiers import check_client_id, check_port_id
from hutong.light_clients.interface import MalformedInput

MAX_BASE_CHARS = 128
MAX_HOPS = 16
MAX_DENOM_CHARS = 1024

_BASE = re.compile(r"[A-Za-z0-9][A-Za-z0-9:._\-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Hop:
    """Port and client (a channel on chains of IBC v1) over which a token arrived."""

    port: str
    client: str

    def __post_init__(self) -> None:
        check_port_id(self.port, "denom.port")
        check_client_id(self.client, "denom.client")

    def __str__(self) -> str:
        return f"{self.port}/{self.client}"


@dataclass(frozen=True, slots=True)
class Denom:
    """`port/client/…/base`; a native denomination has no hops.

    The base has no `/` (a rule of ICS-20 v2) and only printable ASCII, so that no two texts look alike.
    """

    base: str
    hops: tuple[Hop, ...] = ()

    def __post_init__(self) -> None:
        if not 0 < len(self.base) <= MAX_BASE_CHARS:
            raise MalformedInput("denom.base", f"1 to {MAX_BASE_CHARS} characters", got=self.base)
        if _BASE.fullmatch(self.base) is None:
            raise MalformedInput("denom.base", "letters, digits and inner : . _ -", got=self.base)
        if len(self.hops) > MAX_HOPS:
            raise MalformedInput("denom.hops", f"more than {MAX_HOPS}", got=len(self.hops))
        if len(self.path) > MAX_DENOM_CHARS:
            raise MalformedInput("denom", f"more than {MAX_DENOM_CHARS} characters", got=len(self.path))

    @staticmethod
    def parse(path: str) -> "Denom":
        """Read a full path of at most `MAX_DENOM_CHARS` characters.

        Raises:
            MalformedInput: too long, no base, half a hop, or an identifier or base out of its rules.
        """
        if len(path) > MAX_DENOM_CHARS:
            raise MalformedInput("denom", f"more than {MAX_DENOM_CHARS} characters", got=len(path))
        *trace, base = path.split("/")
        if len(trace) % 2:
            raise MalformedInput("denom", "must be port/client pairs and a base without /", got=path)
        hops = tuple(Hop(port, client) for port, client in zip(trace[::2], trace[1::2], strict=True))
        return Denom(base, hops)

    @property
    def path(self) -> str:
        """The text that ICS-20 hashes and sends: hops, newest first, then the base."""
        return "/".join([*map(str, self.hops), self.base])

    @property
    def is_native(self) -> bool:
        """Whether the token has made no hop: it is at home here."""
        return not self.hops

    @property
    def digest(self) -> bytes:
        """SHA-256 of the path: a key of fixed length."""
        return sha256(self.path.encode()).digest()

    @property
    def local_name(self) -> str:
        """What a Cosmos chain calls the token: `ibc/<HEX>` of a voucher, the base of a native one."""
        return self.base if self.is_native else f"ibc/{self.digest.hex().upper()}"

    def is_returning(self, source_port: str, source_client: str) -> bool:
        """Whether a packet from this port and client brings the token home: its newest hop is that end of the path.

        Args:
            source_port, source_client: of the sending chain.

        Raises:
            MalformedInput: one of the two is not an identifier; not asked of a native denomination.
        """
        return bool(self.hops) and self.hops[0] == Hop(source_port, source_client)

    def prefixed(self, port: str, client: str) -> "Denom":
        """One hop more: the voucher's denomination at the receiving end.

        Args:
            port, client: of the receiving chain.

        Raises:
            MalformedInput: too many hops, too long a text, or no identifiers.
        """
        return replace(self, hops=(Hop(port, client), *self.hops))

    def stripped(self) -> "Denom":
        """One hop less: what the token is called where it returns to.

        Raises:
            MalformedInput: a native denomination.
        """
        if self.is_native:
            raise MalformedInput("denom", "has no hop to strip", got=self.path)
        return replace(self, hops=self.hops[1:])

    def __str__(self) -> str:
        return self.path
