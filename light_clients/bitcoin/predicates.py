"""The rules that a run of headers must keep, one function a rule (docs/spec/bitcoin-client.md).

Sources are Bitcoin Core's `CheckBlockHeader` and `ContextualCheckBlockHeader` (`validation.cpp`), `pow.cpp`, and BIPs.
"""

from collections.abc import Sequence

from hutong.light_clients.bitcoin.networks import MAX_FUTURE_BLOCK_TIME_S, MAX_TIMEWARP_S, ChainParameters
from hutong.light_clients.bitcoin.types import BlockHeader, ConsensusState, Header, display
from hutong.light_clients.bitcoin.work import required_bits, starts_period, target_of
from hutong.light_clients.interface import (
    NANOSECONDS_PER_SECOND,
    Height,
    PredicateFailed,
    cited,
    rule,
    trusting,
)

SPEC = "docs/spec/bitcoin-client.md"


within_trusting_period = cited(trusting.within_trusting_period, SPEC)


@rule(SPEC)
def height_in_run(header: Header) -> None:
    """The block to believe is one of the headers: above the trusted height, at most the tip.

    Raises:
        PredicateFailed: it is not.
    """
    height, trusted = header.height.revision_height, header.trusted_height.revision_height
    if not trusted < height <= header.tip_height:
        raise PredicateFailed(
            "height_in_run",
            "the block to believe is not among the headers",
            got=height,
            expected=f"{trusted + 1} to {header.tip_height}",
        )


@rule("Bitcoin white paper, section 11")
def confirmation_depth(height: int, tip_height: int, needed: int) -> None:
    """So many blocks from the believed one to the tip, both included, that no reorganisation is expected to reach it.

    Raises:
        PredicateFailed: fewer than `needed`.
    """
    depth = tip_height - height + 1
    if depth < needed:
        raise PredicateFailed(
            "confirmation_depth", "too few blocks on the block believed", got=depth, expected=f">= {needed}"
        )


def headers_linked(header: BlockHeader, parent_hash: bytes, height: int) -> None:
    """The header at `height` names its parent by hash.

    Raises:
        PredicateFailed: it has another parent.
    """
    if header.previous_block_hash != parent_hash:
        raise PredicateFailed(
            "headers_linked",
            f"the header at {height} has another parent",
            got=display(header.previous_block_hash),
            expected=display(parent_hash),
        )


def difficulty_as_required(header: BlockHeader, parent: ConsensusState, parameters: ChainParameters) -> None:
    """The bits are the very ones that the chain before them demands, at a period's start and inside it.

    Raises:
        PredicateFailed: other bits, easier or harder.
    """
    expected = required_bits(parent, header.time_s, parameters)
    if header.bits != expected:
        raise PredicateFailed(
            "difficulty_as_required",
            f"wrong bits at {parent.height + 1}",
            got=f"{header.bits:08x}",
            expected=f"{expected:08x}",
        )


def meets_target(block_hash: bytes, target: int) -> bool:
    """The hash, read little-endian, is at most the target. Zero is never valid: nobody can have found it."""
    return 0 < int.from_bytes(block_hash, "little") <= target


def proof_of_work(bits: int, block_hash: bytes, pow_limit: int) -> None:
    """The hash meets the target that the header's own bits stand for, and that is within the network's limit.

    Raises:
        PredicateFailed: the hash is above it, the target above the limit, or the bits stand for no target.
    """
    target = target_of(bits)
    if target > pow_limit:
        raise PredicateFailed("proof_of_work", "target above the network's limit", got=f"{bits:08x}")
    if not meets_target(block_hash, target):
        raise PredicateFailed(
            "proof_of_work", "hash above the target", got=display(block_hash), expected=f"<= {target:064x}"
        )


def every_proof_of_work(headers: Sequence[BlockHeader], hashes: Sequence[bytes], pow_limit: int) -> None:
    """`proof_of_work` of each header; `hashes` are their own, of the same number.

    Raises:
        PredicateFailed: of the first header that does not meet its target.
    """
    for header, block_hash in zip(headers, hashes, strict=True):
        proof_of_work(header.bits, block_hash, pow_limit)


def time_above_median(header: BlockHeader, parent: ConsensusState) -> None:
    """Later than the median of the 11 blocks before it. Earlier than its parent is legal.

    Raises:
        PredicateFailed: equal to the median, or earlier.
    """
    if header.time_s <= parent.median_time_past_s:
        raise PredicateFailed(
            "time_above_median",
            f"the header at {parent.height + 1} is not later than the median of the 11 before it",
            got=header.time_s,
            expected=f"> {parent.median_time_past_s}",
        )


def no_time_warp(header: BlockHeader, parent: ConsensusState) -> None:
    """BIP94: the first block of a period is at most 600 s before its parent, so that periods cannot be stretched.

    Raises:
        PredicateFailed: it is earlier. Other blocks are not judged.
    """
    if starts_period(parent.height + 1) and header.time_s < parent.time_s - MAX_TIMEWARP_S:
        raise PredicateFailed(
            "no_time_warp",
            f"the first header of a period, at {parent.height + 1}, is too far before its parent",
            got=header.time_s,
            expected=f">= {parent.time_s - MAX_TIMEWARP_S}",
        )


def version_not_obsolete(header: BlockHeader, parent: ConsensusState, parameters: ChainParameters) -> None:
    """Versions below 2, 3, 4 ended with BIP34, BIP66 and BIP65. Versions are signed, so a negative one is below all.

    Raises:
        PredicateFailed: a version below the least of its height.
    """
    least = 1 + sum(parent.height + 1 >= height for height in parameters.version_heights)
    if least > 1 and header.version < least:
        raise PredicateFailed(
            "version_not_obsolete",
            f"version of the header at {parent.height + 1}",
            got=header.version,
            expected=f">= {least}",
        )


def header_not_from_future(time_s: int, height: int, now_ns: int) -> None:
    """At most two hours after now: `time_s` is Unix seconds, `now_ns` nanoseconds; `height` is for the error alone.

    Raises:
        PredicateFailed: later than that.
    """
    if time_s * NANOSECONDS_PER_SECOND > now_ns + MAX_FUTURE_BLOCK_TIME_S * NANOSECONDS_PER_SECOND:
        raise PredicateFailed(
            "header_not_from_future",
            f"the header at {height} is more than two hours ahead",
            got=time_s,
            expected=f"<= {now_ns // NANOSECONDS_PER_SECOND + MAX_FUTURE_BLOCK_TIME_S}",
        )


def at_least_as_heavy(chainwork: int, best_chainwork: int, tip_height: int) -> None:
    """No chain with more work is known; of two that are equal either may be taken.

    Raises:
        PredicateFailed: `most_work`: less work than `best_chainwork`.
    """
    if chainwork < best_chainwork:
        raise PredicateFailed(
            "most_work",
            f"the chain to {tip_height} has less work than one that is known",
            got=f"{chainwork:x}",
            expected=f">= {best_chainwork:x}",
        )


def headers_conflict(height_1: Height, hash_1: bytes, height_2: Height, hash_2: bytes) -> None:
    """One height, two blocks. Hashes are in internal byte order.

    Raises:
        PredicateFailed: two heights, or one block.
    """
    if height_1 != height_2:
        raise PredicateFailed(
            "headers_conflict", "the blocks are of different heights", got=str(height_2), expected=str(height_1)
        )
    if hash_1 == hash_2:
        raise PredicateFailed("headers_conflict", "the blocks are the same", got=display(hash_1))
