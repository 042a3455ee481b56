"""The rules that a sealed header must keep, one function a rule (docs/spec/fisco-bcos-client.md).

A header lists the sealers that sign it and commits to no next list. Generation 2 nodes sign a block only if its list is
theirs, so the list can be followed: as in `bft_evm`, a quorum of the header's own list and more than a third of the
trusted one. Generation 3 nodes sign the leader's list unread (bcos-pbft Validator::verifyProposal): there one dishonest
leader could name any sealers, so the list must stay the trusted one and a change goes by recovery.
"""

from hutong.light_clients.fisco_bcos import suite
from hutong.light_clients.fisco_bcos.block_header import block_hash
from hutong.light_clients.fisco_bcos.types import (
    MILLISECONDS_PER_SECOND,
    CryptoSuite,
    Header,
    Sealer,
    total_weight,
)
from hutong.light_clients.interface import (
    Height,
    PredicateFailed,
    TooLittleOverlap,
    UnsupportedOperation,
    cited,
    rule,
    trusting,
)

SPEC = "docs/spec/fisco-bcos-client.md"
PBFT = "FISCO-BCOS PBFT, check of a block's signature list"


def quorum_weight(total: int) -> int:
    """All but the faulty third, which is more than two thirds; `total` is the weight of all sealers.

    Sources: v2.9.1 ConsensusEngineBase::minValidNodes, v3 PBFTConfig::updateQuorum.
    """
    return total - (total - 1) // 3


def overlap_weight(total: int) -> int:
    """The least weight that is more than a third."""
    return total // 3 + 1


within_trusting_period = cited(trusting.within_trusting_period, SPEC)
header_not_from_future = cited(trusting.header_not_from_future, SPEC)


@rule(SPEC)
def height_increases(height: Height, trusted_height: Height) -> None:
    """A header is vouched for by a lower one of the same revision.

    Raises:
        PredicateFailed: equal heights, a lower one, or two revisions.
    """
    if trusted_height.revision_number != height.revision_number or height <= trusted_height:
        raise PredicateFailed(
            "height_increases", "header is not above its trusted height", got=height, expected=f"> {trusted_height}"
        )


@rule(SPEC)
def time_does_not_decrease(header: Header, trusted_timestamp_ms: int, max_clock_drift_s: int) -> None:
    """Header time is not more than the clock drift before its trusted state's.

    Raises:
        PredicateFailed: it is.
    """
    _not_much_older("time_does_not_decrease", header, trusted_timestamp_ms, max_clock_drift_s)


def newest_time_does_not_decrease(
    header: Header, latest: Height, latest_timestamp_ms: int, max_clock_drift_s: int
) -> None:
    """Nor before the newest state's, where the header's is to be the newest: its time decides when the client expires.

    Raises:
        PredicateFailed: it is more than the clock drift before. A header at `latest` or below is not judged.
    """
    if header.height > latest:
        _not_much_older("newest_time_does_not_decrease", header, latest_timestamp_ms, max_clock_drift_s)


def _not_much_older(name: str, header: Header, timestamp_ms: int, max_clock_drift_s: int) -> None:
    """Nodes sign the time that the leader's clock shows, later than the block before or not."""
    least_ms = timestamp_ms - max_clock_drift_s * MILLISECONDS_PER_SECOND
    if header.block.timestamp_ms < least_ms:
        raise PredicateFailed(
            name, "header is older than a state below it", got=header.block.timestamp_ms, expected=f">= {least_ms}"
        )


@rule(PBFT)
def sealers_are_listed(header: Header) -> None:
    """Distinct keys, and the block's maker is one of them.

    Raises:
        PredicateFailed: a key twice, or a maker's index that is outside the list.
    """
    sealers = header.block.sealers
    if len({sealer.public_key for sealer in sealers}) != len(sealers):
        raise PredicateFailed("sealers_are_listed", "a sealer is listed twice")
    if header.block.sealer >= len(sealers):
        raise PredicateFailed(
            "sealers_are_listed", "the block's maker is not listed", header.block.sealer, f"< {len(sealers)}"
        )


