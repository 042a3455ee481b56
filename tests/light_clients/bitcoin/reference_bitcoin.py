"""A second reading of Bitcoin's rules, from Bitcoin Core's sources alone: whole lists of raw headers, no state carried along.

Slow and without bounds; it shares no code with `hutong.light_clients.bitcoin`, so that the two can be compared.
"""

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass

INTERVAL = 2016
TIMESPAN = 14 * 24 * 60 * 60


@dataclass(frozen=True)
class Rules:
    """As in `consensus/params.h`."""

    pow_limit: int
    allow_min_difficulty: bool
    no_retargeting: bool
    bip94: bool
    bip34_height: int = 1
    bip66_height: int = 1
    bip65_height: int = 1


MAINNET = Rules((1 << 224) - 1, False, False, False, 227_931, 363_725, 388_381)
TESTNET3 = Rules((1 << 224) - 1, True, False, False, 21_111, 330_776, 581_885)
TESTNET4 = Rules((1 << 224) - 1, True, False, True)
REGTEST = Rules((1 << 255) - 1, True, True, False)


def double(data: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def set_compact(compact: int) -> tuple[int, bool]:
    """Value, and whether it is usable (not negative, not overflown, not zero)."""
    size = compact >> 24
    word = compact & 0x007FFFFF
    value = word >> (8 * (3 - size)) if size <= 3 else word << (8 * (size - 3))
    negative = word != 0 and compact & 0x00800000 != 0
    overflow = word != 0 and (size > 34 or (word > 0xFF and size > 33) or (word > 0xFFFF and size > 32))
    return value, not (negative or overflow or value == 0)


def get_compact(value: int) -> int:
    size = (value.bit_length() + 7) // 8
    compact = value << (8 * (3 - size)) if size <= 3 else value >> (8 * (size - 3))
    if compact & 0x00800000:
        compact >>= 8
        size += 1
    return compact | size << 24


def get_next_work_required(chain: Sequence[tuple[int, int]], time: int, rules: Rules) -> int:
    """`chain` is (time, bits) of every block from genesis on; `time` is the new block's."""
    last = len(chain) - 1
    limit = get_compact(rules.pow_limit)
    if (last + 1) % INTERVAL != 0:
        if rules.allow_min_difficulty:
            if time > chain[last][0] + 2 * 600:
                return limit
            at = last
            while at > 0 and at % INTERVAL != 0 and chain[at][1] == limit:
                at -= 1
            return chain[at][1]
        return chain[last][1]
    if rules.no_retargeting:
        return chain[last][1]
    first = last - (INTERVAL - 1)
    timespan = chain[last][0] - chain[first][0]
    if timespan < TIMESPAN // 4:
        timespan = TIMESPAN // 4
    if timespan > TIMESPAN * 4:
        timespan = TIMESPAN * 4
    value, _ = set_compact(chain[first][1] if rules.bip94 else chain[last][1])
    value = value * timespan // TIMESPAN
    return get_compact(min(value, rules.pow_limit))


def header_refused(chain: Sequence[bytes], header: bytes, rules: Rules, now: float) -> str | None:
    """Core's reject reason for a raw header on raw headers from genesis on; None where it is taken."""
    version, previous, _, time, bits, _ = struct.unpack("<i32s32sIII", header)
    height = len(chain)
    times = [struct.unpack_from("<I", raw, 68)[0] for raw in chain]
    digest = double(header)
    value, usable = set_compact(bits)
    if not usable or value > rules.pow_limit or not 0 < int.from_bytes(digest, "little") <= value:
        return "high-hash"
    if previous != double(chain[-1]):
        return "prev-blk-not-found"
    pairs = list(zip(times, (struct.unpack_from("<I", raw, 72)[0] for raw in chain), strict=True))
    if bits != get_next_work_required(pairs, time, rules):
        return "bad-diffbits"
    window = sorted(times[-11:])
    if time <= window[len(window) // 2]:
        return "time-too-old"
    if rules.bip94 and height % INTERVAL == 0 and time < times[-1] - 600:
        return "time-timewarp-attack"
    if time > now + 2 * 60 * 60:
        return "time-too-new"
    if (
        (version < 2 and height >= rules.bip34_height)
        or (version < 3 and height >= rules.bip66_height)
        or (version < 4 and height >= rules.bip65_height)
    ):
        return "bad-version"
    return None


def run_refused(chain: Sequence[bytes], headers: Sequence[bytes], rules: Rules, now: float) -> str | None:
    """The first reason against headers one on the other."""
    known = list(chain)
    for header in headers:
        reason = header_refused(known, header, rules, now)
        if reason is not None:
            return reason
        known.append(header)
    return None


def fold(leaf: bytes, index: int, siblings: Sequence[bytes]) -> bytes | None:
    """Root of a branch; None where a node is its own left neighbour, or the index is outside."""
    for sibling in siblings:
        if index % 2 and sibling == leaf:
            return None
        leaf = double(sibling + leaf if index % 2 else leaf + sibling)
        index //= 2
    return leaf if index == 0 else None


def outputs_and_outpoints(raw: bytes) -> tuple[list[bytes], list[tuple[bytes, int]]] | None:
    """Output scripts and spent outpoints of a transaction without witness; None where it is none."""

    def size(at: int) -> tuple[int, int]:
        marker = raw[at]
        if marker < 0xFD:
            return marker, at + 1
        width = {0xFD: 2, 0xFE: 4, 0xFF: 8}[marker]
        value = int.from_bytes(raw[at + 1 : at + 1 + width], "little")
        if len(raw) < at + 1 + width or value < {2: 0xFD, 4: 0x10000, 8: 0x100000000}[width]:
            raise IndexError
        return value, at + 1 + width

    try:
        spent, scripts = [], []
        count, at = size(4)
        for _ in range(count):
            txid, index = struct.unpack_from("<32sI", raw, at)
            spent.append((txid, index))
            length, at = size(at + 36)
            at += length + 4
        outputs, at = size(at)
        for _ in range(outputs):
            length, at = size(at + 8)
            scripts.append(raw[at : at + length])
            at += length
        if at + 4 != len(raw) or not count or not outputs:
            return None
    except (IndexError, struct.error):
        return None
    return scripts, spent


def proves(
    headers: Sequence[bytes],
    tip_hash: bytes,
    coinbase: tuple[bytes, Sequence[bytes]],
    transaction: tuple[bytes, int, Sequence[bytes]],
    funding: tuple[bytes, int],
    output_index: int,
    publisher: bytes,
    script: bytes,
) -> bool:
    """Whether output `output_index` of a transaction that `publisher` paid for, under the first header, is `script`."""
    if double(headers[-1]) != tip_hash:
        return False
    if any(after[4:36] != double(before) for before, after in zip(headers, headers[1:], strict=False)):
        return False
    root = headers[0][36:68]
    first, first_siblings = coinbase
    raw, index, siblings = transaction
    parsed, first_parsed, paid = (outputs_and_outpoints(item) for item in (raw, first, funding[0]))
    if parsed is None or first_parsed is None or paid is None:
        return False
    if 64 in (len(raw), len(first), len(funding[0])):
        return False
    if first_parsed[1] != [(bytes(32), 0xFFFFFFFF)] or fold(double(first), 0, first_siblings) != root:
        return False
    if len(siblings) != len(first_siblings) or fold(double(raw), index, siblings) != root:
        return False
    if funding[1] >= len(parsed[1]) or output_index >= len(parsed[0]):
        return False
    txid, vout = parsed[1][funding[1]]
    if txid != double(funding[0]) or vout >= len(paid[0]) or paid[0][vout] != publisher:
        return False
    return parsed[0][output_index] == script
