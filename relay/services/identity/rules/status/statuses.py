"""The statuses of one list as bytes: which bits are whose (Token Status List §4.1), and back.

Status `i` of `b` bits stands in byte `i * b // 8`, counted from that byte's least significant bit. The bytes are what the
hub's chunk tree hashes, and what both kinds of lists compress.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from hutong.light_clients.interface.errors import MalformedInput, PredicateFailed
from hutong.light_clients.interface.judge import rule
from hutong.relay.services.identity.rules.drafts import STATUS_LIST
from hutong.relay.services.identity.rules.status.widths import StatusValue, checked_width

MAX_STATUS_BYTES = 4 * 1024 * 1024
"""Of one list, not compressed: 32 million statuses of one bit. Known before anything is inflated."""


@dataclass(frozen=True, slots=True)
class Statuses:
    """`octets` hold as many statuses of `bits` bits as fit: the list says no other size."""

    bits: int
    octets: bytes

    def __post_init__(self) -> None:
        checked_width(self.bits, "status_list.bits")
        if not 0 < len(self.octets) <= MAX_STATUS_BYTES:
            raise MalformedInput("status_list", f"1 to {MAX_STATUS_BYTES} bytes of statuses", got=len(self.octets))

    @property
    def size(self) -> int:
        """How many statuses there are."""
        return len(self.octets) * 8 // self.bits


def pack_statuses(bits: int, size: int, values: Mapping[int, int]) -> Statuses:
    """`size` statuses, those of `values` by index as they say and all others 0.

    Raises:
        MalformedInput: a width that there is not, a size that is not whole bytes or too large, an index or a value out of
            its range.
    """
    width = checked_width(bits, "status_list.bits")
    if size <= 0 or size * width % 8 or size * width > MAX_STATUS_BYTES * 8:
        raise MalformedInput("status_list.size", f"whole bytes, at most {MAX_STATUS_BYTES}", got=size)
    octets = bytearray(size * width // 8)
    for index, value in values.items():
        if not 0 <= index < size or not 0 <= value < 1 << width:
            raise MalformedInput("status_list", "no such index or value", got=(index, value), expected=(size, width))
        octets[index * width // 8] |= value << index * width % 8
    return Statuses(width, bytes(octets))


@rule(STATUS_LIST + " §8.3")
def index_is_in_list(statuses: Statuses, index: int) -> None:
    """The credential's index has a status in this list.

    Raises:
        PredicateFailed: it is at or after the end, or negative; a shortened list fails so too.
    """
    if not 0 <= index < statuses.size:
        raise PredicateFailed("index_is_in_list", "the list has no such index", got=index, expected=statuses.size)


def status_at(statuses: Statuses, index: int) -> int:
    """The status at `index`.

    Raises:
        PredicateFailed: see `index_is_in_list`.
    """
    index_is_in_list(statuses, index)
    bits = statuses.bits
    return statuses.octets[index * bits // 8] >> index * bits % 8 & (1 << bits) - 1


@rule(STATUS_LIST + " §7.1")
def status_is_valid(status: int) -> None:
    """The credential holds: its status is 0.

    Raises:
        PredicateFailed: invalid, suspended, or a value that only its issuer knows.
    """
    if status != StatusValue.VALID:
        known = StatusValue(status).name.lower() if status in tuple(StatusValue) else f"status {status}"
        raise PredicateFailed("status_is_valid", "the credential does not hold", got=known, expected="valid")