@rule(PBFT)
def signatures_of_sealers(crypto_suite: CryptoSuite, header: Header) -> frozenset[Sealer]:
    """Who signed the block hash, every one of them in the header's own list.

    As nodes do, one bad signature refuses the header: of another key or hash, or of no sealer. So does a second one of
    a sealer, which nodes of generation 3 would count twice.

    Raises:
        PredicateFailed: the first bad signature, by its place.
        UnsupportedOperation: the suite is not installed.
    """
    name = "signatures_of_sealers"
    digest = block_hash(crypto_suite, header)
    sealers = header.block.sealers
    seen: set[int] = set()
    for number, signature in enumerate(header.signatures):
        index = signature.sealer_index
        if index >= len(sealers):
            raise PredicateFailed(name, f"signature {number} is of no listed sealer", index, f"< {len(sealers)}")
        if index in seen:
            raise PredicateFailed(name, f"signature {number} is a second one of its sealer", got=index)
        if not suite.is_signed_by(crypto_suite, sealers[index].public_key, digest, signature.signature):
            raise PredicateFailed(
                name, f"signature {number} is not its sealer's over the block hash", got=signature.signature
            )
        seen.add(index)
    return frozenset(sealers[index] for index in seen)


@rule(PBFT)
def quorum_of_own_sealers(header: Header, signers: frozenset[Sealer]) -> None:
    """More than two thirds of the weight of the header's own list signed it.

    Raises:
        PredicateFailed: too little weight.
    """
    needed = quorum_weight(total_weight(header.block.sealers))
    signed = sum(sealer.weight for sealer in signers)
    if signed < needed:
        raise PredicateFailed(
            "quorum_of_own_sealers", "sealers of too little weight signed the header", signed, f">= {needed}"
        )


@rule(SPEC)
def overlap_with_trusted_sealers(signers: frozenset[Sealer], trusted: tuple[Sealer, ...]) -> None:
    """More than a third of the trusted list's weight, as it was trusted, signed the header.

    Raises:
        TooLittleOverlap: too little of it; a nearer header may do.
    """
    keys = {sealer.public_key for sealer in signers}
    signed = sum(sealer.weight for sealer in trusted if sealer.public_key in keys)
    total = total_weight(trusted)
    needed = overlap_weight(total)
    if signed < needed:
        raise TooLittleOverlap(
            "overlap_with_trusted_sealers",
            "too few trusted sealers signed the header",
            got=signed,
            expected=f">= {needed} of {total}",
            signed=signed,
            needed=needed,
            total=total,
        )


@rule(SPEC)
def sealers_are_the_trusted_ones(header: Header, trusted: tuple[Sealer, ...]) -> None:
    """Generation 3: keys and weights are those of the trusted state.

    Raises:
        UnsupportedOperation: they changed, which a header of this generation does not prove.
    """
    if tuple(sorted(header.block.sealers)) != trusted:
        raise UnsupportedOperation(
            "a change of sealers or weights on FISCO BCOS 3: its nodes sign the leader's list unread, so a header does not"
            " prove it; recover the client with a substitute that trusts the new sealers"
        )


@rule(SPEC)
def headers_conflict(crypto_suite: CryptoSuite, header_1: Header, header_2: Header) -> None:
    """One height, two block hashes.

    Raises:
        PredicateFailed: two heights, or one block.
        UnsupportedOperation: the suite is not installed.
    """
    if header_1.block.number != header_2.block.number:
        raise PredicateFailed(
            "headers_conflict",
            "headers are of different heights",
            got=header_2.block.number,
            expected=header_1.block.number,
        )
    first = block_hash(crypto_suite, header_1)
    if first == block_hash(crypto_suite, header_2):
        raise PredicateFailed("headers_conflict", "headers have the same block hash", got=first)
