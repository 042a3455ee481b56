"""Targets, their compact form, work, and the retarget rules (Bitcoin Core `arith_uint256.cpp`, `chain.cpp`, `pow.cpp`)."""

from hutong.light_clients.bitcoin.networks import (
    MIN_DIFFICULTY_AFTER_S,
    RETARGET_INTERVAL,
    TARGET_TIMESPAN_S,
    ChainParameters,
)
from hutong.light_clients.bitcoin.types import ConsensusState
from hutong.light_clients.interface import PredicateFailed

_SIGN = 0x0080_0000
_MANTISSA = 0x007F_FFFF
_RETARGET_CLAMP = 4
TARGET_BITS = 256


def target_of(bits: int) -> int:
    """The target that compact `bits` stand for; the network's limit is not asked.

    Raises:
        PredicateFailed: `target_in_range`: it is negative, zero or above 256 bits.
    """
    size, mantissa = bits >> 24, bits & _MANTISSA
    target = mantissa >> 8 * (3 - size) if size <= 3 else mantissa << 8 * (size - 3)
    if target == 0 or bits & _SIGN or target >> TARGET_BITS:
        raise PredicateFailed("target_in_range", "bits stand for no target", got=f"{bits:08x}")
    return target


def bits_of(target: int) -> int:
    """Compact form of a target, cut to its three leading bytes (`GetCompact`)."""
    size = (target.bit_length() + 7) // 8
    mantissa = target << 8 * (3 - size) if size <= 3 else target >> 8 * (size - 3)
    if mantissa & _SIGN:
        mantissa, size = mantissa >> 8, size + 1
    return size << 24 | mantissa


def work_of(bits: int) -> int:
    """Hashes that a block of this target takes on average: 2^256 / (target + 1), rounded down (`GetBlockProof`).

    Raises:
        PredicateFailed: the bits stand for no target.
    """
    return (1 << TARGET_BITS) // (target_of(bits) + 1)


def retargeted_bits(bits: int, first_time_s: int, last_time_s: int, pow_limit: int) -> int:
    """Bits of a period, from the times of the first and last block of the one before (`CalculateNextWorkRequired`).

    The span counts as 3.5 days at least and 56 at most; `pow_limit` is the easiest target.

    Raises:
        PredicateFailed: `bits`, those of the period before, stand for no target.
    """
    least, most = TARGET_TIMESPAN_S // _RETARGET_CLAMP, TARGET_TIMESPAN_S * _RETARGET_CLAMP
    timespan_s = min(max(last_time_s - first_time_s, least), most)
    return bits_of(min(target_of(bits) * timespan_s // TARGET_TIMESPAN_S, pow_limit))


def starts_period(height: int) -> bool:
    """Whether the block at `height` is the first of its 2 016 and may have new bits."""
    return height % RETARGET_INTERVAL == 0


def required_bits(parent: ConsensusState, time_s: int, parameters: ChainParameters) -> int:
    """Bits that the block after `parent` must have if its time is `time_s` (`GetNextWorkRequired`).

    Raises:
        PredicateFailed: the parent's bits stand for no target.
    """
    limit_bits = bits_of(parameters.pow_limit)
    if starts_period(parent.height + 1):
        if not parameters.retargets:
            return parent.bits
        base = parent.period_first_bits if parameters.enforces_bip94 else parent.bits
        return retargeted_bits(base, parent.period_first_time_s, parent.time_s, parameters.pow_limit)
    if not parameters.allows_min_difficulty:
        return parent.bits
    if time_s > parent.time_s + MIN_DIFFICULTY_AFTER_S:
        return limit_bits
    return parent.regular_bits
